"""Linear discriminant analysis with a penalty, whose refits have closed forms.

Hastie, Buja and Tibshirani 1995, Penalized discriminant analysis (doi:10.1214/aos/1176324456): the
covariance within classes has a multiple of the identity added. Everything follows from the ridge
regression of the classes' indicators on the features, which is linear in the classes: other classes
(permutations) and fewer samples (jackknife) need no new decomposition.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Narrow = NDArray[np.float32]


def class_scores(fitted: Numbers, between: Numbers, sizes: Numbers) -> Numbers:
    """Return the log-probability of each class up to what all share, (…, n, C).

    With T the penalised sums of squares of the training samples and B those between classes, the
    discriminant needs inverse(T - B), which Woodbury's identity gives from C x C matrices.

    Args:
        fitted: (…, n, C) ridge regression of the indicators at n samples, less the classes' shares.
        between: (…, C, C) indicators of the training samples, times their own fitted values.
        sizes: (…, C) training samples of each class; a class without any is never chosen.
    """
    present = sizes > 0
    inverse = np.where(present, 1 / np.maximum(sizes, 1), 0.0)
    shares = inverse[..., :, np.newaxis] * between
    mixed = np.linalg.inv(np.eye(sizes.shape[-1]) - shares) * inverse[..., np.newaxis, :]
    lengths = np.diagonal(shares @ mixed, axis1=-2, axis2=-1)
    samples = sizes.sum(axis=-1, keepdims=True)
    freedom = np.maximum(samples - present.sum(axis=-1, keepdims=True), 1)
    priors = np.log(np.where(present, sizes, 1) / samples)
    constant = np.where(present, priors - freedom * lengths / 2, -np.inf)
    scores: Numbers = freedom[..., np.newaxis] * (fitted @ mixed) + constant[..., np.newaxis, :]
    return scores


@dataclass(frozen=True)
class Moments:
    """Sums over some samples, from which a discriminant is fitted.

    Attributes:
        sizes: (C,) samples of each class.
        sums: (C, r) features summed over each class.
        squares: (r, r) products of the features summed over all samples.
    """

    sizes: Numbers
    sums: Numbers
    squares: Numbers

    @classmethod
    def of(cls, features: Numbers, indicators: Numbers) -> Moments:
        """Take (n, r) features and (n, C) indicators of the classes."""
        return cls(indicators.sum(axis=0), indicators.T @ features, features.T @ features)

    def __sub__(self, other: Moments) -> Moments:
        return Moments(
            self.sizes - other.sizes, self.sums - other.sums, self.squares - other.squares
        )

    def __add__(self, other: Moments) -> Moments:
        return Moments(
            self.sizes + other.sizes, self.sums + other.sums, self.squares + other.squares
        )

    @cached_property
    def mean(self) -> Numbers:
        """(r,) of the features."""
        mean: Numbers = self.sums.sum(axis=0) / self.sizes.sum()
        return mean

    @cached_property
    def apart(self) -> Numbers:
        """(C, r) features less their mean, summed over each class."""
        return self.sums - np.outer(self.sizes, self.mean)

    @cached_property
    def scatter(self) -> Numbers:
        """(r, r) sums of squares around the mean."""
        scatter: Numbers = self.squares - self.sizes.sum() * np.outer(self.mean, self.mean)
        return scatter

    def penalised(self, penalty: float) -> Numbers:
        """Return the (r, r) sums of squares around the mean with so many times their own mean."""
        penalised = self.scatter.copy()
        weight = penalty * np.trace(penalised) / len(penalised)
        penalised[np.diag_indices(len(penalised))] += weight or 1.0
        return penalised


@dataclass(frozen=True)
class Discriminant:
    """A discriminant that was fitted to some samples.

    Attributes:
        train: the samples' moments.
        weights: (r, C) of the ridge regression.
    """

    train: Moments
    weights: Numbers

    @classmethod
    def fit(cls, train: Moments, penalty: float) -> Discriminant:
        """Fit it, with a penalty as a multiple of the mean sum of squares of a feature."""
        weights = np.linalg.solve(train.penalised(penalty), train.apart.T)
        return cls(train, weights.astype(np.float64, copy=False))

    def answers(self, features: Numbers) -> NDArray[np.intp]:
        """Return the most probable class of every row of (n, r) features."""
        fitted = (features - self.train.mean) @ self.weights
        scores = class_scores(fitted, self.train.apart @ self.weights, self.train.sizes)
        return scores.argmax(axis=1)


@dataclass(frozen=True)
class HeldOut:
    """A discriminant for some samples from all others, and how it changes with these.

    Attributes:
        trained: (m, r) the other samples' features.
        tested: (n, r) the samples' features.
        penalty: as a multiple of the mean sum of squares of a feature.
    """

    trained: Numbers
    tested: Numbers
    penalty: float

    @cached_property
    def _mean(self) -> Numbers:
        return self.trained.mean(axis=0)

    @cached_property
    def _root(self) -> Numbers:
        """(r, r) of the inverse of the penalised sums of squares."""
        everything = Moments.of(self.trained, np.ones((len(self.trained), 1)))
        root: Numbers = np.linalg.inv(np.linalg.cholesky(everything.penalised(self.penalty)))
        return root

    @cached_property
    def _roots(self) -> tuple[Numbers, Numbers]:
        """(r, m) and (r, n): their products are the ridge regression's weights."""
        trained, tested = (self._root @ (one - self._mean).T for one in (self.trained, self.tested))
        return trained, tested

    @cached_property
    def _narrow(self) -> tuple[Narrow, Narrow, Narrow]:
        """The root, the mean and the tested samples, (n, r), for many other classes."""
        root, mean, tested = self._root, self._mean, self._roots[1].T
        return root.astype(np.float32), mean.astype(np.float32), tested.astype(np.float32)

    def answers(self, indicators: Numbers) -> NDArray[np.intp]:
        """Return the answers for the samples, (n,), from (m, C) indicators of the others."""
        trained, tested = self._roots
        weights = trained @ indicators
        scores = class_scores(tested.T @ weights, weights.T @ weights, indicators.sum(axis=0))
        return scores.argmax(axis=1)

    def with_classes(self, sums: Narrow, sizes: Numbers) -> NDArray[np.intp]:
        """Return the answers, (n, some), if the others had other classes.

        Args:
            sums: (r, some, C) the others' features, summed over each class.
            sizes: (some, C) how many have each class.
        """
        root, mean, tested = self._narrow
        apart = sums - mean[:, np.newaxis, np.newaxis] * sizes.astype(np.float32)
        weights = root @ apart.reshape(len(apart), -1)
        fitted = (tested @ weights).reshape(-1, *sizes.shape)
        by_order = weights.reshape(-1, *sizes.shape).transpose(1, 0, 2)
        between = by_order.transpose(0, 2, 1) @ by_order
        scores = class_scores(_wide(fitted.transpose(1, 0, 2)), _wide(between), sizes)
        return scores.argmax(axis=2).T

    def without(self, indicators: Numbers, parts: list[NDArray[np.intp]]) -> NDArray[np.intp]:
        """Return the answers, (n, parts), from all others but each of some parts of them.

        The regression without some samples is that with all of them, less what their residuals
        would be without them (Cook and Weisberg 1982, Residuals and influence in regression, 3.2).

        Args:
            indicators: (m, C) of the others' classes.
            parts: rows of the others to leave out.
        """
        trained, tested = self._roots
        by_row, asked = np.ascontiguousarray(trained.T), np.ascontiguousarray(tested.T)
        weights, sizes = trained @ indicators, indicators.sum(axis=0)
        share = sizes / len(indicators)
        residuals = indicators - share - trained.T @ weights
        unexplained, fitted = indicators.T @ residuals, tested.T @ weights + share
        gone = [indicators[part].sum(axis=0) for part in parts]
        left = sizes - np.reshape(gone, (len(parts), len(sizes)))
        shares = left / left.sum(axis=1, keepdims=True)
        between = left[:, :, np.newaxis] * (np.eye(len(sizes)) - shares[:, np.newaxis])
        changed = fitted - shares[:, np.newaxis]
        for place, part in enumerate(parts):
            gone_rows, gone_residuals = by_row[part], residuals[part]
            hat = gone_rows @ gone_rows.T + 1 / len(indicators)
            changes = np.linalg.solve(np.eye(len(part)) - hat, gone_residuals)
            changed[place] -= (asked @ gone_rows.T + 1 / len(indicators)) @ changes
            between[place] += gone_residuals.T @ changes - unexplained
        return class_scores(changed, between, left).argmax(axis=2).T


def _wide(values: Narrow) -> Numbers:
    """Return values in the type and order in which stacks of small matrices multiply fast."""
    return np.ascontiguousarray(values, np.float64)
