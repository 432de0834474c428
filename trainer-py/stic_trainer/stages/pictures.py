"""Images in and out of the artifact store."""

from __future__ import annotations

import io

from PIL import Image

from stic_trainer.data.records import ImageItem, ImageRef
from stic_trainer.modeling.policy import Picture
from stic_trainer.runtime.context import StageContext


def picture_of(ctx: StageContext, image: ImageItem | ImageRef) -> Picture:
    return Picture(image.sha256, ctx.store.blob(image.sha256))


def png_bytes(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
