"""Arrays written for other tools part by part, so that a wide one is never held whole."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from latentmap.errors import LatentmapError
from latentmap.export.caches import cache_metadata
from latentmap.export.columns import RowsInStep, SampleColumns, fits_parquet
from latentmap.store.files import atomic, json_text
from latentmap.store.tables import numbers

CHARACTERS_AT_ONCE = 2**20
VALUES_AT_ONCE = 2**23
SAFETENSORS_TYPES = {"float16": "F16", "float32": "F32"}


@dataclass(frozen=True)
class Rows:
    """One array to export: a row for each sample.

    Attributes:
        name: of the array in its file.
        dtype: of its values, float16 or float32.
        shape: (N, ...) of the whole array.
        parts: gives its rows in order, (n, ...) at a time.
        samples: shards of the samples that the rows belong to.
        thumbnails: gives the picture of each sample as a `data:` URL, null where it has none; empty
            if there are none.
    """

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    parts: Callable[[], Iterable[NDArray[Any]]]
    samples: Sequence[Path | str]
    thumbnails: Callable[[], Iterable[str | None]] = tuple


def write_npy(path: Path | str, rows: Rows) -> None:
    """Write rows as NumPy's `.npy`; what they belong to is in the rows of `metadata.csv`."""
    with atomic(path) as temporary, temporary.open("wb") as file:
        _write_member(file, rows)


def write_npz(path: Path | str, rows: Rows, comment: bytes = b"") -> None:
    """Write rows in the layout of the caches that the source `npz` reads.

    The archive has the array, `metadata` (the text of a JSON list of what `cache_metadata` returns)
    and `thumbnails` (the text of a JSON list of `data:` URLs, empty if there are none). No array
    needs pickle. `numpy.savez` would need the array as a whole, and puts the time of writing into
    the file.

    Args:
        path: the file.
        rows: of the array.
        comment: of the archive, which NumPy passes over.
    """
    texts: dict[str, Callable[[], Iterable[str]]] = {
        "metadata": lambda: _json_list(cache_metadata(rows.samples)),
        "thumbnails": lambda: _json_list(rows.thumbnails()),
    }
    with atomic(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        archive.comment = comment
        # A ZipInfo has no clock: its date is 1980.
        with archive.open(zipfile.ZipInfo(f"{rows.name}.npy"), "w", force_zip64=True) as file:
            _write_member(file, rows)
        for name, pieces in texts.items():
            member = zipfile.ZipInfo(f"{name}.npy")
            member.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(member, "w", force_zip64=True) as file:
                _write_text(file, pieces)


def write_safetensors(path: Path | str, rows: Rows) -> None:
    """Write rows as one tensor of a safetensors file, in the rows of `metadata.csv`.

    The library takes a tensor as one block of memory, which shards are not; so this writes its
    format: eight bytes of length, a JSON header, and the values
    (https://github.com/huggingface/safetensors#format).
    """
    end = int(np.prod(rows.shape)) * rows.dtype.itemsize
    entry = {
        "dtype": SAFETENSORS_TYPES[rows.dtype.name],
        "shape": list(rows.shape),
        "data_offsets": [0, end],
    }
    header = json.dumps({rows.name: entry}).encode()
    header += b" " * (-len(header) % 8)
    with atomic(path) as temporary, temporary.open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        _write_values(file, rows)


def write_parquet(path: Path | str, rows: Rows) -> None:
    """Write rows as flat lists of float32 beside all columns of their samples.

    The column is named as the array. Where a row has more than one axis, the column `shape` says
    what the list is to be reshaped to. Columns that Parquet cannot hold, such as empty objects, are
    JSON.
    """
    has_axes = len(rows.shape) > 2
    reserved = [rows.name, "shape"] if has_axes else [rows.name]
    columns = SampleColumns(rows.samples, reserved, fits_parquet)
    size = int(np.prod(rows.shape[1:]))
    item = pa.list_(pa.field("item", pa.float32(), nullable=False), size)
    fields = [*columns.schema, pa.field(rows.name, item, nullable=False)]
    if has_axes:
        fields.append(pa.field("shape", pa.list_(pa.int32(), len(rows.shape) - 1)))
    schema = pa.schema(fields)
    # Floats neither repeat nor compress; the columns of samples do.
    plain = [name for name in columns.schema.names if name != rows.name]
    with (
        atomic(path) as temporary,
        pq.ParquetWriter(
            temporary,
            schema,
            compression="zstd",
            use_dictionary=plain,
            write_page_checksum=True,
        ) as writer,
    ):
        beside = RowsInStep(columns.parts())
        for values in _parts(rows):
            flat = numbers(values.astype(np.float32, copy=False))
            arrays = [*beside.take(len(values)).columns]
            arrays.append(pa.FixedSizeListArray.from_arrays(flat, type=item))
            if has_axes:
                axes = np.tile(np.array(rows.shape[1:], np.int32), len(values))
                arrays.append(pa.FixedSizeListArray.from_arrays(numbers(axes), len(rows.shape) - 1))
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))


FORMATS: dict[str, Callable[[Path | str, Rows], None]] = {
    "npz": write_npz,
    "npy": write_npy,
    "safetensors": write_safetensors,
    "parquet": write_parquet,
}


def _write_member(file: IO[bytes], rows: Rows) -> None:
    facts = {
        "descr": np.lib.format.dtype_to_descr(rows.dtype),
        "fortran_order": False,
        "shape": rows.shape,
    }
    np.lib.format.write_array_header_1_0(file, facts)
    _write_values(file, rows)


def _write_values(file: IO[bytes], rows: Rows) -> None:
    for values in _parts(rows):
        file.write(np.ascontiguousarray(values).data)


def _parts(rows: Rows) -> Iterator[NDArray[Any]]:
    """Yield the rows in parts that fit a small memory; together they must be all rows."""
    most = max(1, VALUES_AT_ONCE // max(1, int(np.prod(rows.shape[1:]))))
    count = 0
    for values in rows.parts():
        for start in range(0, len(values), most):
            yield values[start : start + most]
        count += len(values)
    if count != rows.shape[0]:
        raise LatentmapError(f"{count} rows of {rows.name} where {rows.shape[0]} are expected.")


def _json_list(values: Iterable[Any]) -> Iterator[str]:
    """Yield the pieces of a JSON list."""
    yield "["
    for number, value in enumerate(values):
        yield (", " if number else "") + json_text(value, default=str)
    yield "]"


def _write_text(file: IO[bytes], pieces: Callable[[], Iterable[str]]) -> None:
    """Write a text as NumPy's array of one string, four bytes a character.

    The array begins with its length: the text is made twice instead of held once.
    """
    facts = {"descr": f"<U{sum(map(len, pieces()))}", "fortran_order": False, "shape": ()}
    np.lib.format.write_array_header_1_0(file, facts)
    # In parts of one length, because how they are compressed may depend on it.
    waiting = StringIO()
    for piece in pieces():
        waiting.write(piece)
        if waiting.tell() >= CHARACTERS_AT_ONCE:
            text, waiting = waiting.getvalue(), StringIO()
            whole = len(text) - len(text) % CHARACTERS_AT_ONCE
            for start in range(0, whole, CHARACTERS_AT_ONCE):
                file.write(text[start : start + CHARACTERS_AT_ONCE].encode("utf-32-le"))
            waiting.write(text[whole:])
    file.write(waiting.getvalue().encode("utf-32-le"))
