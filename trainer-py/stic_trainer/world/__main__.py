"""Command line of the embedded world: ``python -m stic_trainer.world <command>``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m stic_trainer.world", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)

    render = commands.add_parser("render", help="write pictures, instructions and benchmarks from one seed")
    render.add_argument("--out", type=Path, required=True, help="folder to write into")
    render.add_argument("--seed", type=int, required=True, help="tuning 1000..1999, tests and demo 2000..999999")
    render.add_argument("--images", type=int, default=400, help="unlabeled pictures")
    render.add_argument("--instructions", type=int, default=300, help="instruction rows")
    render.add_argument("--test-scenes", type=int, default=500, help="scenes, and items per benchmark")

    train = commands.add_parser("train-base", help="train the base model from scratch")
    train.add_argument("--out", type=Path, required=True, help="model folder to write")
    train.add_argument("--seed", type=int, required=True, help="base range, 0..999")
    train.add_argument("--eyes-steps", type=int, default=1500, help="steps of the vision tower")
    train.add_argument("--steps", type=int, default=6000, help="steps of the language model")
    train.add_argument("--threads", type=int, default=2, help="torch threads")

    gate = commands.add_parser("check-base", help="measure the base: descriptions, questions, does it read descriptions")
    gate.add_argument("--model", type=Path, required=True, help="model folder")
    gate.add_argument("--seed", type=int, required=True, help="tuning or test range")
    gate.add_argument("--scenes", type=int, default=200, help="held-out scenes")
    gate.add_argument("--threads", type=int, default=2, help="torch threads")

    options = parser.parse_args(arguments)
    # Each command imports what it needs: rendering must not pay for torch.
    if options.command == "render":
        from stic_trainer.world.dataset import render_demo

        render_demo(
            options.out,
            seed=options.seed,
            num_images=options.images,
            num_instructions=options.instructions,
            num_test_scenes=options.test_scenes,
        )
    elif options.command == "train-base":
        from stic_trainer.world.train_base import train_base

        train_base(options.out, seed=options.seed, eyes_steps=options.eyes_steps, steps=options.steps, num_threads=options.threads)
    else:
        from stic_trainer.world.base_model_check import check_base

        return 0 if check_base(options.model, options.seed, options.scenes, options.threads) else 1
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
