"""Permutation test of neighbor agreement on a fixed graph."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from latentmap.metrics.inference import BATCH, FEWEST_GROUPS, StatisticsOptions
from latentmap.neighbors.graph import NeighborList

Scheme = Literal["free", "within", "whole"]
# Shares of one sum, added up in another order, differ by less.
ROUNDING = 1e-9


@dataclass(frozen=True)
class Permutation:
    """Which labels change places.

    A permutation test holds if, where labels have nothing to do with the embedding, all orders
    that it draws are equally likely (Winkler et al. 2015, doi:10.1016/j.neuroimage.2015.05.092).
    Samples of one source group resemble each other, in the embedding and often in their labels,
    so that only groups, not samples, are alike:

    - `whole`: the labels of a group stay together and go to another group of the same size, each
      to the sample in its place; where every group has one label, to a group of any size. What
      samples share with their group's other samples is the same in every order, so a figure that
      is high because neighbors come from the same source is not taken for evidence.
    - `within`: labels change places inside their group. This asks less: whether the embedding
      tells labels apart that occur in one group.
    - `free`: all labels change places. It holds if every sample is a source group of its own.

    Attributes:
        scheme: one of these.
        reason: why.
        groups: (N,) number of each sample's source group.
        one_label: whether all samples of each group have one label and label group.
        count: how many permutations.
        seed: of the permutations, which are the same for all figures.
    """

    scheme: Scheme
    reason: str
    groups: NDArray[np.intp]
    one_label: bool
    count: int
    seed: int

    def test(self, codes: NDArray[np.intp], neighbors: NeighborList) -> tuple[float, float]:
        """Test the mean share of each sample's neighbors that have its class.

        Args:
            codes: (N,) class of each sample, from 0.
            neighbors: the nearest neighbors.

        Returns:
            p-value (1 + permutations with at least the share found) / (1 + permutations), and
            the mean share over permutations.
        """
        few = codes.max() < np.iinfo(np.int8).max
        narrow = codes.astype(np.int8) if few else codes.astype(np.int32)
        batches = [_shares(narrow[rows], neighbors) for rows in self._orders()]
        shares = np.concatenate(batches)
        found = _shares(narrow[np.newaxis], neighbors)[0]
        as_high = int(np.count_nonzero(shares >= found - ROUNDING))
        return (1 + as_high) / (1 + self.count), float(shares.mean())

    def _orders(self) -> Iterator[NDArray[np.intp]]:
        """Yield from which row each row takes its label, (some permutations, N)."""
        rng = np.random.default_rng(self.seed)
        rows = len(self.groups)
        batch = max(1, BATCH // rows)
        for start in range(0, self.count, batch):
            orders = np.tile(np.arange(rows), (min(batch, self.count - start), 1))
            if self.scheme == "whole" and self.one_label:
                firsts = np.unique(self.groups, return_index=True)[1]
                yield rng.permuted(np.tile(firsts, (len(orders), 1)), axis=1)[:, self.groups]
                continue
            if self.scheme == "free":
                yield rng.permuted(orders, axis=1)
                continue
            for members in _by_size(self.groups):
                orders[:, members] = self._shuffled(members, len(orders), rng)
            yield orders

    def _shuffled(
        self, members: NDArray[np.intp], count: int, rng: np.random.Generator
    ) -> NDArray[np.intp]:
        """Shuffle (groups, size) rows: the groups, or the rows of each; (count, groups, size)."""
        if self.scheme == "within":
            return rng.permuted(np.tile(members, (count, 1, 1)), axis=2)
        return members[rng.permuted(np.tile(np.arange(len(members)), (count, 1)), axis=1)]


def _by_size(groups: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    """Return the rows of the groups of each size, (groups, size), in the order of the rows."""
    sizes = np.bincount(groups)[groups]
    order = np.lexsort((groups, sizes))
    ends = np.flatnonzero(np.diff(sizes[order])) + 1
    return [rows.reshape(-1, sizes[rows[0]]) for rows in np.split(order, ends)]


def _shares(
    codes: NDArray[np.int8] | NDArray[np.int32], neighbors: NeighborList
) -> NDArray[np.float64]:
    """Return the mean share of same-class neighbors for each of (permutations, N) classes."""
    candidates = np.count_nonzero(neighbors.indices >= 0, axis=1)
    # Rows of many permutations lie together, and a missing neighbor (-1) has no class.
    table = np.full((codes.shape[1] + 1, len(codes)), -1, codes.dtype)
    table[:-1] = codes.T
    same = np.zeros((codes.shape[1], len(codes)), np.uint16)
    for column in neighbors.indices.T:
        same += table[column] == table[:-1]
    return (1 / (candidates * len(candidates))) @ same


def choose_permutation(
    labels: NDArray[np.str_],
    label_groups: NDArray[np.str_],
    source_groups: NDArray[np.str_],
    options: StatisticsOptions,
) -> Permutation:
    """Choose which labels change places by how labels and source groups are tied.

    Args:
        labels: (N,) of the samples.
        label_groups: (N,) their coarser classes.
        source_groups: (N,) of the samples.
        options: the scheme, if it is not to be chosen; the number of permutations and the seed.
    """
    _, firsts, groups = np.unique(source_groups, return_index=True, return_inverse=True)
    sizes = np.bincount(groups)
    one_label = all(bool((c == c[firsts][groups]).all()) for c in (labels, label_groups))
    scheme, reason = _scheme(sizes, one_label)
    if options.scheme != "auto":
        scheme, reason = options.scheme, "as configured"
    return Permutation(scheme, reason, groups, one_label, options.permutations, options.seed)


def _scheme(sizes: NDArray[np.intp], one_label: bool) -> tuple[Scheme, str]:
    """Return the scheme for groups of these sizes, and why."""
    if sizes.max() == 1:
        return "free", "every sample is a source group of its own"
    if one_label:
        return "whole", "all samples of a source group have one label"
    alike = sizes[np.bincount(sizes)[sizes] > 1]
    if len(alike) >= FEWEST_GROUPS and 2 * alike.sum() >= sizes.sum():
        return "whole", f"{len(alike)} of {len(sizes)} source groups have as many samples as others"
    return (
        "within",
        f"only {len(alike)} of {len(sizes)} source groups have as many samples as others",
    )
