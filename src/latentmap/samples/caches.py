"""Folders of embeddings as fine-tuning with OpenCLIP caches them.

A cache is a folder `{model}_{dataset}/{split}/seed{seed}` with `embeddings.pt` (N, D), `labels.pt`
(N,) and `metadata.csv` (N rows). Tensors load with weights only: nothing in them is executed. Of a
cache whose vectors are gone, the coordinates that were made of them remain.
"""

from __future__ import annotations

import glob
import itertools
import pickle
import re
from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from latentmap.config import unknown
from latentmap.errors import LatentmapError
from latentmap.samples.listing import OUTSIDE, Listing, list_files
from latentmap.samples.remarks import Remark, passed_over
from latentmap.samples.tables.file import BROKEN, HIDDEN, fault_of
from latentmap.samples.tables.rows import Rows
from latentmap.samples.vectors import read_vectors
from latentmap.store.arrays import check_archive, finite_rows, is_archive
from latentmap.store.files import digest, digest_file

EMBEDDINGS, LABELS, METADATA = "embeddings.pt", "labels.pt", "metadata.csv"

FILE_NAME = "file_name"
"""The column of `metadata.csv` that names the samples."""

NAMED_PARTS = 3
"""The last parts of a cache's path that name it: model and dataset, split, seed."""


class EmbeddingCache:
    """One cache; its files are read when they are asked for.

    Attributes:
        folder: where it is.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def has_vectors(self) -> bool:
        """Whether it has vectors, and not just coordinates that were made of them."""
        return (self.folder / EMBEDDINGS).is_file()

    def digest(self) -> str:
        """Digest the files that samples and vectors are made from."""
        coordinates = [] if self.has_vectors else [path.name for path in _arrays(self.folder)]
        names = [name for name in (EMBEDDINGS, LABELS, METADATA) if (self.folder / name).is_file()]
        found = [*names, *coordinates]
        return digest(*(f"{name} {digest_file(self.folder / name)}" for name in found))

    def usable(self, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return which of some rows have a finite vector; without vectors, a place on every map.

        Raises:
            LatentmapError: the vectors cannot be read, or are not as many as the rows.
        """
        if self.has_vectors:
            return finite_rows(self.embeddings[rows])
        maps = [Coordinates(self.folder, path.name) for path in _arrays(self.folder)]
        found = [finite_rows(each.embeddings[rows]) for each in maps if each.fits]
        return np.all([np.ones(len(rows), np.bool_), *found], axis=0)

    @cached_property
    def metadata(self) -> pa.Table:
        """The rows of `metadata.csv`, all columns as text (`007` is no number).

        Raises:
            LatentmapError: the file is missing or no CSV table, or has two columns of one name.
        """
        path = self.folder / METADATA
        if not path.is_file():
            raise LatentmapError(f"{path}: no such file. A cache needs it beside {EMBEDDINGS}.")
        table = Rows([path]).table()
        if BROKEN in table.column_names:
            fault = next(fault for fault in table[BROKEN].to_pylist() if fault)
            raise LatentmapError(f"{path} is not a CSV table ({fault_of(fault)}). Correct it.")
        return table.drop_columns([name for name in table.column_names if name in HIDDEN])

    @cached_property
    def embeddings(self) -> NDArray[np.float32]:
        """The (N, D) float32 vectors, mapped into memory where the file allows it.

        Raises:
            LatentmapError: the file holds something else, or the labels or the rows of the
                metadata are not as many as the vectors.
        """
        values = self._tensor(EMBEDDINGS, 2)
        self._check_counts(len(values))
        return values.astype(np.float32, copy=False)

    @cached_property
    def labels(self) -> NDArray[Any] | None:
        """The (N,) numeric labels; null if the cache has none."""
        return self._tensor(LABELS, 1) if (self.folder / LABELS).is_file() else None

    def rows(self, column: str) -> dict[str, int]:
        """Return the row of every sample, by its id.

        Raises:
            LatentmapError: there is no such column.
        """
        return {key: row for row, key in enumerate(self.ids(column)) if key is not None}

    def ids(self, column: str) -> list[str | None]:
        """Return the id of every row: its name, and of the second row with a name `{name}#2`.

        A row without a name has no id.

        Args:
            column: of the metadata, which holds the names.

        Raises:
            LatentmapError: there is no such column.
        """
        names = self.names(column)
        taken, counts = set(names), Counter[str]()
        found: list[str | None] = []
        for name in names:
            counts[name] += 1
            if name and counts[name] > 1:
                tried = (f"{name}#{number}" for number in itertools.count(counts[name]))
                name = next(key for key in tried if key not in taken)
                taken.add(name)
            found.append(name or None)
        return found

    def names(self, column: str) -> list[str]:
        """Return a column of the metadata, one text for each row.

        Raises:
            LatentmapError: there is no such column.
        """
        if column not in self.metadata.column_names:
            problem = unknown("column", column, self.metadata.column_names)
            raise LatentmapError(f"{self.folder / METADATA}: {problem}")
        names: list[str] = self.metadata[column].to_pylist()
        return names

    def _check_counts(self, embeddings: int) -> None:
        labels = embeddings if self.labels is None else len(self.labels)
        if not embeddings == labels == len(self.metadata):
            raise LatentmapError(
                f"{self.folder} has {embeddings} embeddings, {labels} labels and "
                f"{len(self.metadata)} rows in {METADATA}. Make the cache again."
            )

    def _tensor(self, name: str, dims: int) -> NDArray[Any]:
        path = self.folder / name
        tensor = _load(path)
        if not hasattr(tensor, "dim") or tensor.dim() != dims:
            found = f"a tensor {tuple(tensor.shape)}" if hasattr(tensor, "dim") else type(tensor)
            raise LatentmapError(f"{path} holds {found}; it must be one tensor of {dims} dims.")
        is_dense = str(tensor.layout) == "torch.strided"
        if not is_dense or tensor.is_complex() or not all(tensor.shape[1:]):
            raise LatentmapError(
                f"{path} holds a tensor {tuple(tensor.shape)} of {tensor.dtype}, {tensor.layout}; "
                "it must be dense, real, and have columns."
            )
        tensor = tensor.detach()
        return (tensor.float() if tensor.is_floating_point() else tensor).numpy()


