"""Linear probe: whether logistic regression finds the labels of source groups it never saw."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from latentmap.config import Options
from latentmap.metrics.agreement import NO_NEIGHBOR
from latentmap.metrics.folds import grouped_folds
from latentmap.metrics.logistic import fit_logistic
from latentmap.metrics.metric import SHARED_ROWS, LabelledEmbedding, Measurement, Metric
from latentmap.metrics.probes import (
    NOTHING_TO_TEST,
    UNTESTED,
    occurs_elsewhere,
    probe_figures,
    probe_measurements,
)
from latentmap.neighbors.distances import Points

# A component with a smaller share of the variance is rounding of the float32 products.
SMALLEST_SHARE = 1e-6

Standardise = Callable[[NDArray[np.bool_]], NDArray[np.float64]]


class ProbeLinearOptions(Options):
    """Options of the linear probe.

    Attributes:
        folds: parts that take turns in being tested; fewer where there are fewer source groups.
        strength: inverse of the penalty on the weights, scikit-learn's C.
        max_samples: of more samples, so many are drawn at random.
        seed: of the folds and of that draw.
    """

    folds: int = Field(default=5, ge=2)
    strength: float = Field(default=1.0, gt=0)
    max_samples: int = Field(default=SHARED_ROWS, ge=2, le=SHARED_ROWS)
    seed: int = 0


class ProbeLinear(Metric[ProbeLinearOptions]):
    """Cross-validated multinomial logistic regression with source groups kept together.

    Features are brought to mean zero and standard deviation one, both taken from the training
    folds. Where there are more of them than samples, which are then values of one latent, they
    share one scale instead, so that the products of the samples tell all: the samples are rotated
    onto their principal axes, at most one for each sample, which changes no answer.

    A sample whose label is not among the training folds is not tested, above all that of a label
    which occurs in one source group; where that leaves some out, the note says how many are.
    """

    Options = ProbeLinearOptions
    figures: ClassVar = probe_figures("probe_linear", "logistic regression on other source groups")

    def measure(self, data: LabelledEmbedding) -> dict[str, Measurement]:
        """Measure on all samples, or on some of a large set, drawn at random."""
        if data.obstacle:
            return self.undefined(data.obstacle)
        rng = np.random.default_rng(self.options.seed)
        rows = _drawn(len(data.values), self.options.max_samples, rng)
        codes, groups = (
            np.unique(values[rows], return_inverse=True)[1]
            for values in (data.codes, data.source_groups)
        )
        count = int(groups.max()) + 1
        if count < 2:
            return self.undefined(NO_NEIGHBOR)
        if not occurs_elsewhere(codes, groups).any():
            return self.undefined(NOTHING_TO_TEST)
        folds = grouped_folds(codes, rng.permutation(count)[groups], min(self.options.folds, count))
        answers = np.full(len(data.values), UNTESTED)
        answers[rows] = self._answers(_standardiser(data, rows), data.codes[rows], folds)
        return probe_measurements("probe_linear", data, answers)

    def _answers(
        self, standardise: Standardise, codes: NDArray[np.intp], folds: NDArray[np.intp]
    ) -> NDArray[np.intp]:
        """Return the label that each sample is given when its fold is tested."""
        answers = np.full(len(codes), UNTESTED)
        for fold in np.unique(folds):
            training = folds != fold
            known, positions = np.unique(codes[training], return_inverse=True)
            tested = ~training & np.isin(codes, known)
            features = standardise(training)
            model = fit_logistic(features[training], positions, self.options.strength)
            answers[tested] = known[model.predict(features[tested])]
        return answers


def _drawn(count: int, limit: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Return all rows, or `limit` of them in their order."""
    if count <= limit:
        return np.arange(count)
    return np.sort(rng.choice(count, limit, replace=False))


def _standardiser(data: LabelledEmbedding, rows: NDArray[np.intp]) -> Standardise:
    """Return the function from training samples to standardised features of all `rows`."""
    count, dims = len(rows), data.values.shape[1]
    if dims <= count:
        values = data.values[rows].astype(np.float64)
        overall = _scaled_each(values, np.ones(count, bool))
        # Axes of all samples make features nearly uncorrelated, which is what the fit is quick on.
        axes = np.linalg.eigh(overall.T @ overall)[1]
        return lambda training: _scaled_each(values, training) @ axes
    whole = count == len(data.values)
    if whole and data.graph.rotated is not None:
        on_axes = data.graph.rotated.astype(np.float64)
        return lambda training: _scaled_together(on_axes, dims, training)
    gram = data.gram if whole else Points(data.values[rows]).products(slice(0, count))
    variances, vectors = np.linalg.eigh(gram)
    kept = variances > SMALLEST_SHARE * variances.sum()
    rotated = vectors[:, kept] * np.sqrt(variances[kept])
    return lambda training: _scaled_together(rotated, dims, training)


def _scaled_each(values: NDArray[np.float64], training: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Give every feature mean zero and deviation one over the training samples."""
    deviations = values[training].std(axis=0)
    # A feature that is constant up to rounding says nothing.
    varies = deviations > 1e-6 * np.abs(values[training]).max(axis=0)
    scaled = (values - values[training].mean(axis=0)) * varies
    return scaled / np.where(varies, deviations, 1)


def _scaled_together(
    rotated: NDArray[np.float64], dims: int, training: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Give features mean zero and a mean variance of one over the training samples.

    Args:
        rotated: (n, r) coordinates of the samples on their principal axes.
        dims: number of features that were rotated.
        training: (n,) samples to take mean and variance from.
    """
    variance = rotated[training].var(axis=0).sum() / dims
    return (rotated - rotated[training].mean(axis=0)) / np.sqrt(variance or 1)
