"""How sure a metric is: intervals from source groups, and p-values of many methods."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from latentmap.config import Options

# With fewer the spread between them is too uncertain for an interval worth showing.
FEWEST_GROUPS = 10
TAILS = (0.025, 0.975)
# Parts that a jackknife leaves out, one at a time: more change its standard error little.
PARTS = 100


class StatisticsOptions(Options):
    """How chance and uncertainty are estimated.

    Attributes:
        resamples: bootstrap draws of the source groups, for the comparison of methods.
        permutations: of the labels, for chance levels and p-values; up to five times as many where
            a p-value by which methods are ranked is small.
        scheme: which labels change places in a permutation: all (`free`), those within a source
            group (`within`), or by default what the source groups allow (`auto`).
        seed: of both.
    """

    resamples: int = Field(default=1000, ge=1)
    permutations: int = Field(default=1000, ge=1)
    scheme: Literal["auto", "free", "within"] = "auto"
    seed: int = 0


def group_sums(
    scores: NDArray[np.float64], groups: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the sum and the number of the scores of every group, (groups, F) each."""
    known = ~np.isnan(scores)
    shape = (int(groups.max()) + 1, scores.shape[1])
    sums, counts = np.zeros(shape), np.zeros(shape)
    for column, values in enumerate(np.where(known, scores, 0.0).T):
        sums[:, column] = np.bincount(groups, values, minlength=shape[0])
        counts[:, column] = np.bincount(groups, known[:, column], minlength=shape[0])
    return sums, counts


def jackknife_parts(
    groups: NDArray[np.intp], seed: int, most: int | None = None
) -> list[NDArray[np.intp]]:
    """Deal the source groups into parts of like numbers of groups.

    Args:
        groups: (N,) number of each sample's source group, every one up to the largest in use.
        seed: of the order in which groups are dealt.
        most: so many parts at most; `PARTS` if not given.

    Returns:
        The samples of each part, ascending.
    """
    count = int(groups.max()) + 1
    parts = min(count, most or PARTS)
    part = (np.random.default_rng(seed).permutation(count) % parts)[groups]
    return [np.flatnonzero(part == number) for number in range(parts)]


def too_few(groups: int) -> str:
    """Say that so many source groups are too few."""
    return f"{groups} source {'group is' if groups == 1 else 'groups are'} too few"


def interval_parts(groups: NDArray[np.intp], seed: int) -> list[NDArray[np.intp]]:
    """Return the parts of a jackknife, none where the source groups are too few for an interval."""
    return jackknife_parts(groups, seed) if groups.max() + 1 >= FEWEST_GROUPS else []


class Spread(NamedTuple):
    """How uncertain a metric is.

    Attributes:
        error: its standard error.
        freedom: degrees of freedom of the error.
    """

    error: float
    freedom: float


def jackknife(without: NDArray[np.float64]) -> Spread:
    """Return the spread by the delete-a-group jackknife (Kott 2001, J. Off. Stat. 17, 521).

    For metrics that are not a mean of independent scores, where a bootstrap of the samples would
    take a sample that is drawn twice for two samples that coincide. The fewer parts make up most of
    the spread, the fewer degrees of freedom it has (after Satterthwaite 1946, Biometrics 2, 110).

    Args:
        without: (parts,) the metric without each of the parts of `jackknife_parts`.
    """
    parts = len(without)
    squares = np.square(without - without.mean())
    freedom = parts - 1.0
    if squares.any():
        kurtosis = float(np.square(squares).mean() / squares.mean() ** 2)
        freedom = min(freedom, 2 * parts / max(kurtosis - 1, 1.0))
    return Spread(math.sqrt((parts - 1) / parts * squares.sum()), freedom)


def interval_of(
    value: float,
    spread: Spread,
    bounds: tuple[float, float] | None = None,
    *,
    count: int = 1,
) -> tuple[float, float]:
    """Return the 95 % interval of a metric, with Student's t, inside its bounds.

    Args:
        value: the metric.
        spread: of it.
        bounds: lowest and highest possible value, if there are any.
        count: of intervals that hold at once in 95 % of samples (Bonferroni).
    """
    from scipy.special import stdtrit

    quantile = float(stdtrit(spread.freedom, 1 - TAILS[0] / count))
    return interval_within(value, spread, quantile, bounds)


def interval_within(
    value: float, spread: Spread, quantile: float, bounds: tuple[float, float] | None
) -> tuple[float, float]:
    """Return the interval of a metric that reaches so many standard errors, inside its bounds.

    Between bounds it is Wilson's (1927) for a share of as many independent samples as the standard
    error says that the data are worth (Korn and Graubard 1998, Surv. Methodol. 24, 193): it is
    longer towards the middle, and does not shrink to nothing at a bound. There, where all that was
    seen is alike, every part counts as one sample.

    Args:
        value: the metric.
        spread: of it.
        quantile: standard errors to each side.
        bounds: lowest and highest possible value, if there are any.
    """
    if bounds is None:
        return value - quantile * spread.error, value + quantile * spread.error
    low, width = bounds[0], bounds[1] - bounds[0]
    share = (value - low) / width
    variance = max(share * (1 - share), 0.0)
    samples = spread.freedom + 1
    if variance > 0 and spread.error > 0:
        samples = variance * (width / spread.error) ** 2
    ratio = quantile**2 / samples
    reach = math.sqrt(ratio * (variance + ratio / 4))
    ends = ((share + ratio / 2 + side * reach) / (1 + ratio) for side in (-1, 1))
    lowest, highest = (low + width * min(max(end, 0.0), 1.0) for end in ends)
    return lowest, highest


def holm(p_values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Adjust p-values for their number (Holm 1979); those that are NaN do not count.

    Args:
        p_values: (n,).
    """
    known = np.flatnonzero(~np.isnan(p_values))
    order = known[np.argsort(p_values[known], kind="stable")]
    adjusted = np.full(len(p_values), np.nan)
    steps = p_values[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return adjusted
