"""The plan: which rows of which source make up which shard.

Planning reads only the index of every source, so the workflow can plan whenever it is parsed, and
a dry run knows every job. A shard that is sealed keeps its id, its rows and their order for as long
as the sources still have all of its rows with the same content; rows that are new, or have changed,
go to new shards at the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from latentmap.errors import LatentmapError
from latentmap.samples.boxes import BoxFormat, box_remarks
from latentmap.samples.clean import DUPLICATE
from latentmap.samples.planned import PlannedShard
from latentmap.samples.remarks import NOT_USED, NOTED, Remark
from latentmap.samples.source import Source, SourceOptions
from latentmap.samples.spelling import look_alike_remarks
from latentmap.store.files import digest
from latentmap.store.results import MANIFEST, SAMPLES, SHARD_QUARANTINE
from latentmap.store.tables import read_arrow, read_parquet

SEALED = {"shard": pl.String, "source": pl.String, "digest": pl.String, "aside": pl.Boolean}
"""Columns of the rows of sealed shards; see `sealed_rows`."""


@dataclass(frozen=True)
class Limit:
    """How many samples a run takes; see `SamplesOptions`."""

    num_samples: int | None = None
    stratify: bool = False
    seed: int = 0


@dataclass(frozen=True)
class Listing:
    """The rows that a run takes.

    Attributes:
        indexes: of each source by its name, as it gives it.
        boxes: in which unit and layout each source has boxes.
        rows: those that are taken: source, row, id, label, digest, content.
    """

    indexes: Mapping[str, pl.DataFrame]
    boxes: Mapping[str, BoxFormat]
    rows: pl.DataFrame

    def remarks(self) -> list[tuple[str, Remark]]:
        """Remark on rows beyond the limit, on boxes, on texts of other sources and on labels.

        Returns:
            Each with the names of the sources that it is about.
        """
        taken = dict(self.rows.group_by("source").len().iter_rows())
        found = []
        for name, index in self.indexes.items():
            if beyond := len(index) - taken.get(name, 0):
                used = f"{len(index) - beyond:,} of {len(index):,} are used (num_samples)"
                found.append((name, Remark("samples", beyond, used, "", action=NOT_USED)))
            found += [(name, remark) for remark in box_remarks(self.boxes[name], len(index))]
        labels = self.rows.filter(pl.col("label").fill_null("") != "")
        found += [(name, remark) for name, remark in _texts_of_others(self.rows)]
        return found + look_alike_remarks(labels.group_by("source", "label").len().iter_rows())


def list_rows(sources: Mapping[str, Source[SourceOptions]], limit: Limit) -> Listing:
    """List the rows of a run.

    Args:
        sources: by name, in the order of the configuration.
        limit: which rows to take.

    Raises:
        LatentmapError: a source cannot be opened, or none has a row.
    """
    indexes = {name: source.index() for name, source in sources.items()}
    boxes = {name: sources[name].box_format(part) for name, part in indexes.items()}
    index = pl.concat(
        _uniform(name, sources[name], part, boxes[name]) for name, part in indexes.items()
    )
    if index.is_empty():
        raise LatentmapError(_nothing_there(sources))
    return Listing(indexes, boxes, _choose(index, limit))


def plan_shards(listing: Listing, shard_size: int, sealed: pl.DataFrame) -> list[PlannedShard]:
    """Plan all shards of a run, in the order of the manifest.

    Args:
        listing: the rows of the run.
        shard_size: rows of a new shard.
        sealed: the rows of the shards that are there, as `sealed_rows` gives them.
    """
    rows = _numbered(_mark_duplicates(listing.rows))
    sealed = _numbered(sealed).join(
        rows, on=["source", "digest", "occurrence"], how="left", maintain_order="left"
    )
    # What is a duplicate depends on other rows: a shard that knew it otherwise is made anew.
    as_before = pl.col("row").is_not_null() & (pl.col("duplicate").is_not_null() == pl.col("aside"))
    kept = sealed.filter(as_before.all().over("shard"))
    new = rows.join(kept, on=["source", "row"], how="anti", maintain_order="left")
    shards = [_shard(str(name[0]), part, listing) for name, part in _groups(kept, "shard")]
    ordinal = max((int(shard.id.partition("-")[0]) + 1 for shard in shards), default=0)
    for _, part in _groups(new, "source"):
        for chunk in part.iter_slices(shard_size):
            shards.append(_shard(f"{ordinal:04d}-{_content(chunk)}", chunk, listing))
            ordinal += 1
    return shards


def sealed_rows(folder: Path) -> pl.DataFrame:
    """Return the rows of the shards in a run's folder: shard, source, digest, aside.

    Rows that were set aside count: they belong to the shard that they were read for. A shard whose
    files are missing is not sealed. `aside` is true of the rows that were set aside as duplicates.
    """
    parts = [pl.DataFrame(schema=SEALED)]
    for shard in MANIFEST.read(MANIFEST.below(folder)):
        samples = SAMPLES.below(folder, shard.id)
        quarantine = SHARD_QUARANTINE.below(folder, shard.id)
        if not (samples.exists() and quarantine.exists()):
            continue
        columns = ["source", "digest"]
        made = pl.from_arrow(read_arrow(samples, columns))
        aside = pl.from_arrow(read_parquet(quarantine, [*columns, "action", "code"]))
        assert isinstance(made, pl.DataFrame) and isinstance(aside, pl.DataFrame)
        made = made.with_columns(pl.lit(False).alias("aside"))
        is_duplicate = (pl.col("code") == DUPLICATE).alias("aside")
        aside = aside.filter(pl.col("action") == "quarantined").select(*columns, is_duplicate)
        parts.append(pl.concat([made, aside]).select(pl.lit(shard.id).alias("shard"), pl.all()))
    return pl.concat(parts)


def _uniform(
    name: str, source: Source[SourceOptions], index: pl.DataFrame, boxes: BoxFormat
) -> pl.DataFrame:
    """List the rows of a source as all are planned: source, row, id, label, digest, content."""
    content = pl.col("content") if "content" in index.columns else pl.lit(None).alias("content")
    label = pl.col("label").cast(pl.String)
    if source.has_labels:  # what is blank is no label
        without = None if source.needs_labels else ""
        label = pl.when(label.str.strip_chars() != "").then(label).otherwise(pl.lit(without))
    if "boxes" in index.columns:
        rows = index.select("digest", pl.col("boxes").list.len() > 0).iter_rows()
        digests = [boxes.digest(row, has_boxes) for row, has_boxes in rows]
        index = index.with_columns(pl.Series("digest", digests, pl.String))
    return index.select(
        pl.lit(name).alias("source"),
        pl.int_range(pl.len(), dtype=pl.Int64).alias("row"),
        pl.col("id").cast(pl.String),
        label.alias("label"),
        pl.col("digest").cast(pl.String),
        content.cast(pl.String),
    )


def _nothing_there(sources: Mapping[str, Source[SourceOptions]]) -> str:
    given = {name: source.options.input for name, source in sources.items()}
    named = ", ".join(f"{name} ({path})" if path else name for name, path in given.items())
    return f"There are no rows in any source: {named}. Check 'input'."


def _mark_duplicates(rows: pl.DataFrame) -> pl.DataFrame:
    """Replace the content by why a row repeats an earlier row's id or text, null if it does not."""
    rows = _with_contents(rows)
    return rows.with_columns(pl.coalesce("duplicate", _same_text())).drop("content")


