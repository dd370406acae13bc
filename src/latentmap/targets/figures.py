"""Figures of how well targets are predicted, of many orders of their values at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from latentmap.metrics.ranks import column_ranks
from latentmap.store.samples import evenly_spaced
from latentmap.targets.derivation import Kind

Numbers = NDArray[np.float64]
Floats = NDArray[np.floating]
Tested = NDArray[np.bool_]

# Shares that differ by less, relatively, are equal.
ROUNDING = 1e-6
# Predictions are ranked by so many decimals, in standard deviations or shares: the others are
# rounding where samples have the same embedding.
DECIMALS = 6
# Of more samples, so many are ranked, evenly spaced.
RANKED = 2**16


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


def rho(codes: NDArray[np.integer], predicted: Floats, tested: Tested) -> Numbers:
    """Return Spearman's rank correlation, (m,).

    Args:
        codes: (n, m) or (n, 1) place of each sample's number among all that occur, from 0.
        predicted: (n, m).
        tested: (n, m) or (n, 1) whether a sample counts.
    """
    codes, predicted, tested = _ranked(codes, predicted, tested)
    middle = (tested.sum(axis=0) - 1) / 2
    truth = np.where(tested, _ranks_of_codes(codes, tested) - middle, 0)
    found = np.where(tested, _ranks(predicted, tested) - middle, 0)
    squares = np.square(truth).sum(axis=0) * np.square(found).sum(axis=0)
    return _ratio((truth * found).sum(axis=0), np.sqrt(squares))


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


def answered(codes: NDArray[np.integer], predicted: Floats, shares: Floats) -> Numbers:
    """Return whether the answer is right, (n, m); of several answers each counts in part.

    The answer is the value whose predicted share is highest against how frequent it is, which is
    what gives the best mean recall if the prediction is right.

    Args:
        codes: (n, m) or (n, 1) value of each sample, from 0.
        predicted: (n, m, K) share of each value.
        shares: (n or 1, m or 1, K) how frequent each value is where the prediction comes from.
    """
    shape = np.broadcast_shapes(predicted.shape, shares.shape)
    unknown = np.full(shape, -np.inf, predicted.dtype)
    ratio = np.divide(predicted, shares, out=unknown, where=shares > 0)
    best = ratio.max(axis=2, keepdims=True)
    answers = ratio >= best - ROUNDING * np.abs(best)
    places = np.broadcast_to(codes, shape[:2])[:, :, np.newaxis].astype(np.intp)
    right: Numbers = np.take_along_axis(answers, places, axis=2)[:, :, 0] / answers.sum(axis=2)
    return right


def balanced(codes: NDArray[np.integer], right: Numbers, tested: Tested, values: int) -> Numbers:
    """Return the mean recall over values, (m,).

    Args:
        codes: (n, m) or (n, 1) value of each sample, from 0.
        right: (n, m) whether its answer is right.
        tested: (n, m) or (n, 1) whether it counts.
        values: how many there are.
    """
    codes, right, tested = np.broadcast_arrays(codes, right, tested)
    width = codes.shape[1]
    cells = (codes + values * np.arange(width))[tested]
    hits, sizes = (
        np.bincount(cells, weights, values * width).reshape(width, values)
        for weights in (right[tested], None)
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
    positive, predicted, tested = _ranked(positive, predicted, tested)
    ranks = _ranks(predicted, tested)
    both = positive & tested
    ones, count = both.sum(axis=0), tested.sum(axis=0)
    ahead = np.where(both, ranks, 0).sum(axis=0) - ones * (ones - 1) / 2
    return _ratio(ahead, (ones * (count - ones)).astype(np.float64))


def _ranked(*tables: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """Yield of each table the rows of the samples that are ranked."""
    count = len(tables[0])
    return (one if count <= RANKED else one[evenly_spaced(count, RANKED)] for one in tables)


def _ranks(predicted: Floats, tested: Tested) -> Numbers:
    """Return the ranks of predictions among those of samples that count, (n, m)."""
    # The others come last, and change no rank.
    return column_ranks(np.where(tested, np.round(predicted, DECIMALS), np.inf))


def _ranks_of_codes(codes: NDArray[np.integer], tested: Tested) -> Numbers:
    """Return the ranks of numbers among those of samples that count, (n, m), without sorting."""
    codes, tested = np.broadcast_arrays(codes, tested)
    width, values = codes.shape[1], int(codes.max()) + 1
    cells = codes + values * np.arange(width)
    counts = np.bincount(cells[tested], minlength=values * width).reshape(width, values)
    ranks: Numbers = np.cumsum(counts, axis=1) - (counts + 1) / 2
    return ranks.ravel()[cells]


def _ratio(part: Numbers, whole: Numbers, otherwise: float = np.nan) -> Numbers:
    return np.divide(part, whole, out=np.full(np.shape(part), otherwise), where=whole > 0)
