"""What is learned of an answer and what is context: against the library's own rendering and tokenisation, for published templates."""

import dataclasses
import random
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from transformers import LlavaProcessor, PreTrainedTokenizerFast
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

from stic_trainer.errors import StageError
from stic_trainer.modeling.chat import Chat, Message, PlaceholderError, TextError, Tokens
from stic_trainer.modeling.template import read_chat_template
from stic_trainer.modeling.testing import CHAT_TEMPLATE
from stic_trainer.modeling.testing_tokenizers import TOKENIZERS

_IMAGES = 3  # tokens of an image
_SETTINGS: dict[str, Any] = {"patch_size": 14, "vision_feature_select_strategy": "default", "num_additional_image_tokens": 1}


def _template(turn: str, *, opening: str = "", start: str = "", parts: str = "{{ i }}{{ t }}") -> str:
    """A chat template: ``turn`` writes a message ``m`` with ``i`` its image's placeholder and ``t`` its text."""
    read = (
        "{%- set x = namespace(i='', t='') -%}{%- for p in m['content'] -%}{%- if p['type'] == 'image' -%}{%- set x.i = IMAGE -%}"
        "{%- else -%}{%- set x.t = x.t + p['text'] -%}{%- endif -%}{%- endfor -%}{%- set i = x.i -%}{%- set t = x.t -%}"
    )
    return f"{start}{{%- for m in messages -%}}{read}{turn}{{%- endfor -%}}{{%- if add_generation_prompt -%}}{opening}{{%- endif -%}}"


def _llava(turn: str, **more: str) -> str:
    return _template(turn, **more).replace("IMAGE", "'<image>\\n'")


_ROLE = "{%- if m['role'] == 'assistant' -%}"
_INST = _ROLE + "{{ ' ' + t + 'END' }}{%- else -%}{{ '[INST] ' + i + t + ' [/INST]' }}{%- endif -%}"
_CHATML = "{{ '<|im_start|>' + m['role'] + '\\n' + i + t + '<|im_end|>\\n' }}"
_CHATML_OPENING = "{{ '<|im_start|>assistant\\n' }}"
VICUNA = _llava("{{ m['role'].upper() + ': ' + i + t + ' ' }}", opening="{{ 'ASSISTANT:' }}")
MISTRAL_OLD = _llava(_INST.replace("END", "<\\\\s> "))
MISTRAL_NEW = _llava(_INST.replace("END", "</s> "))
QWEN = _template(_CHATML, opening=_CHATML_OPENING).replace("IMAGE", "'<|vision_start|><|image_pad|><|vision_end|>'")
GEMMA = _llava(
    "{%- set r = 'model' if m['role'] == 'assistant' else 'user' -%}"
    "{{ '<start_of_turn>' + r + '\\n' + i }}{{ t | trim }}{{ '<end_of_turn>\\n' }}",
    opening="{{ '<start_of_turn>model\\n' }}",
    start="{{ bos_token }}",
)
INTERLEAVE = _llava("{{ '<|im_start|>' + m['role'] + '\\n' + i + '\\n' + t + '<|im_end|>' }}", opening=_CHATML_OPENING)
ONEVISION_OLD = _llava("{{ '<|im_start|>' + m['role'] + ' ' + i + '\\n' + t + '<|im_end|>' }}", opening=_CHATML_OPENING)
CHATML_STRING = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\\n' + m['content'] + '<|im_end|>\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)


@dataclasses.dataclass(frozen=True)
class _Case:
    tokenizer: str
    template: str
    end: str
    image: str = "<image>"
    stops: tuple[str, ...] = ()


CASES = {
    "tiny": _Case("tiny", CHAT_TEMPLATE, "</s>"),
    "vicuna": _Case("llama", VICUNA, "</s>"),
    "mistral-old": _Case("llama", MISTRAL_OLD, "</s>"),
    "mistral-new": _Case("llama", MISTRAL_NEW, "</s>"),
    "mistral-new-first": _Case("mistral", MISTRAL_NEW, "</s>"),
    "qwen": _Case("qwen", QWEN, "<|im_end|>", "<|image_pad|>", ("<|endoftext|>",)),
    "gemma": _Case("gemma", GEMMA, "<end_of_turn>", stops=("<eos>", "<end_of_turn>")),
    "interleave": _Case("qwen", INTERLEAVE, "<|im_end|>"),
    "onevision-old": _Case("qwen", ONEVISION_OLD, "<|im_end|>"),
    "chatml-string": _Case("qwen", CHATML_STRING, "<|im_end|>"),
}
PUBLISHED = sorted(CASES)


