"""Images in and out of the artifact store."""

from __future__ import annotations

import io

from PIL import Image

from stic_trainer.data.records import ImageItem, ImageRef
from stic_trainer.modeling.vision import ImageFile
from stic_trainer.runtime.context import StageContext


def image_file(ctx: StageContext, image: ImageItem | ImageRef) -> ImageFile:
    size = (image.width, image.height) if image.width and image.height else None
    return ImageFile(image.sha256, ctx.store.blob(image.sha256), size)


def png_bytes(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
