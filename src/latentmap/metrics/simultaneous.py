"""What holds of several methods at once: bands, differences and the set of the best.

All comes from one set of draws, in which the source groups get random weights and every method sees
the same (the multiplier bootstrap of a maximum; Chernozhukov, Chetverikov and Kato 2013,
doi:10.1214/13-AOS1161). Weights have a fixed length and sums their standard error, so that of one
method the draws are Student's t, and hold for few source groups too.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from latentmap.metrics.inference import group_sums

Numbers = NDArray[np.float64]

LEVEL = 0.05
# Columns whose differences have a smaller share of their squares are the same up to rounding.
ROUNDING = 1e-12
# Weights that are drawn at a time.
BATCH = 2**22
TINY = np.finfo(float).tiny


@dataclass(frozen=True)
class Estimates:
    """Some estimates that hold together, or fail together with a known probability.

    Attributes:
        values: (m,) means over source groups, or differences of such means.
        squares: (m,) their squared residuals, summed over source groups; 0 where what is compared
            is the same up to rounding.
        sums: (draws, m) their residuals, summed with random weights of the source groups.
        groups: how many source groups there are.
    """

    values: Numbers
    squares: Numbers
    sums: Numbers
    groups: int

    @property
    def errors(self) -> Numbers:
        """(m,) standard errors of the estimates."""
        errors: Numbers = np.sqrt(self.squares / (self.groups * (self.groups - 1)))
        return errors

    @cached_property
    def draws(self) -> Numbers:
        """(draws, m) what chance makes of an estimate, in standard errors."""
        return student(self.sums, self.squares, self.groups)

    def band(self, level: float = LEVEL) -> tuple[Numbers, Numbers]:
        """Return both ends, (m,), of intervals that all hold but for a share `level` of samples."""
        ends = self.reach(level) * self.errors
        return self.values - ends, self.values + ends

    def reach(self, level: float = LEVEL) -> float:
        """Return how many standard errors these intervals reach to each side."""
        return quantile(np.abs(self.draws).max(axis=1), level)


def student(sums: Numbers, squares: Numbers, groups: int) -> Numbers:
    """Return Student's t, (…, m), of sums over source groups, given their squares, (m,)."""
    lengths = np.sqrt(groups * squares)
    shares = np.divide(sums, lengths, out=np.zeros_like(sums), where=lengths > 0)
    rest = np.sqrt(np.maximum(1 - shares**2, np.finfo(float).eps))
    found: Numbers = math.sqrt(groups - 1) * shares / rest
    return found


def joined(parts: Sequence[Estimates]) -> Estimates:
    """Return several estimates as one family."""
    return Estimates(
        np.concatenate([part.values for part in parts]),
        np.concatenate([part.squares for part in parts]),
        np.concatenate([part.sums for part in parts], axis=1),
        parts[0].groups,
    )


def quantile(draws: Numbers, level: float) -> float:
    """Return what a share `level` of samples exceeds, given draws of what they give, (draws,)."""
    place = math.ceil((1 - level) * (len(draws) + 1))
    return float(np.sort(draws)[min(place, len(draws)) - 1])


