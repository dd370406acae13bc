"""How the values of a target are predicted, and how predictions are judged, by its kind."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latentmap.targets.derivation import Kind
from latentmap.targets.figures import Floats, Numbers, Tested, auc, balanced, cosine, r2, rho

Codes = NDArray[np.integer]


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
            shares: (n or 1, m or 1, width) means of the columns where predictions come from.
            tested: (n, m) or (n, 1) whether a sample counts.
        """

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
        return {"r2": r2(truth, found, tested), "rho": rho(codes, found, tested)}

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
        places = self.chosen[codes]
        tested = tested & (places >= 0)
        places = np.maximum(places, 0)
        found = {"balanced": balanced(places, predicted, shares, tested)}
        if self.kind == "binary":
            found["auc"] = auc(places == 1, predicted[:, :, 1], tested)
        return found

    def shown(self, predicted: Floats) -> None:
        """Return nothing: names are no numbers."""
