"""How similar embeddings of the same samples are, and how similar they would be by chance."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latentmap.metrics.exchange import Exchange
from latentmap.neighbors.distances import Points

LEVEL = 0.95
# Cells of the table of who is whose neighbor that is kept at a time.
CELLS = 2**26
# Pairs of samples that are looked up together, so that they stay in the processor's cache.
PAIRS = 2**11

Matrix = NDArray[np.float64]
Permutation = NDArray[np.intp]


@dataclass(frozen=True)
class Similarity:
    """The similarity of every pair of M embeddings.

    Attributes:
        values: (M, M); NaN where it is not defined.
        chance: (M, M) mean if the samples of one of them are permuted.
        limit: (M, M) what is above it has p ≤ 0.05 under such permutations.
    """

    values: Matrix
    chance: Matrix
    limit: Matrix


def group_order(groups: NDArray[np.intp], rng: np.random.Generator) -> NDArray[np.intp]:
    """Return the rows source group by source group, the groups in random order, (N,)."""
    return np.argsort(rng.permutation(groups.max() + 1)[groups], kind="stable")


def group_permutations(
    groups: NDArray[np.intp], count: int, seed: int | Sequence[int]
) -> list[Permutation]:
    """Return permutations of the rows that leave source groups what they are.

    Samples of one source group resemble each other in any embedding. A null hypothesis that took
    them apart would call that agreement. So the rows of a group take the places of those of another
    group of the same size, in any order (see `Exchange`); where all groups differ in size, rows
    change places inside their group only.

    Args:
        groups: (N,) source group of each row, every number up to the largest in use.
        count: of permutations.
        seed: of the permutations.
    """
    return list(Exchange(np.arange(len(groups)), groups).draws(count, seed))


def neighbor_jaccard(
    lists: Sequence[NDArray[np.int32]],
    rows: NDArray[np.intp],
    permutations: Sequence[Permutation],
) -> Similarity:
    """Return the mean share of neighbors in common: of both lists of a sample, those in each.

    Args:
        lists: M times (N, k) neighbors; -1 where there is none.
        rows: the samples to take the mean over.
        permutations: of the N samples, for the chance level.
    """
    table = np.stack(lists)
    count = table.shape[1]
    orders = [np.arange(count), *permutations]
    sums = np.zeros((len(orders), len(table), len(table)))
    height = max(1, CELLS // (count * len(table)))
    for start in range(0, len(rows), height):
        here = rows[start : start + height]
        listed = _Listed.of(table[:, here], count)
        for order, total in zip(orders, sums, strict=True):
            names, places = np.append(order, -1), np.empty(count, np.intp)
            places[order] = np.arange(count)
            total += listed.jaccard(names[table[:, places[here]]])
    values, *permuted = sums / len(rows)
    return _against_null(values, permuted)


@dataclass(frozen=True)
class _Listed:
    """Which samples several embeddings list as neighbors of some rows.

    Attributes:
        bits: (n, N + 1, bytes) a bit for each embedding; the last sample stands for none.
        sizes: (M, n) neighbors of each row.
    """

    bits: NDArray[np.uint8]
    sizes: NDArray[np.intp]

    @classmethod
    def of(cls, lists: NDArray[np.int32], count: int) -> _Listed:
        """Take (M, n, k) neighbors among `count` samples; -1 where there is none."""
        bits = np.zeros((lists.shape[1], count + 1, -(-len(lists) // 8)), np.uint8)
        rows = np.arange(lists.shape[1])[:, np.newaxis]
        for place, neighbors in enumerate(lists):
            bits[rows, neighbors, place // 8] |= np.uint8(128 >> place % 8)
        bits[:, -1] = 0
        return cls(bits, (lists >= 0).sum(axis=2))

    def jaccard(self, others: NDArray[np.integer]) -> Matrix:
        """Return the Jaccard indices of every list with (M, n, k) other lists, summed over rows."""
        rows, count = np.arange(others.shape[1]), len(self.sizes)
        each = np.zeros((*others.shape[:2], count), np.int32)
        for column in np.moveaxis(others, 2, 0):
            each += np.unpackbits(self.bits[rows, column], axis=-1, count=count)
        both = each.transpose(2, 0, 1)
        sizes = (others >= 0).sum(axis=2)
        indices: Matrix = both / (self.sizes[:, np.newaxis] + sizes - both)
        return indices.sum(axis=2)


def gram(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the (n, n) inner products of the centred rows, scaled to a norm of one.

    All NaN if the rows are all the same.
    """
    products = Points(values).products(slice(0, len(values)))
    # The centre is rounded to float32, of which nothing may be left.
    products -= products.mean(axis=0)
    products -= products.mean(axis=1, keepdims=True)
    norm = np.linalg.norm(products) if (values != values[0]).any() else np.nan
    return (products / norm).astype(np.float32)


