"""Plain files of vectors: an array, arrays with names, or a table."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from latentmap.config import unknown
from latentmap.errors import LatentmapError
from latentmap.samples.cached_rows import column_of, json_list, tabulate
from latentmap.samples.cells import as_text
from latentmap.samples.tables.file import BROKEN, HIDDEN, Fault
from latentmap.samples.tables.rows import Rows
from latentmap.store.arrays import check_archive, check_growth, finite_rows

EMBEDDINGS = "embeddings"
"""Name of the array of vectors in an `.npz` file or a folder."""

TEXTS = ("metadata", "thumbnails")
"""Names of the texts in an `.npz` file as `snakemake exports` writes it."""

NUMBERED = re.compile(r"(.*?)([0-9]+)")

NPY, ZIP = b"\x93NUMPY", b"PK\x03\x04"

Chosen = str | tuple[str, ...] | None
"""What holds the vectors: the name of an array or of a column of lists, the beginning of the names
of numbered columns (`x` of `x0`, `x1`, …), or the names of all columns; null to look for it."""


@dataclass(frozen=True)
class Vectors:
    """Vectors, and what their file says of each.

    Attributes:
        path: the file.
        embeddings: (N, D) float32, mapped into memory where the file allows it; NaN where a row
            has no vector of this length.
        columns: its other columns, (N,) each.
        lengths: (N,) how many numbers each row has in the file, -1 where it has no vector.
        damaged: (N,) what is wrong with each row of a table, null where nothing is.
        missed: names of arrays that have no value for each vector.
    """

    path: Path
    embeddings: NDArray[np.float32]
    columns: Mapping[str, pa.ChunkedArray]
    lengths: NDArray[np.int64]
    damaged: Sequence[Fault | None]
    missed: tuple[str, ...] = ()

    def faults(self) -> list[Fault | None]:
        """Say what is wrong with each row or its vector, (N,); null where nothing is."""
        dims = self.embeddings.shape[1]
        finite = finite_rows(self.embeddings).tolist()
        found = zip(self.damaged, self.lengths.tolist(), finite, strict=True)
        return [
            damage or (None if is_finite else Fault(line=None, fault=_fault(length, dims)))
            for damage, length, is_finite in found
        ]

    def rows(self, column: str) -> Mapping[str, int]:
        """Return the row of every sample by its name in a column; of several, the first.

        Raises:
            LatentmapError: there is no such column.
        """
        if column not in self.columns:
            problem = unknown("column", column, self.columns)
            raise LatentmapError(f"{self.path}: {problem} Set 'id' to the one that has the ids.")
        names = [as_text(name) or "" for name in self.columns[column].to_pylist()]
        return dict(reversed(list(zip(names, range(len(names)), strict=True))))


def read_vectors(
    path: Path, chosen: Chosen = None, texts: Sequence[str] = (), header: bool = True
) -> Vectors:
    """Open a file of vectors.

    Args:
        path: `.npy` or `.safetensors` (N, D); `.npz` with `embeddings` (N, D) and other arrays of N
            values or rows; a folder with `embeddings.npy` and other files of N values (`.npy`, or a
            JSON list); or a table (see `Rows`) with a column of lists of numbers, or one for each
            dimension.
        chosen: which array or columns hold the vectors.
        texts: paths of columns that stay text in a CSV file though all their cells are numbers.
        header: whether the first row of a CSV file names its columns.

    Raises:
        LatentmapError: it cannot be read, or holds no vectors.
    """
    if path.is_dir():
        return _of_folder(path, chosen)
    with _saying(path), path.open("rb") as file:
        magic = file.read(6)
    if magic.startswith(NPY):
        with _saying(path):
            return _of_array(path, np.load(path, mmap_mode="r", allow_pickle=False), {})
    if magic.startswith(ZIP) and path.suffix.lower() == ".npz":
        return _of_archive(path, chosen)
    if path.suffix.lower() == ".safetensors":
        return _of_tensors(path, chosen)
    table = Rows([path], texts, header).table()
    names = _vector_columns(path, table, chosen)
    values, lengths = _matrix(table.select(names))
    damaged = table[BROKEN].to_pylist() if BROKEN in table.column_names else [None] * len(table)
    columns = plain_columns(table.drop_columns(names))
    return Vectors(path, _checked(path, values), columns, lengths, damaged)


def read_labels(
    path: Path, texts: Sequence[str] = (), header: bool = True
) -> Mapping[str, pa.ChunkedArray]:
    """Read the columns of a table, or a `.npy` array (N,) as the column `label`.

    Args:
        path: the file.
        texts: as for `read_vectors`.
        header: as for `read_vectors`.

    Raises:
        LatentmapError: it cannot be read.
    """
    with _saying(path), path.open("rb") as file:
        is_array = file.read(6).startswith(NPY)
    if not is_array:
        return plain_columns(Rows([path], texts, header).table())
    with _saying(path):
        return {"label": _column(np.load(path, allow_pickle=False))}


def plain_columns(table: pa.Table) -> dict[str, pa.ChunkedArray]:
    """Return the columns that a table has in its file."""
    return {name: table[name] for name in table.column_names if name not in HIDDEN}


def _of_array(
    path: Path, values: Any, columns: Mapping[str, pa.Array], missed: Sequence[str] = ()
) -> Vectors:
    embeddings = _checked(path, values)
    rows, dims = embeddings.shape
    lengths = np.full(rows, dims)
    return Vectors(path, embeddings, columns, lengths, [None] * rows, tuple(missed))


def _of_folder(path: Path, chosen: Chosen) -> Vectors:
    """Read the vectors of a folder of arrays, and its other files that have a value for each."""
    name = EMBEDDINGS if chosen is None else str(chosen)
    files = {file.stem: file for file in sorted(path.glob("*.npy"))}
    if name not in files:
        problem = unknown("array", name, files)
        raise LatentmapError(f"{path}: {problem} Set 'vectors' to the one that holds them.")
    vectors = files.pop(name)
    with _saying(vectors):
        values = np.load(vectors, mmap_mode="r", allow_pickle=False)
    columns: dict[str, pa.ChunkedArray] = {}
    missed = []
    for file in [*files.values(), *sorted(path.glob("*.json"))]:
        with _saying(file):
            found = _values_of(file)
        if found is None or len(found) != len(values) or file.stem in columns:
            missed.append(file.name)
        else:
            columns[file.stem] = found
    return _of_array(vectors, values, columns, missed)


def _values_of(file: Path) -> pa.ChunkedArray | None:
    """Read an array of values or a JSON list as a column; None of what is neither."""
    if file.suffix == ".npy":
        array = np.load(file, mmap_mode="r", allow_pickle=False)
        return _column(array) if array.ndim == 1 else None
    value = json.loads(file.read_text("utf-8-sig"))
    return pa.chunked_array([column_of(value)]) if isinstance(value, list) else None


def _of_tensors(path: Path, chosen: Chosen) -> Vectors:
    """Read the vectors of a safetensors file, which says nothing of its rows."""
    from safetensors import safe_open

    name = EMBEDDINGS if chosen is None else str(chosen)
    with _saying(path), safe_open(path, framework="numpy") as tensors:
        if name not in tensors.keys():  # noqa: SIM118 (it is no mapping)
            problem = unknown("tensor", name, tensors.keys())
            raise LatentmapError(f"{path}: {problem} Set 'vectors' to the one that holds them.")
        return _of_array(path, tensors.get_tensor(name), {})


def _of_archive(path: Path, chosen: Chosen) -> Vectors:
    """Read the vectors of an `.npz` file, and its other arrays that have a value for each."""
    name = EMBEDDINGS if chosen is None else str(chosen)
    with _saying(path):
        check_growth(path)
        check_archive(path)  # NumPy stops where a damaged header says, short of the checksum
    with _saying(path), np.load(path, allow_pickle=False) as arrays:
        if name not in arrays.files:
            problem = unknown("array", name, arrays.files)
            raise LatentmapError(f"{path}: {problem} Set 'vectors' to the one that holds them.")
        # What is no array in such a file comes as bytes.
        found = {each: np.asarray(arrays[each]) for each in arrays.files}
    values = found.pop(name)
    fitting = {
        other: array
        for other, array in found.items()
        if array.ndim in (1, 2) and array.shape[:1] == values.shape[:1]
    }
    with _saying(path):
        told = _told(found, len(values)) if values.ndim else {}
        columns = told | {other: _column(array) for other, array in fitting.items()}
    missed = [name for name in found if name not in fitting and not (told and name in TEXTS)]
    return _of_array(path, values, columns, missed)


def _told(found: Mapping[str, NDArray[Any]], rows: int) -> dict[str, pa.ChunkedArray]:
    """Return what the texts of an exported file say of its rows; nothing if there are none."""
    texts = [str(found[name]) if name in found and not found[name].ndim else "" for name in TEXTS]
    try:
        metadata, thumbnails = map(json_list, TEXTS, texts)
    except ValueError:  # a text that is something else
        return {}
    if len(metadata) != rows:
        return {}
    table = tabulate(metadata, thumbnails if len(thumbnails) == rows else [None] * rows)
    return {name: table[name] for name in table.column_names if table[name].null_count < rows}


def _checked(path: Path, values: NDArray[Any]) -> NDArray[np.float32]:
    """Return vectors as float32.

    Raises:
        LatentmapError: they are none.
    """
    if values.ndim != 2 or values.dtype.kind not in "biuf" or 0 in values.shape:
        remedy = "Read feature maps with 'npz'." if values.ndim == 4 else "Save vectors (N, D)."
        raise LatentmapError(
            f"{path} holds an array {values.shape} of {values.dtype} where vectors (N, D) of "
            f"numbers are needed. {remedy}"
        )
    with np.errstate(over="ignore"):
        return values.astype(np.float32, copy=False)


def _column(array: NDArray[Any]) -> pa.ChunkedArray:
    """Return an array of values, or of rows of them, as a column; (N, 1) is one of values."""
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.dtype.kind == "S":
        array = np.char.decode(array, "utf-8")
    values = array if array.dtype.kind in "biuf" else array.astype(str)
    return pa.chunked_array([values.tolist()])


def _vector_columns(path: Path, table: pa.Table, chosen: Chosen) -> list[str]:
    """Return which columns hold the vectors: one of lists, or one for each dimension.

    Raises:
        LatentmapError: none do, or several may.
    """
    names = [name for name in table.column_names if name not in HIDDEN]
    if isinstance(chosen, tuple) or chosen in names:
        wanted = list(chosen) if isinstance(chosen, tuple) else [str(chosen)]
        for name in wanted:
            if name not in names:
                raise LatentmapError(f"{path}: {unknown('column', name, names)}")
        return wanted
    numbered = numbered_columns(table, names)
    if chosen is not None:
        if chosen not in numbered:
            problem = unknown("column", chosen, [*names, *numbered])
            raise LatentmapError(f"{path}: {problem} Set 'vectors' to what holds the vectors.")
        return numbered[chosen]
    lists = [name for name in names if holds_lists(table[name])]
    if len(lists) == 1:
        return lists
    if not lists and numbered:
        return max(numbered.values(), key=len)
    found = (
        "several columns of lists"
        if lists
        else "neither a column of lists nor columns like x0, x1, …"
    )
    raise LatentmapError(
        f"{path} has {found}. Set 'vectors' to what holds them; there are: "
        f"{', '.join(lists or names)}."
    )


def numbered_columns(table: pa.Table, names: Sequence[str]) -> dict[str, list[str]]:
    """Return columns of numbers whose names count up, by what is before the number."""
    found: dict[str, dict[int, str]] = {}
    for name in names:
        match = NUMBERED.fullmatch(name)
        kind = table[name].type
        if match and (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
            found.setdefault(match[1], {})[int(match[2])] = name
    return {
        start: [columns[number] for number in sorted(columns)]
        for start, columns in found.items()
        if len(columns) > 1 and max(columns) - min(columns) == len(columns) - 1
    }


def holds_lists(column: pa.ChunkedArray) -> bool:
    """Whether a column has lists of numbers, or the text of some."""
    if pa.types.is_list(column.type):
        inner = column.type.value_type
        return bool(pa.types.is_floating(inner) or pa.types.is_integer(inner))
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return False
    first = next((cell for cell in column.to_pylist() if cell), None)
    return first is not None and first.strip()[:1] in ("[", "(") and _numbers(first) is not None


def _matrix(table: pa.Table) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Return the vectors of a table, (N, D), and how many numbers each row has, -1 for none."""
    if table.num_columns > 1:
        columns = [column.to_numpy() for column in table.columns]
        lacking = np.any([np.asarray(column.is_null()) for column in table.columns], axis=0)
        return np.column_stack(columns), np.where(lacking, -1, len(columns))
    lists = table.column(0)
    if not pa.types.is_list(lists.type):
        vectors = [None if cell is None else _numbers(cell) for cell in lists.to_pylist()]
        lists = pa.chunked_array([vectors], pa.list_(pa.float64()))
    return _stacked(lists)


