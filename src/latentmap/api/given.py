"""What a caller may hand over: anything with one sample per row, as arrays.

Nothing is imported to find out what a value is: one of torch, polars, pandas, AnnData or datasets
comes from a package that is imported already.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentmap.errors import LatentmapError
from latentmap.store.latents import channels_seem_last

Rows = Any
"""One sample per row: (N, D) numbers as NumPy, torch, a memory-mapped file, a data frame of numbers
(polars, pandas), AnnData (`.X`), a sparse matrix or a `datasets.Dataset` with one column of lists;
feature maps, (N, C, H, W), as NumPy, torch or a memory-mapped file."""

Column = Any
"""One value per row: a list, an array or a column (polars, pandas, torch); or the name of a column,
where the rows themselves are AnnData (`.obs`), a data frame or a `datasets.Dataset`."""


def rows_of(given: Rows, what: str = "X", without: Sequence[Column] = ()) -> NDArray[np.float32]:
    """Return (N, D) float32 vectors.

    Args:
        given: one sample per row.
        what: what messages call it.
        without: columns of a table that are no numbers of a vector, if they are names.

    Raises:
        LatentmapError: it is no table of finite numbers.
    """
    values = numbers_of(given, what, without)
    if values.ndim == 4:
        raise LatentmapError(
            f"{what} has shape {values.shape}: one feature map per sample. Pool it first: "
            f'lm.pool({what}, "mean").'
        )
    if values.ndim != 2 or 0 in values.shape:
        raise LatentmapError(
            f"{what} has shape {values.shape}, and one row per sample is needed: (N, D)."
        )
    return _finite(values, what)


def latents_of(given: Rows, what: str = "latents") -> NDArray[Any]:
    """Return (N, C, H, W) or (N, D) latents in their own number format, float16 or float32.

    A memory-mapped array stays one, and is not looked through for values that are not finite. A
    shape whose channels seem to come last is warned of.

    Raises:
        LatentmapError: they are of another shape, or no numbers.
    """
    values = numbers_of(given, what)
    if values.ndim not in (2, 4) or 0 in values.shape:
        raise LatentmapError(
            f"{what} has shape {values.shape}; feature maps, (N, C, H, W), or vectors, (N, D), are "
            "needed."
        )
    if channels_seem_last(values.shape):
        _, first, second, last = values.shape
        warnings.warn(
            f"{what} has shape {values.shape}, which is read as {first} channels of {second} × "
            f"{last}. If the channels come "
            f"last, give np.moveaxis({what}, 3, 1), or {what}.permute(0, 3, 1, 2) of torch.",
            stacklevel=3,
        )
    if values.dtype in (np.float16, np.float32):
        return values
    with np.errstate(over="ignore"):
        return values.astype(np.float32)


def names_of(given: Column, rows: Rows, count: int, what: str) -> NDArray[np.str_]:
    """Return one name per row, (N,); "" where there is none (None, NaN, blank text).

    Whole numbers are their digits, whatever type they have.

    Args:
        given: a value for each row, or the name of a column of `rows`.
        rows: what the rows came in.
        count: N.
        what: what messages call it.

    Raises:
        LatentmapError: there is no such column, or it has another number of values.
    """
    from latentmap.samples.cells import as_text, is_blank

    texts = [as_text(value) for value in cells_of(given, rows, count, what)]
    return np.array(["" if is_blank(text) else text for text in texts], np.str_)


def cells_of(given: Column, rows: Rows, count: int, what: str) -> list[Any]:
    """Return one plain value per row, (N,); None where it is missing. The arguments of `names_of`.

    Raises:
        LatentmapError: as for `names_of`.
    """
    values = _values(_column(given, rows, what) if isinstance(given, str) else given)
    if len(values) != count:
        raise LatentmapError(f"{what} has {len(values):,} values for {count:,} samples.")
    return [_whole(value) for value in values]


def numbers_of(given: Rows, what: str, without: Sequence[Column] = ()) -> NDArray[Any]:
    """Return the numbers of anything that has one sample per row, as an array of any shape.

    Raises:
        LatentmapError: it holds something else.
    """
    try:
        values = np.asanyarray(_array(given, {one for one in without if isinstance(one, str)}))
    except (TypeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise LatentmapError(f"{what} cannot be read as an array ({reason}).") from None
    if values.dtype.kind not in "biuf":
        raise LatentmapError(f"{what} holds {values.dtype} where numbers are needed.")
    return values


def _array(given: Any, without: set[str]) -> Any:
    """Return the array in whatever it came in."""
    package = type(given).__module__.partition(".")[0]
    if package == "torch":
        tensor = given.detach().cpu()
        return tensor.float().numpy() if str(tensor.dtype) == "torch.bfloat16" else tensor.numpy()
    if package == "anndata":
        return _array(given.X, without)
    if package == "datasets":
        return _of_dataset(given, without)
    if package == "polars" and hasattr(given, "columns"):
        return _of_columns(given.drop(without, strict=False))
    if package == "pandas" and hasattr(given, "columns"):
        return _of_columns(given.drop(columns=list(without), errors="ignore"))
    if package == "scipy" and hasattr(given, "toarray"):
        return given.toarray()
    if package in ("polars", "pandas"):
        return _stacked(given.to_list())
    return given


def _of_columns(frame: Any) -> Any:
    """Return the numbers of a data frame, or of the lists in its only column."""
    if len(frame.columns) == 1 and not _is_number(frame[frame.columns[0]]):
        return _stacked(frame[frame.columns[0]].to_list())
    wrong = [name for name in frame.columns if not _is_number(frame[name])]
    if wrong:
        raise ValueError(
            f"its column '{wrong[0]}' holds {frame[wrong[0]].dtype}; select the columns of numbers"
        )
    return frame.to_numpy()


def _is_number(column: Any) -> bool:
    numeric = getattr(column.dtype, "is_numeric", None)
    return bool(numeric()) if numeric else column.dtype.kind in "biuf"


def _of_dataset(given: Any, without: set[str]) -> Any:
    """Return the lists of numbers of a dataset, which must be in one column."""
    features = {name: kind for name, kind in given.features.items() if name not in without}
    lists = [name for name, kind in features.items() if type(kind).__name__ in LISTS]
    if len(lists) != 1:
        found = ", ".join(lists) or "none"
        raise ValueError(f"one column of lists is needed, and it has {found}; select one")
    return np.asarray(given.with_format("numpy")[:][lists[0]])


LISTS = ("List", "LargeList", "Sequence", "Array2D", "Array3D", "Array4D")
"""Features of a dataset that hold lists of numbers."""


def _stacked(values: list[Any]) -> Any:
    if any(value is None for value in values):
        raise ValueError(f"row {next(i for i, v in enumerate(values) if v is None)} is empty")
    return np.stack([np.asarray(value) for value in values])


def _finite(values: NDArray[Any], what: str) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):
        narrow: NDArray[np.float32] = np.ascontiguousarray(values, np.float32)
    if not np.isfinite(narrow.sum(axis=0, dtype=np.float64)).all():
        row, column = np.argwhere(~np.isfinite(narrow))[0].tolist()
        raise LatentmapError(
            f"Row {row} of {what} has {values[row, column]} in column {column}, which is no finite "
            "number in float32. Leave the row out, or mend it."
        )
    return narrow


def _column(name: str, rows: Rows, what: str) -> Any:
    """Return a column of what the rows came in."""
    from latentmap.config import unknown

    table: Any = getattr(rows, "obs", rows)
    known = getattr(table, "column_names", None) or getattr(table, "columns", None)
    if known is None:
        raise LatentmapError(f"{what} is '{name}': a list of values is needed, one per sample.")
    if name not in list(known):
        raise LatentmapError(f"{what}: {unknown('column', name, map(str, known))}")
    return table[name]


def _values(given: Any) -> list[Any]:
    if isinstance(given, Mapping):
        raise LatentmapError("A mapping has no order: give a list of values, one per sample.")
    if hasattr(given, "detach"):
        given = given.detach().cpu()
    return list(given.tolist() if hasattr(given, "tolist") else given)


def _whole(value: Any) -> Any:
    """Return whole numbers as such: a column with gaps has 3.0 for 3."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if value is None or isinstance(value, str | float | bool) else _missing(value)


def _missing(value: Any) -> Any:
    """Return None for what a data frame calls missing (`pandas.NA`, `NaT`)."""
    return None if type(value).__name__ in ("NAType", "NaTType") else value
