"""Whether which method is best depends on how many neighbors are looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from latentmap.metrics.inference import StatisticsOptions
from latentmap.metrics.simultaneous import LEVEL, GroupMeans, p_best


@dataclass(frozen=True)
class BestAtK:
    """Which methods are best for one number of neighbors.

    Attributes:
        k: the number.
        best: column of the method with the largest mean.
        may_be_best: columns of the methods that cannot be excluded as best.
    """

    k: int
    best: int
    may_be_best: frozenset[int]


def best_by_k(
    by_k: Mapping[int, NDArray[np.float64]], groups: NDArray[np.intp], options: StatisticsOptions
) -> list[BestAtK]:
    """Return which methods are best for each number of neighbors.

    In 95 % of samples all that are the best are among those that may be, for all numbers at once.

    Args:
        by_k: (N, methods) scores, by the number of neighbors.
        groups: (N,) number of each sample's source group, every one up to the largest in use.
        options: how many draws, and their seed.
    """
    scores = np.concatenate(list(by_k.values()), axis=1)
    means = GroupMeans.of(scores, groups, options.resamples, options.seed)
    columns = np.arange(scores.shape[1]).reshape(len(by_k), -1)
    found = []
    for k, here in zip(by_k, columns, strict=True):
        p_values = p_best(means, here.tolist())
        left = np.flatnonzero(p_values > LEVEL / len(by_k)).tolist()
        found.append(BestAtK(k, int(means.values[here].argmax()), frozenset(left)))
    return found


def apart(found: Sequence[BestAtK]) -> tuple[BestAtK, BestAtK] | None:
    """Return two numbers of neighbors that have no method in common that may be best, if any.

    Of several pairs, those that are the farthest from each other.
    """
    pairs = [
        (one, other)
        for one, other in combinations(found, 2)
        if not one.may_be_best & other.may_be_best
    ]
    return max(pairs, key=lambda pair: pair[1].k / pair[0].k, default=None)
