"""What more data does, as `metrics/{encoder}/{variant}/learning.json` says."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from latentmap.store.files import read_json, reading


@dataclass(frozen=True)
class LearningPoint:
    """What was measured on sets of source groups of one size.

    Attributes:
        source_groups: of a set, on average.
        samples: of a set, on average.
        values: of the sets.
    """

    source_groups: float
    samples: float
    values: Sequence[float]

    @property
    def mean(self) -> float:
        """The mean over sets."""
        return math.fsum(self.values) / len(self.values)


@dataclass(frozen=True)
class Learning:
    """The best method of one encoder and variant on growing sets of source groups.

    Attributes:
        method: its name.
        curves: points from few source groups to all of them, by metric.
    """

    method: str
    curves: Mapping[str, Sequence[LearningPoint]]


def read_learning(path: Path | str) -> Learning | None:
    """Read a file of learning curves; None where no method is ranked.

    Points at which a metric is not defined are left out.

    Raises:
        LatentmapError: the file is damaged.
    """
    with reading(path, "a file of learning curves"):
        content = read_json(path)
        curves = {
            name: [
                LearningPoint(point["source_groups"], point["samples"], values)
                for point in points
                if (values := [value for value in point["values"] if value is not None])
            ]
            for name, points in content["curves"].items()
        }
        return None if content["method"] is None else Learning(content["method"], curves)
