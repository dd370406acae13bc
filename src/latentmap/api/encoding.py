"""Encoding of images and texts in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from latentmap.draw.boxes import DrawOptions, show
from latentmap.encode.encoder import ENCODERS, Encoder, FittedEncoder
from latentmap.encode.loop import Table
from latentmap.encode.loop import encode as encode_tables
from latentmap.errors import LatentmapError
from latentmap.samples.faults import FaultError
from latentmap.samples.pictures import open_picture
from latentmap.store.samples import SCHEMA

THREADS = 2


def encode(
    samples: Sequence[Any],
    encoder: str | type[Encoder[Any]] | Encoder[Any],
    **options: Any,
) -> NDArray[Any]:
    """Turn images or texts into latents.

    Args:
        samples: images (PIL, (H, W, 3) arrays of bytes, paths, or the bytes of files), one after
            the other or as one (N, H, W, 3) array; or texts, for an encoder of texts.
        encoder: the name of an encoder (`latentmap list encoders` shows them), such as `dct`,
            `vae`, `image`, `sentence` or `tfidf`; or a class or an object of your own that derives
            from `Encoder`.
        options: of the encoder, such as `model`, `size`, `device` or `precision`.

    Returns:
        (N, C, H, W) feature maps or (N, D) vectors, in the encoder's precision.

    Raises:
        LatentmapError: a sample cannot be read, an option is wrong, or the model cannot be loaded.

    Examples:
        >>> import latentmap as lm
        >>> from PIL import Image
        >>> images = [Image.new("RGB", (64, 64), color) for color in ("red", "green", "blue")]
        >>> latents = lm.encode(images, "dct", size=64)
        >>> latents.shape[0], latents.ndim
        (3, 4)
    """
    made = ENCODERS.made(encoder, options)
    if not made.options.name:
        named = made.options.model_copy(update={"name": made.kind})
        made = type(made)(named)
    if made.needs not in ("images", "texts"):
        raise LatentmapError(
            f"The encoder '{made.kind}' reads no images or texts, but what others have made."
        )
    table = _images(samples) if made.needs == "images" else _texts(samples)
    if len(table) == 0:
        raise LatentmapError("There is nothing to encode.")
    made.check()
    if isinstance(made, FittedEncoder):
        made.use(made.fit(table))
    draw = partial(show, variant="plain", options=DrawOptions())
    made.be_loaded()
    [encoded] = encode_tables([Table(table, "memory")], made, draw, THREADS, made.options.name)
    return encoded.latents


def image_bytes(image: Any, row: int) -> bytes:
    """Return an image as the bytes of a file; one that is no file yet as PNG, without loss.

    Raises:
        LatentmapError: it is no image.
    """
    from PIL import Image

    if isinstance(image, bytes):
        return image
    if isinstance(image, str | Path):
        try:
            return Path(image).expanduser().read_bytes()
        except OSError as error:
            raise LatentmapError(f"Image {row}, {image}: {error.strerror}.") from None
    if not isinstance(image, Image.Image):
        if hasattr(image, "detach"):
            image = image.detach().cpu().numpy()
        pixels = np.asarray(image)
        if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3):
            raise LatentmapError(
                f"Image {row} is an array {pixels.shape} of {pixels.dtype}; (H, W, 3) of uint8 is "
                "needed."
            )
        try:
            image = Image.fromarray(pixels)
        except TypeError:
            raise LatentmapError(
                f"Image {row} is an array {pixels.shape}; (H, W, 3) of uint8 is needed."
            ) from None
    buffer = BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def _images(images: Sequence[Any]) -> pa.Table:
    files, widths, heights = [], [], []
    for row, image in enumerate(images):
        file = image_bytes(image, row)
        try:
            width, height = open_picture(file).image.size
        except FaultError as fault:
            raise LatentmapError(f"Image {row} cannot be read ({fault.reason}).") from None
        files.append(file)
        widths.append(width)
        heights.append(height)
    return _table({"image": files, "width": widths, "height": heights})


def _texts(texts: Sequence[Any]) -> pa.Table:
    found = list(texts.to_list() if hasattr(texts, "to_list") else texts)
    for row, text in enumerate(found):
        if not isinstance(text, str) or not text.strip():
            raise LatentmapError(f"Text {row} is {text!r}; every sample needs a text.")
    return _table({"text": found})


def _table(known: dict[str, list[Any]]) -> pa.Table:
    """Return samples of which no more is known than this, as a run has them."""
    count = len(next(iter(known.values())))
    ids = [str(row) for row in range(count)]
    columns = {"id": ids, "source": ids, "source_group": ids, "digest": ids, **known}

    def arrays() -> Iterator[pa.Array]:
        for field in SCHEMA:
            yield pa.array(columns.get(field.name, [None] * count), field.type)

    return pa.Table.from_arrays(list(arrays()), schema=SCHEMA)
