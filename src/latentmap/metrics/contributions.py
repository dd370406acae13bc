"""What each source group contributes to a metric: how much the metric changes without it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from latentmap.metrics.inference import FEWEST_GROUPS, interval_of, jackknife


@dataclass(frozen=True)
class Contributions:
    """A metric, and what it is without each source group.

    Intervals and comparisons of methods rest on what source groups contribute, which is found by
    leaving each of them out, with all that its samples change in the scores of others. Scores of
    single samples do not know of that, and cannot take its place.

    Attributes:
        value: the metric.
        without: (groups,) the metric without each source group; NaN where nothing is left to
            measure.
        sources: (N,) number of each sample's source group, every one up to the largest in use.

    Raises:
        ValueError: there is not one value for each source group.
    """

    value: float
    without: NDArray[np.float64]
    sources: NDArray[np.intp]

    def __post_init__(self) -> None:
        """Refuse what was not found by leaving out each source group."""
        groups = int(self.sources.max()) + 1
        if self.without.shape != (groups,):
            raise ValueError(f"{self.without.shape} values for {groups} source groups")

    @cached_property
    def values(self) -> NDArray[np.float64]:
        """(N,) contribution of each sample, whose mean is the metric.

        Tukey's pseudo-values (Efron 1982, The Jackknife, the Bootstrap and Other Resampling Plans,
        chapter 6) around the metric, of which the samples of a group have equal parts.
        """
        sizes = np.bincount(self.sources)
        shares = len(self.sources) / (len(sizes) * sizes)
        pseudo = (len(sizes) - 1) * -self._changes
        return self.value + (shares * pseudo)[self.sources]

    @cached_property
    def _changes(self) -> NDArray[np.float64]:
        """(groups,) what the metric is without each group, around the mean over groups."""
        known = ~np.isnan(self.without)
        changes = np.zeros_like(self.without)
        if known.any():
            changes[known] = self.without[known] - self.without[known].mean()
        return changes

    def interval(self, bounds: tuple[float, float] | None) -> tuple[float, float] | None:
        """Return the 95 % interval of the metric; none where the source groups are too few.

        Args:
            bounds: of its values, if it has any.
        """
        if len(self.without) < FEWEST_GROUPS:
            return None
        return interval_of(self.value, jackknife(self._changes), bounds)
