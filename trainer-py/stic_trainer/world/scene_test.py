"""Scenes and pictures come from their seed and from nothing else."""

import hashlib
from itertools import pairwise

import numpy as np
import pytest

from stic_trainer.world import seeds
from stic_trainer.world.scene import CELLS, COLORS, SHAPES, SIZES, Scene, Thing, render, sample_scene


def _digest(seed: int, index: int) -> str:
    rng = seeds.stream(seed, "scene-test", index)
    return hashlib.sha256(render(sample_scene(rng), rng).tobytes()).hexdigest()


def test_the_same_seed_draws_the_same_picture() -> None:
    assert [_digest(2000, i) for i in range(5)] == [_digest(2000, i) for i in range(5)]


def test_seed_split_and_index_each_change_the_picture() -> None:
    assert len({_digest(seed, index) for seed in (2000, 2001) for index in range(20)}) == 40


def test_a_scene_has_one_object_per_cell_and_no_kind_twice() -> None:
    for index in range(300):
        scene = sample_scene(seeds.stream(2000, "scene-test", index))
        cells = [thing.cell for thing in scene.things]
        assert 1 <= len(cells) <= 5
        assert cells == sorted(set(cells))
        assert len({(thing.color, thing.shape) for thing in scene.things}) == len(cells)


def test_an_object_is_drawn_in_its_cell_in_its_color() -> None:
    for shape in SHAPES:
        thing = Thing(CELLS.index("bottom-left"), "large", "red", shape)
        with_thing = render(Scene("snow", (thing,)), seeds.stream(2000, "scene-test"))
        without = render(Scene("snow", ()), seeds.stream(2000, "scene-test"))
        after, before = np.asarray(with_thing, dtype=int), np.asarray(without, dtype=int)
        rows, columns = np.nonzero(np.abs(after - before)[..., 1] > 60)
        assert len(rows) > 100, shape
        assert rows.min() > 62, shape
        assert columns.max() < 34, shape
        red, _, blue = max((after[y, x] for y, x in zip(rows, columns, strict=True)), key=lambda pixel: pixel[0] - pixel[2])
        assert red > 180
        assert blue < 90


def test_the_seed_ranges_are_disjoint_and_enforced() -> None:
    ranges = (seeds.BASE_SEEDS, seeds.TUNING_SEEDS, seeds.TEST_SEEDS)
    assert all(a.stop <= b.start for a, b in pairwise(ranges))
    with pytest.raises(ValueError, match="belongs to 'base'"):
        seeds.require(0, "tuning", "test")
    with pytest.raises(ValueError, match="outside"):
        seeds.purpose_of(-1)
    seeds.require(1999, "tuning")
    seeds.require(2000, "test")


def test_every_value_of_every_attribute_occurs() -> None:
    things = [t for i in range(400) for t in sample_scene(seeds.stream(2001, "scene-test", i)).things]
    assert {t.size for t in things} == set(SIZES)
    assert {t.color for t in things} == set(COLORS)
    assert {t.shape for t in things} == set(SHAPES)
    assert {t.cell for t in things} == set(range(9))