class Coordinates(EmbeddingCache):
    """A cache with the coordinates of a map in the place of vectors.

    Attributes:
        file: the `.npy` file with a row for each row of the metadata.
    """

    def __init__(self, folder: Path, file: Path | str) -> None:
        super().__init__(folder)
        self.file = folder / file

    def digest(self) -> str:
        """Digest the coordinates, and what says of which samples they are."""
        files = [self.folder / METADATA, self.file]
        return digest(*(digest_file(path) for path in files if path.is_file()))

    @property
    def fits(self) -> bool:
        """Whether the file holds coordinates of these rows."""
        try:
            return bool(len(self.embeddings)) or not len(self.metadata)
        except LatentmapError:
            return False

    @cached_property
    def embeddings(self) -> NDArray[np.float32]:
        """The (N, 2) or (N, 3) float32 coordinates.

        Raises:
            LatentmapError: the file cannot be read, or holds something else.
        """
        if not self.file.is_file():
            raise LatentmapError(f"{self.file}: no such file. Check 'file'.")
        found = read_vectors(self.file).embeddings
        if found.shape[1] not in (2, 3):
            raise LatentmapError(f"{self.file} holds {found.shape}, no 2 or 3 coordinates a row.")
        if len(found) != len(self.metadata):
            raise LatentmapError(
                f"{self.file} has {len(found)} rows of coordinates, {self.folder / METADATA} "
                f"{len(self.metadata)} rows. Give those that belong together."
            )
        return found


