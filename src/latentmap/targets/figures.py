"""Figures of how well targets are predicted, of many orders of their values at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from latentmap.metrics.ranks import column_ranks
from latentmap.targets.derivation import Kind

Numbers = NDArray[np.float64]
Floats = NDArray[np.floating]
Tested = NDArray[np.bool_]

# Shares that differ by less, relatively, are equal.
ROUNDING = 1e-6
# Predictions are ranked by so many decimals, in standard deviations or shares: the others are
# rounding where samples have the same embedding.
DECIMALS = 6


@dataclass(frozen=True)
class Figure:
    """One figure of what is kept of a target.

    Attributes:
        title: what pages call it.
        meaning: one line for tables and tooltips.
        smoother: what predicts: the nearest neighbors or ridge regression.
        leads: kinds of targets of which it is the first figure.
        follows: kinds of which it is the second.
        bounds: lowest and highest possible value; R² has no lowest.
    """

    title: str
    meaning: str
    smoother: Literal["knn", "ridge"]
    leads: tuple[Kind, ...] = ()
    follows: tuple[Kind, ...] = ()
    bounds: tuple[float, float] | None = (0, 1)

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Of targets that have it."""
        return (*self.leads, *self.follows)

    def stands_for(self, kind: Kind) -> bool:
        """Return whether it stands for targets of a kind where one figure does."""
        return self.smoother == "ridge" and kind in self.leads

    def family(self, kind: Kind) -> str:
        """Return which figures of other methods and targets it is tested together with."""
        return f"{self.smoother} {'first' if kind in self.leads else 'second'}"


NAMED: tuple[Kind, ...] = ("categorical", "binary")
NEIGHBORS, LINEAR = "the nearest neighbors", "ridge regression on other source groups"

FIGURES: Mapping[str, Figure] = {
    "knn_same": Figure(
        "kNN purity",
        "share of the nearest neighbors of other source groups that have the sample's value",
        "knn",
        follows=NAMED,
    ),
    "knn_balanced": Figure(
        "kNN balanced accuracy",
        f"mean recall over values of what is most frequent among {NEIGHBORS}, for its frequency",
        "knn",
        leads=NAMED,
    ),
    "knn_r2": Figure(
        "kNN R²",
        f"share of the variance that the mean of {NEIGHBORS} explains",
        "knn",
        leads=("continuous",),
        bounds=None,
    ),
    "knn_rho": Figure(
        "kNN Spearman ρ",
        f"rank correlation with the mean of {NEIGHBORS}",
        "knn",
        follows=("continuous",),
        bounds=(-1, 1),
    ),
    "knn_cosine": Figure(
        "kNN mean cosine",
        f"mean cosine of the angle to the mean direction of {NEIGHBORS}",
        "knn",
        leads=("circular",),
        bounds=(-1, 1),
    ),
    "ridge_balanced": Figure(
        "linear balanced accuracy",
        f"mean recall over values of {LINEAR}",
        "ridge",
        leads=("categorical",),
        follows=("binary",),
    ),
    "ridge_auc": Figure(
        "linear AUC",
        f"area under the ROC curve of {LINEAR}",
        "ridge",
        leads=("binary",),
    ),
    "ridge_r2": Figure(
        "linear R²",
        f"share of the variance that {LINEAR} explains",
        "ridge",
        leads=("continuous",),
        bounds=None,
    ),
    "ridge_rho": Figure(
        "linear Spearman ρ",
        f"rank correlation with the prediction of {LINEAR}",
        "ridge",
        follows=("continuous",),
        bounds=(-1, 1),
    ),
    "ridge_cosine": Figure(
        "linear mean cosine",
        f"mean cosine of the angle to the prediction of {LINEAR}",
        "ridge",
        leads=("circular",),
        bounds=(-1, 1),
    ),
}
"""Every figure by its name, in the order of tables."""


def r2(truth: Floats, predicted: Floats, tested: Tested) -> Numbers:
    """Return the share of the variance that is explained, (m,).

    Args:
        truth: (n, m) or (n, 1) numbers.
        predicted: (n, m).
        tested: (n, m) or (n, 1) whether a sample counts.
    """
    count = tested.sum(axis=0)
    mean = np.where(tested, truth, 0).sum(axis=0, dtype=np.float64) / count
    apart, missed = (
        np.where(tested, np.square(truth - other), 0).sum(axis=0, dtype=np.float64)
        for other in (mean.astype(truth.dtype), predicted)
    )
    return _ratio(apart - missed, apart)


