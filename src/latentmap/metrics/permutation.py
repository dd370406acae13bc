"""What neighbors would agree on by chance: classes change places on a fixed neighbor graph."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from latentmap.metrics.exchange import Exchange
from latentmap.metrics.inference import TAILS, StatisticsOptions
from latentmap.neighbors.graph import NeighborList

# Where fewer permutations than this give as high a share as was found, more are drawn,
FEWEST_AS_HIGH = 10
# so many times as many in all, or of a large set so many as have this many cells.
MORE = 5
CELLS = 2**27
# A test that cannot give a smaller p-value says nothing.
LARGEST_FLOOR = 0.05
# Shares of one sum, added up in another order, differ by less.
ROUNDING = 1e-9
# Deviations are told in steps of this.
TOLD = 1e-4

Numbers = NDArray[np.float64]
Classes = NDArray[np.integer]


@dataclass(frozen=True)
class Chance:
    """What a metric is where classes have nothing to do with the embedding.

    Attributes:
        mean: over permutations of the classes.
        range: from 2.5 % to 97.5 % of the permutations.
        p_value: (1 + permutations with at least the metric found) / (1 + permutations); None where
            the orders that are possible are too few for a small one.
        note: what to say of the p-value, if anything.
    """

    mean: float
    range: tuple[float, float]
    p_value: float | None
    note: str | None


def chance_of(found: float, draws: Numbers, more: Sequence[Numbers] = ()) -> Chance:
    """Hold a metric against the same metric under permutations.

    Args:
        found: the metric.
        draws: (permutations,) that mean and range are taken of.
        more: further permutations, for the p-value.
    """
    every = np.concatenate([draws, *more])
    low, high = np.quantile(draws, TAILS)
    p_value: float | None = float((1 + _as_high(every, found)) / (1 + len(every)))
    # What the highest of all orders would get, the one found included.
    floor = float(_as_high(np.append(every, found), max(found, every.max())) / (1 + len(every)))
    note = None
    if floor > LARGEST_FLOOR:
        p_value, note = None, f"No p-value: labels have too few orders for one below {floor:.2g}."
    elif floor > 2 / (1 + len(every)):
        note = f"Labels have so few orders that no p-value below {floor:.2g} is possible."
    return Chance(float(draws.mean()), (float(low), float(high)), p_value, note)


def _as_high(draws: Numbers, found: float | Numbers) -> NDArray[np.intp]:
    """Return how many of the draws, along the last axis, are at least as high as what was found."""
    return np.count_nonzero(draws >= found - ROUNDING, axis=-1)


def most_permutations(options: StatisticsOptions, samples: int) -> int:
    """Return how many permutations a p-value of so many samples may come from."""
    return max(options.permutations, min(MORE * options.permutations, CELLS // samples))


@dataclass(frozen=True)
class ChanceLevels:
    """What to expect of the share of same-class neighbors.

    Attributes:
        overall: of its mean over all samples.
        macro: of its mean over classes.
        by_class: (permutations, classes) its mean over the samples of each class.
    """

    overall: Chance
    macro: Chance
    by_class: Numbers

    def deviations(self, found: Numbers) -> tuple[Numbers, Numbers]:
        """Return how far each class is from its chance level, and how far one is by chance.

        In standard deviations over the permutations and the order found, of square roots, because
        the shares of small classes are skewed. A class is told from chance where its deviation is
        larger than the largest of any class is in 95 % of the permutations (max-T; Westfall and
        Young 1993, Resampling-Based Multiple Testing); `deviation_p` says how sure that is.

        Args:
            found: (classes,) mean share of each class.

        Returns:
            (classes,), NaN for a class whose share is the same in every order; and (permutations,),
            the largest of all classes, whatever its sign.
        """
        roots = np.sqrt(np.maximum(np.vstack([found, self.by_class]), 0))
        apart, scale = roots - roots.mean(axis=0), roots.std(axis=0)
        varies = scale > ROUNDING
        scaled = np.full_like(roots, np.nan)
        scaled[:, varies] = apart[:, varies] / scale[varies]
        largest = np.abs(apart[1:, varies] / scale[varies]).max(axis=1, initial=0)
        return scaled[0], largest


def deviation_p(deviation: float, largest: Sequence[Numbers]) -> float:
    """Return the p-value of one deviation among those of all classes of several embeddings.

    Args:
        deviation: of a class.
        largest: (permutations,) of each embedding, under the same permutations.
    """
    reached = np.max(largest, axis=0) >= abs(deviation) - TOLD
    return float((1 + np.count_nonzero(reached)) / (1 + len(reached)))


def chance_levels(
    exchange: Exchange,
    lists: Sequence[NeighborList],
    options: StatisticsOptions,
    *,
    precise: bool = False,
) -> list[ChanceLevels]:
    """Return what to expect of each neighbor list if classes had nothing to do with neighbors.

    If precise p-values are asked for, the permutations go on, up to `most_permutations`, where
    fewer than `FEWEST_AS_HIGH` give as high a share as was found. A p-value that stops early is not
    small, so that the test keeps its size at every level (Besag and Clifford 1991,
    doi:10.1093/biomet/78.2.301), and a small one is known well enough to be adjusted for the number
    of embeddings.

    Args:
        exchange: the classes, and which samples change places: in the same orders for all lists.
        lists: neighbor lists of the same samples.
        options: the number of permutations, and their seed.
        precise: whether small p-values come from more permutations.
    """
    shares = [SameClassShares(exchange, neighbors) for neighbors in lists]
    found = [one.means(one.as_they_are)[0] for one in shares]
    drawn = _drawn(shares, exchange.permuted(options.permutations, (options.seed, 0)))
    rare = [
        precise & (_as_high(means, value) < FEWEST_AS_HIGH)
        for (means, _), value in zip(drawn, found, strict=True)
    ]
    unsettled = [place for place, either in enumerate(rare) if either.any()]
    further: dict[int, Numbers] = {}
    count = most_permutations(options, len(exchange.codes)) - options.permutations
    if unsettled and count:
        tables = exchange.permuted(count, (options.seed, 1))
        again = _drawn([shares[place] for place in unsettled], tables)
        further = {place: means for place, (means, _) in zip(unsettled, again, strict=True)}
    levels = []
    for place, (means, by_class) in enumerate(drawn):
        overall, macro = (
            chance_of(
                float(found[place][which, 0]),
                means[which],
                [further[place][which]] if place in further and rare[place][which] else (),
            )
            for which in (0, 1)
        )
        levels.append(ChanceLevels(overall, macro, by_class))
    return levels


def _drawn(
    shares: Sequence[SameClassShares], tables: Iterable[Classes]
) -> list[tuple[Numbers, Numbers]]:
    """Return what `means` gives of each list, over all permutations in some tables."""
    parts = [[one.means(table) for one in shares] for table in tables]
    return [
        (np.concatenate(means, axis=1), np.concatenate(by_class))
        for means, by_class in (zip(*of_one, strict=True) for of_one in zip(*parts, strict=True))
    ]


@dataclass(frozen=True)
class SameClassShares:
    """The mean share of each sample's neighbors that have its class, under permuted classes.

    Pure source groups of different sizes change how frequent a class is when they exchange it, and
    with it the share that neighbors at random would have. So from the share under each permutation
    this expected value is taken (`RandomNeighbors`), and that of the classes as they are is added.
    Where the groups that exchange classes are of one size, the plain share is left.

    Attributes:
        exchange: the classes, and which samples change places.
        neighbors: the nearest neighbors.
    """

    exchange: Exchange
    neighbors: NeighborList

    @cached_property
    def sizes(self) -> NDArray[np.intp]:
        """(classes,) samples of each class."""
        return np.bincount(self.exchange.codes)

    def means(self, table: Classes) -> tuple[Numbers, Numbers]:
        """Return the means for (N, some) classes.

        Returns:
            The mean over all samples and the mean over classes, (2, some); and the mean over the
            samples of each class, (some, classes).
        """
        classes, width = len(self.sizes), table.shape[1]
        cells = table + classes * np.arange(width)
        matches = no_matches(table, most=self.neighbors.k)
        add_matches(matches, table, self.neighbors.indices.T)
        shares = matches * self._weights[:, np.newaxis]
        sums = np.bincount(cells.ravel(), shares.ravel(), classes * width).reshape(width, classes)
        overall, by_class = sums.sum(axis=1) / len(table), sums / self.sizes
        if self._random.varies:
            (expected, samples), (found, _) = self._random.sums(table), self._random_sums
            overall = (sums - expected + found).sum(axis=1) / len(table)
            by_class = (sums - expected) / samples + found / self.sizes
        return np.stack([overall, by_class.mean(axis=1)]), by_class

    @property
    def as_they_are(self) -> Classes:
        """The classes as they are, (N, 1)."""
        return self.exchange.codes[:, np.newaxis]

    @cached_property
    def _weights(self) -> Numbers:
        """(N,) one over the number of neighbors of each row."""
        return 1 / np.count_nonzero(self.neighbors.indices >= 0, axis=1)

    @cached_property
    def _random_sums(self) -> tuple[Numbers, Numbers]:
        return self._random.sums(self.as_they_are)

    @cached_property
    def _random(self) -> RandomNeighbors:
        indices, groups = self.neighbors.indices, self.exchange.groups
        others = (groups[indices] != groups[:, np.newaxis]) & (indices >= 0)
        return RandomNeighbors(self.exchange, others.sum(axis=1) * self._weights)


def no_matches(table: Classes, *, most: int) -> NDArray[np.integer]:
    """Return zeros of the shape of (N, some) classes, of a type that counts so many neighbors."""
    return np.zeros(table.shape, np.uint8 if most < 256 else np.int32)


def add_matches(
    matches: NDArray[np.integer], table: Classes, neighbors: NDArray[np.integer]
) -> None:
    """Count the neighbors of each row that have its class, under permuted classes.

    Args:
        matches: (N, some), to which they are added.
        table: (N, some) classes.
        neighbors: (k, N) rows; -1 where a neighbor is missing.
    """
    # The last row is for -1.
    padded = np.append(table, np.full_like(table[:1], -1), axis=0)
    of_neighbor, equal = np.empty_like(table), np.empty(table.shape, np.bool_)
    for column in neighbors:
        np.take(padded, column, axis=0, out=of_neighbor, mode="wrap")
        np.equal(of_neighbor, table, out=equal)
        matches += equal.view(np.uint8)


@dataclass(frozen=True)
class RandomNeighbors:
    """How often neighbors would have a sample's class if they were drawn at random.

    As many of a sample's neighbors as in the graph are drawn from its own source group, the others
    from all samples of other groups.

    Attributes:
        exchange: the classes, and which samples change places.
        others: (N,) share of each sample's neighbors that are of other source groups.
    """

    exchange: Exchange
    others: Numbers

    @cached_property
    def varies(self) -> bool:
        """Whether orders differ in it, which pure groups of different sizes make them do."""
        pure = self.exchange.sizes[~self.exchange.is_mixed]
        return self.exchange.whole and bool((pure != pure[:1]).any())

    def sums(self, table: Classes) -> tuple[Numbers, Numbers]:
        """Return the shares summed over each class, and its samples, (some, classes) each.

        Args:
            table: (N, some) classes.
        """
        pure, width = table[self.exchange.pure_firsts], table.shape[1]
        kinds, classes = len(self._pure_sizes[0]), int(self.exchange.codes.max()) + 1
        cells = pure + classes * (self._pure_sizes[1][:, np.newaxis] + kinds * np.arange(width))
        counts = np.bincount(cells.ravel(), minlength=width * kinds * classes)
        of_pure = counts.reshape(width, kinds, classes).transpose(0, 2, 1) @ self._of_pure
        samples, any_other, own = np.moveaxis(of_pure + self._of_mixed, 2, 0)
        return samples * any_other + own, samples

    @cached_property
    def _pure_sizes(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """The sizes of pure groups, and the place of each group's size among them."""
        sizes = self.exchange.sizes[~self.exchange.is_mixed]
        return np.unique(sizes, return_inverse=True)

    @cached_property
    def _of_pure(self) -> Numbers:
        """(sizes of pure groups, 3) what one adds to `sums` of its class."""
        sizes = self._pure_sizes[0]
        return self._added(sizes.astype(np.float64), sizes)

    @cached_property
    def _of_mixed(self) -> Numbers:
        """(classes, 3) what all mixed groups add to `sums`, the same in every order."""
        exchange, classes = self.exchange, int(self.exchange.codes.max()) + 1
        cells = exchange.groups * classes + exchange.codes
        counts = np.bincount(cells, minlength=len(exchange.sizes) * classes)
        members = counts.reshape(-1, classes)[exchange.is_mixed].T.astype(np.float64)
        added: Numbers = self._added(members, exchange.sizes[exchange.is_mixed]).sum(axis=1)
        return added

    def _added(self, members: Numbers, sizes: NDArray[np.intp]) -> Numbers:
        """Return what groups add for so many (…, groups) members of one class, (…, groups, 3).

        The members; the chance that a neighbor from other groups is one certain sample, summed over
        the members; and the share found in the own group, less what would be counted twice.
        """
        # The same for all groups of one size, so that exchanges among them change nothing.
        of_rows = self.exchange.sizes[self.exchange.groups]
        others = (np.bincount(of_rows, self.others) / np.maximum(np.bincount(of_rows), 1))[sizes]
        apart = others / np.maximum(len(self.others) - sizes, 1)
        inside = (1 - others) / np.maximum(sizes - 1, 1)
        own = inside * members * (members - 1) - apart * members**2
        return np.stack([members, apart * members, own], axis=-1)
