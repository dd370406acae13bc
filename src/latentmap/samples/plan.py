"""The plan: which rows of which source make up which shard.

Planning reads only the index of every source, so the workflow can plan whenever it is parsed, and
a dry run knows every job. A shard that is sealed keeps its id, its rows and their order for as long
as the sources still have all of its rows with the same content; rows that are new, or have changed,
go to new shards at the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from latentmap.samples.source import Source, SourceOptions
from latentmap.store.files import digest
from latentmap.store.manifest import read_manifest
from latentmap.store.tables import read_arrow, read_parquet


@dataclass(frozen=True)
class PlannedShard:
    """A shard before or after it is made.

    Attributes:
        id: `{ordinal}-{digest of its rows}`.
        source: name of the source that its rows come from.
        rows: positions in that source's index.
        duplicates: those of them whose id an earlier row has, with the reason to set them aside.
    """

    id: str
    source: str
    rows: tuple[int, ...]
    duplicates: Mapping[int, str]


@dataclass(frozen=True)
class Limit:
    """How many samples a run takes; see `SamplesOptions`."""

    num_samples: int | None = None
    stratify: bool = False
    seed: int = 0


def plan_shards(
    sources: Mapping[str, Source[SourceOptions]],
    limit: Limit,
    shard_size: int,
    sealed: pl.DataFrame,
) -> list[PlannedShard]:
    """Plan all shards of a run, in the order of the manifest.

    Args:
        sources: by name, in the order of the configuration.
        limit: which rows to take.
        shard_size: rows of a new shard.
        sealed: the rows of the shards that are there, as `sealed_rows` gives them.
    """
    rows = _choose(_mark_duplicates(_index(sources)), limit).with_columns(_occurrence())
    sealed = sealed.with_columns(_occurrence()).join(
        rows, on=["source", "digest", "occurrence"], how="left", maintain_order="left"
    )
    kept = sealed.filter(pl.col("row").is_not_null().all().over("shard"))
    new = rows.join(kept, on=["source", "row"], how="anti", maintain_order="left")
    shards = [_shard(str(name[0]), part) for name, part in _groups(kept, "shard")]
    ordinal = max((int(shard.id.partition("-")[0]) + 1 for shard in shards), default=0)
    for _, part in _groups(new, "source"):
        for chunk in part.iter_slices(shard_size):
            shards.append(_shard(f"{ordinal:04d}-{digest(*chunk['digest'])}", chunk))
            ordinal += 1
    return shards


def sealed_rows(folder: Path) -> pl.DataFrame:
    """Return shard, source and digest of every row of the shards in a run's `samples` folder.

    Rows that were set aside count: they belong to the shard that they were read for. A shard whose
    files are missing is not sealed.
    """
    parts = [pl.DataFrame(schema={"shard": pl.String, "source": pl.String, "digest": pl.String})]
    for shard in read_manifest(folder / "manifest.json"):
        samples, quarantine = shard_path(folder, shard.id), quarantine_path(folder, shard.id)
        if not (samples.exists() and quarantine.exists()):
            continue
        columns = ["source", "digest"]
        made = pl.from_arrow(read_arrow(samples, columns))
        aside = pl.from_arrow(read_parquet(quarantine, [*columns, "action"]))
        assert isinstance(made, pl.DataFrame) and isinstance(aside, pl.DataFrame)
        aside = aside.filter(pl.col("action") == "quarantined").select(columns)
        parts.append(pl.concat([made, aside]).select(pl.lit(shard.id).alias("shard"), *columns))
    return pl.concat(parts)


def shard_path(folder: Path, shard: str) -> Path:
    """Return the file of a shard's samples."""
    return folder / f"{shard}.arrow"


def quarantine_path(folder: Path, shard: str) -> Path:
    """Return the file of what was set aside or repaired when a shard was made."""
    return folder / "quarantine" / f"{shard}.parquet"


def _index(sources: Mapping[str, Source[SourceOptions]]) -> pl.DataFrame:
    """List the rows of all sources: source, row, id, label, digest."""
    return pl.concat(
        source.index().select(
            pl.lit(name).alias("source"),
            pl.int_range(pl.len(), dtype=pl.Int64).alias("row"),
            pl.col("id", "label", "digest").cast(pl.String),
        )
        for name, source in sources.items()
    )


def _mark_duplicates(rows: pl.DataFrame) -> pl.DataFrame:
    """Add why a row repeats an earlier row's id, null if it does not."""
    first_digest = pl.col("digest").first().over("id")
    repeated = pl.col("id").is_not_null() & (pl.int_range(pl.len()).over("id") > 0)
    reason = (
        pl.when(pl.col("digest") == first_digest)
        .then(pl.lit("exact duplicate of an earlier row"))
        .otherwise(pl.lit("id of an earlier row, with other content"))
    )
    return rows.with_columns(pl.when(repeated).then(reason).alias("duplicate"))


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


def _occurrence() -> pl.Expr:
    """Number rows of the same content, so that exact duplicates stay apart."""
    return pl.int_range(pl.len()).over("source", "digest").alias("occurrence")


def _groups(rows: pl.DataFrame, column: str) -> Iterable[tuple[tuple[object, ...], pl.DataFrame]]:
    return rows.group_by(column, maintain_order=True)


def _shard(name: str, rows: pl.DataFrame) -> PlannedShard:
    duplicates = rows.filter(pl.col("duplicate").is_not_null()).select("row", "duplicate")
    positions: Sequence[int] = rows["row"].to_list()
    return PlannedShard(name, rows["source"][0], tuple(positions), dict(duplicates.iter_rows()))
