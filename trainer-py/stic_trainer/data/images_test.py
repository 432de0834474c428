"""Every kind of image file a folder may hold: what is valid comes out upright, 8-bit and RGB; what is not says why."""

import math
import random
import struct
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pylibjxl
import pytest
from PIL import Image, ImageOps
from PIL.PngImagePlugin import PngInfo

from stic_trainer.data.formats import is_image_name
from stic_trainer.data.images import ImageProblem, decode, identify, open_rgb, thumbnail, to_rgb
from stic_trainer.data.testing import encoded

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
ORIENTATION = 0x0112


def corners(image: Image.Image) -> list[tuple[int, int, int]]:
    """Top left, top right, bottom left, bottom right."""
    assert image.mode == "RGB"
    right, bottom = image.width - 1, image.height - 1
    return [image.getpixel(place) for place in ((0, 0), (right, 0), (0, bottom), (right, bottom))]  # type: ignore[misc]


def four_corners(width: int = 24, height: int = 16) -> Image.Image:
    """Red and green above, blue and white below, in blocks of whole JPEG cells."""
    image = Image.new("RGB", (width, height), WHITE)
    image.paste(RED, (0, 0, width // 2, height // 2))
    image.paste(GREEN, (width // 2, 0, width, height // 2))
    image.paste(BLUE, (0, height // 2, width // 2, height))
    return image


def rgb(data: bytes) -> Image.Image:
    return to_rgb(decode(data))


def close(image: Image.Image, *wanted: tuple[int, int, int], by: int = 12) -> bool:
    return all(abs(a - b) <= by for got, want in zip(corners(image), wanted, strict=True) for a, b in zip(got, want, strict=True))


def problem_of(work: Callable[[], object]) -> ImageProblem:
    with pytest.raises(ImageProblem) as caught:
        work()
    return caught.value


@pytest.mark.parametrize(
    ("image_format", "options"),
    [
        ("PNG", {}),
        ("BMP", {}),
        ("GIF", {}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("TIFF", {"compression": "tiff_deflate"}),
        ("WEBP", {"lossless": True}),
        ("AVIF", {"quality": 100}),
        ("JPEG", {"quality": 100, "subsampling": 0}),
        ("JPEG", {"quality": 100, "subsampling": 0, "progressive": True}),
        ("JPEG2000", {}),
        ("ICO", {"sizes": [(24, 16)]}),
        ("TGA", {}),
        ("PCX", {}),
        ("PPM", {}),
        ("SGI", {}),
        ("QOI", {}),
        ("JXL", {"lossless": True}),
    ],
)
def test_formats_come_out_with_their_colours(image_format: str, options: dict[str, object]) -> None:
    image = rgb(encoded(four_corners(), image_format, **options))
    assert image.size == (24, 16)
    assert close(image, RED, GREEN, BLUE, WHITE)


@pytest.mark.parametrize("image_format", ["JPEG", "TIFF"])
def test_cmyk_becomes_the_colours_it_prints(image_format: str) -> None:
    cyan_magenta = Image.new("CMYK", (32, 16), (255, 0, 0, 0))
    cyan_magenta.paste((0, 255, 0, 0), (16, 0, 32, 16))
    assert close(rgb(encoded(cyan_magenta, image_format)), (0, 255, 255), (255, 0, 255), (0, 255, 255), (255, 0, 255))


@pytest.mark.parametrize("image_format", ["PNG", "GIF"])
def test_palettes_are_looked_up_and_their_transparent_colour_is_white(image_format: str) -> None:
    palette = four_corners().quantize(4)
    assert close(rgb(encoded(palette, image_format)), RED, GREEN, BLUE, WHITE)
    blue_index = palette.getpixel((0, 15))
    assert close(rgb(encoded(palette, image_format, transparency=blue_index)), RED, GREEN, WHITE, WHITE)


def test_alpha_lies_over_white() -> None:
    image = Image.new("RGBA", (4, 4), (255, 0, 0, 255))
    image.putpixel((3, 0), (255, 0, 0, 0))
    image.putpixel((0, 3), (255, 0, 0, 128))
    for image_format in ("PNG", "WEBP", "TIFF"):
        options = {"lossless": True, "exact": True} if image_format == "WEBP" else {}
        assert close(rgb(encoded(image, image_format, **options)), RED, WHITE, (255, 127, 127), RED, by=1)
    grey = Image.new("LA", (4, 4), (0, 255))
    grey.putpixel((3, 0), (0, 0))
    assert close(rgb(encoded(grey, "PNG")), (0, 0, 0), WHITE, (0, 0, 0), (0, 0, 0), by=0)
    keyed = encoded(four_corners(), "PNG", transparency=GREEN)
    assert close(rgb(keyed), RED, WHITE, BLUE, WHITE, by=0)


def greys(values: Sequence[float], mode: str) -> Image.Image:
    """One row of pixels."""
    kinds = {"I;16": np.uint16, "I": np.int32, "F": np.float32}
    return Image.fromarray(np.array([values], kinds[mode]))


def levels(image: Image.Image, image_format: str = "TIFF", **options: object) -> list[int]:
    """The greys that the first row of the image comes out with."""
    shown = np.asarray(rgb(encoded(image, image_format, **options)))
    assert (shown[..., 0] == shown[..., 1]).all()
    return [int(level) for level in shown[0, :, 0]]


@pytest.mark.parametrize("image_format", ["PNG", "TIFF"])
@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([0, 65_535, 32_768, 257], [0, 255, 128, 1]),
        ([0, 16_383, 8_192], [0, 255, 128]),
        ([0, 4_095, 2_048], [0, 255, 128]),
        ([0, 1_023, 512], [0, 255, 128]),
        ([0, 255, 128], [0, 255, 128]),
        ([3_000, 3_000], [187, 187]),
        ([0, 0], [0, 0]),
    ],
)
def test_greys_of_16_bits_are_scaled_from_the_depth_that_they_use(image_format: str, values: list[int], shown: list[int]) -> None:
    assert levels(greys(values, "I;16"), image_format) == shown


def test_a_few_hot_pixels_do_not_make_the_others_black() -> None:
    values = np.full((100, 100), 2_048, np.uint16)
    values[0, :2] = 0, 65_535
    image = rgb(encoded(Image.fromarray(values), "PNG"))
    assert [image.getpixel((x, 0)) for x in range(3)] == [(0, 0, 0), WHITE, (128, 128, 128)]


def test_tags_of_a_tiff_say_what_is_white() -> None:
    assert levels(greys([0, 1_500, 3_000], "I;16"), tiffinfo={281: 3_000}) == [0, 128, 255]
    assert levels(greys([0, 65_535, 16_384], "I;16"), tiffinfo={262: 0}) == [255, 0, 191]


def test_whole_numbers_of_32_bits_are_scaled_from_their_range() -> None:
    assert levels(greys([0, 4_095, 65_535], "I")) == [0, 16, 255]
    assert levels(greys([-1_000, 0, 3_000], "I")) == [0, 64, 255]
    assert levels(greys([0, 1_000_000, 2_000_000], "I")) == [0, 128, 255]
    assert levels(greys([-7, -7], "I")) == [128, 128]
    signed = encoded(greys([0, -1, 2**31 - 1], "I"), "TIFF")
    unsigned = signed.replace(struct.pack("<HHIH", 339, 3, 1, 2), struct.pack("<HHIH", 339, 3, 1, 1))
    assert np.asarray(rgb(unsigned))[0, :, 0].tolist() == [0, 255, 127]


def test_floating_point_is_taken_as_0_to_1_or_from_its_range() -> None:
    assert levels(greys([0.0, 1.0, 0.5], "F")) == [0, 255, 128]
    assert levels(greys([0.25, 0.25], "F")) == [64, 64]
    assert levels(greys([0.0, 0.002, 0.001], "F")) == [0, 255, 128]
    assert levels(greys([-300.0, 700.0, 200.0], "F")) == [0, 255, 128]
    assert levels(greys([0.0, 0.0], "F")) == [0, 0]
    assert levels(greys([37.5, 37.5], "F")) == [128, 128]


def test_values_that_are_no_numbers_are_black_only_where_they_are() -> None:
    assert levels(greys([0.0, math.nan, 0.5, 1.0, math.inf, -math.inf], "F")) == [0, 0, 128, 255, 255, 0]
    problem = problem_of(lambda: levels(greys([math.nan, math.inf], "F")))
    assert (problem.code, problem.reason) == ("UNREADABLE", "a TIFF image that cannot be shown: its values are all NaN or infinite")


def test_16_bit_colours_are_scaled_not_cut() -> None:
    row = b"\x00" + struct.pack(">6H", 65_535, 0, 32_768, 0, 65_535, 256)
    assert corners(rgb(_png(2, 1, row, depth=16, colour=2))) == [(255, 0, 128), (0, 255, 1)] * 2


def test_16_bit_colours_that_use_12_bits_are_refused_not_black() -> None:
    row = b"\x00" + struct.pack(">6H", 4_095, 0, 2_000, 0, 3_000, 256)
    for data in (_png(2, 1, row, depth=16, colour=2), _tiff_of_16_bit_colours(row[1:])):
        problem = problem_of(lambda data=data: rgb(data))  # type: ignore[misc]
        assert problem.code == "UNREADABLE"
        assert "it has 16 bits a sample of which the upper four are empty" in problem.reason


def test_black_and_white_lab_and_grey() -> None:
    bits = Image.new("1", (2, 2))
    bits.putpixel((1, 0), 1)
    assert corners(rgb(encoded(bits, "PNG"))) == [(0, 0, 0), WHITE, (0, 0, 0), (0, 0, 0)]
    assert close(rgb(encoded(Image.new("LAB", (2, 2), (255, 128, 128)), "TIFF")), *[WHITE] * 4, by=2)
    assert corners(rgb(encoded(Image.new("L", (2, 2), 77), "JPEG"))) == [(77, 77, 77)] * 4


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(
    ("image_format", "options"),
    [
        ("JPEG", {"quality": 100, "subsampling": 0}),
        ("PNG", {}),
        ("WEBP", {"lossless": True}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("TIFF", {"save_all": True, "append_images": [Image.new("RGB", (8, 8))]}),
        ("AVIF", {"quality": 100}),
    ],
)
def test_orientation_is_applied_once(orientation: int, image_format: str, options: dict[str, object]) -> None:
    stored = _as_stored(four_corners(32, 16), orientation)
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    image = rgb(encoded(stored, image_format, exif=exif, **options))
    assert image.size == (32, 16)
    assert close(image, RED, GREEN, BLUE, WHITE)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_orientation_in_xmp_is_applied_once(orientation: int, image_format: str) -> None:
    xmp = f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="{orientation}"/></x:xmpmeta>'.encode()
    options: dict[str, Any] = {"JPEG": {"xmp": xmp, "quality": 100, "subsampling": 0}, "WEBP": {"xmp": xmp, "lossless": True}}.get(
        image_format, {}
    )
    if image_format == "PNG":
        options["pnginfo"] = PngInfo()
        options["pnginfo"].add_itxt("XML:com.adobe.xmp", xmp.decode())
    if image_format == "TIFF":
        options["tiffinfo"] = {700: xmp}
    image = rgb(encoded(_as_stored(four_corners(32, 16), orientation), image_format, **options))
    assert image.size == (32, 16)
    assert close(image, RED, GREEN, BLUE, WHITE)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_of_heic_is_the_containers(orientation: int) -> None:
    data = (Path(__file__).parent / "testdata" / f"orientation-{orientation}.heic").read_bytes()
    decoded = decode(data)
    image = to_rgb(decoded)
    assert (decoded.format, image.size) == ("HEIF", (64, 32))
    assert close(image, RED, GREEN, BLUE, WHITE, by=20)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_of_jpeg_xl_is_the_codestreams(orientation: int) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    jpeg = encoded(_as_stored(four_corners(64, 32), orientation), "JPEG", quality=100, subsampling=0, exif=exif)
    decoded = decode(pylibjxl.jpeg_to_jxl(jpeg))
    image = to_rgb(decoded)
    assert (decoded.format, image.size) == ("JXL", (64, 32))
    assert close(image, RED, GREEN, BLUE, WHITE)


def test_a_damaged_exif_block_does_not_cost_the_image() -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    all_options: dict[str, dict[str, Any]] = {"WEBP": {"lossless": True}, "PNG": {}, "JPEG": {"quality": 100, "subsampling": 0}}
    for image_format, options in all_options.items():
        data = encoded(four_corners(), image_format, exif=exif, **options)
        assert data.count(b"MM\x00*") == 1
        image = rgb(data.replace(b"MM\x00*", b"MM\xff*"))
        assert image.size == (24, 16)
        assert close(image, RED, GREEN, BLUE, WHITE)


@pytest.mark.parametrize("behind_the_pixels", [False, True])
@pytest.mark.parametrize(
    "chunk",
    [
        (b"zTXt", b"Comment\0\0" + zlib.compress(bytes(70 << 20))),
        (b"tEXt", b"Comment\0" + b"x" * (65 << 20)),
        (b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(bytes(2 << 20))),
        (b"iCCP", b"profile\0\0" + zlib.compress(bytes(2 << 20))),
        (b"iCCP", b"profile\0\0" + b"no zlib"),
        (b"pHYs", b""),
        (b"cHRM", b"short"),
    ],
    ids=lambda chunk: chunk[0].decode() if isinstance(chunk, tuple) else "",
)
def test_metadata_of_a_png_do_not_cost_its_pixels(chunk: tuple[bytes, bytes], behind_the_pixels: bool) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 3
    data = encoded(_as_stored(four_corners(), 3), "PNG", exif=exif)
    kind, content = chunk
    whole = struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
    at = data.index(b"IEND") - 4 if behind_the_pixels else 33
    for damaged in (whole, whole[:-1] + bytes([whole[-1] ^ 1])):
        assert close(rgb(data[:at] + damaged + data[at:]), RED, GREEN, BLUE, WHITE)


def test_damaged_pixels_stay_damaged_whatever_the_metadata() -> None:
    data = bytearray(encoded(Image.effect_noise((64, 48), 80), "PNG"))
    data[data.index(b"IDAT") + 100] ^= 1
    assert problem_of(lambda: decode(bytes(data))).code == "TRUNCATED"


def test_segments_of_a_jpeg_do_not_cost_its_pixels() -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 3
    data = encoded(_as_stored(four_corners(), 3), "JPEG", quality=100, subsampling=0, exif=exif)
    for marker, content in ((0xE2, b"MPF\0II*\0\xff\xff\xff\xff"), (0xE2, b"ICC_PROFILE\0\x09\1"), (0xED, b"Photoshop 3.0\08BIM\4\xed")):
        segment = struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content
        assert close(rgb(data[:2] + segment + data[2:]), RED, GREEN, BLUE, WHITE)


def test_of_many_frames_the_first_counts() -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in (RED, GREEN, BLUE)]
    for image_format in ("GIF", "TIFF", "PNG", "WEBP", "MPO"):
        data = encoded(frames[0], image_format, save_all=True, append_images=frames[1:])
        decoded = decode(data)
        assert (decoded.format, getattr(decoded, "n_frames", 1)) == (image_format, 3)
        assert close(to_rgb(decoded), RED, RED, RED, RED)


def test_a_thread_of_pixels_is_valid_up_to_a_bound() -> None:
    assert rgb(encoded(Image.new("RGB", (1, 200), RED), "PNG")).size == (1, 200)
    assert thumbnail(Image.new("RGB", (1000, 5))).size == (256, 1)
    problem = problem_of(lambda: decode(encoded(Image.new("RGB", (1, 201)), "PNG")))
    assert (problem.code, problem.reason) == ("TOO_LARGE", "1 x 201: one side is more than 200 times the other")


def test_a_bomb_is_refused_before_a_pixel_is_decoded() -> None:
    bomb = _png(50_000, 50_000, bytes(100))
    assert len(bomb) < 200
    problem = problem_of(lambda: decode(bomb))
    assert (problem.code, problem.reason) == ("TOO_LARGE", "50000 x 50000 is 2,500,000,000 pixels; the limit is 120,000,000")
    heic = bytearray((Path(__file__).parent / "testdata" / "orientation-1.heic").read_bytes())
    at = heic.index(b"ispe") + 8
    heic[at : at + 8] = struct.pack(">II", 20_000, 20_000)
    assert problem_of(lambda: decode(bytes(heic))).code in ("TOO_LARGE", "TRUNCATED")
    jxl = pylibjxl.encode(np.zeros((600, 600, 3), np.uint8), lossless=True)
    assert len(jxl) < 2_000
    assert problem_of(lambda: identify(jxl, max_pixels=359_999)).reason == "600 x 600 is 360,000 pixels; the limit is 359,999"
    gif = bytearray(encoded(Image.new("P", (1, 1)), "GIF"))
    gif[6:10] = struct.pack("<HH", 65_535, 65_535)
    assert problem_of(lambda: decode(bytes(gif))).code == "TOO_LARGE"


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "AVIF", "JXL"])
def test_an_image_cut_off_anywhere_is_truncated(image_format: str) -> None:
    whole = encoded(Image.effect_noise((64, 48), 80).convert("RGB"), image_format)
    for share in (0.3, 0.6, 0.9):
        problem = problem_of(lambda share=share: decode(whole[: int(len(whole) * share)]))  # type: ignore[misc]
        assert problem.code == "TRUNCATED"
        assert image_format in problem.reason or "header" in problem.reason


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', "an SVG drawing, not a pixel image"),
        (b"name,width\nred.jpg,24\n", "text, not an image"),
        (b"BMW,blue,2004\nFiat,red,1998\n", "text, not an image"),
        (b'{"images": []}', "text, not an image"),
        ("Grüße aus dem Ordner".encode(), "text, not an image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "a PostScript drawing, not a pixel image"),
        (b"%PDF-1.7\n", "a PDF document, not a pixel image"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
            "a Git LFS pointer in place of the file; fetch the file with `git lfs pull`",
        ),
        (bytes(64), "not in a format that can be read"),
        (b"RIFF\x24\x08\x00\x00WAVEfmt ", "not in a format that can be read"),
        (b"PK\x03\x04\x14\x00", "not in a format that can be read"),
    ],
)
def test_what_is_no_image_is_named(data: bytes, reason: str) -> None:
    problem = problem_of(lambda: decode(data))
    assert (problem.code, problem.reason) == ("NOT_AN_IMAGE", reason)


def test_files_that_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    (tmp_path / "folder.png").mkdir()
    codes = {name: problem_of(lambda name=name: open_rgb(tmp_path / name)).code for name in ("empty.png", "folder.png", "none.png")}  # type: ignore[misc]
    assert codes == {"empty.png": "EMPTY_FILE", "folder.png": "UNREADABLE", "none.png": "MISSING_IMAGE"}


def test_a_file_beyond_the_size_limit_is_not_read(tmp_path: Path) -> None:
    with open(tmp_path / "huge.tif", "wb") as file:
        file.truncate(512 * 2**20 + 1)
    problem = problem_of(lambda: open_rgb(tmp_path / "huge.tif"))
    assert (problem.code, problem.reason) == ("TOO_LARGE", "536,870,913 bytes; the limit is 536,870,912")


def test_endings_are_known_in_any_case() -> None:
    assert all(is_image_name(name) for name in ("a.JPG", "b.Jpeg", "ordner/ü.PnG", "c.webp", "d.AVIF", "e.jxl", "f.heic", "g.HIF"))
    assert not any(
        is_image_name(name)
        for name in ("a.txt", "png", "b.json", "c.pdf", "d.mp4", "e.csv", "f.svg", "g.eps", "h.ps", "i.ai", "j.wmf", "k.fit")
    )


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_damage_of_any_kind_is_a_problem_and_never_another_exception() -> None:
    rng = random.Random(5)
    noise = Image.effect_noise((24, 16), 60)
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    samples = [encoded(noise.convert("RGB"), name, exif=exif) for name in ("JPEG", "PNG", "WEBP", "TIFF", "AVIF")]
    samples += [encoded(noise.convert("RGB"), name) for name in ("GIF", "BMP", "JPEG2000", "ICO", "PPM", "TGA", "PCX", "QOI", "ICNS")]
    samples += [pylibjxl.encode(np.asarray(noise.convert("RGB")))]
    samples += [path.read_bytes() for path in (Path(__file__).parent / "testdata").glob("*.heic")]
    samples += [encoded(noise.convert("I;16"), "TIFF"), encoded(noise.convert("LA"), "PNG"), encoded(noise.convert("P"), "GIF")]
    outcomes = set()
    for _ in range(1500):
        data = bytearray(rng.choice(samples))
        for _ in range(rng.choice([1, 2, 16])):
            data[int(rng.random() ** 2 * len(data))] = rng.randrange(256)
        try:
            assert to_rgb(decode(bytes(data), max_pixels=1_000_000)).mode == "RGB"
            outcomes.add("fine")
        except ImageProblem as problem:
            outcomes.add(problem.code)
    assert outcomes >= {"fine", "TRUNCATED", "NOT_AN_IMAGE", "TOO_LARGE"}


def _as_stored(upright: Image.Image, orientation: int) -> Image.Image:
    """What a camera that notes ``orientation`` has stored of an upright picture."""
    inverse: dict[int, Callable[[Image.Image], Image.Image]] = {
        1: lambda image: image,
        2: ImageOps.mirror,
        3: lambda image: image.rotate(180),
        4: ImageOps.flip,
        5: lambda image: image.transpose(Image.Transpose.TRANSPOSE),
        6: lambda image: image.transpose(Image.Transpose.ROTATE_90),
        7: lambda image: image.transpose(Image.Transpose.TRANSVERSE),
        8: lambda image: image.transpose(Image.Transpose.ROTATE_270),
    }
    return inverse[orientation](upright)


def _tiff_of_16_bit_colours(row: bytes) -> bytes:
    """Two pixels, which Pillow cannot write: big-endian, uncompressed, one strip."""
    fields = {256: 2, 257: 1, 258: 16, 259: 1, 262: 2, 273: 14, 277: 3, 278: 1, 279: 12}
    entries = b""
    for tag, value in fields.items():
        entries += struct.pack(">HHI", tag, 3, 3) + struct.pack(">I", 8) if tag == 258 else struct.pack(">HHIHH", tag, 3, 1, value, 0)
    return b"MM\x00*" + struct.pack(">I", 26) + struct.pack(">3H", 16, 16, 16) + row + struct.pack(">H", len(fields)) + entries + bytes(4)


def _png(width: int, height: int, raw: bytes, *, depth: int = 8, colour: int = 2) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")
