"""Caches of latents as the first scripts wrote them, and as the source `npz` reads them."""

from __future__ import annotations

import base64
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any

from latentmap.export.columns import SampleColumns
from latentmap.samples.clean import LATENT_ROW, ORIGINS
from latentmap.store.tables import read_arrow, read_arrow_schema

LABEL = "qa_category"
"""The key of a label."""

TYPE = "qa_type"
"""The key of the kind of question, which the first scripts read of every sample."""

ANEW = ("source", "width", "height")
"""What every run says of its samples anew: a sample of a cache keeps what the cache says of it."""

DIGITS = 9

COMMENT = "written by the latentmap run "
"""Begins the comment of an archive that a run writes at a path of its user's."""


def cache_metadata(samples: Sequence[Path | str]) -> Iterator[dict[str, Any]]:
    """Yield what a cache says of each sample: `id`, `qa_category`, `qa_type`, and all else known.

    A cache that was read and is written again has the same keys and values. Boxes are fractions
    (x0, y0, x1, y1) of the image, because the cache has a smaller one.

    Args:
        samples: shards of samples.
    """
    return map(_as_cached, SampleColumns(samples, taken=[LABEL, TYPE]).rows())


def _as_cached(row: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in row.items() if name not in ORIGINS}
    boxes, width, height = (kept.pop(name) for name in ("boxes", "width", "height"))
    found = {
        "id": kept.pop("id"),
        LABEL: kept.pop("label"),
        TYPE: _type_of(kept),
        **kept,
        "boxes": boxes and width and [_fractions(box, width, height) for box in boxes],
        "width": width,
        "height": height,
    }
    for name in ANEW:
        if (before := f"original_{name}") in found:
            found[name] = found.pop(before)
    return found


def _fractions(box: Sequence[float], width: int, height: int) -> list[float]:
    sides = (width, height, width, height)
    return [round(place / side, DIGITS) for place, side in zip(box, sides, strict=True)]


def _type_of(row: dict[str, Any]) -> Any:
    """Take the kind of question out of where a source has it; empty where it has none."""
    if row.get(before := f"original_{TYPE}") is not None:
        return row.pop(before)
    row.pop(before, None)
    info = row.get("qa_info")
    nested = info.get("type") if isinstance(info, Mapping) else None
    return nested or row.get("question_type") or ""


def cache_thumbnails(
    thumbnails: Sequence[Path | str], samples: Sequence[Path | str]
) -> Iterator[str | None]:
    """Yield the picture of each sample as a `data:` URL; nothing if there are none.

    Samples that come from a cache have its own thumbnails, as they are.

    Args:
        thumbnails: shards of JPEGs (id, jpeg); none if there are none.
        samples: their shards of samples, in the same order.
    """
    if any(_pictures(thumbnails, samples)):
        for picture in _pictures(thumbnails, samples):
            yield _data_url(picture) if picture else None


def _pictures(
    thumbnails: Sequence[Path | str], samples: Sequence[Path | str]
) -> Iterator[bytes | None]:
    """Yield the picture of each sample: its own, or that of the run."""
    own = chain.from_iterable(map(_own_thumbnails, samples))
    drawn = chain.from_iterable(
        read_arrow(path, ["jpeg"])["jpeg"].to_pylist() for path in thumbnails
    )
    for one, other in zip_longest(own, drawn):
        yield one or other


def _own_thumbnails(shard: Path | str) -> Iterator[bytes | None]:
    if LATENT_ROW not in read_arrow_schema(shard).names:
        yield from [None] * len(read_arrow(shard, ["id"]))
        return
    for row in read_arrow(shard, ["image", LATENT_ROW]).to_pylist():
        yield None if row[LATENT_ROW] is None else row["image"]


def cache_comment(run: str) -> bytes:
    """Return the comment of the caches that a run writes at a path of its user's."""
    return f"{COMMENT}{run}".encode()


def is_cache_of(path: Path, run: str) -> bool:
    """Whether a file is a cache that a run of this name wrote at a path of its user's."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.comment == cache_comment(run)
    except (OSError, zipfile.BadZipFile):
        return False


def _data_url(picture: bytes) -> str:
    from PIL import Image

    mime = Image.MIME[str(Image.open(BytesIO(picture)).format)]
    return f"data:{mime};base64,{base64.b64encode(picture).decode()}"
