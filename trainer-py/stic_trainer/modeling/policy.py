"""The policy: a frozen base model with LoRA adapters. The reference is the same object with the adapter switched off."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from stic_trainer.modeling.adapters import Adapters
from stic_trainer.modeling.blocks import attends_by_blocks
from stic_trainer.modeling.chat import Chat
from stic_trainer.modeling.families import Family
from stic_trainer.modeling.inputs import IMAGE_ATTENTION, POSITIONS, ImageFeatures, layer_masks, sliding_window
from stic_trainer.modeling.vision import ImageEncoder


class Policy:
    def __init__(self, folder: Path, base: Any, processor: Any, family: Family, name: str) -> None:
        self.folder = folder
        self.base = base
        self.family = family
        self.processor = processor
        self.chat = Chat(processor, folder, sorted(self._stop_ids()))
        self.vision = ImageEncoder(base, processor, family)
        self.adapters = Adapters(base, name)
        self.device: torch.device = base.device
        self.dtype: torch.dtype = base.dtype
        self.by_blocks = attends_by_blocks(base.config.text_config.model_type)

    @property
    def max_positions(self) -> int:
        """Longest sequence of the language model, tokens."""
        return int(self.base.config.text_config.max_position_embeddings)

    @property
    def sliding_window(self) -> int | None:
        """Positions that every layer sees at most; None where some layer sees all."""
        return sliding_window(self.base.config.text_config)

    @property
    def language_model(self) -> Any:
        return self.base.model.language_model

    def end_tokens(self) -> list[int]:
        """Ids that end a text."""
        return sorted(self._stop_ids() | {self.processor.tokenizer.eos_token_id, self.chat.end_id})

    def _stop_ids(self) -> set[int]:
        ends = self.base.generation_config.eos_token_id
        return set(ends if isinstance(ends, list) else [] if ends is None else [ends])

    def inputs(
        self,
        input_ids: Tensor,
        positions: Tensor,
        mask: Tensor,
        image_features: Sequence[ImageFeatures],
        *,
        position_offsets: Tensor | None = None,
        key_positions: Tensor | None = None,
    ) -> dict[str, Any]:
        """The language model's arguments for new tokens (B, Q): embeddings with images in their places, positions, masks.

        positions: (B, Q) places in the conversation. mask: (B, 1, Q, K) bool, causal and within ``sliding_window``, True = may
        attend. image_features: of the images among the new tokens, in row order. position_offsets (B,): what images read before add to
        the positions (ImageFeatures.position_offset). key_positions: (B, K), where a cache holds keys already.
        """
        # An image token that the model itself has written stands for no image.
        is_image = (input_ids == self.chat.image_token_id) & bool(image_features)
        embeds: Tensor = self.base.get_input_embeddings()(input_ids.masked_fill(is_image, 0))
        arguments: dict[str, Any] = {}
        if image_features:
            features = torch.cat([each.features for each in image_features]).to(embeds)
            assert int(is_image.sum()) == len(features), "image tokens and image features differ in number"
            embeds = embeds.masked_scatter(is_image[..., None], features)
            mask = IMAGE_ATTENTION[self.family.image_attention](mask, is_image)
            if image_features[0].layers:
                layers = [torch.cat(parts) for parts in zip(*(each.layers for each in image_features), strict=True)]
                arguments |= {"visual_pos_masks": is_image, "deepstack_visual_embeds": layers}
        keys = positions if key_positions is None else key_positions
        return arguments | {
            "inputs_embeds": embeds,
            "position_ids": POSITIONS[self.family.positions](positions, is_image, image_features, position_offsets),
            "attention_mask": layer_masks(mask, positions, keys, self.base.config.text_config),
        }

    def head(self, hidden: Tensor) -> Tensor:
        """Logits (..., vocabulary), at least fp32."""
        logits: Tensor = self.base.get_output_embeddings()(hidden)
        return logits if logits.dtype == torch.float64 else logits.float()

    def recompute_activations(self) -> None:
        """From now on the backward pass computes each decoder layer again instead of keeping its activations."""
        self.base.gradient_checkpointing_enable({"use_reentrant": False})
        for layer in self.language_model.layers:
            # The library checkpoints layers in training mode only. The mode of what is inside stays: nothing begins to drop.
            layer.training = True
