"""How often nearest neighbors agree, and how often they would by chance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from latentmap.config import Options
from latentmap.metrics.contributions import Contributions
from latentmap.metrics.inference import FEWEST_GROUPS, Spread, interval_of
from latentmap.metrics.losses import Losses, NeighborsBySource
from latentmap.metrics.metric import GROUPED, LabelledEmbedding, Measurement
from latentmap.metrics.permutation import Chance, ChanceLevels, chance_levels
from latentmap.neighbors.graph import NeighborList, nearest, neighbor_labels

WHERE = {"": ("", ""), GROUPED: (" across sources", ", outside their source group")}
"""How the titles and meanings of metrics end, by the suffix of their keys."""
"""Which neighbors a metric is about: what its name ends in, and what its meaning says of it."""
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
        codes: (N,) class of each sample.
        groups: (N,) groups whose samples are not each other's neighbors.
        neighbors: its neighbors.
    """

    shares: NDArray[np.float64]
    codes: NDArray[np.intp]
    groups: NDArray[np.intp]
    neighbors: NeighborList

    @property
    def chances(self) -> NDArray[np.float64]:
        """(N,) what to expect of neighbors drawn at random: how many others have the class."""
        pairs = self.codes * (int(self.groups.max()) + 1) + self.groups
        same, own, both = (_occurrences(values) for values in (self.codes, self.groups, pairs))
        return (same - both) / (len(self.codes) - own)

    def losses(self, sources: NDArray[np.intp]) -> Losses:
        """Return what is lost without each source group, (N,) by number."""
        return NeighborsBySource.of(self.codes, self.neighbors, sources).losses()

    def mean(self, chance: Chance, losses: Losses) -> Measurement:
        """Return the mean share over samples, beside what to expect by chance.

        Args:
            chance: what to expect.
            losses: what is lost without each source group.
        """
        return self._mean(np.zeros_like(self.codes), chance, losses)

    def macro(self, chance: Chance, losses: Losses) -> Measurement:
        """Return the mean over classes of their samples' mean share; the arguments of `mean`."""
        return self._mean(self.codes, chance, losses)

    def _mean(self, parts: NDArray[np.intp], chance: Chance, losses: Losses) -> Measurement:
        """Return the mean over parts, (N,) by number, of their samples' mean share."""
        value = float((np.bincount(parts, self.shares) / np.bincount(parts)).mean())
        contributions = Contributions(value, losses.mean_without_groups(parts), losses.sources)
        return replace(beside_chance(value, chance), contributions=contributions)

    def class_intervals(self, losses: Losses) -> NDArray[np.float64]:
        """Return 95 % intervals of the mean share of each class that hold for all at once.

        Args:
            losses: what is lost without each source group.

        Returns:
            (classes, 2); NaN for a class in too few source groups.
        """
        errors = losses.errors(self.codes)
        groups = np.bincount(np.unique(np.stack([self.codes, losses.sources]), axis=1)[0])
        intervals = np.full((len(errors), 2), np.nan)
        for code, value in enumerate(self.by_class(self.shares)):
            if groups[code] >= FEWEST_GROUPS:
                spread = Spread(errors[code], groups[code] - 1)
                intervals[code] = interval_of(value, spread, (0, 1), count=len(errors))
        return intervals

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
        found[GROUPED] = agreement(codes, data.graph.grouped, data.sources, k)
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
    return Agreement(shares, codes, groups, looked_at)


def _occurrences(values: NDArray[np.intp]) -> NDArray[np.intp]:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return counts[inverse]