def rho(truth: NDArray[Any], predicted: Floats, tested: Tested) -> Numbers:
    """Return Spearman's rank correlation, (m,); the arguments of `r2`."""
    ranks = []
    count = tested.sum(axis=0)
    for values in (truth, predicted):
        shape = np.broadcast_shapes(values.shape, tested.shape)
        # Samples that do not count come last, and change no other's rank.
        rounded = np.round(np.broadcast_to(values, shape), DECIMALS)
        ranked = column_ranks(np.where(tested, rounded, np.inf))
        ranks.append(np.where(tested, ranked - (count - 1) / 2, 0))
    first, second = (np.square(one).sum(axis=0) for one in ranks)
    return _ratio((ranks[0] * ranks[1]).sum(axis=0), np.sqrt(first * second))


def cosine(truth: Floats, predicted: Floats, tested: Tested) -> Numbers:
    """Return the mean cosine of angles between directions, (m,).

    Args:
        truth: (n, m, 2) or (n, 1, 2) unit vectors.
        predicted: (n, m, 2) vectors; one of length zero is at right angles to all others.
        tested: (n, m) or (n, 1) whether a sample counts.
    """
    lengths = np.sqrt(np.square(predicted).sum(axis=2, dtype=np.float64))
    cosines = _ratio((truth * predicted).sum(axis=2, dtype=np.float64), lengths, otherwise=0.0)
    total: Numbers = np.where(tested, cosines, 0).sum(axis=0) / tested.sum(axis=0)
    return total


def balanced(
    codes: NDArray[np.integer], predicted: Floats, shares: Floats, tested: Tested
) -> Numbers:
    """Return the mean recall over values, (m,).

    The answer is the value whose predicted share is highest against how frequent it is, which is
    what gives the best mean recall if the prediction is right. Of several, each counts in part.

    Args:
        codes: (n, m) or (n, 1) value of each sample, from 0.
        predicted: (n, m, K) share of each value.
        shares: (n or 1, m or 1, K) how frequent each value is where the prediction comes from.
        tested: (n, m) or (n, 1) whether a sample counts.
    """
    count, width, values = predicted.shape
    ratio = np.divide(predicted, shares, out=np.full_like(predicted, -np.inf), where=shares > 0)
    best = ratio.max(axis=2, keepdims=True)
    answers = ratio >= best - ROUNDING * np.abs(best)
    codes, tested = (np.broadcast_to(one, (count, width)) for one in (codes, tested))
    own = np.take_along_axis(answers, codes[:, :, np.newaxis].astype(np.intp), axis=2)[:, :, 0]
    right = np.where(tested, own / answers.sum(axis=2), 0)
    cells = (codes + values * np.arange(width)).ravel()
    hits, sizes = (
        np.bincount(cells, weights.ravel(), values * width).reshape(width, values)
        for weights in (right, tested)
    )
    present = sizes > 0
    recalls = np.divide(hits, sizes, out=np.zeros_like(hits), where=present)
    return _ratio(recalls.sum(axis=1), present.sum(axis=1).astype(np.float64))


def auc(positive: NDArray[np.bool_], predicted: Floats, tested: Tested) -> Numbers:
    """Return the area under the ROC curve, (m,): how often a positive sample scores higher.

    Args:
        positive: (n, m) or (n, 1) truth values.
        predicted: (n, m) scores.
        tested: (n, m) or (n, 1) whether a sample counts.
    """
    ranks = column_ranks(np.where(tested, np.round(predicted, DECIMALS), np.inf))
    both = positive & tested
    ones, count = both.sum(axis=0), tested.sum(axis=0)
    ahead = np.where(both, ranks, 0).sum(axis=0) - ones * (ones - 1) / 2
    return _ratio(ahead, (ones * (count - ones)).astype(np.float64))


def _ratio(part: Numbers, whole: Numbers, otherwise: float = np.nan) -> Numbers:
    return np.divide(part, whole, out=np.full(np.shape(part), otherwise), where=whole > 0)
