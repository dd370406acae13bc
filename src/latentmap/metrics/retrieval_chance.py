"""What retrieval would find by chance: labels change places on fixed rankings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latentmap.metrics.metric import SHARED_ROWS, LabelledEmbedding
from latentmap.metrics.permutation import Chance, chance_of
from latentmap.metrics.retrieval import Codes, Numbers, Retrieval, relevant_elsewhere

# Each permutation looks at all rankings: at most so many are drawn, and at least, or none.
PERMUTATIONS = (100, 20)
# Ranks that all of them may look at together.
CELLS = 2**25


@dataclass(frozen=True)
class PermutedLabels:
    """Labels that have changed places, in the permutations that neighbors have.

    Attributes:
        table: (N, permutations) codes.
        depth: the largest number of others that have a sample's label, in any of them.
    """

    table: NDArray[np.integer]
    depth: int

    @classmethod
    def of(cls, data: LabelledEmbedding) -> PermutedLabels | None:
        """Draw them; none where there are too many samples for enough permutations."""
        if len(data.codes) > SHARED_ROWS:
            return None
        most = min(data.statistics.permutations, PERMUTATIONS[0])
        permuted = data.exchange(data.codes).permuted(most, (data.statistics.seed, 2))
        table = np.concatenate(list(permuted), axis=1)
        depth = max(int(np.bincount(codes).max()) for codes in table.T) - 1
        affordable = CELLS // max(depth * len(table), 1)
        if affordable < min(PERMUTATIONS[1], most):
            return None
        return cls(table[:, :affordable], depth)


def retrieval_chances(
    data: LabelledEmbedding, found: Retrieval, permuted: PermutedLabels
) -> list[Chance]:
    """Return what to expect of R-precision and MAP@R.

    Labels of source groups of different sizes change how frequent a label is when they change
    places. So from each permuted value that of rankings in random order is taken, and that of the
    labels as they are is added.

    Args:
        data: the embedding.
        found: what is retrieved among some samples, as many of them kept as is the `depth` of the
            permuted labels.
        permuted: the labels in other places.
    """
    relevant = np.stack(
        [relevant_elsewhere(codes, found.groups) for codes in permuted.table.T.astype(np.intp)],
        axis=1,
    )[found.queries]
    draws = _precisions(found, permuted.table, relevant)
    draws -= in_random_order(relevant, found.ranked)
    draws += in_random_order(found.relevant[found.queries], found.ranked)[:, np.newaxis]
    return [chance_of(*pair) for pair in zip(found.values.tolist(), draws, strict=True)]


def in_random_order(relevant: Codes, ranked: Codes) -> Numbers:
    """Return the expected R-precision and MAP@R of rankings in random order, (2, …).

    Of M samples, a relevant one is at each rank with probability R / M. The expected precision
    there is that of itself and of the R - 1 others among the M - 1 at other ranks.

    Args:
        relevant: (n, …) R, how many are relevant for each sample; 0 where it is no query.
        ranked: (n,) M, how many are ranked for it.
    """
    asked, found = relevant > 0, np.maximum(relevant, 1)
    among = ranked.reshape(-1, *(1,) * (relevant.ndim - 1))
    harmonic = np.cumsum(1 / np.arange(1, found.max() + 1))[found - 1]
    others = (found - 1) / np.maximum(among - 1, 1)
    precision = (harmonic + others * (found - harmonic)) / among
    means = [one.mean(axis=0, where=asked) for one in (found / among, precision)]
    return np.stack(means)


def _precisions(found: Retrieval, table: NDArray[np.integer], relevant: Codes) -> Numbers:
    """Return R-precision and MAP@R of permuted labels, (2, permutations).

    Args:
        found: the rankings.
        table: (N, permutations) labels.
        relevant: (n, permutations) R of each query.
    """
    padded = np.append(table, np.full_like(table[:1], -1), axis=0)
    own, looked_at = table[found.queries], relevant.astype(np.int16)  # at most SHARED_ROWS
    hits, precision = np.zeros(own.size, np.int16), np.zeros(own.size)
    for rank, column in enumerate(found.nearest.T, start=1):
        here = np.flatnonzero((padded[column] == own) & (looked_at >= rank))
        hits[here] += 1
        precision[here] += hits[here] / rank
    weights = np.where(relevant > 0, 1 / np.maximum(relevant, 1), 0) / (relevant > 0).sum(axis=0)
    sums = (each.reshape(own.shape) * weights for each in (hits, precision))
    return np.stack([one.sum(axis=0) for one in sums])
