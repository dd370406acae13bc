"""How far to trust a map: what it keeps of an embedding's neighborhoods, sample by sample."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import Field

from latentmap.config import Options
from latentmap.neighbors.distances import row_blocks
from latentmap.neighbors.exact import Distances
from latentmap.neighbors.graph import NeighborGraph, read_compact, read_graph_of
from latentmap.neighbors.rows import DistanceMetric
from latentmap.neighbors.search import find_neighbors
from latentmap.project.place import found_as, lay_out
from latentmap.project.projection import Projection, ProjectionOptions, Values
from latentmap.store.maps import read_map
from latentmap.store.samples import evenly_spaced, read_samples
from latentmap.store.tables import (
    numbers,
    strings,
    with_facts,
    write_parquet,
)

DOUBTFUL = 0.8
"""Trust below which a sample's place says little; see `MapQuality.trust`."""

RANDOM = 0.5
"""Trust in samples that are placed at random."""

# Of trust, for every doubling of the ranks of a map's neighbors beyond what the map is like.
LOST_PER_DOUBLING = 1 / 3

# Of more samples, so many evenly spaced ones are mapped again from other seeds.
MOST_REPEATED = 30_000

# Cells that are sorted at once: blocks that fit the cache are fastest.
BLOCK = 2**21


class TrustOptions(Options):
    """How the trust in maps is measured.

    Attributes:
        k: neighbors per sample; fewer where that is half of the samples or more.
        samples: at most this many samples are assessed, each against all; of more, evenly spaced
            ones.
        seeds: how many more times each random projection is made, each time from another seed,
            to see how far its samples move; of more than 30,000 samples, with as many evenly
            spaced ones. None leaves the spread unmeasured; it costs as much as the projection each
            time.
    """

    k: int = Field(default=15, ge=1)
    samples: int = Field(default=5000, ge=1)
    seeds: int = Field(default=1, ge=0)


@dataclass(frozen=True)
class MapQuality:
    """What one map keeps of an embedding, for every sample; NaN where it is not assessed.

    Attributes:
        trustworthiness: (N,) 1 if the k nearest on the map are the k nearest in the embedding,
            less the farther down the embedding's ranks they are (Venna and Kaski 2001); 0.5 is
            expected of random places.
        continuity: (N,) the same with map and embedding exchanged: less where the embedding's
            nearest are far away on the map.
        recall: (N,) share of the k nearest in the embedding that are among the k nearest on the
            map; k / (N - 1) is expected of random places.
        intrusion: (N,) how far down the embedding's ranks the k nearest on the map are, in
            doublings of k: the mean of log2(rank / k), 0 for ranks up to k, over the sample and
            those nearest to it in the embedding. It is the recall that is lost, added up over all
            sizes of neighborhoods from k on, on a logarithmic scale (Lee, Peluffo-Ordóñez and
            Verleysen 2015, doi:10.1016/j.neucom.2014.12.095).
        k: the number of neighbors.
    """

    trustworthiness: NDArray[np.float64]
    continuity: NDArray[np.float64]
    recall: NDArray[np.float64]
    intrusion: NDArray[np.float64]
    k: int

    @cached_property
    def typical_intrusion(self) -> float:
        """Median of the intrusion over the samples; NaN if none is assessed."""
        known = self.intrusion[np.isfinite(self.intrusion)]
        return float(np.median(known)) if len(known) else math.nan

    @cached_property
    def trust(self) -> NDArray[np.float64]:
        """(N,) the lowest of trustworthiness, continuity and what intrusion leaves.

        Trustworthiness and continuity fall by the share of all ranks by which neighbors are wrong,
        which is much where two groups with most other samples between them share one place on a
        map, and little where two groups do that are next to each other. So a third of trust is
        lost, too, for every doubling by which intrusion is above that of the map's median sample;
        what is typical of a map, as losses to fewer dimensions are, costs nothing. No trust is
        below `RANDOM` for that reason.
        """
        lost = LOST_PER_DOUBLING * (self.intrusion - self.typical_intrusion)
        left = np.clip(1 - lost, RANDOM, 1)
        return np.minimum(np.minimum(self.trustworthiness, self.continuity), left)


