"""Image files without their metadata: what is wrong with a text or a profile must not cost the pixels beside it."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

# PNG (third edition), section 4.7: all that pixels need. eXIf holds the orientation.
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_CHUNKS = {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"eXIf"}

# JPEG (ITU-T T.81), table B.1: APP0 is JFIF, APP1 with this mark Exif, APP14 Adobe's, which says how CMYK is stored.
_APP0, _APP1, _APP14, _APP15, _COM, _SOS = 0xE0, 0xE1, 0xEE, 0xEF, 0xFE, 0xDA
_EXIF = b"Exif\0\0"


def without_metadata(data: bytes) -> bytes | None:
    """The file with what its pixels need and their orientation alone; None for a format where the two are not apart."""
    if data.startswith(_PNG_SIGNATURE):
        return _PNG_SIGNATURE + b"".join(_png_chunks(data))
    if data.startswith(b"\xff\xd8"):
        return b"\xff\xd8" + b"".join(_jpeg_segments(data))
    return None


def _png_chunks(data: bytes) -> Iterator[bytes]:
    at = len(_PNG_SIGNATURE)
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        kind, end = data[at + 4 : at + 8], at + 12 + length
        whole = zlib.crc32(data[at + 4 : end - 4]) == int.from_bytes(data[end - 4 : end], "big")
        # A damaged critical chunk stays, so that the image is refused; a damaged ancillary one goes.
        if kind in _PNG_CHUNKS and (whole or kind[:1].isupper()):
            yield data[at:end]
        at = end


def _jpeg_segments(data: bytes) -> Iterator[bytes]:
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != _SOS:
        marker, end = data[at + 1], at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        needed = not (_APP0 < marker <= _APP15 or marker == _COM) or marker == _APP14
        if needed or (marker == _APP1 and data.startswith(_EXIF, at + 4)):
            yield data[at:end]
        at = end
    yield data[at:]
