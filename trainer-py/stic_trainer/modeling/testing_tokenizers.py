"""For tests: small tokenizers trained on the spot, built as those of the published models are.

What matters is the same as there: normalizer, pre-tokenizer, prefix spaces, byte fallback, and which tokens are special.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from stic_trainer.modeling.testing import tiny_tokenizer

_CORPUS = (
    "What is in the picture? Two small cats sleep on a red mat near the door.",
    "A.\n\nB\n\nC\n\nD\n\nE",
    "Use the <b>bold</b> tag, then </b>. It costs 12.50 in all!\n\nThe answer is: yes.\nNo.",
    "system user assistant USER: ASSISTANT: [INST] [/INST] model Describe the image in detail, please.",
    "Ein Bär über dem Fluß; naïve café. s> </ s im_end end_of_turn start",
)
_QWEN_WORDS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"


def llama_tokenizer() -> PreTrainedTokenizerFast:
    """LLaVA-1.5 and -1.6: SentencePiece BPE with byte fallback; every piece between control tokens gets a space in front."""
    return _sentencepiece([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")], None)


def mistral_tokenizer() -> PreTrainedTokenizerFast:
    """The newer form of the same: a space in front of the text's first word only."""
    return _sentencepiece([], pre_tokenizers.Metaspace(prepend_scheme="first", split=False))


def _sentencepiece(normal: list[Any], split: Any) -> PreTrainedTokenizerFast:
    special = ["<unk>", "<s>", "</s>"]
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    # Learned on words, applied to whole pieces, as SentencePiece does.
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    trainer: Any = trainers.BpeTrainer
    bytes_ = [f"<0x{value:02X}>" for value in range(256)]
    tokenizer.train_from_iterator(_CORPUS * 4, trainer(vocab_size=620, special_tokens=[*special, *bytes_], show_progress=False))
    made = _rebuilt(tokenizer, special, {"merges": [["</", "s>"]]} if split is None else {})
    made.normalizer = normalizers.Sequence(normal) if normal else None
    made.pre_tokenizer = split
    made.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    made.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return _fast(made, eos="</s>", bos="<s>", unk="<unk>", more=["<image>"])


def qwen_tokenizer() -> PreTrainedTokenizerFast:
    """Qwen 2 to 3: byte-level BPE, NFC, no first token; ``<tool_call>`` is an added token that is not special."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(_QWEN_WORDS), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    trainer: Any = trainers.BpeTrainer
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(_CORPUS * 4, trainer(vocab_size=500, initial_alphabet=alphabet, show_progress=False))
    tokenizer.add_tokens([AddedToken("<tool_call>", normalized=False), AddedToken("<|fim_pad|>", normalized=False)])
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<image>"]
    return _fast(tokenizer, eos="<|im_end|>", bos=None, unk=None, more=special)


def gemma_tokenizer() -> PreTrainedTokenizerFast:
    """Gemma 3: SentencePiece BPE without a prefix space; runs of newlines and HTML tags are added tokens that are not special."""
    special = ["<pad>", "<eos>", "<bos>", "<unk>", "<start_of_turn>", "<end_of_turn>", "<start_of_image>", "<end_of_image>", "<image>"]
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="never")
    trainer: Any = trainers.BpeTrainer
    bytes_ = [f"<0x{value:02X}>" for value in range(256)]
    words = ["\n", "\n\n", "<table>"]
    tokenizer.train_from_iterator(_CORPUS * 4, trainer(vocab_size=620, special_tokens=[*special, *words, *bytes_], show_progress=False))
    made = _rebuilt(tokenizer, special, {})
    made.add_tokens([AddedToken(word, normalized=False) for word in words])
    made.normalizer = normalizers.Replace(" ", "▁")
    made.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    made.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    made.post_processor = processors.TemplateProcessing(single="<bos> $A", special_tokens=[("<bos>", 2)])
    return _fast(made, eos="<eos>", bos="<bos>", unk="<unk>", more=special[4:])


def _rebuilt(trained: Tokenizer, special: list[str], more: dict[str, Any]) -> Tokenizer:
    """The trained model with ``special`` as its only added tokens: byte tokens are ordinary ones."""
    spec = json.loads(trained.to_str())
    spec["added_tokens"] = []
    vocabulary = spec["model"]["vocab"]
    for left, right in more.get("merges", []):
        # As in the tables converted from SentencePiece, where a control token can be the sum of two ordinary ones.
        for token in ("</", "s>", left + right):
            vocabulary.setdefault(token, len(vocabulary))
        spec["model"]["merges"] = [["<", "/"], ["s", ">"], [left, right], *spec["model"]["merges"]]
    made: Tokenizer = Tokenizer.from_str(json.dumps(spec))
    made.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in special])
    return made


def _fast(tokenizer: Tokenizer, *, eos: str, bos: str | None, unk: str | None, more: list[str]) -> PreTrainedTokenizerFast:
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in more])
    build: Any = PreTrainedTokenizerFast
    made: PreTrainedTokenizerFast = build(
        tokenizer_object=tokenizer,
        eos_token=eos,
        bos_token=bos,
        unk_token=unk,
        pad_token=eos,
        additional_special_tokens=more,
        clean_up_tokenization_spaces=False,
    )
    return made


TOKENIZERS: dict[str, Callable[[], PreTrainedTokenizerFast]] = {
    "tiny": tiny_tokenizer,
    "llama": llama_tokenizer,
    "mistral": mistral_tokenizer,
    "qwen": qwen_tokenizer,
    "gemma": gemma_tokenizer,
}
