"""Hubness: whether few samples are among the nearest neighbors of very many, and many of none."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from latentmap.metrics.agreement import NeighborMetricOptions, obstacle
from latentmap.metrics.metric import LabelledEmbedding, Measurement, Metric, MetricColumn
from latentmap.neighbors.graph import nearest
from latentmap.neighbors.lists import distinct

HIGH = 1.4
"""Skewness above which hubness is called high: more than normal samples in 8 dimensions have."""


class Hubness(Metric[NeighborMetricOptions]):
    """Skewness of the k-occurrence, and the share of samples that nobody has as a neighbor.

    The k-occurrence of a sample is how many others have it among their k nearest neighbors, k on
    average (Radovanović et al. 2010, JMLR 11, 2487). In many dimensions, samples near the centre
    become hubs, and what neighbors say hangs on few of them. Neighbors are those of other source
    groups, where there are several. Identical samples, of which any may stand in a list, share what
    they have together.
    """

    Options = NeighborMetricOptions
    needs_labels = False
    reads_neighbors = True
    columns: ClassVar = {
        "hubness_skewness": MetricColumn(
            "skewness of how often a sample is among the nearest neighbors of others",
            "hubness (skewness)",
            better="lower",
        ),
        "hubness_antihubs": MetricColumn(
            "share of samples that are among nobody's nearest neighbors",
            "hubness (anti-hubs)",
            better="lower",
        ),
    }

    def measure(self, data: LabelledEmbedding) -> dict[str, Measurement]:
        """Measure on the neighbors of other source groups, or on all where there is one group."""
        reason = obstacle(data, self.options.k)
        if reason:
            return self.undefined(reason)
        occurrence = self._occurrence(data)
        skewness = _skewness(occurrence)
        high = f"High hubness: the skewness is above {HIGH}." if skewness > HIGH else None
        return {
            "hubness_skewness": Measurement(skewness, note=high),
            "hubness_antihubs": Measurement(float((occurrence == 0).mean())),
        }

    def _occurrence(self, data: LabelledEmbedding) -> NDArray[np.float64]:
        neighbors = data.graph.grouped if data.sources.any() else data.graph.every
        indices = nearest(neighbors, self.options.k).indices
        occurrence = np.bincount(indices[indices >= 0], minlength=len(indices))
        place = distinct(data.compact)[1]
        together: NDArray[np.float64] = np.bincount(place, occurrence) / np.bincount(place)
        return together[place]


def _skewness(values: NDArray[np.float64]) -> float:
    """Return the third standardised moment; 0 of values that do not differ."""
    centred = values - values.mean()
    spread = np.square(centred).mean()
    return float((centred**3).mean() / spread**1.5) if spread > 0 else 0.0
