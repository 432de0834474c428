"""``python -m stic_trainer sidecar``: starts the gRPC server and ends it in good order."""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import json
import logging
import os
import signal
import socket
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from stic.trainer.v1 import trainer_pb2_grpc
from stic_trainer.runtime.store import Store
from stic_trainer.sidecar import host
from stic_trainer.sidecar.estimates import Estimates
from stic_trainer.sidecar.fork_server import ForkServer
from stic_trainer.sidecar.inspection import Inspections
from stic_trainer.sidecar.models import Models
from stic_trainer.sidecar.service import Host, TrainerService
from stic_trainer.sidecar.supervisor import Supervisor

SERVICE = "stic.trainer.v1.TrainerService"

_log = logging.getLogger(__name__)

_OPTIONS = [
    # A port in use is an error, not something to share.
    ("grpc.so_reuseport", 0),
    # The server pings every 2 s, also without calls, to notice a frozen trainer; the defaults would hang up on it.
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", 500),
    ("grpc.http2.max_ping_strikes", 0),
    ("grpc.max_receive_message_length", 64 * 2**20),
    ("grpc.max_send_message_length", 64 * 2**20),
]


def serve(options: argparse.Namespace) -> int:
    """Serves until SIGTERM or SIGINT; exit code 1 when it cannot start."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    try:
        host.parse_labels(options.label)
    except ValueError as error:
        _log.error("%s", error)
        return 1
    options.state.mkdir(parents=True, exist_ok=True)
    with open(options.state / "lock", "w", encoding="utf-8") as lock:
        if not _locked(lock):
            _log.error("another sidecar uses the state folder %s", options.state)
            return 1
        return asyncio.run(_serve(options))


async def _serve(options: argparse.Namespace) -> int:
    state, store = options.state.absolute(), Store(options.store.absolute())
    fork_server = ForkServer(state / "commands")
    supervisor = Supervisor(
        jobs=state / "jobs",
        store=store.root,
        fork_server=fork_server,
        capacity=options.capacity,
        grace_seconds=options.grace_seconds,
        processes=options.processes or host.process_count(),
    )
    supervisor.recover()
    labels, device_cache = host.parse_labels(options.label), state / "device.json"
    facts = Host(name=options.name or socket.gethostname(), labels=labels)
    if (known := host.cached_device(device_cache)) is not None:
        facts.accelerator = known
    service = TrainerService(
        host_facts=facts,
        supervisor=supervisor,
        store=store,
        models=Models(state / "models.json"),
        inspections=Inspections(state / "inspections", fork_server),
        estimates=Estimates(store.root, fork_server),
        import_log=state / "import.log",
    )
    server = grpc.aio.server(options=_OPTIONS)
    checks = health.aio.HealthServicer()
    trainer_pb2_grpc.add_TrainerServiceServicer_to_server(service, server)
    health_pb2_grpc.add_HealthServicer_to_server(checks, server)
    try:
        port = server.add_insecure_port(options.listen)
    except RuntimeError:
        port = 0
    if port == 0:
        _log.error("cannot listen on %s: the address is taken or not this machine's", options.listen)
        return 1
    await server.start()
    for name in ("", SERVICE):
        await checks.set(name, health_pb2.HealthCheckResponse.SERVING)

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    looking_after = asyncio.create_task(supervisor.run())
    probing = asyncio.create_task(_find_device(facts, device_cache))
    _write_ready_file(options.ready_file, port)
    _log.info("serving on port %d, store %s", port, store.root)

    await stop.wait()
    _log.info("stopping: %d jobs are asked to save their work", len(supervisor.active_ids()))
    await checks.enter_graceful_shutdown()
    supervisor.shut_down()
    await looking_after
    fork_server.close()
    probing.cancel()
    # Watchers get the last events of the jobs that ended; those of waiting jobs are cut.
    await server.stop(grace=1.0)
    if options.ready_file is not None:
        options.ready_file.unlink(missing_ok=True)
    return 0


async def _find_device(facts: Host, cache: Path) -> None:
    if facts.accelerator.device != "cpu":
        facts.accelerator = await host.probe_device(cache)


def _write_ready_file(path: Path | None, port: int) -> None:
    if path is None:
        return
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    started = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    draft.write_text(json.dumps({"pid": os.getpid(), "port": port, "started": started}) + "\n", "utf-8")
    draft.replace(path)


def _locked(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
