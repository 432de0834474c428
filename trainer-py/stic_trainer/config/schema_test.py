"""The table of recipe fields and the trainer's dataclasses speak of the same recipe."""

from pathlib import Path

from stic_trainer.config.presets import REPOSITORY, load_recipe
from stic_trainer.config.schema import leaves, recipe_schema

_CONTROL_PLANE = ("retry.", "start_from.", "gate.")


def test_the_table_has_every_field_of_a_jobs_recipe_and_no_other() -> None:
    fields = {path for path, _, _ in leaves(load_recipe("tiny"))}
    assert fields == {path for path in recipe_schema() if not path.startswith(_CONTROL_PLANE)}


def test_the_package_has_the_repositorys_table() -> None:
    ours = Path(__file__).with_name("schema.json").read_bytes()
    assert ours == (REPOSITORY / "recipes" / "generated" / "schema.json").read_bytes(), "write both anew: npm run proto"
