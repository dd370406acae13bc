"""How the distributions of several sources differ in one embedding and on its maps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from latentmap.errors import LatentmapError
from latentmap.metrics.inference import StatisticsOptions, holm
from latentmap.metrics.regions import region_shares
from latentmap.metrics.similarity import group_order
from latentmap.metrics.two_sample import PairOptions, compare_pair
from latentmap.neighbors.rows import DistanceMetric, compared
from latentmap.store.files import write_json
from latentmap.store.maps import read_map
from latentmap.store.samples import read_samples
from latentmap.store.tables import check_ids, read_embedding

Paths = Mapping[str, Path | str]


class SourcesOptions(PairOptions):
    """Options of the comparison of sources.

    Attributes:
        max_samples: of each source at most so many samples are compared, whole source groups
            drawn at random.
        regions: that a map is cut into.
        metric: by which samples are compared.
    """

    max_samples: int = Field(default=1000, ge=2)
    regions: int = Field(default=12, ge=2)
    metric: DistanceMetric = "euclidean"

    @classmethod
    def of(cls, statistics: StatisticsOptions, metric: DistanceMetric) -> SourcesOptions:
        """Return the options of a run that estimates chance and compares samples in this way."""
        return cls(permutations=statistics.permutations, seed=statistics.seed, metric=metric)


@dataclass(frozen=True)
class RunFiles:
    """Files of one run about one embedding.

    Attributes:
        embedding: Parquet file of the embedding.
        maps: Parquet files of its maps, by projection.
        samples: shards of samples.
    """

    embedding: Path | str
    maps: Paths
    samples: Sequence[Path | str]


@dataclass(frozen=True)
class SourcedSamples:
    """The samples of one run in one embedding, with their sources.

    Attributes:
        values: (N, D) float32.
        maps: (N, dims) coordinates, by projection.
        sources: (N,) name of each sample's source.
        groups: (N,) name of each sample's source group.
    """

    values: NDArray[np.float32]
    maps: Mapping[str, NDArray[np.float32]]
    sources: list[str]
    groups: list[str]


def reference_source(run: str) -> str:
    """Return the name under which the samples of a reference run are compared."""
    return f"{run} (reference)"


def compare_sources(
    run: RunFiles,
    options: SourcesOptions,
    output: Path | str,
    reference: tuple[str, RunFiles] | None = None,
) -> None:
    """Compare the sources of one embedding, each with each, and write the comparison.

    Args:
        run: files of the run.
        options: of the comparison.
        output: JSON file: `sources`, each with its `name`, its `samples` and how many of them are
            `compared`; `reference`, the name of the reference run or null; `options`; `pairs` of
            sources, `first` and `second`, with what `compare_pair` returns and the p-value of its
            classifier adjusted for the number of pairs (`p_adjusted`); `maps`, by projection, with
            the `centres` of the regions, the `shares` of the sources, in their order, in each,
            and `p_values` and `p_adjusted` of each region, null with a reference run: samples that
            shaped a map spread wider on it than others of their distribution that are placed into
            it. Where all samples that are left are of one source, `pairs` and `maps` are empty.
        reference: name and files of the run whose maps the samples were placed into; its samples
            are one more source, the first.

    Raises:
        LatentmapError: the rows of a file are not the samples, or the reference's embedding has
            other dimensions.
    """
    parts = [_read(run)]
    if reference is not None:
        name, files = reference
        parts.insert(0, _read(files, reference_source(name)))
        _check_dims(files.embedding, parts[0].values, run.embedding, parts[1].values)
    found = _compare(parts, options)
    write_json(output, {**found, "reference": None if reference is None else reference[0]})


def _read(files: RunFiles, source: str | None = None) -> SourcedSamples:
    """Read one run's samples, all of one source if it is given."""
    table = read_samples(files.samples, ["id", "source", "source_group"])
    expected = table["id"].to_pylist()
    ids, values = read_embedding(files.embedding)
    check_ids(files.embedding, ids, expected)
    return SourcedSamples(
        values,
        {name: read_map(path, expected).coordinates for name, path in files.maps.items()},
        table["source"].to_pylist() if source is None else [source] * len(ids),
        table["source_group"].to_pylist(),
    )


