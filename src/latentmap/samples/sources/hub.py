"""A Hugging Face data set by id, or a local Parquet, Arrow or `save_to_disk` copy of one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from latentmap.config import UserPath
from latentmap.errors import LatentmapError
from latentmap.samples.cells import cells
from latentmap.samples.columns import ColumnMap
from latentmap.samples.images import Images, unpack
from latentmap.samples.indexing import index_table
from latentmap.samples.raw import raw_samples
from latentmap.samples.remarks import Remark, passed_over
from latentmap.samples.source import Source, TabularOptions
from latentmap.samples.splits import Split, find_split, pick_split
from latentmap.samples.tables.rows import SUFFIXES, Rows
from latentmap.store.tables import check_parquet, parquet_writer

ROWS_PER_GROUP = 64


class HubColumns(ColumnMap):
    """The layout of SpatialRGPT-Bench, on the hub and as a local copy; see `ColumnMap`."""

    id: str | None = "id"
    label: str | None = "qa_info.category"
    source_group: str | None = "image_info.file_path"
    text: str | None = "text_q"
    boxes: str | None = "bbox"
    image: str | tuple[str, ...] | None = "image | image_info.file_path"


class HubOptions(TabularOptions):
    """Options of `hub`.

    Attributes:
        input: id of a data set on the Hugging Face hub, or a table, a folder of tables, or a
            `save_to_disk` folder.
        split: which split to take, which may be called `val`, `valid`, `validation` or `dev`; the
            only one there is by default.
        revision: commit, tag or branch of a remote data set; a commit may be shortened.
        config: configuration of a data set that has several.
        columns: which column holds what.
        image_root: folder that image paths are relative to; by default the folder of the file.
    """

    split: str | None = None
    revision: str | None = None
    config: str | None = None
    columns: HubColumns = HubColumns()
    image_root: UserPath | None = None


class HubSource(Source[HubOptions]):
    """Rows of a data set in the layout of the Hugging Face hub."""

    Options = HubOptions

    @property
    def is_remote(self) -> bool:
        """Whether `input` is the id of a data set rather than a path."""
        given = self._input
        looks_like_path = given.startswith((".", "/", "~")) or given.lower().endswith(SUFFIXES)
        is_id = re.fullmatch(r"[\w.-]+(/[\w.-]+)?", given) is not None
        return is_id and not looks_like_path and not Path(given).exists()

    def download_to(self, path: Path) -> None:
        """Fetch the data set and write it as one Parquet file, images embedded as they came.

        Files that were fetched before are taken from the cache, and what is interrupted resumes.

        Raises:
            LatentmapError: the hub cannot be reached, there is no such data set, revision, split
                or column, access is not granted, or the download is damaged.
        """
        from datasets.table import embed_table_storage

        try:
            dataset = self._load()
        except LatentmapError:
            raise
        except Exception as error:
            raise LatentmapError(self._explain(error)) from error
        dataset = dataset.with_format("arrow")
        self.options.columns.check(dataset[:ROWS_PER_GROUP], self._input)
        schema = dataset.features.arrow_schema.remove_metadata()
        with parquet_writer(path, schema) as writer:
            for table in dataset.iter(ROWS_PER_GROUP):
                writer.write_table(embed_table_storage(table).cast(schema))

    def _load(self) -> Any:
        """Load the split of a remote data set, whatever it is called there."""
        from datasets import VerificationMode, get_dataset_split_names, load_dataset

        which = (self._input, self.options.config)
        revision = self._commit()

        def load(split: str) -> Any:
            checks = VerificationMode.ALL_CHECKS
            return load_dataset(*which, split=split, revision=revision, verification_mode=checks)

        given = self.options.split
        if given is not None:
            try:
                return load(given)
            except ValueError as error:
                if not str(error).startswith("Unknown split"):
                    raise
        names = get_dataset_split_names(*which, revision=revision)
        return load(pick_split(given, names, f"'{self._input}'"))

    def _commit(self) -> str | None:
        """Return the revision, a shortened commit at its full length: the hub takes no other."""
        from huggingface_hub import HfApi

        revision = self.options.revision
        if revision is None or not re.fullmatch(r"[0-9a-f]{7,39}", revision):
            return revision
        commits = HfApi().list_repo_commits(self._input, repo_type="dataset")
        found = (commit.commit_id for commit in commits if commit.commit_id.startswith(revision))
        return next(found, revision)

    def local(self, path: Path | str) -> HubSource:
        """Return the source that reads the file which `download_to` wrote."""
        check_parquet(path)
        options = self.options.model_copy(
            update={"input": str(path), "image_root": None, "split": None}
        )
        return HubSource(options)

    def index(self) -> pl.DataFrame:
        """List all rows; see `Source.index`."""
        return index_table(self._rows, self.options.columns, self._images(), self._input)

    def read(self, rows: Sequence[int]) -> pa.Table:
        """Read rows; see `Source.read`."""
        return raw_samples(self._rows.take(rows), self.options.columns, self._images(), rows)

    def remarks(self) -> Sequence[Remark]:
        """Say which files are passed over; see `Source.remarks`."""
        return [*self._split.remarks, *self._without_row()]

    def _without_row(self) -> Sequence[Remark]:
        """Say which pictures in the folder no row names."""
        column = self.options.columns
        named: set[Path] = set()
        images = self._images()
        for table in self._rows.scan(column.every_path) if self._split.pictures else ():
            found = cells(table, column.image_column(table.column_names))
            named.update(images.find(path) for _, path in map(unpack, found) if path)
        folder = Path(self._input).absolute()
        others = [n for n in self._split.pictures if images.find(str(folder / n)) not in named]
        remedy = "Nothing has to be done, if they are not meant."
        return [passed_over("images", others, "no row names them", remedy)] if others else []

    @property
    def _input(self) -> str:
        return self.given_input("a data set's id, or to a file or folder")

    @cached_property
    def _rows(self) -> Rows:
        if self.is_remote:
            raise LatentmapError(f"'{self._input}' is not downloaded yet, and no such file exists.")
        return Rows(self._split.files, self.options.columns.every_path, self.options.header)

    @cached_property
    def _split(self) -> Split:
        options = self.options
        return find_split(Path(self._input), options.split, options.config, options.follow_links)

    def _images(self) -> Images:
        path = Path(self._input)
        root = self.options.image_root or (path if path.is_dir() else path.parent)
        return Images(Path(root), follow_links=self.options.follow_links)

    def _explain(self, error: Exception) -> str:
        """Turn what `datasets` raises into one line."""
        from datasets.exceptions import (
            ChecksumVerificationError,
            DatasetGenerationError,
            DatasetNotFoundError,
            SplitsVerificationError,
        )
        from huggingface_hub.errors import (
            GatedRepoError,
            HfHubHTTPError,
            HFValidationError,
            RepositoryNotFoundError,
            RevisionNotFoundError,
        )

        name, options, words = self._input, self.options, " ".join(str(error).split())
        # `datasets` wraps the hub's errors in its own and then tells them apart by words only.
        is_missing = isinstance(error, DatasetNotFoundError)
        if isinstance(error, GatedRepoError) or (is_missing and "gated dataset" in words):
            return (
                f"'{name}' is gated. Accept its terms at https://huggingface.co/datasets/{name}, "
                "log in with 'hf auth login', and run again."
            )
        if isinstance(error, RevisionNotFoundError) or (is_missing and "Revision" in words):
            return f"'{name}' has no revision '{options.revision}'. Correct 'revision'."
        if is_missing or isinstance(error, RepositoryNotFoundError | HFValidationError):
            return (
                f"'{name}' is neither a local file nor a data set on the Hugging Face hub that you "
                "may read. Check the spelling, or log in with 'hf auth login' if it is private."
            )
        if isinstance(error, ChecksumVerificationError | SplitsVerificationError):
            return f"The download of '{name}' does not match its published sizes ({words})."
        if isinstance(error, DatasetGenerationError):
            cause = " ".join(str(error.__cause__ or error).split())
            return f"The files of '{name}' cannot be read as one table ({cause})."
        if isinstance(error, ConnectionError | HfHubHTTPError | TimeoutError):
            return (
                f"The Hugging Face hub cannot be reached for '{name}' ({words}). Check the network "
                "and run again, or download the data set elsewhere and set 'input' to its path."
            )
        if isinstance(error, ValueError) and ("BuilderConfig" in words or "Config name" in words):
            return f"'{name}' has no configuration '{options.config}' ({words}). Correct 'config'."
        if isinstance(error, RuntimeError) and "scripts are no longer supported" in words:
            return f"'{name}' loads by code of its own, which is never run. Use a Parquet copy."
        return f"'{name}' cannot be loaded ({type(error).__name__}: {words})."
