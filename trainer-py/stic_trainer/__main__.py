"""``python -m stic_trainer <command>``: each command imports only what it needs."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    command: str = options.command
    if command == "sidecar":
        from stic_trainer.sidecar.server import serve

        return serve(options)
    if command == "worker":
        from stic_trainer.runtime.jobfolder import JobFolder
        from stic_trainer.runtime.worker import default_threads, run_job

        return run_job(JobFolder(options.folder.absolute()), options.store, threads=options.threads or default_threads())
    if command == "fork-server":
        from stic_trainer.runtime.fork_server import serve as fork

        return fork(main)
    if command == "stage":
        from stic_trainer.runtime.offline import run_offline

        return run_offline(options)
    if command == "export":
        from stic_trainer.export.command import export_checkpoint

        return export_checkpoint(options)
    if command == "preflight":
        from stic_trainer.preflight.measure import run_preflight

        return run_preflight(options.store, sys.stdin, sys.stdout)
    if command == "inspect":
        from stic_trainer.sidecar.inspection import print_inspection

        return print_inspection(options.folder.absolute())
    from stic_trainer.data.importing import ImportRequest, import_dataset

    request = ImportRequest(
        kind=options.kind,
        source=options.source,
        image_root=options.image_root,
        image_list=options.image_list,
        private=tuple(options.private),
    )
    return import_dataset(request, options.store)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m stic_trainer", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)

    sidecar = commands.add_parser("sidecar", help="serve the trainer's gRPC interface")
    sidecar.add_argument("--listen", default="127.0.0.1:0", help="host:port; port 0 takes a free one")
    sidecar.add_argument("--store", type=Path, required=True, help="the artifact store shared with the server")
    sidecar.add_argument("--state", type=Path, required=True, help="folder of jobs and caches")
    sidecar.add_argument("--ready-file", type=Path, help='gets {"pid","port","started"} once the sidecar serves')
    sidecar.add_argument("--name", default="", help="name of this trainer; the host's by default")
    sidecar.add_argument("--capacity", type=int, default=1, help="jobs at a time; more wait in order")
    sidecar.add_argument("--label", action="append", default=[], metavar="KEY=VALUE", help="repeatable; what a run may require")
    sidecar.add_argument("--processes", type=int, default=0, help="that share a job; 0: STIC_PROCESSES, else one for each GPU")
    sidecar.add_argument("--grace-seconds", type=float, default=30.0, help="between asking a worker to stop and killing it")

    worker = commands.add_parser("worker", help="run the job of a folder (started by the sidecar)")
    worker.add_argument("folder", type=Path)
    worker.add_argument("--store", type=Path, required=True)
    worker.add_argument("--threads", type=int, default=0, help="0: STIC_THREADS or all cores")

    commands.add_parser("fork-server", help="loads the libraries once for the commands on its standard input (started by the sidecar)")

    stage = commands.add_parser("stage", help="run one stage here and now, without a sidecar")
    stage.add_argument("kind", choices=["prefer", "dpo", "describe", "infuse", "sft", "evaluate"])
    stage.add_argument("--preset", default="tiny", help="a file of recipes/")
    stage.add_argument("--set", action="append", default=[], metavar="FIELD=JSON", help="e.g. prefer.max_images=20")
    stage.add_argument("--input", action="append", default=[], metavar="ROLE=SHA256", help="repeatable; benchmarks too")
    stage.add_argument("--store", type=Path, required=True)
    stage.add_argument("--work", type=Path, required=True, help="folder of resumable state")
    stage.add_argument("--threads", type=int, default=0)

    preflight = commands.add_parser("preflight", help="what a run would find and need; the request as JSON on standard input")
    preflight.add_argument("--store", type=Path, required=True)

    importing = commands.add_parser("import", help="check a dataset and copy it into the store; events as JSON lines")
    importing.add_argument("kind", choices=["images", "instructions", "benchmark", "preferences"])
    importing.add_argument("source", type=Path)
    importing.add_argument("--image-root", type=Path, help="folder that image paths of instructions and preferences are relative to")
    importing.add_argument("--image-list", type=Path, help="file that names the images to take from the folder; all without it")
    importing.add_argument("--private", type=Path, action="append", default=[], help="repeatable; folder that no link may lead into")
    importing.add_argument("--store", type=Path, required=True)

    exporting = commands.add_parser("export", help="merge an adapter into its base model's folder; events as JSON lines")
    exporting.add_argument("--model", required=True, help="folder of the base model")
    exporting.add_argument("--adapter", type=Path, required=True, help="folder of the adapter (PEFT)")
    target = exporting.add_mutually_exclusive_group(required=True)
    target.add_argument("--out", type=Path, help="new folder to write")
    target.add_argument("--store", type=Path, help="artifact store to put the folder into")
    exporting.add_argument("--dtype", choices=["float32", "bfloat16", "float16"], help="of all weights; by default each keeps its own")
    exporting.add_argument("--max-shard-size", type=float, default=5.0, metavar="GB", help="of a weights file; 5 by default")
    exporting.add_argument("--about", default="{}", metavar="JSON", help="facts of the run for the model card")

    inspect = commands.add_parser("inspect", help="check a model folder without reading its weights; the report as one JSON line")
    inspect.add_argument("folder", type=Path)
    return parser


if __name__ == "__main__":
    code = main()
    if "WORLD_SIZE" in os.environ:
        sys.exit(code)  # processes that share a job take their connections down together
    sys.stdout.flush()
    sys.stderr.flush()
    # All is written. Taking torch down takes most of a second, during which the next job would have to wait for this one's place.
    os._exit(code)
