"""An epoch of fine-tuning over 256 rows of mixed length: ours, packed, beside TRL's SFTTrainer, step by step in turns."""

from __future__ import annotations

from collections.abc import Callable

from stic_bench import data, ours, trl_side
from stic_bench.bench import Bench
from stic_bench.models import LLAVA, QUICK_LLAVA, make_model
from stic_bench.result import Result, farthest
from stic_bench.turns import Turns
from stic_trainer.config.job import StageKind
from stic_trainer.data.records import write_rows
from stic_trainer.data.seeds import item_seed
from stic_trainer.modeling.loading import load_policy
from stic_trainer.stages.plan import Plan

BATCH, ANSWER, LONGEST = 8, 48, 600


def measure(bench: Bench) -> list[Result]:
    """Every epoch has rows of its own, so that no image is met twice."""
    epoch = 32 if bench.quick else 256
    model = make_model(bench.folder / "models", QUICK_LLAVA if bench.quick else LLAVA)
    rows = data.instructions(bench.store, bench.folder / "images", epoch * bench.pairs + BATCH, answer=ANSWER, longest=LONGEST)
    write_rows(bench.folder / "infused.jsonl", rows)
    infused, _ = bench.store.put_blob_file(bench.folder / "infused.jsonl")
    optimizer = {"batch_size": BATCH, "learning_rate": 1e-4, "epochs": 1, "max_micro_batch_tokens": 16_384, "checkpoint_every_steps": 1000}
    lora = {"rank": 16, "alpha": 32, "dropout": 0}
    settings = ours.recipe("paper", model, {"sft": {"optimizer": optimizer, "max_length": 4096}, "dpo": {"lora": lora}} | ours.levers())

    policy = load_policy(model)
    policy.adapters.add(settings.dpo.lora, seed=item_seed(settings.seed, "dpo", "adapter"))
    policy.adapters.save(bench.folder / "start-sft")
    adapter, _ = bench.store.put_tree(bench.folder / "start-sft")
    plan = Plan(len(rows), settings.seed, settings.sft.optimizer)
    order = [rows[index] for step in range(plan.num_steps) for index in plan.rows(step)]
    rates = [plan.learning_rate(step) for step in range(plan.num_steps)]

    recorder, losses = ours.Recorder(), list[float]()

    def our_turns(pause: Callable[[], None]) -> None:
        recorder.at = ours.ends_turns(pause, "sft/grad_norm")
        ours.run(
            StageKind.SFT,
            settings,
            {"infused": infused, "adapter": adapter},
            store=bench.store,
            work=bench.fresh("sft"),
            threads=bench.threads,
            recorder=recorder,
        )

    def their_turns(pause: Callable[[], None]) -> None:
        listed = data.trl_instructions(bench.store, order)
        losses.extend(trl_side.sft(model, listed, bench.store.tree(adapter), batch=BATCH, rates=rates, pause=pause))

    our_side, their_side = Turns(our_turns), Turns(their_turns)
    our_side.go_on()
    their_side.go_on()
    seconds = [(our_side.go_on(), their_side.go_on()) for _ in range(plan.num_steps)]
    our_side.go_on()
    their_side.go_on()
    steps = epoch // BATCH
    epochs = [seconds[1 + start : 1 + start + steps] for start in range(0, steps * bench.pairs, steps)]
    apart = farthest(recorder.series["sft/loss"], losses)
    return [
        Result(
            name=f"fine-tuning, one epoch over {epoch} rows of mixed length, batch {BATCH}",
            yardstick="TRL's SFTTrainer",
            unit="s",
            ours=[sum(one for one, _ in turns) for turns in epochs],
            theirs=[sum(other for _, other in turns) for turns in epochs],
            wanted="1.5x",
            agreement=f"losses of {plan.num_steps} steps within {apart:.1e} (relative)",
            agrees=apart < 1e-4,
            details={"losses_ours": recorder.series["sft/loss"], "losses_trl": losses},
        )
    ]
