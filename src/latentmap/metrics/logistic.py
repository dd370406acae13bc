"""Multinomial logistic regression."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Wider features are multiplied in float32, in half the time.
NARROW = 512
# The loss stops falling by more than this share of itself: labels no longer change.
TOLERANCE = 1e-6
ITERATIONS = 500
# Curvature p (1 - p) that a class probability has on average where the loss is smallest; only
# how many steps it takes depends on it.
CURVATURE = 0.01


@dataclass(frozen=True)
class LogisticRegression:
    """A fitted model.

    Attributes:
        weights: (r, K).
        intercepts: (K,).
    """

    weights: NDArray[np.float64]
    intercepts: NDArray[np.float64]

    def predict(self, features: NDArray[np.float64]) -> NDArray[np.intp]:
        """Return the most probable class of every row of (n, r) features."""
        scores: NDArray[np.float64] = features @ self.weights + self.intercepts
        return scores.argmax(axis=1)


def fit_logistic(
    features: NDArray[np.float64], codes: NDArray[np.intp], strength: float
) -> LogisticRegression:
    """Fit by L-BFGS what scikit-learn's LogisticRegression with C = `strength` fits.

    The loss is `strength` times the sum of the samples' log-losses, plus half the sum of the
    squared weights; intercepts are free. Every weight is expressed in units of its expected
    curvature, in which L-BFGS needs a few dozen steps where features are uncorrelated, as
    principal components are. Above 512 features products are in float32.

    Args:
        features: (n, r) of the training samples, of mean zero.
        codes: (n,) their classes, from 0.
        strength: inverse of the penalty.
    """
    # SciPy takes longer to import than most metrics to measure.
    from scipy.optimize import minimize

    rows, width = np.arange(len(features)), features.shape[1]
    count = int(codes.max()) + 1
    squares = np.einsum("ij,ij->j", features, features)
    units = 1 / np.sqrt(strength * CURVATURE * np.append(squares, len(rows)) + 1)
    precision = np.float32 if width > NARROW else np.float64
    design = np.column_stack([features * units[:-1], np.full(len(rows), units[-1])])
    design = design.astype(precision)
    penalty = np.append(units[:-1] ** 2, 0)[:, np.newaxis]

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[Any]]:
        scaled = flat.reshape(width + 1, count)
        scores = design @ scaled.astype(precision)
        scores -= scores.max(axis=1, keepdims=True)
        fit = scores[rows, codes].sum(dtype=np.float64)
        exponents = np.exp(scores, out=scores)
        sums = exponents.sum(axis=1, keepdims=True)
        value = strength * (np.log(sums).sum(dtype=np.float64) - fit)
        residuals = np.divide(exponents, sums, out=exponents)
        residuals[rows, codes] -= 1
        slope = strength * (design.T @ residuals) + penalty * scaled
        return value + 0.5 * float((penalty * scaled**2).sum()), slope.ravel().astype(np.float64)

    found = minimize(
        loss,
        np.zeros((width + 1) * count),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": ITERATIONS, "ftol": TOLERANCE, "gtol": 0},
    )
    weights = units[:, np.newaxis] * found.x.reshape(width + 1, count)
    return LogisticRegression(weights[:-1], weights[-1])