def find_caches(given: str) -> dict[str, EmbeddingCache]:
    """Find the caches in a folder, in all folders below it, or in all that match a pattern.

    Where none has vectors, folders with metadata and coordinates are caches, too.

    Args:
        given: a cache, a folder of caches, or a pattern such as `feat_cache_vis/*/test/*`.

    Returns:
        The caches by name, in the order of their paths; a name is the end of a path, as far as it
        takes to tell the caches apart, with other characters than letters, digits, `.`, `_` and
        `-` replaced.

    Raises:
        LatentmapError: there is none.
    """
    folders = sorted(_cache_folders(given), key=_natural)
    if not folders:
        raise LatentmapError(
            f"{given}: no folder there holds an {EMBEDDINGS}, or a {METADATA} with coordinates "
            "(.npy). Check 'input'."
        )
    return dict(zip(_names(folders), map(EmbeddingCache, folders), strict=True))


def cache_remarks(given: str) -> list[Remark]:
    """Say which folders hold a part of a cache only, and which are not looked at."""
    folders = _folders_with(METADATA, given) | _folders_with(LABELS, given)
    parts = map(str, folders - _cache_folders(given))
    outside = [
        str(root / name) for root, listing in _listings(given) for name in listing.missed[OUTSIDE]
    ]
    remarks = [
        passed_over("folders", sorted(parts), f"without {EMBEDDINGS}", "Make these caches again."),
        passed_over(OUTSIDE, outside, "not followed", "Name what they lead to in 'input'."),
    ]
    return [remark for remark in remarks if remark.count]


def _cache_folders(given: str) -> set[Path]:
    found = _folders_with(EMBEDDINGS, given)
    return found or {folder for folder in _folders_with(METADATA, given) if _arrays(folder)}


def _arrays(folder: Path) -> list[Path]:
    """Return the files in a folder that may be coordinates."""
    return sorted(path for path in folder.glob("*.npy") if path.is_file())


def _folders_with(name: str, given: str) -> set[Path]:
    paths = (root / path for root, listing in _listings(given) for path in listing.names)
    return {path.parent for path in paths if path.name == name}


def _listings(given: str) -> list[tuple[Path, Listing]]:
    """List the folder, or all that match the pattern."""
    root = Path(given)
    # A folder may have brackets in its name, and a pattern may be absolute.
    matches = [root] if root.exists() else map(Path, glob.glob(given, recursive=True))  # noqa: PTH207
    suffixes = {Path(name).suffix for name in (EMBEDDINGS, LABELS, METADATA)}
    return [(match, list_files(match, suffixes, False)) for match in matches if match.is_dir()]


def _names(folders: Sequence[Path]) -> list[str]:
    parts = [[part for part in folder.parts if part not in ("/", "..")] for folder in folders]
    longest = max(map(len, parts))
    for count in range(NAMED_PARTS, max(NAMED_PARTS, longest) + 1):
        names = ["-".join(part[-count:]) for part in parts]
        names = [re.sub(r"[^A-Za-z0-9._-]+", "_", name).lstrip("._-") or "cache" for name in names]
        if len(set(names)) == len(names):
            return names
    raise LatentmapError(
        f"The caches {', '.join(map(str, folders))} cannot be told apart by name. Rename some."
    )


def _natural(path: Path) -> list[list[str | int]]:
    """Order `seed2` before `seed10`."""
    return [
        [int(run) if index % 2 else run for index, run in enumerate(re.split(r"(\d+)", part))]
        for part in path.parts
    ]


def _load(path: Path) -> Any:
    import torch

    if not path.is_file():
        raise LatentmapError(f"{path}: no such file. Check 'input'.")
    is_zip = is_archive(path)
    try:
        if is_zip:
            check_archive(path)  # torch maps the file into memory and looks at no checksum
        return torch.load(path, map_location="cpu", weights_only=True, mmap=is_zip)
    except pickle.UnpicklingError:
        raise LatentmapError(
            f"{path} holds more than tensors, so that loading it could run code: it is not loaded. "
            "Save the plain tensor with torch.save."
        ) from None
    except Exception as error:  # damaged files make the reader raise errors of every kind
        reason = str(error).partition("\n")[0][:200]
        raise LatentmapError(
            f"{path} cannot be read ({reason}). Make the cache again, or fetch it anew."
        ) from None
