"""Features as linear classifiers and regressions take them: on what scales, and how many."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from latentmap.axes import principal_axes
from latentmap.neighbors.distances import Points, column_blocks

Floats = NDArray[np.floating]

# Principal axes that are kept. A strong penalty hides the others.
AXES = 384
# A component with a smaller share of the variance is rounding of the float32 products.
SMALLEST_SHARE = 1e-6
# Samples up to which features are kept in double precision.
PRECISE_ROWS = 2**14
# Standardised features that vary in more independent directions than this share of the samples
# leave little to learn. Accuracy of scikit-learn's ridge classifier on the leading axes of the
# words of 238 texts (ten labels, 116 source groups), standardised and on one scale: 20 axes 0.59
# and 0.61, 60 axes 0.58 and 0.63, 120 axes 0.45 and 0.57, 200 axes 0.26 and 0.57, all 0.08 and
# 0.62.
MOST_DIRECTIONS = 0.2


def linear_features(values: NDArray[np.float32], points: Points | None = None) -> Floats:
    """Centre features, bring them to a scale and keep at most `AXES` principal axes.

    Where there are more features than samples, which are then values of one latent, they share one
    scale; fewer are `scaled`. No label is looked at.

    Args:
        values: (n, D).
        points: the same rows, where their inner products may be known already.

    Returns:
        (n, r); float64 of up to `PRECISE_ROWS` samples, float32 of more.
    """
    if values.shape[1] > len(values):
        variances, vectors = principal_axes((points or Points(values)).gram)
        kept = np.flatnonzero(variances > SMALLEST_SHARE * variances.sum())[:AXES]
        return vectors[:, kept] * np.sqrt(variances[kept])
    features = scaled(values.astype(np.float64) if len(values) <= PRECISE_ROWS else values)
    if features.shape[1] <= AXES:
        return features
    axes = principal_axes((features.T @ features).astype(np.float64))[1][:, :AXES]
    return features @ axes.astype(features.dtype)


def leading_columns(rotated: NDArray[np.float32]) -> NDArray[np.float64]:
    """Centre rows that lie on their principal axes, or some of such, and keep the leading ones.

    Args:
        rotated: (n, D).

    Returns:
        (n, r), at most `AXES`.
    """
    centred = rotated.astype(np.float64)
    centred -= centred.mean(axis=0)
    return centred[:, np.argsort(-centred.var(axis=0))[:AXES]]


def scaled(values: Floats) -> Floats:
    """Standardise features, unless that leaves too little to learn from so few samples.

    Features of different units must be standardised. Where they then vary in more independent
    directions than `MOST_DIRECTIONS` of the samples, they are centred only: a direction that hardly
    varies would count as much as any other, until no sample resembles another. The number of
    directions is the participation ratio of the variances along the principal axes.

    Args:
        values: (n, D), with D at most n.
    """
    features = _standardised(values)
    most = MOST_DIRECTIONS * len(values)
    # There are no more directions than features.
    if values.shape[1] > most:
        products = features.T @ features
        if np.trace(products) ** 2 > most * np.square(products).sum():
            return values - values.mean(axis=0)
    return features


def _standardised(values: Floats) -> Floats:
    """Give every column mean zero and deviation one, in double precision; zeros if constant."""
    found = np.empty_like(values)
    for columns in column_blocks(values):
        block = values[:, columns].astype(np.float64)
        deviations = block.std(axis=0)
        # A feature that is constant up to rounding says nothing.
        varies = deviations > 1e-6 * np.abs(block).max(axis=0)
        found[:, columns] = (block - block.mean(axis=0)) * varies / np.where(varies, deviations, 1)
    return found
