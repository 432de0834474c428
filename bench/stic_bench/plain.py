"""The stages written plainly on transformers and peft: one item at a time, no cache of features, no shared prefix, all logits.

The same model, prompts, losses, learning rates and number of optimizer steps as ours; how the official code goes about it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from PIL import Image
from torch import Tensor
from transformers import AutoModelForImageTextToText, AutoProcessor

from stic_trainer.config.job import GenerationConfig, OptimizerConfig
from stic_trainer.method.dpo import Scores, regularised_loss
from stic_trainer.modeling.adapter_names import target_pattern
from stic_trainer.stages.plan import Plan


class Plain:
    def __init__(self, model: Path) -> None:
        self.processor = AutoProcessor.from_pretrained(model, backend="pil")
        self.model: Any = AutoModelForImageTextToText.from_pretrained(model, dtype=torch.float32, attn_implementation="sdpa").eval()
        self.model.requires_grad_(False)

    def add_adapter(self, lora: Any) -> None:
        config = LoraConfig(r=lora.rank, lora_alpha=lora.alpha, lora_dropout=0.0, target_modules=target_pattern(lora.target_modules))
        self.model = get_peft_model(self.model, config)

    def inputs(self, messages: Sequence[tuple[str, str]], image: Path | None) -> Any:
        """Of a conversation of (role, text); up to the assistant's turn when the last message is the user's."""
        rows = []
        for index, (role, text) in enumerate(messages):
            shown = [{"type": "image"}] if image and index == 0 else []
            rows.append({"role": role, "content": [*shown, {"type": "text", "text": text}]})
        text = self.processor.apply_chat_template(rows, tokenize=False, add_generation_prompt=messages[-1][0] == "user")
        images = Image.open(image).convert("RGB") if image else None
        return self.processor(images=images, text=text, return_tensors="pt", add_special_tokens=False)

    @torch.no_grad()
    def answer(self, prompt: str, image: Path | None, settings: GenerationConfig) -> str:
        inputs = self.inputs([("user", prompt)], image)
        greedy = settings.temperature == 0
        sampling = {"do_sample": False} if greedy else {"do_sample": True, "temperature": settings.temperature, "top_p": settings.top_p}
        ids = self.model.generate(**inputs, max_new_tokens=settings.max_new_tokens, **sampling)
        new = ids[0, inputs["input_ids"].shape[1] :]
        return str(self.processor.tokenizer.decode(new, skip_special_tokens=True)).strip()

    def logp(self, messages: Sequence[tuple[str, str]], image: Path | None) -> tuple[Tensor, int]:
        """Summed log-probability of the assistant's turns, and their tokens."""
        inputs = self.inputs(messages, image)
        learned = self._learned(messages, image, inputs["input_ids"].shape[1])
        logits = self.model(**inputs, use_cache=False).logits[0, :-1]
        logps = logits.log_softmax(dim=-1).gather(-1, inputs["input_ids"][0, 1:, None]).squeeze(-1)
        return (logps * learned[1:]).sum(), int(learned.sum())

    def _learned(self, messages: Sequence[tuple[str, str]], image: Path | None, length: int) -> Tensor:
        mask = torch.zeros(length)
        for index, (role, _) in enumerate(messages):
            if role == "assistant":
                start = self.inputs(messages[:index], image)["input_ids"].shape[1]
                end = self.inputs(messages[: index + 1], image)["input_ids"].shape[1]
                mask[start:end] = 1
        return mask

    def dpo(self, pairs: Sequence[tuple[str, str, str, Path]], plan: Plan, *, beta: float, chosen_weight: float) -> None:
        """pairs: (prompt, chosen, rejected, image)."""
        optimizer = self._optimizer(plan.optimizer)
        for step in range(plan.num_steps):
            indices = plan.rows(step)
            for index in indices:
                prompt, chosen, rejected, image = pairs[index]
                sides = [[("user", prompt), ("assistant", text)] for text in (chosen, rejected)]
                with torch.no_grad(), self.model.disable_adapter():
                    reference = Scores(*(self.logp(side, image)[0][None] for side in sides))
                scores = Scores(*(self.logp(side, image)[0][None] for side in sides))
                loss = regularised_loss(scores, reference, beta=beta, chosen_weight=chosen_weight)
                (loss.sum() / len(indices)).backward()  # type: ignore[no-untyped-call]
            self._update(optimizer, plan, step)

    def sft(self, rows: Sequence[tuple[list[tuple[str, str]], Path | None]], plan: Plan) -> None:
        """rows: (messages, image)."""
        optimizer = self._optimizer(plan.optimizer)
        for step in range(plan.num_steps):
            indices = plan.rows(step)
            for index in indices:
                logp, tokens = self.logp(*rows[index])
                (-logp / tokens / len(indices)).backward()  # type: ignore[no-untyped-call]
            self._update(optimizer, plan, step)

    def _optimizer(self, settings: OptimizerConfig) -> torch.optim.Optimizer:
        return torch.optim.AdamW([p for p in self.model.parameters() if p.requires_grad], lr=0.0, weight_decay=settings.weight_decay)

    def _update(self, optimizer: torch.optim.Optimizer, plan: Plan, step: int) -> None:
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), plan.optimizer.max_grad_norm)
        for group in optimizer.param_groups:
            group["lr"] = plan.learning_rate(step)
        optimizer.step()
        optimizer.zero_grad()
