"""What an installation of the package holds, read from a wheel built here."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1]


def test_the_wheel_holds_the_package_and_no_test_support(tmp_path: Path) -> None:
    copy = tmp_path / "source"
    shutil.copytree(SOURCE, copy, ignore=shutil.ignore_patterns(".venv", ".*", "__pycache__"))
    build = "import sys; from setuptools.build_meta import build_wheel; print(build_wheel(sys.argv[1]))"
    result = subprocess.run([sys.executable, "-c", build, str(tmp_path)], cwd=copy, capture_output=True, text=True, check=True)
    with zipfile.ZipFile(tmp_path / result.stdout.splitlines()[-1]) as wheel:
        names = set(wheel.namelist())
    sources = {f"stic_trainer/{path.relative_to(SOURCE / 'stic_trainer')}" for path in (SOURCE / "stic_trainer").rglob("*.py")}
    tests = {name for name in sources if name.endswith("_test.py") or Path(name).name.startswith("testing")}
    assert sources - names == tests
    needed = {"py.typed", "config/schema.json", "world/model/model.safetensors"}
    assert {f"stic_trainer/{name}" for name in needed} | {"stic/trainer/v1/trainer_pb2.py"} <= names
