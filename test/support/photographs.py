"""Pictures as cameras, scanners and web pages leave them in folders: ``python photographs.py FOLDER``.

Noise over gradients, in the formats, modes and names that break naive readers, and files that are no pictures at all.
"""

import random
import sys
from pathlib import Path

from PIL import Image

ORIENTATION = 0x0112


def photograph(seed: int, width: int, height: int) -> Image.Image:
    rng = random.Random(seed)
    red = Image.linear_gradient("L").rotate(90 * rng.randrange(4)).resize((width, height))
    green = Image.radial_gradient("L").resize((width, height))
    blue = Image.frombytes("L", (16, 16), rng.randbytes(256)).resize((width, height), Image.Resampling.BICUBIC)
    return Image.merge("RGB", (red, green, blue))


def main(folder: Path) -> None:
    for inner in (folder, folder / "Urlaub 2024", folder / ".thumbnails"):
        inner.mkdir(parents=True, exist_ok=True)
    picture = [photograph(seed, 120 + 8 * seed, 90 + 5 * seed) for seed in range(12)]
    rotated = Image.Exif()
    rotated[ORIENTATION] = 6
    wide = Image.frombytes("I;16", (64, 48), random.Random(1).randbytes(64 * 48 * 2))
    alpha = picture[3].copy()
    alpha.putalpha(Image.radial_gradient("L").resize(alpha.size))

    picture[0].save(folder / "IMG_0001.JPG", "JPEG")
    picture[1].save(folder / "upright again.jpeg", exif=rotated)
    picture[2].convert("CMYK").save(folder / "print.jpg")
    alpha.save(folder / "logo mit Rand.png")
    picture[4].quantize(16).save(folder / "palette.png")
    wide.save(folder / "scan.tif")
    picture[5].save(folder / "Urlaub 2024" / "Straße & Meer (1).webp")
    picture[6].save(folder / "Urlaub 2024" / "海.bmp")
    picture[7].convert("L").save(folder / "grey.gif")
    picture[8].save(folder / "really a png.jpg", "PNG")
    picture[9].save(folder / "no ending", "JPEG")
    picture[10].resize((3, 200)).save(folder / "narrow.png")
    picture[11].save(folder / ".thumbnails" / "hidden.png")
    (folder / "notes.txt").write_text("Not a picture, and nobody said so.\n", "utf-8")

    whole = (folder / "IMG_0001.JPG").read_bytes()
    (folder / "broken off.jpg").write_bytes(whole[: len(whole) // 3])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
