"""Batched generation says what the model itself says one prompt at a time, whatever the batch."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor

from stic_trainer.modeling.generation import Answer, Refusal, Request, generate
from stic_trainer.modeling.policy import Policy
from stic_trainer.modeling.testing import add_random_adapter, paint, tiny_policy
from stic_trainer.modeling.testing_families import ALL_MODELS, family_policy
from stic_trainer.modeling.vision import ImageFile

_SIZES = ((40, 40), (90, 30), (30, 90))
_PROMPTS = ("What is it?", "Hm", "Name two things that are not in the image.")


@dataclass(frozen=True)
class Sampling:
    temperature: float = 0.0
    top_p: float = 1.0
    max_new_tokens: int = 10
    share_image_cache: bool = True


@pytest.fixture(scope="module", params=list(ALL_MODELS))
def policy(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Policy:
    torch.set_num_threads(1)
    loaded = family_policy(tmp_path_factory.mktemp(request.param), request.param)
    # A random model hardly ever says </s>: a sixth of the alphabet ends its texts too, as some models' lists of end tokens do.
    loaded.base.generation_config.eos_token_id = [loaded.processor.tokenizer.eos_token_id, *range(9, 100, 6)]
    return loaded


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> list[ImageFile]:
    folder = tmp_path_factory.mktemp("pictures")
    return [paint(folder, size, seed=index) for index, size in enumerate(_SIZES)]


@pytest.fixture(scope="module")
def requests(images: list[ImageFile]) -> list[Request]:
    asked = [(prompt, image) for image in (*images, None) for prompt in _PROMPTS]
    return [Request(f"{index}", prompt, image, seed=1_000 + index) for index, (prompt, image) in enumerate(asked)]


def test_greedy_texts_are_those_of_the_library_one_by_one(policy: Policy, requests: list[Request]) -> None:
    answers = _answers(policy, requests)
    for request in requests:
        assert (answers[request.key].text, answers[request.key].ended) == _library_text(policy, request), request
    assert len({answer.text for answer in answers.values()}) > 4


@pytest.mark.parametrize("sampling", [Sampling(), Sampling(temperature=1.0), Sampling(temperature=1.5, top_p=0.8)])
def test_a_text_does_not_depend_on_the_batch(policy: Policy, requests: list[Request], sampling: Sampling) -> None:
    together = _answers(policy, requests, sampling)
    shuffled = random.Random(3).sample(requests, len(requests))
    assert _answers(policy, shuffled, sampling, max_batch_tokens=400) == together
    assert _answers(policy, requests, sampling, max_batch_tokens=1) == together
    alone = requests[5]
    assert _answers(policy, [alone], sampling)[alone.key] == together[alone.key]


@pytest.mark.parametrize("sampling", [Sampling(), Sampling(temperature=1.0)])
def test_sharing_what_was_read_of_an_image_changes_no_text(policy: Policy, images: list[ImageFile], sampling: Sampling) -> None:
    asked = [(image, question) for image in (*images, None) for question in ("Who is it?", "What is it?", "Where is it?")]
    requests = [Request(f"{index}", question, image, seed=index) for index, (image, question) in enumerate(asked)]
    read: dict[bool, int] = {}
    answers: dict[bool, dict[str, Answer]] = {}
    for shared in (False, True):
        with _counted(policy) as tokens:
            answers[shared] = _answers(policy, requests, replace(sampling, share_image_cache=shared), max_batch_tokens=600)
        read[shared] = sum(tokens)
    assert answers[True] == answers[False]
    assert read[True] < read[False]


def test_sharing_changes_no_logit(policy: Policy, images: list[ImageFile], monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Tensor] = []
    head = policy.head

    def keep(hidden: Tensor) -> Tensor:
        seen.append(head(hidden))
        return seen[-1]

    monkeypatch.setattr(policy, "head", keep)
    for image in images:
        requests = [Request(f"{number}", f"Question {number}?", image) for number in range(3)]
        logits = []
        for shared in (False, True):
            seen.clear()
            _answers(policy, requests, Sampling(max_new_tokens=6, share_image_cache=shared))
            logits.append(seen[0])
        assert (logits[0] - logits[1]).abs().max() < 1e-9


def test_the_seed_and_nothing_else_changes_a_sampled_text(policy: Policy, images: list[ImageFile]) -> None:
    requests = [Request(f"{seed}", "What is it?", images[0], seed) for seed in (1, 2, 3)] + [
        Request("1 again", "What is it?", images[0], 1)
    ]
    texts = {key: answer.text for key, answer in _answers(policy, requests, Sampling(temperature=1.5)).items()}
    assert texts["1"] == texts["1 again"]
    assert len(set(texts.values())) == 3


def test_rows_that_have_ended_leave_the_batch(policy: Policy, requests: list[Request], monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    forward = policy.language_model.forward

    def count(*arguments: Any, **options: Any) -> Any:
        sizes.append(len(options["inputs_embeds"]))
        return forward(*arguments, **options)

    monkeypatch.setattr(policy.language_model, "forward", count)
    answers = _answers(policy, requests, Sampling(temperature=1.0, max_new_tokens=24, share_image_cache=False))
    assert any(answer.ended for answer in answers.values())
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] == len(requests) > sizes[-1]


def test_an_adapter_is_used_only_where_it_is_asked_for(tmp_path: Path, requests: list[Request]) -> None:
    policy = tiny_policy(tmp_path / "model")
    before = _answers(policy, requests)
    add_random_adapter(policy)
    assert _answers(policy, requests) != before
    with policy.adapters.using(None):
        assert _answers(policy, requests) == before


def test_what_cannot_be_answered_is_refused_by_key_and_reason(policy: Policy, images: list[ImageFile], tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(images[0].path.read_bytes()[:60])
    requests = [
        Request("broken", "What is it?", ImageFile("0" * 64, broken)),
        Request("long", "x" * 2_000, images[0]),
        Request("placeholder", f"What is {policy.chat.image_token}?", images[0]),
        Request("good", "What is it?", images[0]),
    ]
    answers, refusals = _outcome(policy, requests, Sampling(), 4_096)
    assert set(answers) == {"good"}
    codes = {key: refusal.code for key, refusal in refusals.items()}
    assert codes == {"broken": "TRUNCATED", "long": "TOO_LONG", "placeholder": "ROW_INVALID"}


@contextmanager
def _counted(policy: Policy) -> Iterator[list[int]]:
    """Padded tokens of every forward pass."""
    tokens: list[int] = []
    hook = policy.language_model.register_forward_pre_hook(
        lambda module, arguments, options: tokens.append(options["inputs_embeds"].shape[:2].numel()), with_kwargs=True
    )
    try:
        yield tokens
    finally:
        hook.remove()


def _outcome(
    policy: Policy, requests: Sequence[Request], sampling: Sampling, max_batch_tokens: int
) -> tuple[dict[str, Answer], dict[str, Refusal]]:
    answers: dict[str, Answer] = {}
    refusals: dict[str, Refusal] = {}
    for said, refused in generate(policy, requests, sampling, max_batch_tokens=max_batch_tokens):
        assert not {*(answer.key for answer in said), *(refusal.key for refusal in refused)} & {*answers, *refusals}
        answers |= {answer.key: answer for answer in said}
        refusals |= {refusal.key: refusal for refusal in refused}
    return answers, refusals


def _answers(
    policy: Policy, requests: Sequence[Request], sampling: Sampling = Sampling(), *, max_batch_tokens: int = 4_096
) -> dict[str, Answer]:
    answers, refusals = _outcome(policy, requests, sampling, max_batch_tokens)
    assert not refusals and set(answers) == {request.key for request in requests}
    return answers


def _library_text(policy: Policy, request: Request) -> tuple[str, bool]:
    """What transformers' processor and ``generate`` make of one request, and whether it came to an end."""
    content: list[dict[str, str]] = [{"type": "image"}] if request.image else []
    rows = [{"role": "user", "content": [*content, {"type": "text", "text": request.prompt}]}]
    prompt = policy.processor.apply_chat_template(rows, tokenize=False, add_generation_prompt=True)
    images = [Image.open(request.image.path).convert("RGB")] if request.image else None
    inputs = policy.processor(images=images, text=[prompt], add_special_tokens=False, return_tensors="pt")
    if images:
        inputs["pixel_values"] = inputs["pixel_values"].to(policy.dtype)
    longest = Sampling().max_new_tokens
    output = policy.base.generate(**inputs, do_sample=False, max_new_tokens=longest, pad_token_id=0)
    ids = output[0, inputs["input_ids"].shape[1] :].tolist()
    ended = ids[-1] in policy.end_tokens()
    text: str = policy.processor.tokenizer.decode(ids[:-1] if ended else ids, skip_special_tokens=True)
    return text.strip(), ended