def _stacked(lists: pa.ChunkedArray) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Stack lists of numbers, (N, D) float32, D being the most frequent length."""
    import pyarrow.compute as pc

    lengths = pc.fill_null(pc.list_value_length(lists), -1).to_numpy().astype(np.int64)
    known = Counter(lengths[lengths > 0].tolist())
    dims = known.most_common(1)[0][0] if known else 0
    stacked = np.full((len(lengths), dims), np.nan, np.float32)
    start = 0
    for chunk in lists.chunks:
        own = slice(start, start + len(chunk))
        fits = lengths[own] == dims
        numbers = chunk.filter(pa.array(fits)).flatten().to_numpy(zero_copy_only=False)
        with np.errstate(over="ignore"):
            stacked[own][fits] = numbers.reshape(np.count_nonzero(fits), dims)
        start += len(chunk)
    return stacked, lengths


def _numbers(text: str) -> list[float] | None:
    """Return the numbers of a list that is written as text, null if it is none."""
    try:
        return [float(number) for number in json.loads(text)]
    except (ValueError, TypeError, RecursionError):  # as NumPy prints it, without commas
        pass
    try:
        return [float(number) for number in text.strip(" \t\n[]()").replace(",", " ").split()]
    except ValueError:
        return None


def _fault(length: int, dims: int) -> str:
    if length < 0:
        return "no vector"
    if length != dims:
        return f"its vector has {length} numbers, others have {dims}"
    return "its vector has values that are not finite"


@contextmanager
def _saying(path: Path) -> Iterator[None]:
    """Say in one line that a file cannot be read."""
    try:
        yield
    except FileNotFoundError:
        raise LatentmapError(f"{path}: no such file. Check 'input'.") from None
    except LatentmapError:
        raise
    except Exception as error:  # damaged files make NumPy raise errors of every kind
        reason = " ".join(str(error).split())
        raise LatentmapError(
            f"{path} cannot be read as vectors ({reason}). Save it anew, with arrays of numbers "
            "and of text in UTF-8, none of Python objects."
        ) from None
