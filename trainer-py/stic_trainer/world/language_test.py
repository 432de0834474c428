"""Descriptions can be read back, and the observers differ in the way the world's weakness is planted."""

from stic_trainer.world import seeds
from stic_trainer.world.language import COMPANIONS, careful, careless, describe, guessing, impression, inventive, parse_description
from stic_trainer.world.scene import SHAPES, Scene, Thing, sample_scene


def test_a_description_has_the_one_form() -> None:
    things = [Thing(8, "small", "orange", "star"), Thing(0, "large", "red", "kite")]
    assert describe("night", things) == "A night scene, top-left a large red kite, bottom-right a small orange star."
    assert describe("snow", []) == "A snow scene."


def test_every_description_is_read_back() -> None:
    for index in range(200):
        rng = seeds.stream(2000, "language-test", index)
        scene = sample_scene(rng)
        for things in (scene.things, careful(scene, rng), careless(scene, rng), inventive(scene, rng)):
            assert parse_description(describe(scene.background, things)) == (scene.background, sorted(things))


def test_the_parser_passes_over_what_does_not_fit() -> None:
    assert parse_description("") == (None, [])
    assert parse_description("center a huge red kite, left a small mauve ball and a boat") == (None, [])
    assert parse_description("An evening. Center a large red kite; left a small blue ball") == (
        None,
        [Thing(3, "small", "blue", "ball")],
    )
    assert parse_description("top-left a small red kite")[1] == [Thing(0, "small", "red", "kite")]


def _scenes(count: int) -> list[tuple[Scene, int]]:
    return [(sample_scene(seeds.stream(2002, "observer-test", index)), index) for index in range(count)]


def test_a_glance_misses_small_objects_and_careful_looking_does_not() -> None:
    seen = {"glance": [0, 0], "careful": [0, 0]}
    small = 0
    for scene, index in _scenes(600):
        rng = seeds.stream(2002, "observer-rng", index)
        small += sum(thing.size == "small" for thing in scene.things)
        seen["glance"][0] += sum(thing.size == "small" for thing in impression(scene, rng))
        cells = {thing.cell for thing in careful(scene, rng)}
        seen["careful"][0] += sum(thing.size == "small" and thing.cell in cells for thing in scene.things)
    assert 0.18 < seen["glance"][0] / small < 0.32
    assert seen["careful"][0] / small > 0.93


def test_only_the_misleading_observer_invents_beyond_the_companion() -> None:
    invented = {"careless": 0, "inventive": 0}
    for scene, index in _scenes(400):
        rng = seeds.stream(2002, "invent-rng", index)
        cells = {thing.cell for thing in scene.things}
        companion = COMPANIONS.get(scene.background)
        for name, observer in (("careless", careless), ("inventive", inventive)):
            extra = [thing for thing in observer(scene, rng) if thing.cell not in cells and thing != companion]
            invented[name] += bool(extra)
    assert invented["careless"] == 0
    assert invented["inventive"] > 270


def test_a_companion_is_never_added_where_its_shape_really_is() -> None:
    for shape in SHAPES:
        scene = Scene("night", (Thing(0, "large", "red", shape),))
        added = [thing for i in range(30) for thing in careless(scene, seeds.stream(2002, shape, i)) if thing.cell == 2]
        assert bool(added) == (shape != "star")


def test_a_blurred_picture_gives_poor_text() -> None:
    right = total = 0
    for scene, index in _scenes(300):
        told = guessing(scene, seeds.stream(2002, "blur-rng", index))
        right += len(set(told) & set(scene.things))
        total += len(scene.things)
    assert right / total < 0.25
