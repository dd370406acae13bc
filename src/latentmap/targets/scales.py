"""How the values of a target are predicted, and how predictions are judged, by its kind."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latentmap.metrics.probes import BY_CHANCE
from latentmap.targets.derivation import Kind
from latentmap.targets.figures import (
    Floats,
    Numbers,
    Tested,
    answered,
    auc,
    balanced,
    cosine,
    r2,
    rho,
)

Codes = NDArray[np.integer]


@dataclass(frozen=True)
class Without:
    """Figures without each of some parts of the samples.

    Attributes:
        figures: (parts,) by name.
        answers: (parts,) the balanced accuracy, of names, if answers did not turn where a part less
            is there to learn from.
        turned: of it, what such turns would add to the sum of squares if each were by chance.
    """

    figures: Mapping[str, Numbers]
    answers: Numbers | None = None
    turned: float = 0.0


def joined(some: Sequence[Without]) -> dict[str, Numbers]:
    """Return the figures without all parts.

    Answers are right or wrong: where a part less moves many a little, some turn to right and about
    as many to wrong, and a jackknife would take that for influence. Of what such turns by chance
    would add to the variance `BY_CHANCE` is taken off, as in probes, but no more than leaves the
    variance that the tested samples alone would have.
    """
    found = {name: np.concatenate([one.figures[name] for one in some]) for name in some[0].figures}
    answers = [one.answers for one in some if one.answers is not None]
    if answers:
        mean = found["balanced"].mean()
        apart, alone = found["balanced"] - mean, np.concatenate(answers)
        both = float(np.square(apart).sum())
        left = both - BY_CHANCE * sum(one.turned for one in some)
        least = float(np.square(alone - alone.mean()).sum())
        if both > 0:
            found["balanced"] = mean + apart * min(np.sqrt(max(left, least) / both), 1.0)
    return found


class Scale(ABC):
    """The values that a target can have, each known by its number.

    Attributes:
        width: columns by which a smoother predicts it.
    """

    width: int = 1

    @abstractmethod
    def columns(self, codes: Codes, dtype: type[np.floating]) -> Floats:
        """Return what a smoother predicts of (n, m) values, (n, m × width), side by side."""

    def weights(self, codes: Codes) -> Numbers | None:
        """Return what the squared errors of `columns` count, (m × width,); None if all alike."""
        return None

    @abstractmethod
    def figures(
        self, codes: Codes, predicted: Floats, shares: Floats, tested: Tested
    ) -> Mapping[str, Numbers]:
        """Return how well values are predicted, (m,) by name.

        Args:
            codes: (n, m) or (n, 1) the values.
            predicted: (n, m, width) what is predicted of their columns.
            shares: (n or 1, m or 1, width) means of the columns where predictions come from. Ranks
                are of what is predicted beyond them, because the means of folds go up where those
                of what was left out go down.
            tested: (n, m) or (n, 1) whether a sample counts.
        """

    def without(
        self, codes: Codes, predicted: Floats, whole: Floats, shares: Floats, tested: Tested
    ) -> Without:
        """Return the figures without each of some parts of the samples.

        Args:
            codes: (n, 1) the values.
            predicted: (n, parts, width) what is predicted without each part.
            whole: (n, 1, width) what is predicted with all.
            shares: (n or 1, parts or 1, width) as for `figures`.
            tested: (n, parts) whether a sample counts without a part.
        """
        return Without(self.figures(codes, predicted, shares, tested))

    @abstractmethod
    def shown(self, predicted: Floats) -> Numbers | None:
        """Return what is predicted, (n, 1, width), as values of the target, (n,), if it can be."""


@dataclass(frozen=True)
class Amounts(Scale):
    """Numbers, which are predicted around their mean in standard deviations.

    Attributes:
        levels: (values,) ascending.
        mean: of the samples.
        deviation: of the samples.
    """

    levels: Numbers
    mean: float
    deviation: float

    def columns(self, codes: Codes, dtype: type[np.floating]) -> Floats:
        """Return the numbers."""
        return self._scaled.astype(dtype)[codes]

    def figures(
        self, codes: Codes, predicted: Floats, shares: Floats, tested: Tested
    ) -> Mapping[str, Numbers]:
        """Return R² and Spearman's ρ."""
        truth, found = self.columns(codes, predicted.dtype.type), predicted[:, :, 0]
        apart = found - shares[:, :, 0]
        return {"r2": r2(truth, found, tested), "rho": rho(codes, apart, tested)}

    def shown(self, predicted: Floats) -> Numbers:
        """Return the numbers in their unit."""
        numbers: Numbers = predicted[:, 0, 0].astype(np.float64) * self.deviation + self.mean
        return numbers

    @property
    def _scaled(self) -> Numbers:
        scaled: Numbers = (self.levels - self.mean) / self.deviation
        return scaled


