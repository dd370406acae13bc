"""The pictures that pages show of an opened sample: files beside the report, or elsewhere."""

from __future__ import annotations

import io
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from latentmap.errors import LatentmapError
from latentmap.report.embedded import embedded_json
from latentmap.report.picture_host import picture_host
from latentmap.samples.cells import as_text
from latentmap.samples.pictures import open_picture
from latentmap.samples.whole_pictures import suffix_in_browsers, whole_picture_file
from latentmap.store.files import atomic, digest, write_stamped_text
from latentmap.store.results import PICTURE_NAMES, PICTURES, SAMPLES, WHOLE_PICTURES, Results
from latentmap.store.samples import evenly_spaced
from latentmap.store.tables import read_arrow, read_arrow_schema

COLUMN = re.compile(r"{([^{}]+)}")
"""What stands for a column in an address."""

QUALITY = 90

NAMES_START = "window.latentmapPictures = { base: document.currentScript.src, addresses: "
NAMES_END = "};\n"

ROWS_AT_ONCE = 64


def write_pictures(
    samples: Sequence[Path | str], rows: NDArray[np.intp], size: int, folder: Path
) -> list[str | None]:
    """Write the pictures of some samples, each once.

    Those that browsers show, and that are no larger, are written as they came.

    Args:
        samples: shards of samples.
        rows: numbers of the samples over all shards, ascending.
        size: longer side in pixels; larger pictures are made smaller.
        folder: where to.

    Returns:
        For each sample the name of its file, null without one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names: list[str | None] = []
    for sample in _chosen(samples, rows, ["image", "width", "height"]):
        if sample["image"] is None:
            names.append(None)
            continue
        is_small = max(sample["width"], sample["height"]) <= size
        data, suffix = _shown(sample["image"], size, is_small)
        name = f"{digest(data)}.{suffix}"
        if not (folder / name).exists():
            with atomic(folder / name) as temporary:
                temporary.write_bytes(data)
        names.append(name)
    return names


def write_picture_names(results: Results) -> None:
    """Write where pages find the pictures of the samples that maps show, and the report's own.

    Raises:
        LatentmapError: no sample has what `report.image_url` names.
    """
    output = results.address(PICTURE_NAMES)
    shutil.rmtree(results.address(PICTURES), ignore_errors=True)  # those of other options
    names = embedded_json(_addresses(results, output.parent))
    write_stamped_text(output, f"{NAMES_START}{names}{NAMES_END}// ", "\n")


def _addresses(results: Results, beside: Path) -> list[str | None]:
    """Return the addresses of pictures: elsewhere, in the explorer or among the report's own."""
    samples, options = results.paths(SAMPLES), results.option("report")
    count = sum(len(read_arrow(path, ["id"])) for path in samples)
    rows = evenly_spaced(count, options["max_points"])
    if options["image_url"] is not None:
        return linked_pictures(samples, rows, options["image_url"], beside)
    if options["pictures"] is None:
        return [None] * len(rows)
    if results.keys(PICTURES):
        folder = results.address(PICTURES)
        files = write_pictures(samples, rows, options["pictures"], folder)
    else:
        folder = results.address(WHOLE_PICTURES)
        images = (sample["image"] for sample in _chosen(samples, rows, ["image"]))
        files = [image and whole_picture_file(image) for image in images]
    return [file and os.path.relpath(folder / file, beside) for file in files]


def linked_pictures(
    samples: Sequence[Path | str], rows: NDArray[np.intp], image_url: str, beside: Path
) -> list[str | None]:
    """Return the address of the picture of each of some samples.

    Args:
        samples: shards of samples.
        rows: numbers of the samples over all shards, ascending.
        image_url: a URL or a folder, followed by the sample's id; `{column}` in it stands for that
            column, in place of the id.
        beside: the folder that addresses of files are seen from.

    Raises:
        LatentmapError: no sample has such a column.
    """
    is_url = picture_host(image_url) is not None
    template = image_url if "{" in image_url else f"{image_url.rstrip('/')}/{{id}}"
    wanted = COLUMN.findall(template)
    found: list[str | None] = []
    for sample in _chosen(samples, rows, wanted):
        told = {name: as_text(sample.get(name)) or "" for name in wanted}
        if not all(told.values()):
            found.append(None)
            continue
        if is_url:
            found.append(_filled(template, {name: quote(text) for name, text in told.items()}))
        else:
            found.append(quote(os.path.relpath(_filled(template, told), beside)))
    if found and not any(found):
        raise LatentmapError(
            f"report.image_url: no sample has all of {', '.join(wanted)}. Put the name of a column "
            "that has the picture's path in braces."
        )
    return found


def _filled(template: str, told: Mapping[str, str]) -> str:
    return COLUMN.sub(lambda name: told[name[1]], template)


def _chosen(
    samples: Sequence[Path | str], rows: NDArray[np.intp], columns: Sequence[str]
) -> Iterator[Mapping[str, Any]]:
    """Yield these columns of some samples, as far as they have them."""
    start = 0
    for path in samples:
        there = read_arrow_schema(path).names
        table = read_arrow(
            path, ["id", *(name for name in columns if name in there and name != "id")]
        )
        here = rows[(rows >= start) & (rows < start + len(table))] - start
        start += len(table)
        for first in range(0, len(here), ROWS_AT_ONCE):
            yield from table.take(pa.array(here[first : first + ROWS_AT_ONCE])).to_pylist()


def _shown(data: bytes, size: int, is_small: bool) -> tuple[bytes, str]:
    """Return a picture as a browser shows it, and the suffix of its file."""
    if is_small and (suffix := suffix_in_browsers(data)):
        return data, suffix
    image = open_picture(data, at_least=size).image
    image.thumbnail((size, size))
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, "JPEG", quality=QUALITY)
    return buffer.getvalue(), "jpg"
