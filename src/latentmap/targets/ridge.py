"""Ridge regression on folds of source groups: a linear smoother of many targets at once.

What it predicts is linear in the targets, so that one decomposition per fold serves all of them and
all their permutations. Penalties are chosen inside the training folds, by the squared error on each
of them from the rest, which needs no more than the products of the features of every fold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Floats = NDArray[np.floating]

FOLDS = 5
# Times the mean sum of squares of a feature; the strongest of equals is chosen.
PENALTIES = (10.0, 1.0, 1e-1, 1e-2, 1e-3)
# Where two folds leave none to choose by: its place among them.
MEDIUM = 3
# Up to so many cells of a matrix from trained to tested samples, it is known what each part of the
# source groups does to predictions; beyond, that is little.
INFLUENCE_CELLS = 2**22
# Rows whose products are summed in double precision at a time.
BLOCK = 2**15


def dealt(groups: NDArray[np.intp], folds: int, seed: int) -> NDArray[np.intp]:
    """Deal whole source groups into folds, the largest first, of equal ones in random order.

    Args:
        groups: (n,) number of each sample's source group, every one up to the largest in use.
        folds: how many; fewer where there are fewer groups.
        seed: of the order.

    Returns:
        (n,) fold of each sample.
    """
    sizes = np.bincount(groups)
    shuffled = np.random.default_rng(seed).permutation(len(sizes))
    order = shuffled[np.argsort(-sizes[shuffled], kind="stable")]
    fold = np.empty(len(sizes), np.intp)
    fold[order] = np.arange(len(sizes)) % folds
    return fold[groups]


@dataclass(frozen=True)
class Products:
    """Sums over some samples of products of their features.

    Attributes:
        count: of the samples.
        sums: (r,) of the features.
        squares: (r, r) of their products.
    """

    count: int
    sums: Numbers
    squares: Numbers

    @classmethod
    def of(cls, features: Floats) -> Products:
        """Take (n, r) features."""
        width = features.shape[1]
        sums, squares = np.zeros(width), np.zeros((width, width))
        for start in range(0, len(features), BLOCK):
            block = features[start : start + BLOCK].astype(np.float64)
            sums += block.sum(axis=0)
            squares += block.T @ block
        return cls(len(features), sums, squares)

    def __add__(self, other: Products) -> Products:
        return Products(
            self.count + other.count, self.sums + other.sums, self.squares + other.squares
        )

    def __sub__(self, other: Products) -> Products:
        return Products(
            self.count - other.count, self.sums - other.sums, self.squares - other.squares
        )

    def around(self, centre: Numbers) -> Numbers:
        """Return the (r, r) sums of products of the features less a centre."""
        across = np.outer(centre, self.sums)
        return self.squares - across - across.T + self.count * np.outer(centre, centre)

    @cached_property
    def mean(self) -> Numbers:
        """(r,) of the features."""
        return self.sums / self.count


@dataclass(frozen=True)
class Spectrum:
    """Training samples on the axes of their features.

    Attributes:
        train: the samples' products.
        axes: (r, r) unit vectors, one in each column.
        squares: (r,) sums of squares along them.
    """

    train: Products
    axes: Numbers
    squares: Numbers

    @classmethod
    def of(cls, train: Products) -> Spectrum:
        """Decompose the features of some samples."""
        squares, axes = np.linalg.eigh(train.around(train.mean))
        return cls(train, axes, np.maximum(squares, 0))

    @cached_property
    def shrunk(self) -> Numbers:
        """(penalties, r) what the covariances with the axes are times to give weights."""
        size = float(self.squares.mean()) or 1.0
        shrunk: Numbers = 1 / (self.squares + size * np.array(PENALTIES)[:, np.newaxis])
        return shrunk

    def covariances(self, sums: Floats, crossed: Floats) -> Floats:
        """Return the sums of products of axes and centred targets, (r, m).

        Args:
            sums: (m,) of the targets over the training samples.
            crossed: (r, m) of their products with the features.
        """
        centred = crossed - np.outer(self.train.mean, sums).astype(crossed.dtype)
        return self.axes.T.astype(crossed.dtype) @ centred


@dataclass(frozen=True)
class Fitted:
    """What ridge regression predicts of some targets.

    Attributes:
        predicted: (n, m) of each sample, from other folds.
        means: (folds, m) of the targets over the samples that a fold is predicted from.
        chosen: (folds, m) places of the penalties.
    """

    predicted: Floats
    means: Floats
    chosen: NDArray[np.intp]


@dataclass(frozen=True)
class Ridge:
    """Ridge regression with an intercept, each fold predicted from the others.

    Attributes:
        features: (n, r) float32 or float64.
        folds: (n,) fold of each sample, every one up to the largest in use.
    """

    features: Floats
    folds: NDArray[np.intp]

    @cached_property
    def members(self) -> list[NDArray[np.intp]]:
        """The samples of each fold."""
        return [np.flatnonzero(self.folds == fold) for fold in range(int(self.folds.max()) + 1)]

    def fit(self, targets: Floats, width: int = 1, weights: Floats | None = None) -> Fitted:
        """Predict targets.

        Args:
            targets: (n, m), in whose precision they are predicted.
            width: columns that are one target, side by side, and share their penalties.
            weights: (m,) of the columns' squared errors; equal if not given.
        """
        dtype = targets.dtype
        parts = [(self._narrow(dtype)[fold], targets[rows]) for fold, rows in self._each]
        sums = np.stack([target.sum(axis=0, dtype=np.float64) for _, target in parts])
        crossed = [features.T @ target for features, target in parts]
        total = np.sum(crossed, axis=0)
        chosen = self._chosen(sums, crossed, total, width, weights)
        predicted = np.empty_like(targets)
        means = np.empty((len(parts), targets.shape[1]), dtype)
        for (fold, rows), spectrum in zip(self._each, self._spectra, strict=True):
            others = sums.sum(axis=0) - sums[fold]
            means[fold] = others / spectrum.train.count
            found = spectrum.covariances(others, total - crossed[fold])
            found *= spectrum.shrunk.astype(dtype)[chosen[fold]].T
            weights_of = spectrum.axes.astype(dtype) @ found
            offset = means[fold] - spectrum.train.mean.astype(dtype) @ weights_of
            predicted[rows] = parts[fold][0] @ weights_of + offset
        return Fitted(predicted, means, chosen)

    def without(
        self,
        targets: Floats,
        fitted: Fitted,
        parts: Sequence[NDArray[np.intp]],
        here: NDArray[np.intp] | None = None,
    ) -> Floats:
        """Return what is predicted without each of some parts of the samples, (n, here, m).

        The regression without some samples is that with all of them, less what their residuals
        would be without them (Cook and Weisberg 1982, Residuals and influence in regression, 3.2);
        penalties stay. Of more samples than `INFLUENCE_CELLS` allow, predictions stay as they are.

        Args:
            targets: (n, m).
            fitted: what `fit` has returned of them.
            parts: the samples of each.
            here: the parts to leave out, in order; all by default.
        """
        here = np.arange(len(parts)) if here is None else here
        shape = len(targets), len(here), targets.shape[1]
        unchanged = np.broadcast_to(fitted.predicted[:, np.newaxis], shape)
        if len(self.features) ** 2 * (FOLDS - 1) / FOLDS**2 > INFLUENCE_CELLS:
            return unchanged
        predicted = unchanged.copy()
        for fold, rows in self._each:
            for place in np.unique(fitted.chosen[fold]):
                columns = np.flatnonzero(fitted.chosen[fold] == place)
                trained, starts, matrix = self._influence(fold, int(place), parts)
                residuals = targets[:, columns] - self._inside(fold, int(place), targets, columns)
                lengths = np.diff(np.append(starts, len(trained)))
                some = np.flatnonzero(lengths[here])
                for column, missed in zip(columns, residuals[trained].T, strict=True):
                    filled = np.flatnonzero(lengths)
                    changes = np.add.reduceat(matrix * missed, starts[filled], axis=1)
                    chosen = changes[:, np.searchsorted(filled, here[some])]
                    predicted[np.ix_(rows, some, [column])] -= chosen[:, :, np.newaxis]
        return predicted

    def _influence(
        self, fold: int, place: int, parts: Sequence[NDArray[np.intp]]
    ) -> tuple[NDArray[np.intp], NDArray[np.intp], Numbers]:
        """Return what residuals of each part are times to give what a fold's predictions lose.

        Returns:
            The trained samples, part by part; where each part begins; and (n_f, trained).
        """
        key = (fold, place)
        if key not in self._influences:
            scores = self._scores(fold) * np.sqrt(self._spectra[fold].shrunk[place])
            constant = 1 / self._spectra[fold].train.count
            asked = scores[self.members[fold]]
            trained = [part[self.folds[part] != fold] for part in parts]
            found = []
            for part in trained:
                gone = scores[part]
                left = np.eye(len(part)) - gone @ gone.T - constant
                found.append(np.linalg.solve(left, gone @ asked.T + constant).T)
            starts = np.cumsum([0, *map(len, trained[:-1])])
            self._influences[key] = np.concatenate(trained), starts, np.hstack(found)
        return self._influences[key]

    @cached_property
    def _influences(
        self,
    ) -> dict[tuple[int, int], tuple[NDArray[np.intp], NDArray[np.intp], Numbers]]:
        return {}

    def _inside(self, fold: int, place: int, targets: Floats, columns: NDArray[np.intp]) -> Numbers:
        """Return what is predicted of all samples by what has not seen one fold, (n, columns)."""
        spectrum, trained = self._spectra[fold], self.folds != fold
        scores = self._scores(fold)
        mean = targets[trained][:, columns].mean(axis=0)
        covariances = scores[trained].T @ (targets[trained][:, columns] - mean)
        fitted: Numbers = scores @ (covariances * spectrum.shrunk[place][:, np.newaxis]) + mean
        return fitted

    def _scores(self, fold: int) -> Numbers:
        """Return all samples on the axes of those that have not seen one fold, (n, r)."""
        if fold not in self._scored:
            spectrum = self._spectra[fold]
            centred = self.features.astype(np.float64) - spectrum.train.mean
            self._scored[fold] = centred @ spectrum.axes
        return self._scored[fold]

    @cached_property
    def _scored(self) -> dict[int, Numbers]:
        return {}

    @property
    def _each(self) -> list[tuple[int, NDArray[np.intp]]]:
        return list(enumerate(self.members))

    def _narrow(self, dtype: np.dtype[np.floating]) -> list[Floats]:
        """Return the features of each fold in some precision."""
        if dtype not in self._typed:
            self._typed[dtype] = [self.features[rows].astype(dtype) for rows in self.members]
        return self._typed[dtype]

    @cached_property
    def _typed(self) -> dict[np.dtype[np.floating], list[Floats]]:
        return {}

    @cached_property
    def _products(self) -> list[Products]:
        return [Products.of(self.features[rows]) for rows in self.members]

    @cached_property
    def _total(self) -> Products:
        return sum(self._products[1:], self._products[0])

    @cached_property
    def _spectra(self) -> list[Spectrum]:
        """Of what each fold is predicted from."""
        return [Spectrum.of(self._total - one) for one in self._products]

    @cached_property
    def _pairs(self) -> list[tuple[int, int, Spectrum, Numbers, Numbers]]:
        """Pairs of folds, what is trained without both, and of each fold its `_factor`."""
        found = []
        for one, other in combinations(range(len(self.members)), 2):
            spectrum = Spectrum.of(self._total - self._products[one] - self._products[other])
            first, second = (self._factor(fold, spectrum) for fold in (one, other))
            found.append((one, other, spectrum, first, second))
        return found

    def _factor(self, fold: int, spectrum: Spectrum) -> Numbers:
        """Return what slopes are times to have the length of a fold's predictions, (…, r).

        Its samples around the mean of those that are trained on, or of many as many rows as
        features with the same products.
        """
        if self._products[fold].count <= len(spectrum.squares):
            centred = self.features[self.members[fold]] - spectrum.train.mean
            return centred @ spectrum.axes
        products = self._products[fold].around(spectrum.train.mean)
        squares, axes = np.linalg.eigh(spectrum.axes.T @ products @ spectrum.axes)
        factor: Numbers = np.sqrt(np.maximum(squares, 0))[:, np.newaxis] * axes.T
        return factor

    def _chosen(
        self,
        sums: Numbers,
        crossed: Sequence[Floats],
        total: Floats,
        width: int,
        weights: Floats | None,
    ) -> NDArray[np.intp]:
        """Choose the penalty of every column in every fold by the others, (folds, m)."""
        count = total.shape[1]
        if len(crossed) < 3:
            return np.full((len(crossed), count), MEDIUM)
        errors = np.zeros((len(crossed), len(PENALTIES), count))
        for one, other, spectrum, of_one, of_other in self._pairs:
            trained = sums.sum(axis=0) - sums[one] - sums[other]
            found = spectrum.covariances(trained, total - crossed[one] - crossed[other])
            for tested, fold, inside in ((other, one, of_other), (one, other, of_one)):
                own = self._asked(tested, spectrum, sums[tested], crossed[tested], trained)
                factor = inside.astype(found.dtype)
                for place, shrunk in enumerate(spectrum.shrunk.astype(found.dtype)):
                    slopes = found * shrunk[:, np.newaxis]
                    lengths = np.square(factor @ slopes).sum(axis=0)
                    errors[fold, place] += lengths - 2 * np.einsum("ij,ij->j", slopes, own)
        if weights is not None:
            errors *= weights
        of_targets = errors.reshape(*errors.shape[:2], -1, width).sum(axis=3)
        return np.repeat(of_targets.argmin(axis=1), width, axis=1)

    def _asked(
        self, tested: int, spectrum: Spectrum, sums: Numbers, crossed: Floats, trained: Numbers
    ) -> Floats:
        """Return the sums of products of a tested fold's axes and targets, (r, m).

        Both around the means of the samples that are trained on.
        """
        train, products = spectrum.train, self._products[tested]
        apart = (products.sums - products.count * train.mean) / train.count
        centred = crossed - (np.outer(train.mean, sums) + np.outer(apart, trained)).astype(
            crossed.dtype
        )
        return spectrum.axes.T.astype(crossed.dtype) @ centred
