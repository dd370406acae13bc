"""What a projection is."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from latentmap.config import Options, Plugin, Registry
from latentmap.neighbors.graph import NeighborGraph
from latentmap.project.placement import Reference, weighted_places

Values = Callable[[], NDArray[np.float32]]
"""Gives the (N, D) embedding; read from disk only when it is called."""


@dataclass(frozen=True)
class Layout:
    """Where the samples are on a map.

    Attributes:
        coordinates: (N, dims) float32, finite.
        facts: what a reader of the map must know, as JSON values; stored with it.
    """

    coordinates: NDArray[np.float32]
    facts: Mapping[str, Any] = field(default_factory=dict)


class ProjectionOptions(Options):
    """Options of every projection.

    Attributes:
        dims: coordinates per sample.
        seed: of everything random.
        pca: first reduce to this many principal components; none reduces nothing.
    """

    dims: int = Field(2, ge=2, le=3)
    seed: int = Field(0, ge=0, lt=2**31)
    pca: int | None = Field(None, ge=2)

    def beside(self, folder: str | None) -> ProjectionOptions:
        """Return these options for an encoder whose vectors are in a folder, if they are in one."""
        return self


R_co = TypeVar("R_co", bound=ProjectionOptions, covariant=True)


class Projection(Plugin[R_co]):
    """A way to place the samples of an embedding on a map.

    Attributes:
        is_random: whether another seed gives another map.
        is_given: whether it was made elsewhere, so that nobody can make it again.
        reads_neighbors: whether it places samples by their neighbors.
    """

    is_random: ClassVar[bool] = True
    is_given: ClassVar[bool] = False
    reads_neighbors: ClassVar[bool] = True

    Options: type[ProjectionOptions] = ProjectionOptions

    def check(self) -> None:
        """Look at what it needs beside an embedding; asked before any job.

        Raises:
            LatentmapError: that is not there, or something else.
        """

    def revision(self) -> str:
        """Return what identifies what it needs beside an embedding; empty for nothing."""
        return ""

    @abstractmethod
    def place(self, values: Values, graph: NeighborGraph) -> Layout:
        """Place the samples; any N from 1 gives a layout.

        Args:
            values: gives the (N, D) float32 embedding, already reduced if `pca` asks for it. A
                wide one takes seconds to read: a projection that needs only the graph leaves it.
            graph: the embedding's neighbors (of the reduced values, if reduced).

        Raises:
            LatentmapError: the graph holds too few neighbors for the options.
        """

    def extend(self, values: NDArray[np.float32], reference: Reference) -> Layout:
        """Place further samples on a finished map, whose own samples do not move.

        Args:
            values: (M, D) float32 embedding of the further samples.
            reference: the finished map, with the embedding that it was made from.
        """
        return Layout(weighted_places(values, reference))


PROJECTIONS: Registry[Projection[ProjectionOptions]] = Registry(
    "latentmap.project.projections", Projection, "projection"
)