@dataclass(frozen=True)
class GroupMeans:
    """Means over samples of several columns, and how they vary with the source groups.

    Attributes:
        values: (F,) the means.
        residuals: (G, F) what each source group adds to a mean, times G; they sum to 0.
        sizes: (G,) samples of each source group, over their mean number.
        count: of draws.
        seed: of the draws.
    """

    values: Numbers
    residuals: Numbers
    sizes: Numbers
    count: int
    seed: int

    @classmethod
    def of(cls, scores: Numbers, groups: NDArray[np.intp], count: int, seed: int) -> GroupMeans:
        """Take the scores of samples.

        Args:
            scores: (N, F), NaN where a sample has none; every column has some.
            groups: (N,) number of each sample's source group, every one up to the largest in use.
            count: of draws.
            seed: of the draws.
        """
        sums, counts = group_sums(scores, groups)
        values = sums.sum(axis=0) / counts.sum(axis=0)
        residuals = (sums - values * counts) / counts.mean(axis=0)
        return cls(values, residuals, counts.mean(axis=1) / counts.mean(), count, seed)

    @property
    def groups(self) -> int:
        """How many source groups there are."""
        return len(self.residuals)

    @cached_property
    def covariance(self) -> Numbers:
        """(F, F) of the means."""
        return self._products[:-1, :-1] / (self.groups * (self.groups - 1))

    @cached_property
    def _columns(self) -> Numbers:
        """(G, F + 1) residuals, and the sizes of the groups."""
        return np.column_stack([self.residuals, self.sizes])

    @cached_property
    def _products(self) -> Numbers:
        return self._columns.T @ self._columns

    @cached_property
    def _weighted(self) -> tuple[Numbers, Numbers]:
        """Sums of the columns, (draws, F + 1), under random weights of the source groups.

        Weights are on a sphere, with a mean square of 1. Second, the root mean square of each draw
        around its mean, (draws, 1).
        """
        rng = np.random.default_rng(self.seed)
        batch = max(1, BATCH // self.groups)
        sums, lengths = [], []
        for start in range(0, self.count, batch):
            weights = rng.normal(size=(min(batch, self.count - start), self.groups))
            weights /= np.sqrt(np.square(weights).mean(axis=1, keepdims=True))
            sums.append(weights @ self._columns)
            lengths.append(weights.std(axis=1, keepdims=True))
        return np.concatenate(sums), np.concatenate(lengths)

    @cached_property
    def _centred(self) -> Numbers:
        """The residuals' sums, (draws, F), under weights that sum to 0."""
        sums, lengths = self._weighted
        return sums[:, :-1] / lengths

    def means(self, members: Sequence[int]) -> Estimates:
        """Return the means of some columns."""
        squares = self._products.diagonal()[members]
        return Estimates(self.values[members], squares, self._centred[:, members], self.groups)

    def differences(self, one: int, others: Sequence[int]) -> Estimates:
        """Return the mean of one column minus those of others."""
        sums = self._centred[:, [one]] - self._centred[:, others]
        return Estimates(*self._apart(one, others), sums, self.groups)

    def _apart(self, one: int, others: Sequence[int]) -> tuple[Numbers, Numbers]:
        """Return one mean less others, and the squared residuals of these, (m,) each.

        Both are 0 where columns are the same up to rounding.
        """
        own = self._products.diagonal()
        sizes = own[one] + own[others]
        apart = self.values[one] - self.values[others]
        squares = sizes - 2 * self._products[one, others]
        rounding = ROUNDING * sizes
        alike = (squares <= rounding) & (apart**2 * self.groups**2 <= rounding)
        squares = np.maximum(squares, rounding + TINY)
        return np.where(alike, 0.0, apart), np.where(alike, 0.0, squares)

    def tested(self, one: int, others: Sequence[int]) -> Numbers:
        """Return Student's t, (m,), of the mean of one column minus those of others.

        Of what groups add to the difference, which is not centred: if columns do not differ, any
        rotation of it is as probable (Langsrud 2005, Stat. Comput. 15, 53). So its t-values under
        weights on a sphere, `tested_by_chance`, have the distribution of this one, exactly where
        scores are normal, however few source groups there are.
        """
        apart, squares = self._not_centred(one, others)
        return student(self.groups * apart, squares, self.groups)

    def tested_by_chance(self, one: int, others: Sequence[int]) -> Numbers:
        """Return what chance makes of `tested`, (draws, m), if the columns do not differ."""
        apart, squares = self._not_centred(one, others)
        sums, _ = self._weighted
        total = sums[:, [one]] - sums[:, others] + apart * sums[:, -1:]
        return student(total, squares, self.groups)

    def _not_centred(self, one: int, others: Sequence[int]) -> tuple[Numbers, Numbers]:
        """Return one mean less others, and the squares of what groups add to it, (m,) each."""
        apart, squares = self._apart(one, others)
        across = self._products[one, -1] - self._products[others, -1]
        return apart, squares + apart * (2 * across + apart * self._products[-1, -1])


def p_best(means: GroupMeans, members: Sequence[int]) -> Numbers:
    """Return the p-value of each member's being the best, or one of equal ones, (members,).

    The model confidence set of Hansen, Lunde and Nason 2011 (doi:10.3982/ECTA5771) for the largest
    difference between two members: if all that are left are equally good, is it so large? If not,
    the worse of the two leaves, and the question is asked again. Those with p > 0.05 cannot be
    excluded as best: in 95 % of samples all that are the best are among them.
    """
    left, leaving, largest = list(members), [], []
    ahead = np.stack([means.tested(one, members) for one in members])
    while left:
        behind = ahead.max(axis=0)
        place = int(behind.argmax())
        largest.append(behind[place])
        leaving.append(left.pop(place))
        ahead = np.delete(np.delete(ahead, place, axis=0), place, axis=1)
    found = {leaving[-1]: 1.0}
    for place, drawn in enumerate(largest_differences(means, leaving[::-1]), 1):
        one = leaving[-1 - place]
        reached = np.count_nonzero(drawn >= largest[-1 - place])
        found[one] = (1 + reached) / (1 + len(drawn))
    p_values = np.maximum.accumulate([found[one] for one in leaving]).tolist()
    of_member = dict(zip(leaving, p_values, strict=True))
    return np.array([of_member[one] for one in members])


def largest_differences(means: GroupMeans, members: Sequence[int]) -> Iterator[Numbers]:
    """Yield what chance makes of the largest difference of two, three, … and all members.

    In standard errors, (draws,), without regard to its sign.
    """
    largest = np.zeros(means.count)
    for count in range(1, len(members)):
        drawn = means.tested_by_chance(members[count], members[:count])
        largest = np.maximum(largest, np.abs(drawn).max(axis=1))
        yield largest


def p_different(means: GroupMeans, pairs: Sequence[tuple[int, int]]) -> Numbers:
    """Return the p-value of each pair of columns having the same mean, adjusted for all pairs.

    Stepwise, by the largest difference of those that are left (Westfall and Young 1993, Resampling-
    based multiple testing, algorithm 2.8).
    """
    found = np.abs([means.tested(one, [other])[0] for one, other in pairs])
    drawn = [np.abs(means.tested_by_chance(one, [other])[:, 0]) for one, other in pairs]
    order = np.argsort(found, kind="stable")
    largest = np.maximum.accumulate([drawn[place] for place in order])
    reached = (largest >= found[order, np.newaxis]).sum(axis=1)
    stepwise = np.maximum.accumulate(((1 + reached) / (1 + means.count))[::-1])[::-1]
    p_values = np.empty(len(pairs))
    p_values[order] = stepwise
    return p_values


def best_minus_best(
    means: GroupMeans, ones: Sequence[int], others: Sequence[int], level: float = LEVEL
) -> tuple[float, float]:
    """Return the interval of the best of some means minus the best of others, both unknown.

    The difference is the least that the best of `ones` is above any of `others`. So its lower end
    is the least of the lower ends against each of them, and these need to hold for all of `ones`
    at once, but not for all pairs (intersection-union; Berger 1982, Technometrics 24, 295). For the
    upper end the roles change.
    """
    low = min(-_least_behind(means, other, ones, level / 2) for other in others)
    high = max(_least_behind(means, one, others, level / 2) for one in ones)
    return low, high


def _least_behind(means: GroupMeans, one: int, others: Sequence[int], level: float) -> float:
    """Return an upper limit of how far one mean is above the largest of others."""
    apart = means.differences(one, others)
    reach = quantile(-apart.draws.min(axis=1), level)
    return float((apart.values + reach * apart.errors).min())


def same(means: GroupMeans, one: int, others: Sequence[int]) -> list[int]:
    """Return which of the others have the same scores as one, up to rounding."""
    squares = means.differences(one, others).squares
    return [other for other, square in zip(others, squares, strict=True) if square == 0]
