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
# Standard deviations of the expected means that are looked at: how many, and up to which multiple
# of that of the means that were found.
STEPS = 200
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
    expected ones are therefore taken to be normal around a common value, with a standard deviation
    of which nothing is known before (Gelman et al. 2013, Bayesian data analysis, section 5.4). They
    are drawn given what was found, and to each draw is added what chance makes of a fresh sample.

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
    centring = np.eye(count) - 1 / count
    noise = centring @ means.covariance[np.ix_(members, members)] @ centring
    # On these axes chance is independent; the first is the mean of all members.
    variances, axes = np.linalg.eigh(noise + centring * np.trace(noise))
    axes = axes[:, 1:]
    variances = np.maximum(variances[1:] - np.trace(noise), ROUNDING * variances[-1])
    found = axes.T @ means.values[members]
    rng = np.random.default_rng([means.seed, 1])
    spread = _drawn_spreads(found, variances, means.count, rng)[:, np.newaxis] ** 2
    kept = spread / (spread + variances)
    chance, fresh = rng.normal(size=(2, means.count, count - 1))
    expected = kept * found + np.sqrt(kept * variances) * chance
    again: Numbers = (expected + np.sqrt(variances) * fresh) @ axes.T
    return again


def _drawn_spreads(
    found: Numbers, variances: Numbers, count: int, rng: np.random.Generator
) -> Numbers:
    """Draw standard deviations of expected values, (count,), given what was found.

    Args:
        found: (m,) what was found, around 0.
        variances: (m,) what chance adds to the variance of each.
        count: of draws.
        rng: for the draws.
    """
    largest = WIDEST * np.sqrt(np.square(found).mean() + variances.mean())
    spreads = np.linspace(0, largest, STEPS)[:, np.newaxis]
    total = spreads**2 + variances
    logs = -(np.log(total) + found**2 / total).sum(axis=1) / 2
    weights = np.exp(logs - logs.max())
    drawn: Numbers = rng.choice(spreads[:, 0], count, p=weights / weights.sum())
    return drawn


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
