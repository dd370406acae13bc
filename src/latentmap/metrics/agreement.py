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
        chances: (N,) the share's expected value if neighbors were drawn at random, in closed form.
        codes: (N,) class of each sample.
        neighbors: its neighbors.
    """

    shares: NDArray[np.float64]
    chances: NDArray[np.float64]
    codes: NDArray[np.intp]
    neighbors: NeighborList

    def mean(self, chance: Chance, sources: NDArray[np.intp]) -> Measurement:
        """Return the mean share over samples, beside what to expect by chance.

        Args:
            chance: what to expect.
            sources: (N,) number of each sample's source group.
        """
        return self._mean(np.zeros_like(self.codes), chance, sources)

    def macro(self, chance: Chance, sources: NDArray[np.intp]) -> Measurement:
        """Return the mean over classes of their samples' mean share; the arguments of `mean`."""
        return self._mean(self.codes, chance, sources)

    def _mean(
        self, parts: NDArray[np.intp], chance: Chance, sources: NDArray[np.intp]
    ) -> Measurement:
        """Return the mean over parts, (N,) by number, of their samples' mean share."""
        value = float((np.bincount(parts, self.shares) / np.bincount(parts)).mean())
        without = _Losses.of(self, sources).mean_without_groups(self.shares, parts)
        contributions = Contributions(value, without, sources)
        return replace(beside_chance(value, chance), contributions=contributions)

    def class_intervals(self, sources: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return 95 % intervals of the mean share of each class that hold for all at once.

        Args:
            sources: (N,) number of each sample's source group.

        Returns:
            (classes, 2); NaN for a class in too few source groups.
        """
        errors = _Losses.of(self, sources).errors(self.shares, self.codes)
        groups = np.bincount(np.unique(np.stack([self.codes, sources]), axis=1)[0])
        intervals = np.full((len(errors), 2), np.nan)
        for code, value in enumerate(self.by_class(self.shares)):
            if groups[code] >= FEWEST_GROUPS:
                spread = Spread(errors[code], groups[code] - 1)
                intervals[code] = interval_of(value, spread, (0, 1), count=len(errors))
        return intervals

    def by_class(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the mean of `shares` or `chances` over each class, (classes,)."""
        return np.bincount(self.codes, values) / np.bincount(self.codes)


@dataclass(frozen=True)
class _Losses:
    """What is lost without each source group: its samples, and what others find in them.

    The share of a sample is then that of the neighbors that are left. A sample of which none is
    left is lost, too.

    Attributes:
        group: (n,) the group that is left out.
        row: (n,) a sample whose share that changes.
        change: (n,) by how much; by all of it if the sample is lost.
        is_lost: (n,) whether it is.
    """

    group: NDArray[np.intp]
    row: NDArray[np.intp]
    change: NDArray[np.float64]
    is_lost: NDArray[np.bool_]

    @classmethod
    def of(cls, agreed: Agreement, sources: NDArray[np.intp]) -> _Losses:
        """Leave out each source group, (N,) by number."""
        # Each row's neighbors by their group, those that are missing first.
        found_in = neighbor_labels(sources, agreed.neighbors)
        order = found_in.argsort(axis=1)
        found_in = np.take_along_axis(found_in, order, axis=1)
        same = neighbor_labels(agreed.codes, agreed.neighbors) == agreed.codes[:, np.newaxis]
        same = np.take_along_axis(same, order, axis=1)
        is_first = np.ones_like(same)
        is_first[:, 1:] = found_in[:, 1:] != found_in[:, :-1]
        pair, (row, _), group = is_first.cumsum() - 1, np.nonzero(is_first), found_in[is_first]
        left = (found_in >= 0).sum(axis=1)[row] - np.bincount(pair)
        same_left = same.sum(axis=1)[row] - np.bincount(pair, same.ravel())
        after = np.divide(same_left, left, out=np.zeros(len(row)), where=left > 0)
        of_others = (group >= 0) & (group != sources[row])
        own = np.arange(len(sources))
        return cls(
            group=np.concatenate([sources, group[of_others]]),
            row=np.concatenate([own, row[of_others]]),
            change=np.concatenate([-agreed.shares, (after - agreed.shares[row])[of_others]]),
            is_lost=np.concatenate([np.ones(len(own), np.bool_), (left == 0)[of_others]]),
        )

    def mean_without_groups(
        self, shares: NDArray[np.float64], parts: NDArray[np.intp]
    ) -> NDArray[np.float64]:
        """Return the mean over parts of their samples' mean share without each source group.

        Args:
            shares: (N,) share of each sample with all groups.
            parts: (N,) its part, from 0: one of all samples, or one of each class.

        Returns:
            (groups,); NaN where no sample is left. A part without samples is left out.
        """
        groups = int(self.group.max()) + 1
        group, part, means = self._means(shares, parts)
        before = np.bincount(parts, shares) / np.bincount(parts)
        gone = np.isnan(means)
        changes = np.where(gone, 0, means) - before[part]
        total = before.sum() + np.bincount(group, changes, groups)
        remaining = len(before) - np.bincount(group, gone, groups)
        return np.divide(total, remaining, out=np.full(groups, np.nan), where=remaining > 0)

    def errors(self, shares: NDArray[np.float64], parts: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return the jackknife's standard error of each part's mean share, (parts,).

        Args:
            shares: (N,) share of each sample with all groups.
            parts: (N,) its part, from 0.
        """
        count, groups = int(parts.max()) + 1, int(self.group.max()) + 1
        _, part, means = self._means(shares, parts)
        before = np.bincount(parts, shares) / np.bincount(parts)
        changes = np.where(np.isnan(means), 0, means - before[part])
        sums, squares = (np.bincount(part, values, count) for values in (changes, changes**2))
        return np.sqrt(np.maximum((groups - 1) / groups * (squares - sums**2 / groups), 0))

    def _means(
        self, shares: NDArray[np.float64], parts: NDArray[np.intp]
    ) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
        """Return the means of parts without groups that change them: group, part, mean, (n,) each.

        NaN where no sample of the part is left.
        """
        count = int(parts.max()) + 1
        sums, sizes = np.bincount(parts, shares), np.bincount(parts)
        cell = self.group * count + parts[self.row]
        cells = np.arange((int(self.group.max()) + 1) * count)
        if len(cells) > len(cell):  # most of them would be empty
            cells, cell = np.unique(cell, return_inverse=True)
        group, part = np.divmod(cells, count)
        left = sizes[part] - np.bincount(cell, self.is_lost, len(cells))
        sums_left = sums[part] + np.bincount(cell, self.change, len(cells))
        means = np.divide(sums_left, left, out=np.full(len(cells), np.nan), where=left > 0)
        return group, part, means


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
    return Agreement(shares, _chances(codes, groups), codes, looked_at)


def _chances(codes: NDArray[np.intp], groups: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the share of each sample's class among the samples of other groups, (N,)."""
    pairs = codes * (int(groups.max()) + 1) + groups
    same, own, both = (_occurrences(values) for values in (codes, groups, pairs))
    return (same - both) / (len(codes) - own)


def _occurrences(values: NDArray[np.intp]) -> NDArray[np.intp]:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return counts[inverse]