def linear_cka(
    grams: Sequence[NDArray[np.float32]], permutations: Iterable[Permutation]
) -> Similarity:
    """Return the linear centred kernel alignment (Kornblith et al. 2019, arXiv:1905.00414).

    It is 1 for embeddings that differ by a rotation, a shift and a factor.

    Args:
        grams: M times (n, n) from `gram`.
        permutations: of the n samples, for the chance level.
    """
    # (n, n, M): what all matrices have in one place lies together.
    stack = np.stack(grams, axis=-1)
    count, flat = len(stack), stack.reshape(-1, len(grams))
    diagonals = np.diagonal(stack)
    # The matrices are symmetric: of each pair of entries one is enough.
    rows, columns = np.triu_indices(count, 1)
    above = np.ascontiguousarray(flat[rows * count + columns].T)
    parts = [slice(start, start + PAIRS) for start in range(0, len(rows), PAIRS)]

    def products(order: Permutation) -> Matrix:
        places = order[rows] * count + order[columns]
        total: Matrix = (diagonals @ diagonals[:, order].T).astype(np.float64)
        for part in parts:
            total += 2 * (above[:, part] @ np.take(flat, places[part], axis=0))
        return total

    values = products(np.arange(count))
    return _against_null(values, map(products, permutations))


def procrustes(
    maps: Sequence[NDArray[np.floating]], permutations: Iterable[Permutation]
) -> Similarity:
    """Return how much of each map's variance the other explains once laid over it.

    One less the disparity of scipy.spatial.procrustes: maps are shifted, scaled, rotated and
    mirrored onto each other (Gower 1975, doi:10.1007/BF02291478).

    Args:
        maps: M times (n, axes) coordinates.
        permutations: of the n samples, for the chance level.
    """
    stack = np.stack(maps).astype(np.float64)
    stack -= stack.mean(axis=1, keepdims=True)
    norms = np.linalg.norm(stack, axis=(1, 2), keepdims=True)
    defined = norms[:, 0, 0] > 0
    stack /= np.where(norms > 0, norms, 1)

    def explained(other: Matrix) -> Matrix:
        products = np.einsum("inx,jny->ijxy", stack, other, optimize=True)
        values: Matrix = np.linalg.svd(products, compute_uv=False).sum(axis=-1) ** 2
        return np.where(defined[:, np.newaxis] & defined, values, np.nan)

    return _against_null(explained(stack), (explained(stack[:, p]) for p in permutations))


def _against_null(values: Matrix, permuted: Iterable[Matrix]) -> Similarity:
    """Hold values against those with one of each pair permuted; either may be the one.

    What is above the limit has (1 + b) / (1 + B) ≤ 0.05 with b of B permuted values as high.
    """
    draws = np.sort(np.stack([matrix for draw in permuted for matrix in (draw, draw.T)]), axis=0)
    place = min(math.ceil(LEVEL * (1 + len(draws))), len(draws)) - 1
    return Similarity(values, draws.mean(axis=0), draws[place])