def _check_dims(
    reference: Path | str, old: NDArray[np.float32], embedding: Path | str, new: NDArray[np.float32]
) -> None:
    if old.shape[1] != new.shape[1]:
        raise LatentmapError(
            f"{embedding} has {new.shape[1]} dimensions where {reference} of the reference run has "
            f"{old.shape[1]}. Encode both runs with the same options."
        )


def _compare(parts: Sequence[SourcedSamples], options: SourcesOptions) -> dict[str, Any]:
    """Compare the sources of one run, or of a reference run and another."""
    all_sources = [source for part in parts for source in part.sources]
    names = list(dict.fromkeys(all_sources))
    places = {name: place for place, name in enumerate(names)}
    codes = np.array([places[source] for source in all_sources], np.intp)
    groups = _numbered(group for part in parts for group in part.groups)
    rows = drawn_rows(codes, groups, options.max_samples, options.seed)
    values = compared(_stacked([part.values for part in parts], rows), options.metric)
    codes, groups, every = codes[rows], _numbered(groups[rows].tolist()), codes
    pairs: list[dict[str, Any]] = []
    for first, second in combinations(range(len(names)), 2):
        here = np.flatnonzero((codes == first) | (codes == second))
        own = (codes[here] == second).astype(np.intp)
        found = compare_pair(values[here], own, _numbered(groups[here].tolist()), options)
        pairs.append({"first": names[first], "second": names[second], **found})
    adjusted = holm(np.array([pair["metrics"]["auc"]["p_value"] for pair in pairs]))
    for pair, p_value in zip(pairs, adjusted.tolist(), strict=True):
        pair["p_adjusted"] = p_value
    maps = {}
    permutations = options.permutations if len(parts) == 1 else 0
    for name in parts[0].maps if pairs else ():
        coordinates = _stacked([part.maps[name] for part in parts], rows)
        shares = region_shares(
            coordinates, codes, groups, options.regions, permutations, options.seed
        )
        maps[name] = {key: np.round(value, 5).tolist() for key, value in vars(shares).items()}
    return {
        "sources": [
            {"name": name, "samples": int(total), "compared": int(compared)}
            for name, total, compared in zip(
                names, np.bincount(every), np.bincount(codes), strict=True
            )
        ],
        "options": options.model_dump(),
        "pairs": _rounded(pairs),
        "maps": maps,
    }


def drawn_rows(
    codes: NDArray[np.intp], groups: NDArray[np.intp], most: int, seed: int
) -> NDArray[np.intp]:
    """Return at most so many rows of each source, in random order.

    Source groups are drawn as a whole, the same ones from every source that has them, so that what
    is paired stays so.

    Args:
        codes: (N,) source of each row.
        groups: (N,) source group of each row, every number up to the largest in use.
        most: rows of each source.
        seed: of the draw.
    """
    rng = np.random.default_rng(seed)
    order = group_order(groups, rng)
    chosen = [order[codes[order] == code][:most] for code in np.unique(codes)]
    return rng.permutation(np.concatenate(chosen))


def _stacked(tables: Sequence[NDArray[np.float32]], rows: NDArray[np.intp]) -> NDArray[np.float32]:
    """Return rows of several tables, numbered over all of them, without a copy of the rest."""
    taken = np.empty((len(rows), tables[0].shape[1]), np.float32)
    start = 0
    for table in tables:
        here = (rows >= start) & (rows < start + len(table))
        taken[here] = table[rows[here] - start]
        start += len(table)
    return taken


def _numbered(groups: Iterable[Any]) -> NDArray[np.intp]:
    """Return the number of each group, every one up to the largest in use."""
    return np.unique(np.array(list(groups)), return_inverse=True)[1]


def _rounded(value: Any) -> Any:
    """Return plain values of five digits: more would vary with the number of threads."""
    if isinstance(value, float):
        return round(value, 5)
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    return [_rounded(inner) for inner in value] if isinstance(value, list) else value
