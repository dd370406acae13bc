"""Principal components: linear, keeps the directions of largest variance, the same every time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from latentmap.neighbors.graph import NeighborGraph
from latentmap.project.components import leading_components
from latentmap.project.placement import Reference, linear_places
from latentmap.project.projection import Layout, Projection, ProjectionOptions, Values


class PCA(Projection[ProjectionOptions]):
    """The first two or three principal components (Pearson 1901).

    The share of the variance that each explains is stored with the map.
    """

    is_random = False
    reads_neighbors = False

    def place(self, values: Values, graph: NeighborGraph) -> Layout:
        """Return the coordinates on the principal axes; zero beyond the rank."""
        components = leading_components(values, graph, self.options.dims)
        return Layout(components.coordinates, {"explained_variance": components.shares.tolist()})

    def extend(self, values: NDArray[np.float32], reference: Reference) -> Layout:
        """Place further samples exactly: on the reference's own principal axes."""
        return Layout(linear_places(values, reference))
