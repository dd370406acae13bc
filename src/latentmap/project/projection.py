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
    seed: int = Field(0, ge=0)
    seed: int = Field(0, ge=0, lt=2**31)
