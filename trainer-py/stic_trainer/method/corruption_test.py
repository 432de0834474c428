"""What each corruption does to an image, what it refuses, and that its name and version stand for what it does."""

import hashlib
import json
import random
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageStat

from stic_trainer.config.job import Corruption
from stic_trainer.decode import DecodeError, decode
from stic_trainer.method.corruption import ParameterError, catalogue, corrupt, corruption_digest, corruption_names, find_corruption

REGISTRY = Path(__file__).resolve().parents[3] / "recipes" / "corruptions" / "registry.json"

USUAL: dict[str, dict[str, float]] = {
    "blur": {"radius_fraction": 0.1},
    "color_jitter": {"brightness": 0.5, "hue": 0.3},
    "jpeg": {"quality": 5},
    "low_resolution": {"shorter_side_px": 20},
    "mask": {"side_fraction": 0.5},
    "noise": {"share": 0.5},
}


def _scene(size: tuple[int, int] = (64, 48)) -> Image.Image:
    """Blocks of random colours: edges for blurs to lose, colours for jitter to turn."""
    blocks = Image.frombytes("RGB", (8, 6), random.Random(5).randbytes(8 * 6 * 3))
    return blocks.resize(size, Image.Resampling.NEAREST)


def _difference(one: Image.Image, other: Image.Image) -> float:
    """Mean absolute difference per channel, 0..255."""
    return sum(ImageStat.Stat(ImageChops.difference(one, other)).mean) / 3


def test_the_registry_the_server_reads_is_that_of_the_functions() -> None:
    assert json.loads(REGISTRY.read_text("utf-8")) == catalogue(), (
        "write it anew: python -m stic_trainer.method.corruption > ../recipes/corruptions/registry.json"
    )
    assert sorted(USUAL) == corruption_names()


@pytest.mark.parametrize("name", sorted(USUAL))
def test_an_image_is_changed_the_same_way_for_the_same_seed(name: str) -> None:
    clean = _scene()
    before = clean.tobytes()
    bad, drawn = corrupt(name, clean, USUAL[name], 1)
    again, drawn_again = corrupt(name, clean, USUAL[name], 1)
    assert clean.tobytes() == before, "the clean image is shared and stays as it is"
    assert bad.mode == "RGB"
    assert (bad.tobytes(), drawn) == (again.tobytes(), drawn_again)
    if bad.size == clean.size:
        assert _difference(clean, bad) > 3
    assert drawn and all(isinstance(value, float | int) for value in drawn.values())


@pytest.mark.parametrize("name", ["color_jitter", "mask", "noise"])
def test_random_corruptions_are_drawn_anew_for_each_item(name: str) -> None:
    assert len({corrupt(name, _scene(), USUAL[name], seed)[0].tobytes() for seed in range(8)}) > 5


@pytest.mark.parametrize(("size", "small"), [((64, 48), (27, 20)), ((48, 64), (20, 27)), ((20, 300), (20, 300)), ((9, 9), (9, 9))])
def test_low_resolution_leaves_20_pixels_of_the_shorter_side(size: tuple[int, int], small: tuple[int, int]) -> None:
    assert corrupt("low_resolution", _scene(size), USUAL["low_resolution"], 0)[0].size == small


def test_color_jitter_draws_uniformly_within_its_bounds_and_turns_hue_only() -> None:
    drawn = [corrupt("color_jitter", Image.new("RGB", (1, 1)), USUAL["color_jitter"], seed)[1] for seed in range(2000)]
    for name, least, most in (("brightness", 0.5, 1.5), ("hue", -0.3, 0.3)):
        values = [each[name] for each in drawn]
        assert least <= min(values) < least + 0.02 * (most - least)
        assert most - 0.02 * (most - least) < max(values) <= most
        assert sum(values) / len(values) == pytest.approx((least + most) / 2, abs=0.03 * (most - least))
    red = Image.new("RGB", (4, 4), (255, 0, 0))
    turned, hue_turn = corrupt("color_jitter", red, {"brightness": 0, "hue": 0.5}, 3)
    hue, saturation, brightness = ImageStat.Stat(turned.convert("HSV")).mean
    assert hue == pytest.approx(round(hue_turn["hue"] * 256) % 256, abs=2)
    assert (saturation, brightness) == (255, 255)


