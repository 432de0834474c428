"""One DPO step on LlavaNext: ours beside TRL's DPOTrainer, step by step in turns, the same losses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch

from stic_bench import data, ours
from stic_bench.bench import Bench
from stic_bench.models import NEXT, QUICK_NEXT, Shape, make_model
from stic_bench.result import Result, farthest
from stic_bench.turns import Turns
from stic_trainer.config.job import StageKind
from stic_trainer.data.records import write_rows
from stic_trainer.data.seeds import item_seed
from stic_trainer.engine.engine import LocalEngine
from stic_trainer.method.dpo import Scores, regularised_loss
from stic_trainer.modeling.chat import Message
from stic_trainer.modeling.policy import Picture, load_policy
from stic_trainer.modeling.rows import branch, join_rows
from stic_trainer.modeling.scoring import score
from stic_trainer.stages.plan import Plan

RESPONSE = 200
_CHECKED = 2
"""Steps compared in fp64: in fp32 a text's summed log-probability has an error of about 1e-4."""
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

    def ours_in_fp64(self, steps: int) -> list[float]:
        """The losses of the first steps, with the stage's parts in fp64."""
        policy, plan, config = load_policy(self.model, dtype=torch.float64), self.plan(), self.recipe.dpo
        policy.load_adapter(self.start(), trainable=True)
        policy.set_dropout(False)
        engine = LocalEngine(policy.trainable(), config.optimizer)
        losses = []
        for step in range(steps):
            pair = self.made[plan.rows(step)[0]]
            picture = Picture(pair.image.sha256, self.bench.store.blob(pair.image.sha256))
            question, count = Message("user", pair.prompt, image=True), policy.image_tokens(picture)
            good, bad = (policy.chat.conversation([question, Message("assistant", text)], count) for text in (pair.chosen, pair.rejected))
            batch = join_rows([branch(good, bad, picture)], device=policy.device, by_blocks=policy.by_blocks)
            with policy.using(None), torch.no_grad():
                reference = score(policy, batch)
            scores = score(policy, batch)
            loss = regularised_loss(Scores(*scores.split(1)), Scores(*reference.split(1)), beta=config.beta, chosen_weight=0).sum()
            engine.backward(loss)
            engine.update(learning_rate=plan.learning_rate(step), step=step)
            losses.append(float(loss.detach()))
        return losses

    def trl(self, pause: Callable[[], None] = lambda: None, *, steps: int | None = None, dtype: torch.dtype | None = None) -> list[float]:
        from stic_bench import trl_side

        plan = self.plan()
        order = [self.made[index] for step in range(plan.num_steps) for index in plan.rows(step)]
        rates = [plan.learning_rate(step) for step in range(plan.num_steps)]
        rows = data.trl_pairs(self.bench.store, order[:steps])
        config = self.recipe.dpo
        return trl_side.dpo(
            self.model, rows, config.lora, self.start(), beta=config.beta, batch=1, rates=rates[:steps], pause=pause, dtype=dtype
        )

    def plan(self) -> Plan:
        return Plan(len(self.made), self.recipe.seed, self.recipe.dpo.optimizer)

    def start(self) -> Path:
        """The adapter that our stage begins with."""
        policy = load_policy(self.model)
        policy.add_adapter(self.recipe.dpo.lora, seed=item_seed(self.recipe.seed, "dpo", "adapter"))
        folder = self.bench.folder / "start"
        policy.save_adapter(folder)
        return folder

    def image_tokens(self) -> int:
        sha256 = self.made[0].image.sha256
        return load_policy(self.model).image_tokens(Picture(sha256, self.bench.store.blob(sha256)))


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
    exact = [work.ours_in_fp64(_CHECKED), work.trl(steps=_CHECKED, dtype=torch.float64)] if shape is None else [[], []]
    apart = farthest(*exact)
    timed = farthest(recorder.series["dpo/loss"], losses)
    measured = seconds[1:-1]
    return [
        Result(
            name=f"one DPO step, LlavaNext, {work.image_tokens()} image tokens, 2 x {RESPONSE} response tokens",
            yardstick="TRL's DPOTrainer",
            unit="s",
            ours=[one for one, _ in measured],
            theirs=[other for _, other in measured],
            wanted="2.5x",
            agreement=f"losses of {_CHECKED} steps in fp64 within {apart:.1e}; the timed ones in fp32 {timed:.1e}",
            agrees=apart < 1e-5,
            details={"losses_ours": recorder.series["dpo/loss"], "losses_trl": losses, "fp64_ours": exact[0], "fp64_trl": exact[1]},
        )
    ]
