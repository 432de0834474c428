"""Leaves tests and their helpers out of what is installed; everything else about the package stands in pyproject.toml."""

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithoutTests(build_py):
    def find_package_modules(self, package: str, package_dir: str) -> list[tuple[str, str, str]]:
        modules: list[tuple[str, str, str]] = super().find_package_modules(package, package_dir)
        return [module for module in modules if not (module[1].endswith("_test") or module[1].startswith("testing"))]


setup(cmdclass={"build_py": BuildWithoutTests})
