"""How often nearest neighbors agree, and how often they would by chance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from latentmap.config import Options
from latentmap.metrics.metric import LabelledEmbedding, Measurement
from latentmap.metrics.permutation import Chance, ChanceLevels, chance_levels
from latentmap.neighbors.graph import NeighborList, nearest, neighbor_labels

NO_NEIGHBOR = "All samples share one source group."


class NeighborMetricOptions(Options):
    """Options of a metric that looks at nearest neighbors.

    Attributes:
        k: nearest neighbors looked at.
    """

    k: int = Field(default=10, ge=1)


@dataclass(frozen=True)
class Agreement:
    """How often the neighbors of each sample have its class.

    Attributes:
        shares: (N,) share of its neighbors that have the sample's class.
        chances: (N,) the share's expected value if neighbors were drawn at random, in closed form.
        codes: (N,) class of each sample.
        neighbors: its neighbors.
    """

    shares: NDArray[np.float64]
    chances: NDArray[np.float64]
    codes: NDArray[np.intp]
    neighbors: NeighborList

    def mean(self, chance: Chance) -> Measurement:
        """Return the mean share over all samples, beside what to expect by chance."""
        found = beside_chance(float(self.shares.mean()), chance)
        return replace(found, scores=self.contributions())

    def contributions(self) -> NDArray[np.float64]:
        """Return what each sample contributes to the mean share, (N,), whose mean it is.

        A sample's label counts twice: among its own neighbors, and as the neighbor of others. To
        its share is added what those who have it as a neighbor find above the mean (the first
        term of the Hoeffding decomposition of a mean over pairs). Intervals from the shares alone
        would be half as wide as they must be.
        """
        present = self.neighbors.indices >= 0
        weights = present / present.sum(axis=1, keepdims=True)
        same = neighbor_labels(self.codes, self.neighbors) == self.codes[:, np.newaxis]
        above = weights * (same - self.shares.mean())
        received = np.bincount(
            self.neighbors.indices[present], above[present], minlength=len(self.codes)
        )
        return self.shares + received

    def by_class(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the mean of `shares` or `chances` over each class, (classes,)."""
        return np.bincount(self.codes, values) / np.bincount(self.codes)


def beside_chance(value: float, chance: Chance) -> Measurement:
    """Return a metric beside what to expect of it by chance."""
    return Measurement(
        value,
        chance=chance.mean,
        p_value=chance.p_value,
        note=chance.note,
        chance_range=chance.range,
    )


def obstacle(data: LabelledEmbedding, k: int) -> str | None:
    """Return why the k nearest neighbors say nothing, if so."""
    if len(data.values) > k:
        return None
    return f"With {len(data.values)} samples all others are among the {k} nearest neighbors."


def agreements(
    data: LabelledEmbedding, codes: NDArray[np.intp], k: int, *, precise: bool = False
) -> Iterator[tuple[str, Agreement, ChanceLevels]]:
    """Yield the agreement on each neighbor list, with its chance, after the suffix of its metrics.

    Where all samples share one source group, the grouped list is empty and is left out.

    Args:
        data: the embedding.
        codes: (N,) class of each sample.
        k: neighbors looked at.
        precise: whether a small p-value comes from more permutations.

    Raises:
        LatentmapError: the graph holds fewer than k neighbors per row.
    """
    found = {"": agreement(codes, data.graph.every, np.arange(len(codes)), k)}
    if data.sources.any():
        found["_grouped"] = agreement(codes, data.graph.grouped, data.sources, k)
    lists = [agreed.neighbors for agreed in found.values()]
    levels = chance_levels(data.exchange(codes), lists, data.statistics, precise=precise)
    yield from zip(found.keys(), found.values(), levels, strict=True)


def agreement(
    codes: NDArray[np.intp], neighbors: NeighborList, groups: NDArray[np.intp], k: int
) -> Agreement:
    """Compare the class of every sample with those of its k nearest neighbors.

    Args:
        codes: (N,) class of each sample.
        neighbors: the nearest neighbors.
        groups: (N,) groups whose rows are not each other's neighbors; more than one.
        k: neighbors looked at.

    Raises:
        LatentmapError: the list holds fewer than k neighbors per row.
    """
    looked_at = nearest(neighbors, k)
    same = neighbor_labels(codes, looked_at) == codes[:, np.newaxis]
    shares = same.sum(axis=1) / (looked_at.indices >= 0).sum(axis=1)
    return Agreement(shares, _chances(codes, groups), codes, looked_at)


def _chances(codes: NDArray[np.intp], groups: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the share of each sample's class among the samples of other groups, (N,)."""
    pairs = codes * (int(groups.max()) + 1) + groups
    same, own, both = (_occurrences(values) for values in (codes, groups, pairs))
    return (same - both) / (len(codes) - own)


def _occurrences(values: NDArray[np.intp]) -> NDArray[np.intp]:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return counts[inverse]