@cache
def _tokenizer(name: str) -> PreTrainedTokenizerFast:
    return TOKENIZERS[name]()


def _chat(case: _Case) -> tuple[Chat, Any]:
    tokenizer = _tokenizer(case.tokenizer)
    build: Any = LlavaProcessor
    processor = build(CLIPImageProcessorPil(), tokenizer, **_SETTINGS, chat_template=case.template, image_token=case.image)
    ids: Any = tokenizer.convert_tokens_to_ids(list(case.stops))
    return Chat(processor, Path("model"), ids), processor


def _library(case: _Case, processor: Any, messages: list[Message], **options: Any) -> tuple[str, list[int]]:
    """The conversation as the library renders and tokenises it, its images expanded, and corrected or completed by hand."""
    rows: list[dict[str, Any]] = []
    for message in messages:
        parts = ([{"type": "image"}] if message.image else []) + [{"type": "text", "text": message.text}]
        joined = ("<image>\n" if message.image else "") + message.text
        rows.append({"role": message.role, "content": joined if case.template == CHATML_STRING else parts})
    text: str = processor.apply_chat_template(rows, tokenize=False, **options)
    if case.template == VICUNA:
        # LLaVA's own training text: the end token where the template has a blank, and the next turn right behind it.
        for message in messages:
            if message.role == "assistant":
                text = text.replace(f"ASSISTANT: {message.text} ", f"ASSISTANT: {message.text}</s>")
    text = text.replace("<\\s>", "</s>").replace(case.image, case.image * _IMAGES)
    first = processor.tokenizer.bos_token
    return text, processor.tokenizer(text, add_special_tokens=not (first and text.startswith(first)))["input_ids"]


def _turns(tokens: Tokens) -> list[list[int]]:
    """The learned ids in runs."""
    runs: list[list[int]] = []
    before = False
    for id_, learned in zip(tokens.ids, tokens.learned, strict=True):
        if learned and not before:
            runs.append([])
        if learned:
            runs[-1].append(id_)
        before = learned
    return runs


CONVERSATION = [
    Message("user", "What is in the picture?", image=True),
    Message("assistant", "Two small cats."),
    Message("user", "Where?"),
    Message("assistant", "On a mat.\nNear the door"),
]


@pytest.mark.parametrize("name", PUBLISHED)
def test_exactly_an_answer_and_its_end_are_learned_in_every_turn(name: str) -> None:
    case = CASES[name]
    chat, processor = _chat(case)
    found = chat.conversation(CONVERSATION, _IMAGES)
    _, ids = _library(case, processor, CONVERSATION)
    end = processor.tokenizer.convert_tokens_to_ids(case.end)
    # All that the library writes, up to the last end token.
    assert found.ids == ids[: len(ids) - ids[::-1].index(end)]
    turns = _turns(found)
    assert len(turns) == 2
    for turn, message in zip(turns, CONVERSATION[1::2], strict=True):
        assert turn[-1] == end == chat.end_id
        assert turn.count(end) == 1
        # With blanks of the template in front at most.
        assert processor.tokenizer.decode(turn[:-1]).strip() == message.text
    assert (
        processor.tokenizer.decode([id_ for id_, learned in zip(found.ids, found.learned, strict=True) if not learned]).count("cats") == 0
    )


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_prompt_is_what_the_library_writes(name: str) -> None:
    case = CASES[name]
    chat, processor = _chat(case)
    for messages in ([CONVERSATION[0]], CONVERSATION[:3], [Message("user", "Only words.")]):
        assert chat.prompt(messages, _IMAGES) == _library(case, processor, messages, add_generation_prompt=True)[1]


@pytest.mark.parametrize(
    ("name", "learned"),
    [
        ("tiny", "Two small cats."),
        ("vicuna", " Two small cats."),
        ("mistral-old", " Two small cats."),
        ("mistral-new-first", " Two small cats."),
        ("qwen", "Two small cats."),
        ("gemma", "Two small cats."),
        ("interleave", "Two small cats."),
        ("onevision-old", "Two small cats."),
    ],
)
def test_the_answers_ids_are_those_of_its_characters(name: str, learned: str) -> None:
    """Against the offsets of the library's tokens: those with a character of ``learned`` that is no blank, and the end token."""
    case = CASES[name]
    chat, processor = _chat(case)
    text, _ = _library(case, processor, CONVERSATION[:2])
    encoded = processor.tokenizer(text, add_special_tokens=True, return_offsets_mapping=True)
    start = text.index("Two small cats.")
    inside = [
        id_ for id_, (a, b) in zip(encoded["input_ids"], encoded["offset_mapping"], strict=True) if start < b and a < start + 15 and a < b
    ]
    (turn,) = _turns(chat.conversation(CONVERSATION[:2], _IMAGES))
    assert turn == [*inside, chat.end_id]
    assert text[:start].endswith(learned[: learned.index("T")])


