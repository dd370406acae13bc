"""Rows of embeddings that OpenCLIP fine-tuning cached; of one folder, or of models and seeds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from latentmap.config import UserPath
from latentmap.errors import LatentmapError
from latentmap.samples.cache_facts import fact_remarks
from latentmap.samples.caches import (
    FILE_NAME,
    LABELS,
    METADATA,
    EmbeddingCache,
    cache_remarks,
    find_caches,
)
from latentmap.samples.cells import cells, is_blank
from latentmap.samples.clean import CACHE, CACHE_ROW, ORIGINS
from latentmap.samples.columns import ColumnMap
from latentmap.samples.images import Images
from latentmap.samples.indexing import index_rows
from latentmap.samples.raw import extra_name, raw_samples
from latentmap.samples.remarks import Remark
from latentmap.samples.source import FAULT, NOTE, Content, FileOptions, Source

NUMBER, GROUP = "ground_truth_num_label", "ground_truth_L2_num_label"

ID = "id_of_row"
"""Column of the table that has the id of every row."""


class EmbeddingCacheColumns(ColumnMap):
    """The columns of `metadata.csv`; see `ColumnMap`."""

    id: str = FILE_NAME
    label: str | None = "ground_truth_word_label"
    label_group: str | None = GROUP
    image: str | tuple[str, ...] | None = FILE_NAME


class EmbeddingCacheOptions(FileOptions):
    """Options of `embedding_cache`.

    Attributes:
        input: a folder with `embeddings.pt`, `labels.pt` and `metadata.csv`, a folder of such
            folders, or a pattern. Where no folder has vectors, it takes coordinates (`.npy`).
        image_root: the folder that `file_name` is relative to; without, samples have no pictures.
        prefix: put before every id, so that one file in the caches of two sources is two samples,
            of one source group.
        columns: which column of `metadata.csv` holds what; the label group where it is there.
    """

    image_root: UserPath | None = None
    prefix: str = ""
    columns: EmbeddingCacheColumns = EmbeddingCacheColumns()


class EmbeddingCacheSource(Source[EmbeddingCacheOptions]):
    """The samples that several caches hold vectors of: each once, with the first cache's metadata.

    The extra columns `cache` and `cache_row` say where a sample comes from. A sample that one of
    the caches lacks, or whose vector is not finite in one, is set aside; one whose label differs
    between caches is noted, and so is one without a label, or whose name an earlier row has too.
    """

    Options = EmbeddingCacheOptions
    needs_labels = False

    @property
    def gives(self) -> frozenset[Content]:
        """See `Source.gives`."""
        found: set[Content] = {"images"} if self.options.image_root else set()
        try:
            has_vectors = all(cache.has_vectors for cache in self._caches.values())
        except LatentmapError:  # said when its rows are listed
            has_vectors = True
        return frozenset(found | {"vectors"} if has_vectors else found)

    def index(self) -> pl.DataFrame:
        """List all rows; see `Source.index`. No vector is read.

        Raises:
            LatentmapError: there is no cache, one has no metadata, or they share no sample.
        """
        self._columns.check(self._table, f"{self.options.input}: {METADATA}")
        if not np.all([rows >= 0 for rows in self._rows.values()], axis=0).any():
            raise LatentmapError(
                f"{self.options.input}: no sample is in all of the caches "
                f"{', '.join(self._caches)}. Set 'input' to those of one split, as a pattern such "
                "as 'feat_cache_vis/*/test/*'."
            )
        return index_rows(self._table, self._columns, self._images, 0, *self._digests)

    def remarks(self) -> Sequence[Remark]:
        """Say which folders are passed over, and which facts do not fit; see `Source.remarks`."""
        passed_over = cache_remarks(self.given_input("a folder with embeddings.pt"))
        return [*passed_over, *fact_remarks(self._caches)]

    def read(self, rows: Sequence[int]) -> pa.Table:
        """Read rows; see `Source.read`. The image is null if there is none.

        Raises:
            LatentmapError: a cache cannot be read, or its rows are not as many as its vectors.
        """
        table = self._table.take(pa.array(rows, pa.int64()))
        origins, files = [CACHE, CACHE_ROW], self._digests
        raw = raw_samples(table, self._columns, self._images, rows, origins=origins, context=files)
        faults: list[list[str]] = [[] for _ in rows]
        notes: list[list[str]] = [[] for _ in rows]
        for name, cache in self._caches.items():
            held = self._rows[name][np.asarray(rows, np.int64)]
            for place, fault in _faults(name, cache, held):
                if table[ID][place].as_py():  # one without a name is set aside for that
                    faults[place].append(fault)
            for place, note in _disagreements(name, cache, held):
                notes[place].append(note)
        for place, note in [*self._remarkable(rows), *self._relabelled(rows)]:
            notes[place].append(note)
        for name, found in ((FAULT, faults), (NOTE, notes)):
            raw = raw.append_column(name, pa.array(map(_sentence, found), pa.string()))
        return raw

    @cached_property
    def _caches(self) -> dict[str, EmbeddingCache]:
        return find_caches(self.given_input("a folder with embeddings.pt"))

    @cached_property
    def _digests(self) -> list[str]:
        return [cache.digest() for cache in self._caches.values()]

    @property
    def _columns(self) -> ColumnMap:
        columns = self.options.columns
        changes: dict[str, str | None] = {} if self.options.image_root else {"image": None}
        changes |= {"id": ID, "source_group": columns.source_group or columns.id}
        if "label_group" not in columns.model_fields_set and GROUP not in self._table.column_names:
            changes["label_group"] = None
        return columns.model_copy(update=changes)

    @property
    def _images(self) -> Images:
        root = Path(self.options.image_root or "")
        return Images(root, required=False, follow_links=self.options.follow_links)

    @cached_property
    def _table(self) -> pa.Table:
        """All rows of the first cache, and of each other those that no earlier one has."""
        known: set[str | None] = set()
        tables = []
        for cache in self._caches.values():
            ids = cache.ids(self.options.columns.id)
            rows = [row for row, key in enumerate(ids) if key is None or key not in known]
            known.update(ids)
            tables.append(self._tabulate(cache, rows))
        return pa.concat_tables(tables, promote_options="default")

    def _tabulate(self, cache: EmbeddingCache, rows: Sequence[int]) -> pa.Table:
        """Return rows of a cache's metadata, and where they are from."""
        positions = pa.array(rows, pa.int64())
        table = cache.metadata.take(positions)
        names = table.column_names
        taken = {*ORIGINS, *names}
        table = table.rename_columns(
            [extra_name(name, taken) if name in ORIGINS else name for name in names]
        )
        if self.options.columns.label_group == GROUP and GROUP in table.column_names:
            groups = [number and f"L2 {number}" for number in table[GROUP].to_pylist()]
            field = table.schema.get_field_index(GROUP)
            table = table.set_column(field, GROUP, pa.array(groups, pa.string()))
        found = cache.ids(self.options.columns.id)
        ids = [found[row] and f"{self.options.prefix}{found[row]}" for row in rows]
        table = table.append_column(ID, pa.array(ids, pa.string()))
        folder = pa.array([str(cache.folder)] * len(rows), pa.string())
        return table.append_column(CACHE, folder).append_column(CACHE_ROW, positions)

    @cached_property
    def _rows(self) -> dict[str, NDArray[np.int64]]:
        """For every cache: which of its rows each row of the table is, -1 where it is none."""
        prefix = self.options.prefix
        ids = [key and key.removeprefix(prefix) for key in self._table[ID].to_pylist()]
        held = {}
        for cache_name, cache in self._caches.items():
            rows = cache.rows(self.options.columns.id)
            held[cache_name] = np.array([rows.get(key, -1) for key in ids], np.int64)
        return held

    @cached_property
    def _labels(self) -> dict[str, list[Any]]:
        """For every cache: the labels of its rows; all null where it has no such column."""
        label = self.options.columns.label
        return {name: cells(cache.metadata, label) for name, cache in self._caches.items()}

    def _remarkable(self, rows: Sequence[int]) -> Iterator[tuple[int, str]]:
        """Yield which of some rows of the table repeat a name, or have no label."""
        columns = self.options.columns
        names, ids = self._table[columns.id].to_pylist(), self._table[ID].to_pylist()
        labels = cells(self._table, columns.label)
        for place, row in enumerate(rows):
            if ids[row] and ids[row] != f"{self.options.prefix}{names[row]}":
                yield place, f"an earlier row has its name '{names[row]}' too"
            if columns.label and is_blank(labels[row]):
                yield place, "no label"

    def _relabelled(self, rows: Sequence[int]) -> Iterator[tuple[int, str]]:
        """Yield which of some rows of the table have another label in a later cache."""
        for place, row in enumerate(rows):
            held = {name: cache_rows[row] for name, cache_rows in self._rows.items()}
            said = {name: self._labels[name][own] for name, own in held.items() if own >= 0}
            first = next(iter(said), "")
            for other in list(said)[1:]:
                if said[other] is not None and said[other] != said[first]:
                    yield (
                        place,
                        f"{METADATA} of {first} says {said[first] or 'nothing'}, "
                        f"of {other} {said[other] or 'nothing'}",
                    )