@dataclass(frozen=True)
class Angles(Scale):
    """Angles, which are predicted by their cosine and sine.

    Attributes:
        levels: (values,) degrees, ascending.
    """

    levels: Numbers
    width = 2

    def columns(self, codes: Codes, dtype: type[np.floating]) -> Floats:
        """Return cosines and sines."""
        return self._directions.astype(dtype)[codes].reshape(len(codes), -1)

    def figures(
        self, codes: Codes, predicted: Floats, shares: Floats, tested: Tested
    ) -> Mapping[str, Numbers]:
        """Return the mean cosine."""
        truth = self._directions.astype(predicted.dtype)[codes]
        return {"cosine": cosine(truth, predicted, tested)}

    def shown(self, predicted: Floats) -> Numbers:
        """Return the angles in degrees from 0 to 360."""
        degrees: Numbers = np.degrees(np.arctan2(predicted[:, 0, 1], predicted[:, 0, 0])) % 360
        return degrees

    @property
    def _directions(self) -> Numbers:
        angles = np.radians(self.levels)
        return np.stack([np.cos(angles), np.sin(angles)], axis=1)


@dataclass(frozen=True)
class Names(Scale):
    """Names, each predicted by whether a sample has it.

    Attributes:
        chosen: (values,) the column of each name; -1 of those that are not predicted.
        kind: categorical or binary.
    """

    chosen: NDArray[np.intp]
    kind: Kind

    @property
    def width(self) -> int:  # type: ignore[override]
        """Columns: one for each name that is predicted."""
        return int(self.chosen.max()) + 1

    def columns(self, codes: Codes, dtype: type[np.floating]) -> Floats:
        """Return one where a sample has a name, and zero elsewhere."""
        eye = np.vstack([np.eye(self.width, dtype=dtype), np.zeros((1, self.width), dtype)])
        found: Floats = eye[self.chosen[codes]].reshape(len(codes), -1)
        return found

    def weights(self, codes: Codes) -> Numbers:
        """Return one over how often each name occurs: all names count the same."""
        return 1 / np.maximum(self.columns(codes, np.float32).sum(axis=0, dtype=np.float64), 1)

    def figures(
        self, codes: Codes, predicted: Floats, shares: Floats, tested: Tested
    ) -> Mapping[str, Numbers]:
        """Return the balanced accuracy and, of two names, the area under the ROC curve."""
        places, tested = self.places(codes, tested)
        right = answered(places, predicted, shares)
        found = {"balanced": balanced(places, right, tested, self.width)}
        if self.kind == "binary":
            found["auc"] = auc(places == 1, predicted[:, :, 1] - shares[:, :, 1], tested)
        return found

    def without(
        self, codes: Codes, predicted: Floats, whole: Floats, shares: Floats, tested: Tested
    ) -> Without:
        """Return the figures without each of some parts of the samples, and how answers turned."""
        found = self.figures(codes, predicted, shares, tested)
        places, tested = self.places(codes, tested)
        before, after = (answered(places, one, shares) for one in (whole, predicted))
        sizes = np.bincount(places[:, 0], minlength=self.width)
        weights = 1 / (np.count_nonzero(sizes) * np.maximum(sizes, 1))
        turned = np.where(tested, after - before, 0) * weights[places]
        alone = balanced(places, before, tested, self.width)
        return Without(found, alone, float(np.square(turned).sum()))

    def places(self, codes: Codes, tested: Tested) -> tuple[Codes, Tested]:
        """Return the column of each value, and whether it counts, which takes one."""
        places = self.chosen[codes]
        return np.maximum(places, 0), tested & (places >= 0)

    def shown(self, predicted: Floats) -> None:
        """Return nothing: names are no numbers."""
