"""Coordinates that were made elsewhere, as they are: an `.npy` file beside a `metadata.csv`."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import numpy as np

from latentmap.config import UserPath
from latentmap.errors import LatentmapError
from latentmap.neighbors.graph import NeighborGraph
from latentmap.project.projection import Layout, Projection, ProjectionOptions, Values
from latentmap.samples.caches import FILE_NAME, METADATA, Coordinates
from latentmap.samples.spelling import plain_name


class GivenOptions(ProjectionOptions):
    """Options of given coordinates.

    Attributes:
        file: the `.npy` file (N, dims), rows as in `metadata.csv`: its name in the encoder's cache,
            or its path.
        cache: the folder with that `metadata.csv`; by default the encoder's cache, where the file
            is in it, else the file's own.
        id: the column of `metadata.csv` that holds the samples' ids.
    """

    file: UserPath
    cache: UserPath | None = None
    id: str = FILE_NAME

    def beside(self, folder: str | None) -> GivenOptions:
        """Return these options for an encoder whose vectors are in a folder."""
        if folder is None or self.cache is not None or not (Path(folder) / self.file).is_file():
            return self
        return self.model_copy(update={"file": str(Path(folder) / self.file), "cache": folder})


class Given(Projection[GivenOptions]):
    """A map that another program has made; nothing is computed."""

    is_random = False
    is_given = True
    reads_neighbors = False

    Options = GivenOptions

    def check(self) -> None:
        """Read the coordinates; see `Projection.check`."""
        dims = self._given.embeddings.shape[1]
        if dims != self.options.dims:
            raise LatentmapError(
                f"{self.options.file} has {dims} coordinates a row. Set 'dims' of the map to that."
            )
        self._given.names(self.options.id)

    def revision(self) -> str:
        """Return a digest of the coordinates and of their metadata."""
        return self._given.digest()

    def place(self, values: Values, graph: NeighborGraph) -> Layout:
        """Return the coordinates of the samples, by their ids.

        Raises:
            LatentmapError: a sample has none.
        """
        self.check()
        found = self._given.rows(self.options.id)
        rows = {plain_name(name): row for name, row in found.items()}
        held = np.array([rows.get(name, -1) for name in graph.ids])
        places = self._given.embeddings[held]
        lost = (held < 0) | ~np.isfinite(places).all(axis=1)
        if lost.any():
            first = graph.ids[int(np.argmax(lost))]
            raise LatentmapError(
                f"{self.options.file} has no coordinates for {lost.sum()} of {len(lost)} samples "
                f"(the first: '{first}'). Give the coordinates that belong to these samples, with "
                f"their {METADATA}, or leave the map out."
            )
        return Layout(np.asarray(places, np.float32), {"given": Path(self.options.file).name})

    @cached_property
    def _given(self) -> Coordinates:
        file = Path(self.options.file).absolute()
        return Coordinates(Path(self.options.cache or file.parent), file)
