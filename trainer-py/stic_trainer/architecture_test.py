"""The import rules of docs/explanation/architecture.md, read from the source: arrows point downward, and each library has its place."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent

# Each folder may import those listed and itself; modules at the top (errors, decode, ...) may be imported by all. An import of
# a benchmark asks its scorer, which reads rows: there the arrow goes both ways between folders, and in no circle of modules.
BELOW: dict[str, set[str]] = {
    "method": set(),
    "config": {"method"},
    "data": {"method", "runtime", "benchmarks"},
    "modeling": {"method", "data"},
    "engine": {"data"},
    "runtime": {"config", "data"},
    "benchmarks": {"method", "data", "world"},
    "stages": {"config", "method", "data", "modeling", "engine", "runtime", "benchmarks"},
    "export": {"modeling", "runtime"},
    "world": {"method", "data", "benchmarks", "modeling"},
    "preflight": {"config", "method", "data", "modeling", "runtime", "stages"},
    "sidecar": {"config", "data", "modeling", "runtime", "benchmarks", "preflight"},
}

# Third-party libraries that are at home in some folders only.
HOMES: dict[str, set[str]] = {
    "grpc": {"sidecar"},
    "grpc_health": {"sidecar"},
    "google": {"sidecar"},
    "stic": {"sidecar"},
    "accelerate": {"engine"},
    "peft": {"modeling"},
    "transformers": {"modeling", "preflight", "world"},
}


def _modules(*, tests: bool) -> list[Path]:
    """Source files by path below the package; helpers of tests (testing.py) count as tests."""

    def is_test(path: Path) -> bool:
        return path.name.endswith("_test.py") or path.name.startswith("testing")

    return sorted(path for path in PACKAGE.rglob("*.py") if is_test(path) == tests)


def _imports(path: Path) -> Iterator[str]:
    """Dotted names of what a module imports, inside functions too."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield str(node.module)


def _folder(path: Path) -> str:
    inside = path.relative_to(PACKAGE).parts
    return inside[0] if len(inside) > 1 else ""


def _own_folder(name: str) -> str:
    """The package's folder that a dotted name lies in; "" for another package or a module at the top."""
    parts = name.split(".")
    return parts[1] if parts[0] == "stic_trainer" and len(parts) > 1 and (PACKAGE / parts[1]).is_dir() else ""


def _top(name: str) -> str:
    return name.split(".", maxsplit=1)[0]


def test_every_folder_has_its_place() -> None:
    folders = {_folder(path) for path in _modules(tests=False)} - {""}
    assert folders == set(BELOW)


@pytest.mark.parametrize("folder", sorted(BELOW))
def test_arrows_point_downward(folder: str) -> None:
    for path in _modules(tests=False):
        if _folder(path) == folder:
            upward = {name for name in map(_own_folder, _imports(path)) if name} - BELOW[folder] - {folder}
            assert not upward, f"{path.relative_to(PACKAGE)} imports {upward}"


def test_no_module_imports_itself_by_way_of_others() -> None:
    arrows = {path: {file for name in _top_level_imports(path) for file in _files(name)[-1:]} - {path} for path in _modules(tests=False)}
    while leaves := [path for path, targets in arrows.items() if not targets]:
        for leaf in leaves:
            del arrows[leaf]
        for targets in arrows.values():
            targets.difference_update(leaves)
    assert not arrows, f"in a circle: {sorted(str(path.relative_to(PACKAGE)) for path in arrows)}"


@pytest.mark.parametrize("library", sorted(HOMES))
def test_a_library_stays_at_home(library: str) -> None:
    homes = {_folder(path) for path in _modules(tests=False) if library in map(_top, _imports(path))}
    assert homes <= HOMES[library]


def test_the_method_is_torch_pillow_and_the_standard_library() -> None:
    allowed = {"torch", "PIL", "stic_trainer"} | set(sys.stdlib_module_names)
    for path in _modules(tests=False):
        if _folder(path) == "method":
            assert set(map(_top, _imports(path))) <= allowed, path


def test_the_sidecar_never_loads_torch() -> None:
    """Not even through what it imports: followed module by module, as Python would at its start."""
    reached: set[Path] = set()
    waiting = [path for path in _modules(tests=False) if _folder(path) == "sidecar"]
    while waiting:
        path = waiting.pop()
        if path in reached:
            continue
        reached.add(path)
        for name in _top_level_imports(path):
            assert _top(name) not in ("torch", "transformers", "peft", "accelerate"), f"{path.relative_to(PACKAGE)} imports {name}"
            waiting += _files(name)
    assert len(reached) > 10


def _top_level_imports(path: Path) -> Iterator[str]:
    """What is imported when the module is: not what its functions import later."""
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _files(name: str) -> list[Path]:
    """The __init__ of every folder on the way to a dotted name of the package, and its own file; none for a name inside a file."""
    parts = name.split(".")
    if parts[0] != "stic_trainer":
        return []
    places = [PACKAGE.joinpath(*parts[1:depth]) for depth in range(1, len(parts) + 1)]
    files = [place / "__init__.py" if place.is_dir() else place.with_suffix(".py") for place in places]
    return files if files[-1].is_file() else []
