"""How similar embeddings of the same samples are, and how similar they would be by chance."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latentmap.neighbors.distances import Points

LEVEL = 0.95

Matrix = NDArray[np.float64]
Permutation = NDArray[np.intp]


@dataclass(frozen=True)
class Similarity:
    """The similarity of every pair of M embeddings.

    Attributes:
        values: (M, M); NaN where it is not defined.
        chance: (M, M) mean if the samples of one of them are permuted.
        limit: (M, M) what 95 % of such permutations stay below.
    """

    values: Matrix
    chance: Matrix
    limit: Matrix


def group_order(groups: NDArray[np.intp], rng: np.random.Generator) -> NDArray[np.intp]:
    """Return the rows source group by source group, the groups in random order, (N,)."""
    return np.argsort(rng.permutation(groups.max() + 1)[groups], kind="stable")


def group_permutations(
    groups: NDArray[np.intp], count: int, rng: np.random.Generator
) -> list[Permutation]:
    """Return permutations of the rows that move source groups as a whole.

    Samples of one source group resemble each other in any embedding. A null hypothesis that took
    them apart would call that agreement; here rows that follow each other in a group still do,
    up to the different sizes of groups. Where all share one group, rows move freely.

    Args:
        groups: (N,) source group of each row, from 0.
        count: of permutations.
        rng: source of randomness.
    """
    units = groups if groups.any() else np.arange(len(groups))
    start = np.argsort(units, kind="stable")
    permutations = []
    for _ in range(count):
        permutation = np.empty(len(units), np.intp)
        permutation[start] = group_order(units, rng)
        permutations.append(permutation)
    return permutations


def neighbor_jaccard(
    lists: Sequence[NDArray[np.int32]],
    rows: NDArray[np.intp],
    permutations: Iterable[Permutation],
) -> Similarity:
    """Return the mean share of neighbors in common: of both lists of a sample, those in each.

    Args:
        lists: M times (N, k) neighbors; -1 where there is none.
        rows: the samples to take the mean over.
        permutations: of the N samples, for the chance level.
    """
    table = np.stack(lists)
    own, count = table[:, rows], table.shape[1]

    def renamed(permutation: Permutation) -> NDArray[np.int32]:
        names = np.append(permutation, -1).astype(np.int32)
        return names[table[:, np.argsort(permutation)[rows]]]

    return _against_null(
        _mean_jaccard(own, own, count),
        (_mean_jaccard(own, renamed(p), count) for p in permutations),
    )


def _mean_jaccard(first: NDArray[np.int32], second: NDArray[np.int32], count: int) -> Matrix:
    """Return the mean Jaccard index of every pair of (M, n, k) lists of `count` samples."""
    sizes = [(lists >= 0).sum(axis=2) for lists in (first, second)]
    rows = np.arange(first.shape[1])[:, np.newaxis]
    means = np.empty((len(first), len(second)))
    for column, lists in enumerate(second):
        # The last place is that of -1, where there is no neighbor.
        listed = np.zeros((len(lists), count + 1), bool)
        listed[rows, lists] = True
        listed[:, -1] = False
        both = listed[rows, first].sum(axis=2)
        means[:, column] = (both / (sizes[0] + sizes[1][column] - both)).mean(axis=1)
    return means


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
    stack = np.stack(grams)
    flat = stack.reshape(len(stack), -1)

    def products(other: NDArray[np.float32]) -> Matrix:
        return (flat @ other.reshape(len(other), -1).T).astype(np.float64)

    return _against_null(
        products(stack), (products(stack[:, p[:, np.newaxis], p]) for p in permutations)
    )


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
    """Hold values against those with one of each pair permuted; either may be the one."""
    draws = np.stack([matrix for draw in permuted for matrix in (draw, draw.T)])
    return Similarity(values, draws.mean(axis=0), np.quantile(draws, LEVEL, axis=0))
