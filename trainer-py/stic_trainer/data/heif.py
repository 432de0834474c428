"""HEIC and HEIF for Pillow, through the decoder of pi-heif.

Its own Pillow plugin reads metadata as well, and its native code ends the process on damaged ones (1.4.0). Pixels need none: the
orientation of HEIF is a transformation that the decoder applies.
"""

from __future__ import annotations

from typing import Any

import _pi_heif
from PIL import Image, ImageFile

_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}


class HeifImageFile(ImageFile.ImageFile):
    """The primary image; size and mode are known from the header, pixels are decoded by ``load``."""

    format = "HEIF"
    format_description = "HEIF container"

    def _open(self) -> None:
        assert self.fp is not None
        # In order: one thread, 8 bits a sample, RGB, rows without padding, no 16 bits, any decoder, the library's limits.
        images = _pi_heif.load_file(self.fp.read(), 1, True, False, True, False, "", False)
        self._primary: Any = next((image for image in images if image is not None and image.primary), None)
        if self._primary is None:
            raise SyntaxError("no primary image")
        self._size, self._mode = self._primary.size_mode

    def load(self) -> Any:
        primary, self._primary = self._primary, None
        if primary is not None:
            pixels = primary.data
            self._size, self._mode = primary.size_mode
            self.load_prepare()
            self.frombytes(pixels, "raw", (self._mode, primary.stride))
        return super().load()


def register() -> None:
    Image.register_open(HeifImageFile.format, HeifImageFile, lambda head: head[4:8] == b"ftyp" and head[8:12] in _BRANDS)
    Image.register_extensions(HeifImageFile.format, [".heic", ".heics", ".heif", ".heifs", ".hif"])
