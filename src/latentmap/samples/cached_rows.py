"""What arrays of others say of their rows: the text of a JSON list, one entry for each."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from latentmap.samples.cells import as_text, check_storable

THUMBNAIL = "thumbnail"
"""Column of pictures."""

DEEPEST = 32
"""Lists and structs inside each other that remain such; Arrow files hold 64. Deeper ones are text.
"""


def json_list(name: str, text: str) -> list[Any]:
    """Parse the text of a JSON list; no text is an empty one.

    Args:
        name: of what holds it, for the message.
        text: the text.

    Raises:
        ValueError: it is no list, or cannot be stored.
    """
    try:
        value = json.loads(text or "null")
    except RecursionError:
        raise ValueError(f"'{name}' is nested too deeply") from None
    check_storable(text, value)
    if value is not None and not isinstance(value, list):
        raise ValueError(f"'{name}' is not a JSON list")
    return value or []


def tabulate(metadata: Sequence[Any], thumbnails: Sequence[Any]) -> pa.Table:
    """Return what is said of each row as columns, and its picture as the column `THUMBNAIL`.

    Args:
        metadata: an object for each row.
        thumbnails: base 64 for each row, in lines or not, with or without a `data:` prefix.
    """
    rows = [row if isinstance(row, dict) else {} for row in metadata]
    names = dict.fromkeys(name for row in rows for name in row)
    columns = {name: column_of([row.get(name) for row in rows]) for name in names}
    columns[THUMBNAIL] = pa.array([_decode(image) for image in thumbnails], pa.large_binary())
    return pa.table(columns)


def column_of(values: list[Any]) -> pa.Array:
    """Return values as a column; as text where their types have nothing in common."""
    try:
        array = pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):  # values of different types
        array = None
    if array is None or _is_deep(array.type):
        return pa.array([as_text(value) for value in values], pa.string())
    return array


def _is_deep(of: pa.DataType) -> bool:
    """Whether more lists and structs are inside each other than `DEEPEST`."""
    inside = [of]
    for _ in range(DEEPEST):
        inside = [outer.field(i).type for outer in inside for i in range(outer.num_fields)]
    return bool(inside)


def _decode(image: Any) -> bytes | None:
    """Decode base 64, in lines or not, with or without a `data:` prefix; else give it as it is."""
    if image is None or image == "":
        return None
    try:
        return base64.b64decode("".join(image.rpartition(",")[2].split()), validate=True)
    except (binascii.Error, ValueError, AttributeError):
        return str(image).encode()
