"""Which samples change places in a permutation test, so that source groups stay what they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

# Cells of the table of classes that is drawn at a time, so that it stays in the processor's cache,
CELLS = 2**19
# but for so many permutations at least.
FEWEST = 64

Scheme = Literal["free", "whole", "within", "whole and within"]


@dataclass(frozen=True)
class Exchange:
    """Samples with a class each, and which of them are alike if classes mean nothing.

    A permutation test holds if, where classes have nothing to do with the samples, all orders that
    it draws are equally likely. Samples of one source group resemble each other, and often share
    their class, so that groups, not samples, are alike (multi-level exchangeability, Winkler et
    al. 2015, doi:10.1016/j.neuroimage.2015.05.092):

    - A *pure* group, whose samples have one class, takes the class of any other pure group.
    - A *mixed* group takes the classes of another mixed group of the same size, each to any of its
      samples: classes change places inside the group too.

    Where every sample is a group of its own, these are the permutations of all samples.

    Attributes:
        codes: (N,) class of each sample, from 0.
        groups: (N,) source group of each sample, every number up to the largest in use.
        whole: whether groups take the classes of others; if not, classes change places inside
            mixed groups only.
    """

    codes: NDArray[np.intp]
    groups: NDArray[np.intp]
    whole: bool = True

    @property
    def scheme(self) -> Scheme:
        """What changes places."""
        if len(self._firsts) == len(self.codes):
            return "free"
        if self.is_mixed.all() or not self.whole:
            return "within"
        return "whole and within" if self.is_mixed.any() else "whole"

    @property
    def reason(self) -> str:
        """Why these samples change places."""
        if self.scheme == "free":
            return "every sample is a source group of its own"
        return f"{self.shared} of {len(self.sizes)} source groups have samples of several classes"

    @property
    def shared(self) -> int:
        """Number of source groups with samples of several classes."""
        return int(self.is_mixed.sum())

    def permuted(self, count: int, seed: int | Sequence[int]) -> Iterator[NDArray[np.integer]]:
        """Yield the classes of all samples after `count` permutations, (N, some) at a time."""
        kinds = len(self._mixed_by_size)
        moves, *shuffles = np.random.default_rng(seed).spawn(1 + 2 * kinds)
        # Shuffled wide, as NumPy does it fastest, and kept narrow.
        codes, narrow = self.codes, np.int8 if self.codes.max() < 128 else np.int32
        width = max(FEWEST, CELLS // len(codes))
        for start in range(0, count, width):
            some = min(width, count - start)
            table = np.empty((len(codes), some), narrow)
            of_groups = np.tile(codes[self.pure_firsts], (some, 1))
            if self.whole:
                moves.permuted(of_groups, axis=1, out=of_groups)
            table[self._pure_rows] = of_groups.T[self._pure_group]
            for place, members in enumerate(self._mixed_by_size):
                between, inside = shuffles[2 * place : 2 * place + 2]
                donors = np.tile(np.arange(len(members)), (some, 1))
                if self.whole:
                    between.permuted(donors, axis=1, out=donors)
                taken = codes[members][donors]
                inside.permuted(taken, axis=2, out=taken)
                table[members.ravel()] = taken.reshape(some, -1).T
            yield table

    def draws(self, count: int, seed: int | Sequence[int]) -> Iterator[NDArray[np.intp]]:
        """Yield the classes of all samples, (N,), after each of `count` permutations."""
        for table in self.permuted(count, seed):
            yield from table.T.astype(np.intp)

    @cached_property
    def sizes(self) -> NDArray[np.intp]:
        """(groups,) samples of each group."""
        return np.bincount(self.groups)

    @cached_property
    def is_mixed(self) -> NDArray[np.bool_]:
        """(groups,) whether its samples have several classes."""
        differs = self.codes != self.codes[self._firsts][self.groups]
        return np.bincount(self.groups, differs) > 0

    @cached_property
    def pure_firsts(self) -> NDArray[np.intp]:
        """(pure groups,) the first row of each."""
        return self._firsts[~self.is_mixed]

    @cached_property
    def _firsts(self) -> NDArray[np.intp]:
        """(groups,) the first row of each group."""
        return np.unique(self.groups, return_index=True)[1]

    @cached_property
    def _pure_rows(self) -> NDArray[np.intp]:
        return np.flatnonzero(~self.is_mixed[self.groups])

    @cached_property
    def _pure_group(self) -> NDArray[np.intp]:
        """The place of each pure row's group among the pure groups."""
        return (np.cumsum(~self.is_mixed) - 1)[self.groups[self._pure_rows]]

    @cached_property
    def _mixed_by_size(self) -> list[NDArray[np.intp]]:
        """The rows of the mixed groups of each size, (groups, size)."""
        rows = np.flatnonzero(self.is_mixed[self.groups])
        sizes = self.sizes[self.groups[rows]]
        order = np.lexsort((self.groups[rows], sizes))
        ends = np.flatnonzero(np.diff(sizes[order])) + 1
        parts = np.split(rows[order], ends) if len(rows) else []
        return [part.reshape(-1, self.sizes[self.groups[part[0]]]) for part in parts]
