"""t-SNE: keeps small neighborhoods more faithfully than UMAP, and spreads the samples evenly."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from latentmap.neighbors.graph import NeighborGraph, NeighborList
from latentmap.project.adjacency import FEWEST, nearest, too_few
from latentmap.project.projection import Layout, Projection, ProjectionOptions, Values
from latentmap.project.start import random_places, starting_places

NEIGHBORS_PER_PERPLEXITY = 3
# The schedule of openTSNE: clusters form while attraction is exaggerated, then unfold.
EARLY_EPOCHS, EPOCHS = 250, 500
EXAGGERATION = 12.0
# Up to so many samples repulsion comes from a tree, as in openTSNE. Interpolated, which is faster,
# it draws tight clusters onto a grid.
TREE = 10_000
# Narrow enough that the first gradients are linear (Kobak and Berens 2019).
INITIAL_SPREAD = 1e-4
# Nearest distance that the search for bandwidths is given, in mean neighbor distances: with none
# but zero distances it has no bandwidth to find.
NEAREST = 1e-3


class TsneOptions(ProjectionOptions):
    """Options of t-SNE.

    Attributes:
        perplexity: effective neighbors per sample. The graph must hold three times as many; with
            fewer samples than that it is reduced to a third of the others, which the map's
            metadata say.
        init: where it starts: from the principal components, or anywhere (`random`), as early
            programs did, so that every seed draws another picture of the same neighborhoods.
        engine: the library that does it; by default manifolds-rs in 2D and openTSNE in 3D, which
            is all that manifolds-rs cannot do. docs/projections.md compares them.
    """

    perplexity: float = Field(30.0, gt=1)
    init: Literal["pca", "random"] = "pca"
    engine: Literal["auto", "manifolds-rs", "openTSNE"] = "auto"

    @model_validator(mode="after")
    def _check_engine(self) -> TsneOptions:
        if self.engine == "manifolds-rs" and self.dims == 3:
            raise ValueError("manifolds-rs makes 2D t-SNE only; 3D needs engine openTSNE or auto")
        return self


class TSNE(Projection[TsneOptions]):
    """t-distributed stochastic neighbor embedding (van der Maaten and Hinton 2008), from the graph.

    Its learning rate is N / 12 (Belkina et al. 2019). Repulsion comes from a Barnes-Hut tree in 3D
    and up to 10,000 samples, else it is interpolated (Linderman et al. 2019). Fewer than 16 samples
    are placed on their principal components.
    """

    Options = TsneOptions

    def place(self, values: Values, graph: NeighborGraph) -> Layout:
        """Return the map of the neighbor graph."""
        count = len(graph.ids)
        if count < FEWEST:
            return too_few(values, graph, self.options.dims)
        perplexity = min(self.options.perplexity, (count - 1) / NEIGHBORS_PER_PERPLEXITY)
        neighbors = nearest(
            graph,
            int(NEIGHBORS_PER_PERPLEXITY * perplexity),
            f"t-SNE of perplexity {perplexity:g}",
            "perplexity of this projection to a third of that",
        )
        if self.options.init == "random":
            start = random_places(count, self.options.dims, self.options.seed)
        else:
            start = starting_places(values, graph, self.options.dims, self.options.seed)
        if self.options.engine == "openTSNE" or self.options.dims == 3:
            coordinates = self._opentsne(start, neighbors, perplexity)
        else:
            coordinates = self._manifolds_rs(start, neighbors, perplexity)
        return Layout(coordinates, {"perplexity": perplexity})

    def _manifolds_rs(
        self, start: NDArray[np.float64], neighbors: NeighborList, perplexity: float
    ) -> NDArray[np.float32]:
        import manifolds_rs

        model = manifolds_rs.TSNE(
            perplexity=perplexity,
            n_epochs=EARLY_EPOCHS + EPOCHS,
            learning_rate=len(start) / EXAGGERATION,
            # It takes no places to start from, but the principal components of two columns are
            # these columns, turned at most.
            init="pca",
            randomised_init=False,
            init_range=INITIAL_SPREAD,
            approx="barnes_hut" if len(start) <= TREE else "fft_3k",
            seed=self.options.seed,
            optim_params=manifolds_rs.TsneOptim(
                early_exag_iter=EARLY_EPOCHS, early_exag_factor=_exaggeration(neighbors)
            ),
        )
        return model.fit_transform(
            start.astype(np.float32),
            knn_indices=neighbors.indices,
            knn_distances=_relative(neighbors.distances),
        )

    def _opentsne(
        self, start: NDArray[np.float64], neighbors: NeighborList, perplexity: float
    ) -> NDArray[np.float32]:
        from openTSNE import TSNEEmbedding
        from openTSNE.affinity import PerplexityBasedNN
        from openTSNE.nearest_neighbors import PrecomputedNeighbors

        affinities = PerplexityBasedNN(
            knn_index=PrecomputedNeighbors(neighbors.indices, _relative(neighbors.distances)),
            perplexity=perplexity,
        )
        layout = TSNEEmbedding(
            start * (INITIAL_SPREAD / start[:, 0].std()),
            affinities,
            negative_gradient_method="auto" if self.options.dims == 2 else "bh",
            random_state=self.options.seed,
        )
        layout = layout.optimize(EARLY_EPOCHS, exaggeration=_exaggeration(neighbors), momentum=0.5)
        return np.asarray(layout.optimize(EPOCHS, momentum=0.8), np.float32)


def _exaggeration(neighbors: NeighborList) -> float:
    """Return the early exaggeration; none where all are neighbors of all, who would all meet."""
    return 1.0 if neighbors.k == len(neighbors.indices) - 1 else EXAGGERATION


def _relative(distances: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return distances in units of their mean, none nearer than `NEAREST`."""
    scale = distances.mean(dtype=np.float64) or 1.0
    return np.maximum(distances / np.float32(scale), np.float32(NEAREST))