def test_blur_and_jpeg_lose_detail_and_mask_hides_a_part() -> None:
    clean = _scene()

    def detail(image: Image.Image) -> float:
        return _difference(image, ImageChops.offset(image, 1, 0))

    assert detail(corrupt("blur", clean, USUAL["blur"], 0)[0]) < 0.7 * detail(clean)
    assert _difference(clean, corrupt("jpeg", clean, {"quality": 1}, 0)[0]) > _difference(
        clean, corrupt("jpeg", clean, {"quality": 95}, 0)[0]
    )
    masked, where = corrupt("mask", clean, USUAL["mask"], 0)
    left, top = int(where["left_px"]), int(where["top_px"])
    assert masked.crop((left, top, left + 32, top + 24)).getcolors() == [(32 * 24, (128, 128, 128))]
    assert sum(a != b for a, b in zip(masked.get_flattened_data(), clean.get_flattened_data(), strict=True)) <= 32 * 24


def test_noise_takes_its_share_of_every_pixel() -> None:
    clean = Image.new("RGB", (200, 200), (0, 255, 100))
    assert _difference(clean, corrupt("noise", clean, {"share": 0}, 0)[0]) == 0
    red, green, blue = ImageStat.Stat(corrupt("noise", clean, {"share": 0.5}, 0)[0]).mean
    assert red == pytest.approx(64, abs=2) and green == pytest.approx(191, abs=2) and blue == pytest.approx(114, abs=2)


@pytest.mark.parametrize(
    ("name", "parameters", "field", "allowed"),
    [
        ("fog", {}, "name", "blur, color_jitter"),
        ("blur", {}, "parameters.radius_fraction", "a number from 0 to 1"),
        ("jpeg", {"quality": 96}, "parameters.quality", "a whole number from 1 to 95"),
        ("jpeg", {"quality": 5.5}, "parameters.quality", "a whole number from 1 to 95"),
        ("mask", {"side_fraction": -0.1}, "parameters.side_fraction", "from 0 to 1"),
        ("noise", {"share": 0.5, "sigma": 1}, "parameters.sigma", "absent: noise takes share"),
    ],
)
def test_what_is_refused_is_named(name: str, parameters: dict[str, float], field: str, allowed: str) -> None:
    with pytest.raises(ParameterError) as caught:
        find_corruption(name, parameters)
    assert caught.value.field == field
    assert allowed in caught.value.allowed
    fields: dict[str, Any] = {"name": name, "weight": 1.0, "parameters": parameters}
    with pytest.raises(DecodeError) as refused:
        decode(Corruption, fields)
    assert refused.value.field == field


def test_a_digest_names_corruption_version_and_parameters() -> None:
    known = corruption_digest("blur", {"radius_fraction": 0.1})
    assert known == hashlib.sha256(b'{"name":"blur","parameters":{"radius_fraction":0.1},"version":1}').hexdigest()
    assert known != corruption_digest("blur", {"radius_fraction": 0.2})
    assert corruption_digest("jpeg", {"quality": 5}) == corruption_digest("jpeg", {"quality": 5.0})


def test_a_version_always_does_the_same_to_an_image() -> None:
    """A corruption that is meant to do something else gets a new version, and its line here."""
    done = {
        f"{name} v{find_corruption(name, parameters).version}": hashlib.sha256(
            corrupt(name, _scene(), parameters, 7)[0].tobytes()
        ).hexdigest()[:16]
        for name, parameters in USUAL.items()
    }
    assert done == {
        "blur v1": "5f762d66ff8671e5",
        "color_jitter v1": "fa28981459fe72fa",
        "jpeg v1": "f93b1bbc56f6e0a7",
        "low_resolution v1": "e2cb2d0d8763263b",
        "mask v1": "be806766872157fe",
        "noise v1": "8e646f2e38300a11",
    }
