"""From every Arrow type to a few: what Python can hold, and what all files have in common.

Null, bool, integers, float and double, string and binary (large or not), and lists and structs of
these. Dates, times, durations and decimals are text, as are unions and mappings (JSON): so a value
that Python cannot hold, such as a date in the year 20204, is read like any other. What is wrapped
(dictionaries, runs, views, extension types) is unwrapped.

Most columns stay as they are, and `pyarrow.compute`, which imports pandas, is left to the others.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import types

from latentmap.samples.cells import as_text

PLAIN = (
    *(types.is_null, types.is_boolean, types.is_integer, types.is_float32, types.is_float64),
    *(types.is_string, types.is_large_string, types.is_binary, types.is_large_binary),
)
"""Types that stay as they are."""

ZERO_FRACTION = r"\.0+([Z+-].*)?$"
"""Of a second, as Arrow writes it; Python leaves it out."""


def plain_table(table: pa.Table) -> pa.Table:
    """Return a table with each column cast to one of the few types."""
    columns = [_plain_column(column) for column in table.columns]
    return pa.Table.from_arrays(columns, names=table.column_names)


def plain_schema(schema: pa.Schema) -> pa.Schema:
    """Return the schema that `plain_table` gives a table of this schema."""
    kinds = (_plain_type(field.type) for field in schema)
    return pa.schema(list(zip(schema.names, kinds, strict=True)))


def _plain_column(column: pa.ChunkedArray) -> pa.ChunkedArray:
    chunks = [_checked(chunk) for chunk in column.chunks]
    return pa.chunked_array(chunks, _plain_type(column.type))


def _checked(array: pa.Array) -> pa.Array:
    """Return an array as `plain` does, if it is sound; most are as they should be.

    Raises:
        ArrowInvalid: it is damaged.
    """
    try:
        array.validate(full=True)
    except pa.ArrowInvalid as error:
        if "UTF8" not in str(error):
            raise
    else:
        if _is_plain(array.type):
            return array
    try:
        return plain(array)
    except UnicodeDecodeError as error:  # where it cannot be written out, as in a key
        raise pa.ArrowInvalid(str(error)) from None


def _plain_type(kind: pa.DataType) -> pa.DataType:
    """Return the type that `plain` makes of a type."""
    if _is_plain(kind):
        return kind
    if isinstance(kind, pa.BaseExtensionType):
        return pa.large_string() if kind == pa.uuid() else _plain_type(kind.storage_type)
    if types.is_run_end_encoded(kind) or types.is_dictionary(kind):
        return _plain_type(kind.value_type)
    if _is_list(kind):
        return pa.list_(_plain_type(kind.value_type))
    if types.is_struct(kind) and kind.num_fields:
        fields = [kind.field(number) for number in range(kind.num_fields)]
        return pa.struct([(field.name, _plain_type(field.type)) for field in fields])
    if types.is_float16(kind):
        return pa.float32()
    is_binary = types.is_binary_view(kind) or types.is_fixed_size_binary(kind)
    return pa.large_binary() if is_binary else pa.large_string()


def _is_plain(kind: pa.DataType) -> bool:
    if types.is_list(kind):
        return _is_plain(kind.value_type)
    if types.is_struct(kind):
        inner = [kind.field(number).type for number in range(kind.num_fields)]
        return bool(inner) and all(map(_is_plain, inner))
    return any(is_one(kind) for is_one in PLAIN)


def plain(array: pa.Array) -> pa.Array:
    """Return an array cast to one of the few types."""
    kind = array.type
    if isinstance(kind, pa.BaseExtensionType):
        return _texts(array.to_pylist()) if kind == pa.uuid() else plain(array.storage)
    if types.is_run_end_encoded(kind):
        return _runs(array)
    if types.is_dictionary(kind):
        return plain(array.dictionary).take(array.indices)
    if _is_list(kind):
        return _list(array)
    if types.is_struct(kind) and kind.num_fields:
        names = [kind.field(i).name for i in range(kind.num_fields)]
        parts = [plain(part) for part in array.flatten()]
        return pa.StructArray.from_arrays(parts, names=names, mask=array.is_null())
    if types.is_map(kind):
        return _texts(None if pairs is None else dict(pairs) for pairs in array.to_pylist())
    if types.is_union(kind) or types.is_struct(kind):
        return _texts(array.to_pylist())
    return _scalars(array)


def _scalars(array: pa.Array) -> pa.Array:
    kind = array.type
    if types.is_string(kind) or types.is_large_string(kind):
        return _utf8(array)
    if _is_plain(kind):
        return array
    if types.is_float16(kind):
        return array.cast(pa.float32())
    if types.is_string_view(kind):
        return _utf8(array.cast(pa.large_string()))
    if types.is_binary_view(kind) or types.is_fixed_size_binary(kind):
        return array.cast(pa.large_binary())
    if types.is_timestamp(kind) or types.is_time(kind):
        return _times(array)
    if types.is_date(kind) or types.is_decimal(kind):
        return array.cast(pa.large_string())
    return _texts(map(_span, array))


def _span(scalar: pa.Scalar) -> str | None:
    """Return a duration or an interval as text, in its own unit where Python cannot hold it."""
    try:
        value = scalar.as_py()
    except OverflowError:
        value = f"{scalar.cast(pa.int64()).as_py()} {scalar.type.unit}"
    return None if value is None else str(value)


def _times(array: pa.Array) -> pa.Array:
    import pyarrow.compute as pc

    kind = array.type
    try:
        text = array.cast(pa.string())
    except pa.ArrowInvalid:  # of a time zone that is not known here
        text = array.cast(pa.timestamp(kind.unit)).cast(pa.string())
    return pc.replace_substring_regex(text, ZERO_FRACTION, r"\1").cast(pa.large_string())


def _utf8(array: pa.Array) -> pa.Array:
    """Return text whose bytes are UTF-8; those that are not are written out."""
    try:
        array.validate(full=True)
    except pa.ArrowInvalid:
        values = array.cast(pa.large_binary()).to_pylist()
        texts = _texts(v and v.decode("utf-8", "backslashreplace") for v in values)
        return texts.cast(array.type)
    return array


def _runs(array: pa.Array) -> pa.Array:
    """Repeat each value of an array of runs as often as its run is long."""
    ends = array.run_ends.to_numpy()
    rows = np.arange(array.offset, array.offset + len(array))
    return plain(array.values).take(pa.array(np.searchsorted(ends, rows, side="right")))


def _list(array: pa.Array) -> pa.Array:
    """Return lists of any layout as lists one after the other; a null list stays null."""
    import pyarrow.compute as pc

    lengths = pc.fill_null(pc.list_value_length(array), 0).to_numpy()
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    mask = np.append(array.is_null().to_numpy(zero_copy_only=False), False)
    return pa.ListArray.from_arrays(
        pa.array(offsets, pa.int32(), mask=mask), plain(array.flatten())
    )


def _texts(values: Iterable[Any]) -> pa.Array:
    return pa.array([as_text(value) for value in values], pa.large_string())


def _is_list(kind: pa.DataType) -> bool:
    return (
        types.is_list(kind)
        or types.is_large_list(kind)
        or types.is_fixed_size_list(kind)
        or types.is_list_view(kind)
        or types.is_large_list_view(kind)
    )
