"""What a projection is."""

from __future__ import annotations

from abc import abstractmethod
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from latentmap.config import Options, Plugin, Registry
from latentmap.neighbors.graph import NeighborGraph


class ProjectionOptions(Options):
    """Options of every projection.

    Attributes:
        dims: coordinates per sample.
        seed: of everything random.
        pca: first reduce to this many principal components; none reduces nothing.
    """

    dims: Literal[2, 3] = 2
    seed: int = 0
    pca: int | None = Field(None, ge=2)


R_co = TypeVar("R_co", bound=ProjectionOptions, covariant=True)


class Projection(Plugin[R_co]):
    """A way to place the samples of an embedding on a map."""

    Options: type[ProjectionOptions] = ProjectionOptions

    @abstractmethod
    def place(self, values: NDArray[np.float32], graph: NeighborGraph) -> NDArray[np.float32]:
        """Return (N, 2) or (N, 3) float32 coordinates.

        Args:
            values: (N, D) float32, already reduced if `pca` asks for it.
            graph: the embedding's neighbors (of the reduced values, if reduced).
        """


PROJECTIONS: Registry[Projection[ProjectionOptions]] = Registry(
    "latentmap.project.projections", Projection, "projection"
)