def test_a_misspelled_end_is_corrected_and_reported() -> None:
    (old, _), (new, _) = _chat(CASES["mistral-old"]), _chat(CASES["mistral-new"])
    assert old.conversation(CONVERSATION, _IMAGES) == new.conversation(CONVERSATION, _IMAGES)
    assert old.warnings == (r"the chat template ends an answer with '<\\s>', a misspelling of '</s>', which is used instead",)
    assert new.warnings == ()


@pytest.mark.parametrize("written", ["<|im_end>", "<|imend|>", "<|im_edn|>", "<|IM_END|>"])
def test_other_misspellings_are_recognised(written: str) -> None:
    chat, _ = _chat(_Case("qwen", _llava(_CHATML.replace("<|im_end|>", written), opening=_CHATML_OPENING), "<|im_end|>"))
    assert len(chat.warnings) == 1 and "misspelling" in chat.warnings[0]
    expected, _ = _chat(_Case("qwen", _llava(_CHATML, opening=_CHATML_OPENING), "<|im_end|>"))
    assert chat.conversation(CONVERSATION, _IMAGES) == expected.conversation(CONVERSATION, _IMAGES)


def test_a_special_token_at_which_generation_does_not_stop_becomes_one() -> None:
    tokenizer = TOKENIZERS["qwen"]()
    tokenizer.eos_token = "<|endoftext|>"
    build: Any = LlavaProcessor
    chat = Chat(build(CLIPImageProcessorPil(), tokenizer, **_SETTINGS, chat_template=INTERLEAVE), Path("model"))
    assert chat.end_id == tokenizer.convert_tokens_to_ids("<|im_end|>")
    assert "<|im_end|>" in chat.warnings[0]
    assert all(turn[-1] == chat.end_id for turn in _turns(chat.conversation(CONVERSATION, _IMAGES)))


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        (MISTRAL_NEW.replace("</s>", " ###"), "ends an answer with '###"),
        (MISTRAL_NEW.replace("</s>", "<s>"), "ends an answer with '<s>"),
        ("{% for m in messages %}{{ m['role'] }}\n{% endif %}", "fails in line 2: TemplateSyntaxError"),
        ("{% for m in history.items %}{{ m.x.y }}{% endfor %}{{ history.a.b }}", "UndefinedError"),
        ("{{ raise_exception('not today') }}", "not today"),
        ("{{ 1 / 0 }}", "ZeroDivisionError"),
        (VICUNA.replace("+ t", "+ t | upper"), "leaves out, repeats or changes the texts"),
        (VICUNA.replace("+ t", "+ t + t"), "leaves out, repeats or changes the texts"),
        (VICUNA.replace("ASSISTANT:", "BOT:"), "the generation prompt ends with"),
        ("{{ messages }}", "leaves out, repeats or changes the texts"),
    ],
)
def test_a_template_that_cannot_be_used_is_refused_by_name(template: str, reason: str) -> None:
    with pytest.raises(StageError) as caught:
        _chat(_Case("llama", template, "</s>"))
    assert (caught.value.code, caught.value.subject) == ("MODEL_INVALID", "chat_template")
    assert reason in caught.value.message
    assert caught.value.hint


def test_a_template_whose_end_stands_between_turns_only_ends_the_last_one_too() -> None:
    template = _llava(_ROLE + "{{ ' ' + t }}{{ '' if loop.last else '</s>' }}{%- else -%}{{ '[INST] ' + i + t + ' [/INST]' }}{%- endif -%}")
    chat, _ = _chat(_Case("llama", template, "</s>"))
    turns = _turns(chat.conversation(CONVERSATION, _IMAGES))
    assert [(turn.count(chat.end_id), turn[-1]) for turn in turns] == [(1, chat.end_id)] * 2
    assert chat.conversation(CONVERSATION, _IMAGES).ids.count(chat.end_id) == 2


