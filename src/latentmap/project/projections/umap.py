"""UMAP: keeps the nearest neighbors of every sample together; distances across it mean little."""

from __future__ import annotations

import warnings
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from latentmap.neighbors.graph import NeighborGraph, NeighborList
from latentmap.project.adjacency import FEWEST, nearest, too_few
from latentmap.project.projection import Layout, Projection, ProjectionOptions, Values
from latentmap.project.start import random_places, starting_places

# As umap-learn: small sets get the epochs that large ones do not need, and the farthest sample
# starts at 10.
SMALL = 10_000
EPOCHS_SMALL, EPOCHS_LARGE = 500, 200
FARTHEST = 10


class UmapOptions(ProjectionOptions):
    """Options of UMAP.

    Attributes:
        n_neighbors: neighbors of every sample that are kept near it, itself not counted; all
            others, of fewer samples.
        min_dist: how close samples may come on the map, in its own units.
        init: where it starts: from the principal components (`pca`), the spectrum of the graph
            (`spectral`) or anywhere (`random`); with scranpy `pca` if not given, with umap-learn
            `spectral`.
        epochs: passes over all neighbor pairs; 500 up to 10,000 samples, else 200, if not given.
        engine: the library that does it; docs/projections.md compares them.
    """

    n_neighbors: int = Field(15, ge=2)
    min_dist: float = Field(0.1, ge=0, lt=1)
    init: Literal["pca", "spectral", "random"] | None = None
    epochs: int | None = Field(None, ge=1)
    engine: Literal["scranpy", "umap-learn"] = "scranpy"


class UMAP(Projection[UmapOptions]):
    """Uniform manifold approximation and projection (McInnes et al. 2018), from the graph.

    Fewer than 16 samples are placed on their principal components.
    """

    Options = UmapOptions

    def place(self, values: Values, graph: NeighborGraph) -> Layout:
        """Return the map of the neighbor graph."""
        if len(graph.ids) < FEWEST:
            return too_few(values, graph, self.options.dims)
        neighbors = nearest(
            graph, self.options.n_neighbors, "UMAP", "n_neighbors of this projection to fewer"
        )
        if self.options.engine == "umap-learn":
            init = self.options.init or "spectral"
            return Layout(self._umap_learn(values, neighbors, self._start(init, values, graph)))
        return Layout(
            self._scranpy(self._start(self.options.init or "pca", values, graph), neighbors)
        )

    def _start(self, init: str, values: Values, graph: NeighborGraph) -> NDArray[np.float64] | None:
        """Return where the samples start; None where the library decides."""
        dims, seed = self.options.dims, self.options.seed
        if init == "spectral":
            return None
        if init == "random":
            return FARTHEST * random_places(len(graph.ids), dims, seed)
        return FARTHEST * starting_places(values, graph, dims, seed)

    def _epochs(self, count: int) -> int:
        return self.options.epochs or (EPOCHS_SMALL if count <= SMALL else EPOCHS_LARGE)

    def _scranpy(
        self, start: NDArray[np.float64] | None, neighbors: NeighborList
    ) -> NDArray[np.float32]:
        from knncolle import FindKnnResults
        from scranpy import run_umap

        places = run_umap(
            FindKnnResults(neighbors.indices, neighbors.distances),
            num_dim=self.options.dims,
            min_dist=self.options.min_dist,
            num_epochs=self._epochs(len(neighbors.indices)),
            initialize_method="spectral" if start is None else "none",
            initial_coordinates=start,
            initialize_seed=self.options.seed,
            optimize_seed=self.options.seed,
        )
        return np.ascontiguousarray(places, np.float32)

    def _umap_learn(
        self, values: Values, neighbors: NeighborList, start: NDArray[np.float64] | None
    ) -> NDArray[np.float32]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import umap

            rows = np.arange(len(neighbors.indices), dtype=np.int32)[:, np.newaxis]
            # umap-learn counts a sample as its own first neighbor.
            indices = np.hstack([rows, neighbors.indices])
            distances = np.hstack([np.zeros(rows.shape, np.float32), neighbors.distances])
            model = umap.UMAP(
                n_components=self.options.dims,
                n_neighbors=indices.shape[1],
                min_dist=self.options.min_dist,
                n_epochs=self._epochs(len(rows)),
                precomputed_knn=(indices, distances),
                init="spectral" if start is None else start.astype(np.float32),
                random_state=self.options.seed,
                n_jobs=1,
            )
            return model.fit_transform(values())
