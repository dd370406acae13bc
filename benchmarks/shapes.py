"""Embeddings of known shape, and what a map does to them; a test of the engines uses them too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NEIGHBORS = 15


@dataclass(frozen=True)
class Shape:
    """An embedding.

    Attributes:
        values: (N, D) float32.
        clusters: (N,) the planted cluster of each row; None where none is planted.
    """

    values: NDArray[np.float32]
    clusters: NDArray[np.intp] | None = None


def blobs(distance: float, rows: int = 400, dims: int = 50, count: int = 10) -> Shape:
    """Return unit Gaussians whose centres have this standard deviation in every axis."""
    random = np.random.default_rng(0)
    centres = distance * random.normal(size=(count, dims))
    clusters = random.integers(count, size=rows)
    values = centres[clusters] + random.normal(size=(rows, dims))
    return Shape(values.astype(np.float32), clusters)


def copies(each: int, count: int, noise: float, dims: int = 384) -> Shape:
    """Return `count` random rows, `each` of them so many times, up to noise."""
    random = np.random.default_rng(0)
    centres = random.normal(size=(count, dims))
    clusters = np.repeat(np.arange(count), each)
    values = centres[clusters] + noise * random.normal(size=(count * each, dims))
    return Shape(values.astype(np.float32), clusters)


def ring(rows: int = 400, dims: int = 20) -> Shape:
    """Return a noisy circle in a random plane."""
    random = np.random.default_rng(0)
    angle = random.uniform(0, 2 * np.pi, rows)
    plane = np.linalg.qr(random.normal(size=(dims, 2)))[0].T
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1) @ plane
    return Shape((circle + 0.01 * random.normal(size=(rows, dims))).astype(np.float32))


def swiss_roll(rows: int = 800) -> Shape:
    """Return scikit-learn's rolled-up strip."""
    from sklearn.datasets import make_swiss_roll

    return Shape(make_swiss_roll(rows, noise=0.1, random_state=0)[0].astype(np.float32))


def digits(rows: int = 800) -> Shape:
    """Return some of the handwritten digits that come with scikit-learn."""
    from sklearn.datasets import load_digits

    return Shape(load_digits().data[:rows].astype(np.float32))


SHAPES: dict[str, Callable[[], Shape]] = {
    "touching blobs": lambda: blobs(0.4),
    "far blobs": lambda: blobs(10),
    "near-duplicates": lambda: copies(10, 20, 1e-3),
    "exact duplicates": lambda: copies(20, 20, 0),
    "ring": ring,
    "swiss roll": swiss_roll,
    "digits": digits,
}


def spread(coordinates: NDArray[np.floating], shape: Shape) -> float:
    """Return how wide neighborhoods are on a map.

    Where clusters are planted it is the median over these of the root mean square distance to
    their centre, else the median distance to the 15th nearest sample.
    """
    if shape.clusters is None:
        return float(np.median(_nearest(coordinates)[:, NEIGHBORS - 1]))
    parts = [coordinates[shape.clusters == cluster] for cluster in np.unique(shape.clusters)]
    squares = [((part - part.mean(axis=0)) ** 2).sum(axis=1).mean() for part in parts]
    return float(np.sqrt(np.median(squares)))


def nearest(coordinates: NDArray[np.floating]) -> float:
    """Return the median distance to the nearest sample on a map."""
    return float(np.median(_nearest(coordinates)[:, 0]))


def _nearest(coordinates: NDArray[np.floating]) -> NDArray[np.floating]:
    from sklearn.neighbors import NearestNeighbors

    return NearestNeighbors(n_neighbors=NEIGHBORS).fit(coordinates).kneighbors()[0]