def _faults(name: str, cache: EmbeddingCache, held: NDArray[np.int64]) -> Iterator[tuple[int, str]]:
    """Yield which of some samples have no usable vector in a cache, and why.

    Args:
        name: of the cache.
        cache: which is asked.
        held: the samples' rows in it, -1 where it has none.
    """
    for place in np.flatnonzero(held < 0):
        yield int(place), f"not in the cache {name}"
    places = np.flatnonzero(held >= 0)
    what = "embedding" if cache.has_vectors else "place on a map"
    for place in places[~cache.usable(held[places])]:
        yield int(place), f"its {what} in the cache {name} is not finite"


def _disagreements(
    name: str, cache: EmbeddingCache, held: NDArray[np.int64]
) -> Iterator[tuple[int, str]]:
    """Yield which of some samples have another label in `labels.pt` than in `metadata.csv`."""
    if cache.labels is None or NUMBER not in cache.metadata.column_names:
        return
    for place in np.flatnonzero(held >= 0):
        row = int(held[place])
        label, text = float(cache.labels[row]), cache.metadata[NUMBER][row].as_py()
        if _number(text) != label:
            yield int(place), f"{LABELS} of {name} says {label:g}, {METADATA} {text or 'nothing'}"


def _number(text: str | None) -> float | None:
    try:
        return float(text or "")
    except ValueError:
        return None


def _sentence(parts: Sequence[str]) -> str | None:
    return "; ".join(parts) or None
