"""Which samples change their source in a permutation test of whether sources differ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Scheme = Literal["free", "whole", "within", "whole and within"]


@dataclass(frozen=True)
class Exchange:
    """Samples of several sources, and which of them are alike if the sources do not differ.

    Samples of one source group resemble each other whatever their source. So a group whose samples
    all have one source changes it as a whole, with another such group; where a group has samples of
    several sources, such as the answers to one prompt before and after training, sources change
    places inside the group (Winkler et al. 2015, doi:10.1016/j.neuroimage.2015.05.092).

    Attributes:
        codes: (N,) source of each sample, from 0.
        groups: (N,) source group of each sample, every number up to the largest in use.
    """

    codes: NDArray[np.intp]
    groups: NDArray[np.intp]

    @property
    def scheme(self) -> Scheme:
        """Which samples change places."""
        if len(self._firsts) == len(self.codes):
            return "free"
        if self._is_mixed.all():
            return "within"
        return "whole and within" if self._is_mixed.any() else "whole"

    @property
    def shared(self) -> int:
        """Number of source groups with samples of several sources."""
        return int(self._is_mixed.sum())

    def draws(self, count: int, seed: int) -> Iterator[NDArray[np.intp]]:
        """Yield the sources of all samples, (N,), after each of `count` permutations."""
        rng = np.random.default_rng(seed)
        inside = np.flatnonzero(self._is_mixed[self.groups])
        by_group = inside[np.argsort(self.groups[inside], kind="stable")]
        whole = np.flatnonzero(~self._is_mixed)
        of_group = self.codes[self._firsts]
        for _ in range(count):
            moved = of_group.copy()
            moved[whole] = rng.permutation(of_group[whole])
            permuted = moved[self.groups]
            shuffled = np.lexsort((rng.random(len(inside)), self.groups[inside]))
            permuted[by_group] = self.codes[inside[shuffled]]
            yield permuted

    @cached_property
    def _firsts(self) -> NDArray[np.intp]:
        """(groups,) the first row of each group."""
        return np.unique(self.groups, return_index=True)[1]

    @cached_property
    def _is_mixed(self) -> NDArray[np.bool_]:
        """(groups,) whether its samples have several sources."""
        differs = self.codes != self.codes[self._firsts][self.groups]
        return np.bincount(self.groups, differs) > 0
