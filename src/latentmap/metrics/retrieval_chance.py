"""What retrieval would find by chance: labels change places on fixed rankings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latentmap.metrics.metric import SHARED_ROWS, LabelledEmbedding
from latentmap.metrics.permutation import Chance, chance_of
from latentmap.metrics.retrieval import Codes, Numbers, Retrieval, rankings, relevant_elsewhere

# Each permutation looks at all rankings: at most so many are drawn, and at least, or none.
PERMUTATIONS = (100, 20)
# Ranks that all of them may look at together.
CELLS = 2**25


def retrieval_chances(
    data: LabelledEmbedding, lists: Sequence[Retrieval]
) -> list[list[Chance]] | None:
    """Return what to expect of R-precision and MAP@R, by the permutations that neighbors have.

    Labels of source groups of different sizes change how frequent a label is when they change
    places. So from each permuted value that of rankings in random order is taken, and that of the
    labels as they are is added.

    Args:
        data: the embedding.
        lists: what is retrieved among some samples.

    Returns:
        Both for each of the lists; none where there are too many samples for enough permutations.
    """
    if len(data.codes) > SHARED_ROWS:
        return None
    most = min(data.statistics.permutations, PERMUTATIONS[0])
    permuted = data.exchange(data.codes).permuted(most, (data.statistics.seed, 2))
    table = np.concatenate(list(permuted), axis=1)
    longest = max(int(np.bincount(codes).max()) for codes in table.T) - 1
    affordable = CELLS // max(longest * len(table), 1)
    if affordable < min(PERMUTATIONS[1], most):
        return None
    found = []
    for one, ranked in zip(lists, _fixed_rankings(data, lists, longest), strict=True):
        expected = ranked.in_random_order(data.codes)
        draws = [
            ranked.values(codes) - ranked.in_random_order(codes) + expected
            for codes in table[:, :affordable].T
        ]
        pairs = zip(one.values.tolist(), np.transpose(draws), strict=True)
        found.append([chance_of(value, drawn) for value, drawn in pairs])
    return found


def in_random_order(relevant: Codes, groups: Codes) -> Numbers:
    """Return the expected R-precision and MAP@R of rankings in random order, (2,).

    Of M samples, a relevant one is at each rank with probability R / M. The expected precision
    there is that of itself and of the R - 1 others among the M - 1 at other ranks.

    Args:
        relevant: (N,) R, how many are relevant for each sample; 0 where it is no query.
        groups: (N,) groups whose samples are not ranked for each other.
    """
    asked = relevant > 0
    found, ranked = relevant[asked], (len(groups) - np.bincount(groups)[groups])[asked]
    harmonic = np.cumsum(1 / np.arange(1, found.max() + 1))[found - 1]
    others = (found - 1) / np.maximum(ranked - 1, 1)
    precision = (harmonic + others * (found - harmonic)) / ranked
    return np.array([(found / ranked).mean(), precision.mean()])


def _fixed_rankings(
    data: LabelledEmbedding, lists: Sequence[Retrieval], length: int
) -> list[_FixedRankings]:
    """Return so many of the nearest samples for every sample, for each of the lists."""
    count = len(data.codes)
    orders = [np.full((count, length), count) for _ in lists]
    own = max((np.bincount(one.groups)[one.groups] for one in lists), key=np.max)
    for rows, ranking in rankings(data, np.arange(count), length + own):
        for one, order in zip(lists, orders, strict=True):
            others = one.groups[ranking] != one.groups[rows, np.newaxis]
            rank = others.cumsum(axis=1) - 1
            row, column = np.nonzero(others & (rank < length))
            order[rows[row], rank[row, column]] = ranking[row, column]
    return [_FixedRankings(order, one.groups) for one, order in zip(lists, orders, strict=True)]


@dataclass(frozen=True)
class _FixedRankings:
    """The nearest samples for every sample, whatever their labels.

    Attributes:
        order: (N, n) rows; N where there are no more.
        groups: (N,) groups whose samples are not ranked for each other.
    """

    order: Codes
    groups: Codes

    def values(self, codes: NDArray[np.integer]) -> Numbers:
        """Return R-precision and MAP@R of (N,) labels, (2,)."""
        relevant = self._relevant(codes)
        padded = np.append(codes, np.full_like(codes[:1], -1))
        hits = padded[self.order] == codes[:, np.newaxis]
        ranks = np.arange(1, hits.shape[1] + 1)
        hits &= ranks <= relevant[:, np.newaxis]
        # Not more than SHARED_ROWS.
        count = hits.cumsum(axis=1, dtype=np.int16)
        found = np.stack([count[:, -1].astype(np.float64), (count * hits) @ (1 / ranks)])
        asked = relevant > 0
        mean: Numbers = (found[:, asked] / relevant[asked]).mean(axis=1)
        return mean

    def in_random_order(self, codes: NDArray[np.integer]) -> Numbers:
        """Return the same if rankings were in random order."""
        return in_random_order(self._relevant(codes), self.groups)

    def _relevant(self, codes: NDArray[np.integer]) -> Codes:
        return relevant_elsewhere(codes.astype(np.intp), self.groups)
