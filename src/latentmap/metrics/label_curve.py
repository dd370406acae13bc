"""The share of neighbors with a sample's label over k, from one graph, and its chance level."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from latentmap.metrics.agreement import agreement, beside_chance
from latentmap.metrics.losses import NeighborsBySource
from latentmap.metrics.metric import LabelledEmbedding, Measurement
from latentmap.metrics.permutation import RandomNeighbors, add_matches, chance_of, no_matches
from latentmap.neighbors.graph import NeighborList, nearest
from latentmap.neighbors.search import EXACT_ROWS

# At most: chance levels of a curve need no more.
PERMUTATIONS = 100
STEPS = (1, 2, 3, 5, 7)


def label_curve(
    data: LabelledEmbedding, neighbors: NeighborList, groups: NDArray[np.intp], k: int
) -> dict[int, Measurement]:
    """Return the mean same-label share of the k nearest neighbors for several k.

    It ends at the largest k at which every sample has k neighbors in the list. Of up to 30,000
    samples, what source groups contribute is known too.

    Args:
        data: the embedding.
        neighbors: nearest neighbors, as many as there are.
        groups: (N,) groups whose samples are not each other's neighbors.
        k: one that is to be among the others, if the list reaches to it.
    """
    most = int((neighbors.indices >= 0).sum(axis=1).min())
    places = _places(most, k)
    by_source = NeighborsBySource.of(data.codes, nearest(neighbors, most), data.sources)
    found = {}
    for place, draws in reversed([*zip(places, _permuted(data, neighbors, places), strict=True)]):
        agreed = agreement(data.codes, neighbors, groups, place)
        value = float(agreed.shares.mean())
        chance = chance_of(value, draws)
        if len(data.codes) > EXACT_ROWS:
            found[place] = beside_chance(value, chance)
        else:
            by_source = by_source.nearest(place)
            found[place] = agreed.mean(chance, by_source.losses())
    return {place: found[place] for place in places}


def _places(most: int, k: int) -> list[int]:
    """Return numbers of neighbors in steps that grow with them, the most, and k if it is less."""
    steps = {step * 10**power for power in range(len(str(most))) for step in STEPS}
    return sorted(place for place in {*steps, k, most} if place <= most)


def _permuted(
    data: LabelledEmbedding, neighbors: NeighborList, places: Sequence[int]
) -> NDArray[np.float64]:
    """Return the share at each place under permuted labels, (places, permutations).

    How frequent labels are is taken into account as for the share of a single k.
    """
    exchange, columns = data.exchange(data.codes), neighbors.indices.T
    apart = (data.sources[neighbors.indices] != data.sources[:, np.newaxis]).cumsum(axis=1)
    random = [RandomNeighbors(exchange, apart[:, place - 1] / place) for place in places]
    as_they_are = data.codes[:, np.newaxis]
    count = min(data.statistics.permutations, PERMUTATIONS)
    parts = []
    for table in exchange.permuted(count, (data.statistics.seed, 3)):
        same, shares = no_matches(table, most=places[-1]), []
        for start, place, expected in zip((0, *places), places, random, strict=False):
            add_matches(same, table, columns[start:place])
            share = same.sum(axis=0) / place
            if expected.varies:
                now, found = (expected.sums(each)[0].sum(axis=1) for each in (table, as_they_are))
                share += found - now
            shares.append(share / len(table))
        parts.append(np.stack(shares))
    return np.concatenate(parts, axis=1)