@pytest.mark.parametrize("name", PUBLISHED)
@pytest.mark.parametrize(
    "answer", ["", " ", "\n", " Two cats.", "Two cats. ", "\n\nTwo cats.\n", "{{ m }} {% if %}", "USER: What?", "[INST] a [/INST]"]
)
def test_odd_answers_are_found(name: str, answer: str) -> None:
    case = CASES[name]
    chat, processor = _chat(case)
    messages = [*CONVERSATION[:1], Message("assistant", answer), *CONVERSATION[2:]]
    found = chat.conversation(messages, _IMAGES)
    turns = _turns(found)
    _, ids = _library(case, processor, messages)
    assert found.ids == ids[: len(ids) - ids[::-1].index(chat.end_id)]
    assert [(turn[-1], turn.count(chat.end_id)) for turn in turns] == [(chat.end_id, 1)] * 2
    assert processor.tokenizer.decode(turns[0][:-1]).strip() == answer.strip()


@pytest.mark.parametrize("name", PUBLISHED)
def test_random_ordinary_texts_are_tokenised_as_the_library_does(name: str) -> None:
    case = CASES[name]
    chat, processor = _chat(case)
    seed = 20_260
    print(f"seed {seed}")
    rng = random.Random(seed)
    pieces = [
        "a",
        "cat",
        " ",
        "  ",
        "\n",
        "\n\n",
        ".",
        "?",
        "<",
        "</",
        "s>",
        ">",
        "é",
        "ü",
        "漢",
        "🙂",
        "\t",
        "</b>",
        "12",
        "S",
        "▁",
        "\u0301",
        "|",
        "<table>",
    ]
    for _ in range(60):
        messages = [
            Message(role, "".join(rng.choices(pieces, k=rng.randrange(12))), image=index == 0)
            for index, role in enumerate(["user", "assistant"] * rng.randrange(1, 4))
        ]
        if any("</s>" in message.text for message in messages):
            continue
        if case.template == VICUNA:
            messages = [dataclasses.replace(message, text=f"{index} {message.text}") for index, message in enumerate(messages)]
        found = chat.conversation(messages, _IMAGES)
        _, ids = _library(case, processor, messages)
        assert found.ids == ids[: len(ids) - ids[::-1].index(chat.end_id)], messages
        assert sum(id_ == chat.end_id and learned for id_, learned in zip(found.ids, found.learned, strict=True)) == len(messages) // 2


@pytest.mark.parametrize("name", PUBLISHED)
@pytest.mark.parametrize("at", [0, 1, 2, 3])
def test_control_tokens_in_a_text_are_text(name: str, at: int) -> None:
    case = CASES[name]
    chat, processor = _chat(case)
    tokenizer = processor.tokenizer
    special = [token.content for token in tokenizer.added_tokens_decoder.values() if token.special and token.content != case.image]
    plain = chat.conversation(CONVERSATION, _IMAGES)
    ids = set(tokenizer.convert_tokens_to_ids(special))
    for token in special:
        messages = list(CONVERSATION)
        messages[at] = dataclasses.replace(messages[at], text=f"Use {token} or a{token}b here")
        found = chat.conversation(messages, _IMAGES)
        assert [id_ for id_ in found.ids if id_ in ids] == [id_ for id_ in plain.ids if id_ in ids]
        if tokenizer.unk_token is None or case.tokenizer in ("llama", "mistral", "gemma", "tiny"):
            decoded = tokenizer.decode(found.ids)
            assert f"Use {token} or a{token}b here" in decoded
        assert [turn[-1] for turn in _turns(found)] == [chat.end_id] * 2


def test_tokens_that_are_ordinary_text_stay_tokens() -> None:
    """Gemma's runs of newlines and markup, beside a control token that is spelled out."""
    chat, processor = _chat(CASES["gemma"])
    tokenizer = processor.tokenizer
    words = tokenizer.convert_tokens_to_ids(["\n\n", "<table>"])
    for text in ("a\n\nb<table>", "a\n\nb<table> <end_of_turn>"):
        (turn,) = _turns(chat.conversation([CONVERSATION[0], Message("assistant", text)], _IMAGES))
        assert [turn.count(word) for word in words] == [1, 1]


