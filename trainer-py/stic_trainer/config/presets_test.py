"""Presets and prompt sets as files: every one of the repository's loads, and what is wrong with another is said."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from stic_trainer.config.job import DpoObjective, Recipe
from stic_trainer.config.presets import REPOSITORY, load_recipe
from stic_trainer.errors import StageError

PRESETS = sorted(path.stem for path in (REPOSITORY / "recipes").glob("*.json"))
PROMPT_SETS = sorted(path.stem for path in (REPOSITORY / "prompts").glob("*.json"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A copy of the repository's recipes and prompts, to add to."""
    for folder in ("recipes", "prompts"):
        shutil.copytree(REPOSITORY / folder, tmp_path / folder)
    return tmp_path


def _write(root: Path, file: str, fields: dict[str, Any] | str) -> None:
    (root / file).write_text(fields if isinstance(fields, str) else json.dumps(fields), "utf-8")


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_is_a_whole_recipe(preset: str) -> None:
    assert load_recipe(preset).preset == preset


@pytest.mark.parametrize("name", PROMPT_SETS)
def test_every_prompt_set_may_be_chosen(name: str) -> None:
    assert load_recipe("paper", {"prompts": {"name": name}}).prompts.name == name


def test_the_papers_numbers() -> None:
    paper = load_recipe("paper")
    assert (len(paper.prompts.plain), len(paper.prompts.misleading)) == (8, 8)
    assert (paper.prefer.max_images, paper.prefer.corrupted_probability, paper.prefer.generation.max_new_tokens) == (6000, 0.5, 1024)
    assert [(each.name, each.weight, dict(each.parameters)) for each in paper.prefer.corruptions] == [
        ("low_resolution", 1, {"shorter_side_px": 20}),
        ("color_jitter", 1, {"brightness": 0.5, "hue": 0.3}),
    ]
    assert (paper.dpo.beta, paper.dpo.chosen_weight, paper.dpo.objective) == (0.1, 1 / 1024, DpoObjective.REGULARISED)
    assert (paper.dpo.lora.rank, paper.dpo.lora.alpha, paper.dpo.lora.dropout) == (128, 256, 0.05)
    assert (paper.dpo.optimizer.learning_rate, paper.dpo.optimizer.warmup_ratio, paper.dpo.optimizer.epochs) == (1e-7, 0.03, 1)
    assert (paper.describe.max_rows, paper.sft.optimizer.learning_rate, paper.sft.max_text_tokens) == (5000, 2e-5, 2048)
    # Room for LLaVA-v1.6's any-resolution tiles: up to 2,928 image tokens, a description of 1,024 and the row itself.
    assert min(paper.dpo.max_length, paper.sft.max_length) >= 2928 + 2048


def _deviations(recipe: Recipe) -> tuple[bool, bool, bool]:
    return recipe.prefer.show_clean_image, recipe.dpo.score_strongest_token, recipe.dpo.omit_image


@pytest.mark.parametrize("preset", PRESETS)
def test_only_official_code_deviates_as_the_official_code_does(preset: str) -> None:
    assert _deviations(load_recipe(preset)) == ((preset == "official-code",) * 3)


def test_each_deviation_may_be_chosen_alone() -> None:
    recipe = load_recipe("paper", {"dpo": {"score_strongest_token": True}})
    assert _deviations(recipe) == (False, True, False)


def test_a_preset_and_a_prompt_set_are_added_as_files(root: Path) -> None:
    own = {"step_by_step": "Look.", "plain": ["Describe."], "misleading": ["Invent."], "describe_and_respond": "Say."}
    _write(root, "prompts/mine.json", {"name": "mine", "version": 2, **own})
    _write(root, "recipes/mine.json", {"extends": "tiny", "prompts": {"name": "mine"}, "dpo": {"beta": 0.2}})
    recipe = load_recipe("mine", root=root)
    assert (recipe.prompts.name, recipe.prompts.version, recipe.prompts.plain) == ("mine", 2, ("Describe.",))
    assert (recipe.dpo.beta, recipe.dpo.lora) == (0.2, load_recipe("tiny").dpo.lora)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"extends": "paper", "dpo": {"betta": 1}}, "dpo.betta is not a known field"),
        ({"extends": "paper", "dpo": {"omit_image": "yes"}}, "dpo.omit_image is 'yes', not true or false"),
        ({"extends": "paper", "speed": {"warp": True}}, "speed.warp is not a known field"),
        ({"extends": "nowhere"}, "nowhere.json does not exist; known: "),
        ({"extends": "wrong"}, "recipes extend each other: wrong -> wrong"),
        ({"extends": "paper", "prompts": {"name": "none"}}, "none.json does not exist; known: stic, world"),
        (
            {"extends": "paper", "prefer": {"generation": {"temperature": 2.5}}},
            "prefer.generation.temperature is 2.5; allowed: a number from 0 to 2",
        ),
        ({"extends": "paper", "evaluate": {"modes": ["dar"]}}, "evaluate.modes is ['dar']; allowed: plain, or plain and dar"),
        ({"extends": "paper", "prefer": {"corruptions": []}}, "prefer.corruptions is []; allowed: at least one"),
        (
            {"extends": "paper", "prefer": {"corruptions": [{"name": "jpeg", "weight": 1, "parameters": {"quality": 0}}]}},
            "prefer.corruptions[0].parameters.quality is 0.0; allowed: a whole number from 1 to 95",
        ),
        ("{", "not JSON"),
    ],
)
def test_what_is_wrong_is_named(root: Path, fields: dict[str, Any] | str, said: str) -> None:
    _write(root, "recipes/wrong.json", fields)
    with pytest.raises(StageError) as caught:
        load_recipe("wrong", root=root)
    assert caught.value.code == "CONFIG_INVALID"
    assert said in caught.value.message


def test_a_recipe_that_lacks_a_field_is_refused(root: Path) -> None:
    paper = json.loads((root / "recipes" / "paper.json").read_text("utf-8"))
    del paper["speed"]["share_prefix"]
    _write(root, "recipes/partial.json", paper)
    with pytest.raises(StageError, match=r"speed\.share_prefix is missing"):
        load_recipe("partial", root=root)