def assess_maps(
    embedding: Path | str,
    neighbors: Path | str,
    samples: Iterable[Path | str],
    maps: Sequence[Path | str],
    projections: Sequence[Projection[ProjectionOptions]],
    options: TrustOptions,
    outputs: Sequence[Path | str],
    is_measured: bool = True,
) -> None:
    """Measure how far to trust the maps of one embedding and write one file for each.

    Args:
        embedding: Parquet file of the embedding.
        neighbors: Parquet file of its neighbor graph.
        samples: the shards of samples, in the manifest's order.
        maps: Parquet files of its maps.
        projections: how each map was made.
        options: what to measure.
        outputs: the Parquet file of each map.
        is_measured: whether the embedding is one, and not the coordinates of a map themselves, to
            which every map of them would be true: then no sample is assessed.

    Raises:
        LatentmapError: the files do not describe the same samples.
    """
    expected = read_samples(samples, ["id"])["id"].to_pylist()
    graph = read_graph_of(embedding, neighbors, expected)
    read = [read_map(path, expected) for path in maps]
    placed = [found.coordinates for found in read]
    rows = evenly_spaced(len(expected), options.samples if is_measured else 0)
    qualities = assess(read_compact(embedding, graph), placed, options.k, rows)
    repeated = Repeated(partial(read_compact, embedding, graph), graph)
    for output, projection, found, quality in zip(
        outputs, projections, read, qualities, strict=True
    ):
        spread = repeated.spread(projection, found.coordinates, options.seeds)
        write_trust(
            output,
            expected,
            quality,
            spread,
            options.seeds,
            found.facts.get("neighbors"),
            graph.metric,
        )


