"""Model folders judged by their files: architecture, chat template, weights and digest, without torch."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from stic_trainer.errors import StageError
from stic_trainer.modeling.config_check import read_config
from stic_trainer.modeling.template import read_chat_template, template_hash
from stic_trainer.modeling.weight_files import read_headers
from stic_trainer.runtime.context import resolve_model
from stic_trainer.runtime.store import digest_of_lines, file_sha256

# What defines a model. Notes, pictures and pickled copies of the weights beside it do not.
_ENDINGS = frozenset({".json", ".safetensors", ".jinja", ".model", ".txt"})


@dataclass(frozen=True)
class ModelFiles:
    """What a folder's files are, before the libraries have looked at them."""

    folder: Path
    digest: str
    architecture: str
    template_hash: str
    bytes: int


class Models:
    """Inspects folders; digests of files are kept in ``cache`` by path, size and time of change."""

    def __init__(self, cache: Path) -> None:
        self._cache_path = cache
        self._cache: dict[str, str] = _read_cache(cache)

    def inspect(self, path: str) -> ModelFiles:
        """StageError MODEL_INVALID or MODEL_UNSUPPORTED says what is wrong with the folder."""
        try:
            return self._inspect(path)
        except StageError:
            raise
        except Exception as error:  # JSON of a shape that no model has
            raise _invalid(f"its files cannot be understood: {type(error).__name__}: {error}", path) from error

    def _inspect(self, path: str) -> ModelFiles:
        folder = resolve_model(path)
        if not folder.is_absolute():
            raise _invalid("the path is not absolute", path, "Give the whole path, from the root on.")
        if not folder.exists():
            raise _invalid("no such folder on the trainer's machine", path)
        if not folder.is_dir():
            raise _invalid("this is a file, not a folder", path, "Give the folder that holds config.json.")
        _, family = read_config(folder)
        read_headers(folder)
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
        return ModelFiles(folder, digest, family.architecture, template, sum(file.stat().st_size for file in files))

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


def _read_cache(path: Path) -> dict[str, str]:
    try:
        fields = json.loads(path.read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return fields if isinstance(fields, dict) else {}


def _invalid(message: str, subject: str, hint: str = "") -> StageError:
    return StageError("MODEL_INVALID", message, subject, hint)
