"""What a metric is, and what it measures."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from latentmap.config import Options, Plugin, Registry
from latentmap.neighbors.graph import NeighborGraph


@dataclass(frozen=True)
class LabelledEmbedding:
    """One embedding with its labels and neighbors; what several metrics need is computed once.

    Attributes:
        values: (N, D) float32.
        labels: (N,) label names.
        label_groups: (N,) names of the coarser classes.
        source_groups: (N,) names of what must not leak.
        graph: its neighbors.
        tokens: tokens that the pooling method would hand to a model.
    """

    values: NDArray[np.float32]
    labels: NDArray[np.str_]
    label_groups: NDArray[np.str_]
    source_groups: NDArray[np.str_]
    graph: NeighborGraph
    tokens: int

    @cached_property
    def classes(self) -> NDArray[np.str_]:
        """Sorted names of the labels that occur."""
        return np.unique(self.labels)

    @cached_property
    def codes(self) -> NDArray[np.intp]:
        """(N,) positions of the labels in `classes`."""
        return np.searchsorted(self.classes, self.labels)

    @cached_property
    def centroids(self) -> NDArray[np.float64]:
        """(classes, D) mean of each label's samples."""
        members = np.zeros((len(self.classes), len(self.values)))
        members[self.codes, np.arange(len(self.values))] = 1
        return (members / members.sum(axis=1, keepdims=True)) @ self.values


@dataclass(frozen=True)
class Figure:
    """What one figure says.

    Attributes:
        meaning: one line for tables and tooltips.
        better: which direction is better, if either is.
    """

    meaning: str
    better: Literal["higher", "lower"] | None = None


@dataclass(frozen=True)
class Measurement:
    """The value of one figure.

    Attributes:
        value: the figure; NaN where it is not defined.
        chance: its expected value if labels had nothing to do with the embedding, where known.
        interval: 95 % interval, where computed.
        p_value: of the hypothesis that labels have nothing to do with it, where computed.
        note: why the value is not defined, or what was left out.
    """

    value: float
    chance: float | None = None
    interval: tuple[float, float] | None = None
    p_value: float | None = None
    note: str | None = None


M_co = TypeVar("M_co", bound=Options, covariant=True)


class Metric(Plugin[M_co]):
    """Something to measure on a labelled embedding.

    Attributes:
        figures: the figures it gives, by column name.
    """

    figures: ClassVar[dict[str, Figure]]

    @abstractmethod
    def measure(self, data: LabelledEmbedding) -> dict[str, Measurement]:
        """Measure every figure of `figures`."""


METRICS: Registry[Metric[Options]] = Registry("latentmap.metrics.figures", Metric, "metric")