def test_tokens_that_the_template_names_are_control_tokens_whatever_their_kind() -> None:
    chat, processor = _chat(CASES["qwen"])
    named, _ = _chat(dataclasses.replace(CASES["qwen"], template=QWEN + "{# <tool_call> #}"))
    marker, call = processor.tokenizer.convert_tokens_to_ids(["<|fim_pad|>", "<tool_call>"])
    question = [Message("user", "What do <tool_call> and <|fim_pad|> mean?")]
    assert (chat.prompt(question, 0).count(call), chat.prompt(question, 0).count(marker)) == (1, 0)
    assert (named.prompt(question, 0).count(call), named.prompt(question, 0).count(marker)) == (0, 0)


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_text_that_holds_the_image_token_is_refused(name: str) -> None:
    chat, _ = _chat(CASES[name])
    with pytest.raises(PlaceholderError):
        chat.conversation([Message("user", f"a {chat.image_token}", image=True), Message("assistant", "b")], _IMAGES)


@pytest.mark.parametrize("name", ["vicuna", "mistral-new", "qwen", "tiny", "chatml-string"])
def test_system_turns_and_rows_without_an_image(name: str) -> None:
    case = CASES[name]
    chat, processor = _chat(case)
    messages = [Message("system", "Be brief."), Message("user", "Yes or no?"), Message("assistant", "No"), Message("user", "last")]
    found = chat.conversation(messages, 0)
    _, ids = _library(case, processor, messages[:3])
    assert found.ids == ids[: len(ids) - ids[::-1].index(chat.end_id)]
    (turn,) = _turns(found)
    assert processor.tokenizer.decode(turn[:-1]).strip() == "No"


def test_a_row_that_the_template_refuses_costs_the_row() -> None:
    template = VICUNA.replace(
        "{{ m['role']", "{% if m['role'] == 'system' %}{{ raise_exception('no system turns') }}{% endif %}{{ m['role']", 1
    )
    chat, _ = _chat(_Case("llama", template, "</s>"))
    with pytest.raises(TextError, match="no system turns"):
        chat.conversation([Message("system", "a"), Message("user", "b"), Message("assistant", "c")], 0)
    template = VICUNA.replace("+ t", "+ t | replace('cat', 'dog')")
    chat, _ = _chat(_Case("llama", template, "</s>"))
    assert chat.prompt([Message("user", "A bird?")], 0)
    with pytest.raises(TextError, match="changes the wording"):
        chat.prompt([Message("user", "A cat?")], 0)


def test_a_template_that_writes_what_changes_is_read_again() -> None:
    """As one does that writes the date."""
    tokenizer = TOKENIZERS["llama"]()
    build: Any = LlavaProcessor
    chat = Chat(build(CLIPImageProcessorPil(), tokenizer, **_SETTINGS, chat_template="{{ pad_token }}" + VICUNA), Path("model"))
    before = chat.conversation(CONVERSATION, _IMAGES)
    tokenizer.pad_token = "</b>"
    after = chat.conversation(CONVERSATION, _IMAGES)
    assert after != before
    assert _turns(after) == _turns(before)


def test_a_template_of_strings_is_for_llava_only() -> None:
    kind = type("OtherProcessor", (LlavaProcessor,), {})
    with pytest.raises(StageError, match="can only concatenate str") as caught:
        Chat(kind(CLIPImageProcessorPil(), _tokenizer("qwen"), **_SETTINGS, chat_template=CHATML_STRING), Path("model"))
    assert caught.value.code == "MODEL_INVALID"


def test_template_files_are_read_in_the_librarys_order(tmp_path: Path) -> None:
    build: Any = LlavaProcessor
    build(CLIPImageProcessorPil(), _tokenizer("tiny"), chat_template="jinja").save_pretrained(tmp_path)
    (tmp_path / "tokenizer_config.json").write_text(
        (tmp_path / "tokenizer_config.json").read_text("utf-8").replace("{", '{"chat_template": "tokenizer",', 1), "utf-8"
    )
    load: Any = LlavaProcessor.from_pretrained
    orders = [("chat_template.jinja", None), ("chat_template.json", '{"chat_template": "json"}')]
    for name, text in orders:
        if text is not None:
            (tmp_path / name).write_text(text, "utf-8")
        assert read_chat_template(tmp_path) == load(tmp_path).chat_template
    processor = tmp_path / "processor_config.json"
    processor.write_text(processor.read_text("utf-8").replace("{", '{"chat_template": "processor",', 1), "utf-8")
    assert read_chat_template(tmp_path) == load(tmp_path).chat_template == "processor"
