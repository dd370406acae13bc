"""Regions of a map, and how the samples of several sources are spread over them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latentmap.metrics.exchange import Exchange
from latentmap.metrics.inference import holm

ROUNDING = 1e-9


@dataclass(frozen=True)
class RegionShares:
    """How the samples of each source are spread over the regions of a map.

    Attributes:
        centres: (R, dims) of the regions; a place belongs to the region of the nearest.
        shares: (R, sources) share of each source's samples in each region; columns sum to 1.
        p_values: (R,) of the hypothesis that the sources' shares of a region do not differ, under
            permutations of the sources; NaN without permutations.
        p_adjusted: (R,) the same, adjusted for the number of regions (Holm 1979).
    """

    centres: NDArray[np.float64]
    shares: NDArray[np.float64]
    p_values: NDArray[np.float64]
    p_adjusted: NDArray[np.float64]


def find_regions(places: NDArray[np.floating], count: int, seed: int) -> NDArray[np.float64]:
    """Cut a map into regions by k-means, whatever the sources of its samples.

    Args:
        places: (N, dims) coordinates of the samples.
        count: regions at most; fewer where there are fewer places.
        seed: of the first centres (k-means++).

    Returns:
        (R, dims) centres, R ≤ count, from the left of the map to its right.
    """
    from scipy.cluster.vq import kmeans2

    distinct = np.unique(places, axis=0)
    if len(distinct) <= count:
        return distinct.astype(np.float64)
    points = places.astype(np.float64)
    rng = np.random.default_rng(seed)
    centres, members = kmeans2(points, count, minit="++", iter=30, rng=rng, missing="warn")
    used: NDArray[np.float64] = centres[np.unique(members)]
    return used[np.lexsort(used.T[::-1])]


def region_of(places: NDArray[np.floating], centres: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the region of each of (N, dims) places, the number of its nearest centre, (N,)."""
    squares = [((places - centre) ** 2).sum(axis=1) for centre in centres]
    return np.argmin(squares, axis=0)


def region_shares(
    places: NDArray[np.floating],
    codes: NDArray[np.intp],
    groups: NDArray[np.intp],
    count: int,
    permutations: int,
    seed: int,
) -> RegionShares:
    """Compare how sources are spread over the regions of a map.

    For each region, the differences of the sources' shares from the share of all samples, squared
    and weighted by the sources' sizes, are held against the same under permutations of the sources
    that respect source groups.

    Args:
        places: (N, dims) coordinates of the samples.
        codes: (N,) source of each, every number up to the largest in use.
        groups: (N,) source group of each, likewise.
        count: regions.
        permutations: of the sources; 0 where they are not exchangeable on the map.
        seed: of regions and permutations.
    """
    centres = find_regions(places, count, seed)
    regions = region_of(places, centres)
    sources = int(codes.max()) + 1

    def shares(drawn: NDArray[np.intp]) -> NDArray[np.float64]:
        cells = np.bincount(regions * sources + drawn, minlength=len(centres) * sources)
        return cells.reshape(-1, sources) / np.bincount(drawn, minlength=sources)

    whole = np.bincount(regions, minlength=len(centres))[:, np.newaxis] / len(regions)

    def difference(drawn: NDArray[np.intp]) -> NDArray[np.float64]:
        spread: NDArray[np.float64] = (shares(drawn) - whole) ** 2 @ np.bincount(drawn)
        return spread

    if not permutations:
        unknown = np.full(len(centres), np.nan)
        return RegionShares(centres, shares(codes), unknown, unknown)
    found = difference(codes)
    as_far = np.zeros(len(centres))
    for drawn in Exchange(codes, groups).draws(permutations, seed):
        as_far += difference(drawn) >= found - ROUNDING
    p_values = (1 + as_far) / (1 + permutations)
    return RegionShares(centres, shares(codes), p_values, holm(p_values))