def assess(
    values: NDArray[np.float32],
    maps: Sequence[NDArray[np.float32]],
    k: int,
    rows: NDArray[np.intp] | None = None,
) -> list[MapQuality]:
    """Compare the neighborhoods of maps with those of the embedding.

    Ranks count the samples that are strictly nearer: samples that coincide in the embedding have
    no order that a map could keep. Those nearest to a sample, over which its intrusion is a mean,
    are k of the assessed ones. Memory is that of a block of `rows` times all samples.

    Args:
        values: (N, D) float32 embedding.
        maps: (N, 2) or (N, 3) float32 coordinates of each map.
        k: neighbors per sample; at most (N - 1) // 2, the bound of the normalisation, is used.
        rows: samples to assess, each against all others; all by default.

    Returns:
        The quality of each map; all NaN for fewer than 3 samples.
    """
    count = len(values)
    k = min(k, (count - 1) // 2)
    found = np.full((len(maps), 4, count), np.nan)
    if k > 0:
        rows = np.arange(count) if rows is None else rows
        # One row has no other to be near to; it is its own.
        near = np.empty((count, min(k, max(len(rows) - 1, 1))), np.intp)
        high, low = Distances(values), [Distances(coordinates) for coordinates in maps]
        for compared in row_blocks(count, len(rows)):
            together = rows[compared]
            distances = [space.to_others(together) for space in (high, *low)]
            for part in np.array_split(
                np.arange(len(together)), -(-len(together) * count // BLOCK)
            ):
                block = together[part]
                original, *shown = (_Neighborhood(space[part], k) for space in distances)
                among = original
                if len(rows) < count:
                    among = _Neighborhood(distances[0][part][:, rows], near.shape[1])
                near[block] = rows[among.nearest]
                for number, one in enumerate(shown):
                    false, missing = original.ranks(one.nearest), one.ranks(original.nearest)
                    found[number, 0, block] = _kept(false, k, count)
                    found[number, 1, block] = _kept(missing, k, count)
                    found[number, 2, block] = (false <= k).mean(axis=1)
                    found[number, 3, block] = np.log2(np.maximum(false / k, 1)).mean(axis=1)
        own = found[:, 3]
        found[:, 3, rows] = np.mean([own[:, rows], *(own[:, one] for one in near[rows].T)], axis=0)
    return [MapQuality(one, other, both, down, k) for one, other, both, down in found]


class _Neighborhood:
    """The neighbors of some samples in one space.

    Args:
        distances: (b, N) to all samples, infinite to the sample itself.
        k: how many are nearest.

    Attributes:
        nearest: (b, k) their numbers, of equally distant ones the lower; in no order.
    """

    def __init__(self, distances: NDArray[np.float32], k: int) -> None:
        self._distances = distances
        self._sorted = np.sort(distances, axis=1)
        farthest = self._sorted[:, k - 1 : k]
        nearer, tied = distances < farthest, distances == farthest
        places = k - nearer.sum(axis=1, keepdims=True)
        chosen = nearer | (tied & (tied.cumsum(axis=1, dtype=np.int32) <= places))
        self.nearest = np.nonzero(chosen)[1].reshape(-1, k)

    def ranks(self, others: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return the ranks of (b, k) others, from 1, among all samples by their distance."""
        wanted = np.take_along_axis(self._distances, others, axis=1)
        pairs = zip(self._sorted, wanted, strict=True)
        return 1 + np.stack([np.searchsorted(row, distances) for row, distances in pairs])


def _kept(ranks: NDArray[np.intp], k: int, count: int) -> NDArray[np.float64]:
    """Return 1 minus the ranks beyond k, as a share of the largest possible sum of these."""
    return 1 - np.maximum(ranks - k, 0).sum(axis=1) * 2 / (k * (2 * count - 3 * k - 1))


class Repeated:
    """The samples of one embedding that maps are made of again: all, or many evenly spaced ones.

    Args:
        values: gives the (N, D) embedding as its graph compares it.
        graph: its neighbors.
        most: samples.
    """

    def __init__(self, values: Values, graph: NeighborGraph, most: int = MOST_REPEATED) -> None:
        self._whole = values, graph
        self._rows = evenly_spaced(len(graph.ids), most)

    def spread(
        self,
        projection: Projection[ProjectionOptions],
        coordinates: NDArray[np.float32],
        seeds: int,
    ) -> NDArray[np.float64]:
        """Return how far each sample moves when its map is made from other seeds.

        A map of some of the samples is held against one of the same, not against that of all.

        Args:
            projection: how the map was made.
            coordinates: (N, dims) of the map.
            seeds: how many more times to make it.

        Returns:
            (N,) as `spread_over_seeds`; 0 where nothing is random, NaN where the map was made
            elsewhere, and for samples that are not repeated.
        """
        first = projection.options.seed
        if not projection.is_random and not projection.is_given:
            return np.zeros(len(coordinates))
        spread = np.full(len(coordinates), np.nan)
        if projection.is_given or not seeds:
            return spread

        def repeat(seed: int) -> NDArray[np.float32]:
            changed = projection.options.model_copy(update={"seed": seed})
            return lay_out(*self._samples, type(projection)(changed)).coordinates

        is_whole = len(self._rows) == len(coordinates)
        own = coordinates if is_whole else repeat(first)
        spread[self._rows] = spread_over_seeds(own, repeat, range(first + 1, first + 1 + seeds))
        return spread

    @cached_property
    def _samples(self) -> tuple[Values, NeighborGraph]:
        """Their values, and their neighbors among each other."""
        values, graph = self._whole
        if len(self._rows) == len(graph.ids):
            return self._whole
        some = values()[self._rows]
        ids = [graph.ids[row] for row in self._rows.tolist()]
        # For a map nobody's neighbors are left out.
        found = find_neighbors(ids, some, ids, found_as(graph))
        return (lambda: some), found


def spread_over_seeds(
    coordinates: NDArray[np.float32],
    repeat: Callable[[int], NDArray[np.float32]],
    seeds: Sequence[int],
) -> NDArray[np.float64]:
    """Return how far each sample moves when its map is made again from other seeds.

    Every repetition is first moved, turned, mirrored and scaled onto the map (Procrustes).

    Args:
        coordinates: (N, dims) of the map.
        repeat: makes the map from a seed.
        seeds: other seeds.

    Returns:
        (N,) root mean square distance to the sample's place on the map, in units of the map's
        radius, the root mean square distance to its centre; NaN without seeds.
    """
    if not seeds:
        return np.full(len(coordinates), np.nan)
    map_ = _standard(coordinates)
    steps = [map_ - _turned(_standard(repeat(seed)), map_) for seed in seeds]
    return np.sqrt(np.mean([(step**2).sum(axis=1) for step in steps], axis=0))


def _standard(coordinates: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the places around their centre, in units of their radius."""
    centred = coordinates - coordinates.mean(axis=0, dtype=np.float64)
    return centred / (np.sqrt((centred**2).sum(axis=1).mean()) or 1.0)


def _turned(places: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return standardised places turned, mirrored and scaled onto others (Schönemann 1966)."""
    left, scales, right = np.linalg.svd(places.T @ target / len(places))
    return scales.sum() * places @ (left @ right)


def write_trust(
    path: Path | str,
    ids: Sequence[str],
    quality: MapQuality,
    spread: NDArray[np.float64],
    seeds: int,
    neighbors: Mapping[str, Any] | None = None,
    metric: DistanceMetric = "euclidean",
) -> None:
    """Write id, trustworthiness, continuity, recall, intrusion, trust and spread on one map.

    The metadata of its schema hold, as JSON, the means of the first three, the median `intrusion`
    and `spread`, the share of samples that are `doubtful`, and `k`, `assessed` (samples) and
    `seeds`, which they come from; null stands for what is not defined. Where only some samples were
    mapped again, `repeated` is their number. Of a map that is made of
    approximate neighbors they hold the exactness of these, as `neighbors`. `metric` is that of the
    embedding.

    Args:
        path: the Parquet file.
        ids: (N,) sample ids.
        quality: of the map.
        spread: (N,) as `spread_over_seeds` returns it.
        seeds: how many more times the map was made.
        neighbors: exactness of the approximate neighbors that the map is made of, if it is.
        metric: by which samples were compared in the embedding.
    """
    columns = trust_columns(quality, spread)
    facts = trust_facts(quality, spread, seeds, neighbors, metric)
    table: dict[str, Any] = {"id": strings(ids)}
    table |= {name: numbers(column) for name, column in columns.items()}
    write_parquet(path, with_facts(pa.table(table), facts))


def trust_columns(
    quality: MapQuality, spread: NDArray[np.float64]
) -> dict[str, NDArray[np.float32]]:
    """Return what `write_trust` says of each sample, (N,) by name."""
    columns = {
        "trustworthiness": quality.trustworthiness,
        "continuity": quality.continuity,
        "recall": quality.recall,
        "intrusion": quality.intrusion,
        "trust": quality.trust,
        "spread": spread,
    }
    return {name: column.astype(np.float32) for name, column in columns.items()}


def trust_facts(
    quality: MapQuality,
    spread: NDArray[np.float64],
    seeds: int,
    neighbors: Mapping[str, Any] | None,
    metric: DistanceMetric,
) -> dict[str, Any]:
    """Return what `write_trust` says of the whole map, as JSON values; the same arguments."""
    means = ("trustworthiness", "continuity", "recall")
    assessed, repeated = np.isfinite(quality.trust), np.isfinite(spread)
    facts: dict[str, Any] = {
        "k": quality.k,
        "assessed": int(assessed.sum()),
        "seeds": seeds,
        "metric": metric,
        "doubtful": _rounded(np.mean, (quality.trust < DOUBTFUL)[assessed]),
        "intrusion": _rounded(np.median, quality.intrusion[assessed]),
        "spread": _rounded(np.median, spread[repeated]),
    } | {name: _rounded(np.mean, getattr(quality, name)[assessed]) for name in means}
    if 0 < repeated.sum() < len(spread):
        facts["repeated"] = int(repeated.sum())
    return facts if neighbors is None else {**facts, "neighbors": neighbors}


def _rounded(of: Callable[[Any], Any], values: NDArray[Any]) -> float | None:
    """Return a statistic in six digits, which threads do not change; none of nothing."""
    return float(f"{of(values):.6g}") if len(values) else None