def _with_contents(rows: pl.DataFrame) -> pl.DataFrame:
    """Say which rows repeat an id, and leave their content only to those that may stand for others.

    A row that is set aside itself must not.
    """
    rows = rows.with_columns(_same_id().alias("duplicate"))
    takes_part = pl.col("duplicate").is_null() & _is_usable()
    return rows.with_columns(pl.when(takes_part).then(pl.col("content")).alias("content"))


def _texts_of_others(rows: pl.DataFrame) -> list[tuple[str, Remark]]:
    """Remark on the rows of each source that are set aside because another one has their text."""
    if rows["content"].null_count() == len(rows):
        return []
    first = pl.col("source").first().over("content").alias("first")
    found = _with_contents(rows).filter(pl.col("content").is_not_null()).with_columns(first)
    counts = found.filter(pl.col("source") != pl.col("first")).group_by("source", "first").len()
    return [
        (
            name,
            Remark(
                "rows",
                count,
                f"{count:,} have a text of '{other}' and are set aside (deduplicate)",
                "To compare the sources, switch 'deduplicate' off.",
                action=NOTED,
            ),
        )
        for name, other, count in counts.sort("source", "first").iter_rows()
    ]


def _is_usable() -> pl.Expr:
    """Whether a row has what cleaning asks of every row, as far as an index tells."""
    return (pl.col("id").str.strip_chars().fill_null("") != "") & pl.col("label").is_not_null()


