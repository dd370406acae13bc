"""What other samples would say: a fresh one of the same size, and a larger one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from latentmap.metrics.simultaneous import (
    LEVEL,
    ROUNDING,
    GroupMeans,
    Numbers,
    largest_differences,
    quantile,
    same,
)

# Share of larger samples in which two methods would be told apart.
POWER = 0.8
# Times the source groups there are; how many more would be needed is too uncertain to be said.
FURTHEST = 100
# At most so many methods lead: more are seen as a wide spread of all.
LEADERS = 4
# Standard deviations of the expected means that are looked at: how many, and up to which multiple
# of that of the means that were found.
STEPS = 15
WIDEST = 3


@dataclass(frozen=True)
class FreshSample:
    """What a fresh sample of as many source groups would make of a ranking.

    Attributes:
        keeps_best: probability that the best is the best again, or as good as it.
        kendall: expected rank correlation (Kendall's tau) of both rankings, and where it lies in
            95 % of fresh samples; None of fewer than three methods. Of methods with the same
            scores one counts.
    """

    keeps_best: float
    kendall: tuple[float, float, float] | None


def fresh_sample(means: GroupMeans, members: Sequence[int]) -> FreshSample:
    """Predict what a fresh sample would make of the ranking of some columns.

    The means that were found spread more than those that are expected, by what chance adds. The
    expected ones are therefore taken to be normal around a common value, but for a few that lead,
    whose distance may be as large as that of the best (spike and slab; George and McCulloch 1993,
    J. Am. Stat. Assoc. 88, 881). How many lead is not known before, nor which, nor the standard
    deviation of the others. Expected means are drawn given what was found, and to each draw is
    added what chance makes of a fresh sample.

    Args:
        means: of all columns.
        members: two columns or more, best first.
    """
    distinct = _distinct(means, members)
    if len(distinct) < 2:
        return FreshSample(1.0, None)
    drawn = _drawn_again(means, distinct)
    keeps = float((drawn.argmax(axis=1) == 0).mean())
    if len(distinct) < 3:
        return FreshSample(keeps, None)
    # Members come best first, so that every pair a draw leaves in its order agrees.
    agreed = [
        np.sign(one[:, np.newaxis] - drawn[:, place:]).sum(axis=1)
        for place, one in enumerate(drawn.T[:-1], 1)
    ]
    taus = np.sum(agreed, axis=0) / math.comb(len(distinct), 2)
    low, high = np.quantile(taus, (LEVEL / 2, 1 - LEVEL / 2))
    return FreshSample(keeps, (float(taus.mean()), float(low), float(high)))


def _distinct(means: GroupMeans, members: Sequence[int]) -> list[int]:
    """Return the members without those that have the scores of one before them."""
    left, found = list(members), []
    while left:
        one, *left = left
        found.append(one)
        twins = set(same(means, one, left))
        left = [other for other in left if other not in twins]
    return found


def _drawn_again(means: GroupMeans, members: Sequence[int]) -> Numbers:
    """Return the means of fresh samples around the mean of all members, (draws, members)."""
    count = len(members)
    contrasts = np.linalg.svd(np.eye(count) - 1 / count)[0][:, :-1]
    values = means.values[members]
    found = contrasts.T @ values
    noise = contrasts.T @ means.covariance[np.ix_(members, members)] @ contrasts
    noise += np.eye(count - 1) * (ROUNDING * np.square(found).mean() + np.finfo(float).tiny)
    priors, weights = _priors(values - values.mean(), noise)
    totals = [noise + contrasts.T @ (prior[:, np.newaxis] * contrasts) for prior in priors]
    logs = np.log(weights) + [_log_density(found, total) for total in totals]
    weights = np.exp(logs - logs.max())
    rng = np.random.default_rng([means.seed, 1])
    chosen = rng.choice(len(priors), means.count, p=weights / weights.sum())
    root = np.linalg.cholesky(noise)
    again = np.empty((means.count, count))
    for place in np.unique(chosen):
        rows = np.flatnonzero(chosen == place)
        # A draw of expected values and of a sample of theirs, moved to the sample that was found.
        expected = np.sqrt(priors[place]) * rng.normal(size=(len(rows), count))
        chance, fresh = (rng.normal(size=(len(rows), count - 1)) @ root.T for _ in range(2))
        away = np.linalg.solve(totals[place], (found - expected @ contrasts - chance).T).T
        expected += away @ contrasts.T * priors[place]
        again[rows] = (expected @ contrasts + fresh) @ contrasts.T
    return again


def _priors(away: Numbers, noise: Numbers) -> tuple[list[Numbers], Numbers]:
    """Return variances of the expected values, (members,) each, and how probable they are before.

    Args:
        away: (members,) means less the mean of all, the largest first.
        noise: covariance of their contrasts.
    """
    count = len(away)
    largest = WIDEST * math.sqrt(np.square(away).mean() + noise.diagonal().mean())
    spreads = largest * np.linspace(0, 1, STEPS) ** 2
    steps = np.gradient(spreads) / largest
    priors, weights = [], []
    for leaders in range(min(LEADERS, count - 2) + 1):
        for spread, step in zip(spreads, steps, strict=True):
            prior = np.full(count, spread**2)
            prior[:leaders] += away[0] ** 2
            priors.append(prior)
            weights.append(step / math.comb(count, leaders))
    return priors, np.array(weights)


def _log_density(found: Numbers, covariance: Numbers) -> float:
    """Return the logarithm of a normal density around 0, up to a constant."""
    root = np.linalg.cholesky(covariance)
    scaled = np.linalg.solve(root, found)
    return float(-np.log(root.diagonal()).sum() - scaled @ scaled / 2)


def groups_needed(means: GroupMeans, one: int, other: int, rivals: Sequence[int]) -> float:
    """Return how many source groups would tell one column from another, with a power of 80 %.

    Args:
        means: of all columns.
        one: a column.
        other: one that it differs from.
        rivals: the columns of which these two are the best: in whatever comparison of them all the
            two must be told apart.

    Returns:
        The number, if the difference is as large as it was found to be; infinite if it is 0.
    """
    *_, largest = largest_differences(means, rivals)
    ratio = abs(float(means.tested(one, [other])[0]))
    if ratio == 0:
        return math.inf
    from scipy.special import ndtri

    wanted = quantile(largest, LEVEL) + float(ndtri(POWER))
    return means.groups * (wanted / ratio) ** 2
