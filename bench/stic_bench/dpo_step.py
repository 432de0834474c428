"""One DPO step on LlavaNext: ours beside TRL's DPOTrainer, step by step in turns, the same losses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch

from stic_bench import data, ours
from stic_bench.bench import Bench
from stic_bench.models import NEXT, QUICK_NEXT, Shape, make_model
from stic_bench.result import Result
from stic_bench.turns import Turns
from stic_trainer.config.job import StageKind
from stic_trainer.data.records import write_rows
from stic_trainer.data.seeds import item_seed
from stic_trainer.modeling.loading import load_policy
from stic_trainer.modeling.vision import ImageFile
from stic_trainer.stages.plan import Plan

RESPONSE = 200
SIZE = (672, 672)  # px: the largest grid of LLaVA-1.6


class DpoStep:
    """The same pairs for both sides, one pair a step."""

    def __init__(self, bench: Bench, steps: int, shape: Shape | None = None) -> None:
        self.bench = bench
        dtype = torch.bfloat16 if torch.cuda.is_available() else torch.float32
        self.model = make_model(bench.folder / "models", shape or (QUICK_NEXT if bench.quick else NEXT), dtype=dtype)
        lora = {"rank": 16, "alpha": 32, "dropout": 0}
        optimizer = {"batch_size": 1, "learning_rate": 1e-5, "max_micro_batch_tokens": 16_384, "epochs": 1, "checkpoint_every_steps": 1000}
        dpo = {"chosen_weight": 0, "lora": lora, "optimizer": optimizer, "max_length": 8192}
        self.recipe = ours.recipe("paper", self.model, {"dpo": dpo} | ours.levers())
        self.made = data.pairs(bench.store, bench.folder / "images", steps, size=SIZE, response=RESPONSE)
        path = bench.folder / "pairs.jsonl"
        write_rows(path, self.made)
        self.pairs, _ = bench.store.put_blob_file(path)

    def ours(self, pause: Callable[[], None]) -> ours.Recorder:
        recorder = ours.Recorder(at=ours.ends_turns(pause, "dpo/grad_norm"))
        work = self.bench.fresh("dpo")
        return ours.run(
            StageKind.DPO,
            self.recipe,
            {"pairs": self.pairs},
            store=self.bench.store,
            work=work,
            threads=self.bench.threads,
            recorder=recorder,
        )

    def trl(self, pause: Callable[[], None]) -> list[float]:
        from stic_bench import trl_side

        plan = self.plan()
        order = [self.made[index] for step in range(plan.num_steps) for index in plan.rows(step)]
        rates = [plan.learning_rate(step) for step in range(plan.num_steps)]
        rows = data.trl_pairs(self.bench.store, order)
        config = self.recipe.dpo
        return trl_side.dpo(self.model, rows, config.lora, self.start(), beta=config.beta, batch=1, rates=rates, pause=pause)

    def plan(self) -> Plan:
        return Plan(len(self.made), self.recipe.seed, self.recipe.dpo.optimizer)

    def start(self) -> Path:
        """The adapter that our stage begins with."""
        policy = load_policy(self.model)
        policy.adapters.add(self.recipe.dpo.lora, seed=item_seed(self.recipe.seed, "dpo", "adapter"))
        folder = self.bench.folder / "start"
        policy.adapters.save(folder)
        return folder

    def image_tokens(self) -> int:
        sha256 = self.made[0].image.sha256
        return load_policy(self.model).image_tokens(ImageFile(sha256, self.bench.store.blob(sha256)))


def measure(bench: Bench, shape: Shape | None = None) -> list[Result]:
    steps = bench.pairs + 2  # the first warms both up, the last has no batch to prepare
    work = DpoStep(bench, steps, shape)
    recorder, losses = ours.Recorder(), list[float]()

    def our_turns(pause: Callable[[], None]) -> None:
        nonlocal recorder
        recorder = work.ours(pause)

    our_side, their_side = Turns(our_turns), Turns(lambda pause: losses.extend(work.trl(pause)))
    our_side.go_on()
    their_side.go_on()
    seconds = [(our_side.go_on(), their_side.go_on()) for _ in range(steps)]
    our_side.go_on()
    their_side.go_on()
    apart = max(abs(one - other) for one, other in zip(recorder.series["dpo/loss"], losses, strict=True))
    # Four summed log-probabilities make a loss; TRL sums them in fp32, also where the model is in fp64.
    longest = max(map(abs, recorder.series["logps/chosen"]))
    rounding = work.recipe.dpo.beta * 4 * 2**-24 * longest
    measured = seconds[1:-1]
    return [
        Result(
            name=f"one DPO step, LlavaNext, {work.image_tokens()} image tokens, 2 x {RESPONSE} response tokens",
            yardstick="TRL's DPOTrainer",
            unit="s",
            ours=[one for one, _ in measured],
            theirs=[other for _, other in measured],
            wanted="2.5x",
            agreement=f"losses of {steps} steps within {apart:.1e}; fp32 sums of {longest:.0f} nats allow {rounding:.0e}",
            agrees=shape is not None or apart < max(1e-5, rounding),
            details={"losses_ours": recorder.series["dpo/loss"], "losses_trl": losses},
        )
    ]