def _same_id() -> pl.Expr:
    own = pl.when(_is_usable()).then(pl.col("id"))
    repeated = own.is_not_null() & ~own.is_first_distinct()
    reason = (
        pl.when(pl.col("digest") == pl.col("digest").first().over(own))
        .then(pl.lit("exact duplicate of an earlier row"))
        .otherwise(pl.lit("id of an earlier row, with other content"))
    )
    return pl.when(repeated).then(reason)


def _same_text() -> pl.Expr:
    repeated = pl.col("content").is_not_null() & ~pl.col("content").is_first_distinct()
    first_id = pl.col("id").first().over("content")
    return pl.when(repeated).then(pl.format("same text as an earlier row (id {})", first_id))


def _choose(rows: pl.DataFrame, limit: Limit) -> pl.DataFrame:
    """Take the first `num_samples`, or as many of each label as its share allows.

    Within a label the choice is by the digest of seed and id, whatever the order of the rows;
    across labels, rows are taken in the order of their quantile within the label, which keeps the
    shares of all labels for any `num_samples`.
    """
    if limit.num_samples is None or limit.num_samples >= len(rows):
        return rows
    if not limit.stratify:
        return rows.head(limit.num_samples)
    order = pl.Series("order", [digest(str(limit.seed), name or "") for name in rows["id"]])
    quantile = (pl.col("order").rank("ordinal").over("label") - 0.5) / pl.len().over("label")
    chosen = rows.with_columns(order, pl.int_range(pl.len()).alias("position"))
    chosen = chosen.with_columns(quantile.alias("quantile"))
    chosen = chosen.sort("quantile", "label", "position").head(limit.num_samples)
    return chosen.sort("position").drop("order", "position", "quantile")


def _numbered(rows: pl.DataFrame) -> pl.DataFrame:
    """Number rows of the same content, so that exact duplicates stay apart."""
    number = pl.lit(0, pl.Int64)
    if rows.select(pl.struct("source", "digest").is_duplicated().any()).item():
        number = pl.int_range(pl.len()).over("source", "digest")
    return rows.with_columns(number.alias("occurrence"))


def _groups(rows: pl.DataFrame, column: str) -> Iterable[tuple[tuple[object, ...], pl.DataFrame]]:
    return rows.group_by(column, maintain_order=True)


def _content(rows: pl.DataFrame) -> str:
    """Digest what a shard is made of: its rows, and which of them are duplicates."""
    pairs = zip(rows["digest"].to_list(), rows["duplicate"].to_list(), strict=True)
    return digest(*(own if reason is None else f"{own} duplicate" for own, reason in pairs))


def _shard(name: str, rows: pl.DataFrame, listing: Listing) -> PlannedShard:
    source = str(rows["source"][0])
    index, numbers = listing.indexes[source], rows["row"].to_list()
    duplicates = zip(numbers, rows["duplicate"].to_list(), strict=True)
    return PlannedShard(
        name,
        source,
        tuple(numbers),
        tuple(rows["digest"].to_list()),
        tuple(index["place"].gather(numbers).to_list()) if "place" in index.columns else None,
        {row: reason for row, reason in duplicates if reason is not None},
        listing.boxes[source],
    )
