"""The world's own word-level tokenizer and chat template, as a normal fast tokenizer."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from stic_trainer.world.prompts import DEFAULT_PROMPTS, read_prompts
from stic_trainer.world.questions import MULTI_KINDS, NUMBERS, SIMPLE_KINDS, ask
from stic_trainer.world.scene import BACKGROUNDS, CELLS, COLORS, SHAPES, SIZES, sample_scene
from stic_trainer.world.seeds import BASE_SEEDS, stream

IMAGE_TOKEN = "<image>"
SPECIAL_TOKENS = ("<pad>", "<s>", "</s>", "<unk>", IMAGE_TOKEN, "<user>", "<assistant>")

_WORD = r"[A-Za-z]+(?:-[a-z]+)*"

CHAT_TEMPLATE = (
    "{{ bos_token }}"
    "{%- for message in messages -%}"
    "{%- if message['role'] == 'assistant' -%}<assistant> {% else -%}<user> {% endif -%}"
    "{%- if message['content'] is string -%}{{ message['content'] }}"
    "{%- else -%}"
    "{%- for part in message['content'] -%}"
    "{%- if part['type'] == 'image' -%}<image>\n{% elif part['type'] == 'text' -%}{{ part['text'] }}{%- endif -%}"
    "{%- endfor -%}"
    "{%- endif -%}"
    "{%- if message['role'] == 'assistant' -%}{{ eos_token }}{%- endif -%}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}<assistant> {% endif -%}"
)


def world_words(prompts: Path) -> list[str]:
    """Every word and mark of the prompts, descriptions, questions and answers, sorted."""
    prompt_set = read_prompts(prompts)
    texts = [prompt_set.step_by_step, *prompt_set.plain, *prompt_set.misleading]
    texts += ["A scene, a. an and so yes no nothing the is are at objects object there missing Image description: ? ! ( ) ; - ' \""]
    texts += [*CELLS, *SIZES, *COLORS, *SHAPES, *BACKGROUNDS, *NUMBERS, *"0123456789"]
    for index in range(400):
        rng = stream(BASE_SEEDS.start, "vocabulary", index)
        scene = sample_scene(rng)
        questions = [ask(kind, scene, rng) for kind in (*SIMPLE_KINDS, *MULTI_KINDS)]
        texts += [question.text for question in questions if question]
    return sorted({word for text in texts for word in re.findall(rf"{_WORD}|[^\sA-Za-z]", text)})


def build_tokenizer(prompts: Path = DEFAULT_PROMPTS) -> PreTrainedTokenizerFast:
    """A tokenizer that knows the world's words; every other word is <unk>."""
    vocabulary = {token: index for index, token in enumerate([*SPECIAL_TOKENS, *world_words(prompts)])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r"\s+"), "removed"),
            pre_tokenizers.Split(Regex(_WORD), "isolated"),
            pre_tokenizers.Split(Regex(r"[^A-Za-z\s-]"), "isolated"),
        ]
    )
    tokenizer.decoder = decoders.WordPiece(prefix="##", cleanup=True)
    # Spaces around a special token carry no meaning here, and a template may put them there or not.
    tokenizer.add_special_tokens([AddedToken(token, lstrip=True, rstrip=True, special=True) for token in SPECIAL_TOKENS])
    build: Any = PreTrainedTokenizerFast
    fast: PreTrainedTokenizerFast = build(
        tokenizer_object=tokenizer,
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        additional_special_tokens=[IMAGE_TOKEN, "<user>", "<assistant>"],
        padding_side="left",
        model_max_length=512,
        clean_up_tokenization_spaces=False,
    )
    fast.chat_template = CHAT_TEMPLATE
    return fast


def token_id(tokenizer: PreTrainedTokenizerFast, token: str) -> int:
    """The id of one token of the vocabulary."""
    found = tokenizer.convert_tokens_to_ids(token)
    if not isinstance(found, int) or found == tokenizer.unk_token_id:
        raise ValueError(f"{token!r} is not in the vocabulary")
    return found
