"""Model folders judged by their files: architecture, chat template, weights and digest, without torch."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stic_trainer.errors import StageError
from stic_trainer.modeling.families import find_family
from stic_trainer.modeling.template import read_chat_template, template_hash
from stic_trainer.runtime.context import resolve_model
from stic_trainer.runtime.safetensors_header import read_header
from stic_trainer.runtime.store import digest_of_lines, file_sha256

# What defines a model. Notes, pictures and pickled copies of the weights beside it do not.
_ENDINGS = frozenset({".json", ".safetensors", ".jinja", ".model", ".txt"})
_INDEX = "model.safetensors.index.json"


@dataclass(frozen=True)
class ModelFacts:
    digest: str
    architecture: str
    template_hash: str
    parameters: int
    bytes: int


class Models:
    """Inspects folders; digests of files are kept in ``cache`` by path, size and time of change."""

    def __init__(self, cache: Path) -> None:
        self._cache_path = cache
        self._cache: dict[str, str] = _read_cache(cache)

    def inspect(self, path: str) -> ModelFacts:
        """StageError MODEL_INVALID or MODEL_UNSUPPORTED says what is wrong with the folder."""
        try:
            return self._inspect(path)
        except StageError:
            raise
        except Exception as error:  # JSON of a shape that no model has
            raise _invalid(f"its files cannot be understood: {type(error).__name__}: {error}", path) from error

    def _inspect(self, path: str) -> ModelFacts:
        folder = resolve_model(path)
        if not folder.is_absolute():
            raise _invalid("the path is not absolute", path, "Give the whole path, from the root on.")
        if not folder.exists():
            raise _invalid("no such folder on the trainer's machine", path)
        if not folder.is_dir():
            raise _invalid("this is a file, not a folder", path, "Give the folder that holds config.json.")
        config = _json(folder, "config.json")
        find_family(config)
        weights = weight_files(folder)
        parameters = sum(_parameters(file) for file in weights)
        for name in ("tokenizer.json", "tokenizer.model"):
            if (folder / name).is_file():
                break
        else:
            raise _invalid("it has no tokenizer (tokenizer.json or tokenizer.model)", path)
        if not any((folder / name).is_file() for name in ("preprocessor_config.json", "processor_config.json")):
            raise _invalid("it has no image processor (preprocessor_config.json or processor_config.json)", path)
        template = template_hash(read_chat_template(folder))
        files = sorted(file for file in folder.iterdir() if file.suffix in _ENDINGS and file.is_file() and not file.name.startswith("."))
        digest = digest_of_lines([f"{self._sha256(file)}  {file.name}\n" for file in files])
        self._save()
        architecture = str(config["architectures"][0])
        return ModelFacts(digest, architecture, template, parameters, sum(file.stat().st_size for file in files))

    def _sha256(self, file: Path) -> str:
        status = file.stat()
        key = f"{file.resolve()}|{status.st_size}|{status.st_mtime_ns}"
        if key not in self._cache:
            self._cache[key] = file_sha256(file)
        return self._cache[key]

    def _save(self) -> None:
        draft = self._cache_path.with_suffix(".tmp")
        draft.write_text(json.dumps(self._cache), "utf-8")
        draft.replace(self._cache_path)


def weight_files(folder: Path) -> list[Path]:
    """The folder's safetensors files. StageError MODEL_INVALID when it has none, or lacks one that its index names."""
    if (folder / _INDEX).is_file():
        names = sorted(set(_json(folder, _INDEX).get("weight_map", {}).values()))
    else:
        names = sorted(file.name for file in folder.glob("*.safetensors"))
    if not names:
        if any(folder.glob("*.bin")) or any(folder.glob("*.pth")):
            hint = "Convert it with transformers: load it and save_pretrained(folder, safe_serialization=True)."
            raise _invalid("its weights are pickled (.bin), which can run code when read; safetensors are needed", str(folder), hint)
        raise _invalid("it has no weights (*.safetensors)", str(folder))
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise _invalid(
            f"{len(missing)} of {len(names)} weight files are missing, first {missing[0]}", str(folder), "Fetch the folder again."
        )
    return [folder / name for name in names]


def _parameters(file: Path) -> int:
    """Numbers in a safetensors file, from its header; a file cut short is refused."""
    try:
        return sum(math.prod(tensor.shape) for tensor in read_header(file).values())
    except ValueError as error:
        raise _invalid(f"{file.name} is damaged or cut short", str(file), "Fetch the file again.") from error


def _json(folder: Path, name: str) -> dict[str, Any]:
    path = folder / name
    try:
        fields = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise _invalid(f"it has no {name}", str(folder), "Give the folder that holds config.json, as save_pretrained writes it.") from None
    except (ValueError, OSError) as error:
        raise _invalid(f"{name} cannot be read: {error}", str(path)) from error
    if not isinstance(fields, dict):
        raise _invalid(f"{name} is not a JSON object", str(path))
    return fields


def _read_cache(path: Path) -> dict[str, str]:
    try:
        fields = json.loads(path.read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return fields if isinstance(fields, dict) else {}


def _invalid(message: str, subject: str, hint: str = "") -> StageError:
    return StageError("MODEL_INVALID", message, subject, hint)
