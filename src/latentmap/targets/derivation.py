"""What a derived target is: a property of the samples that is computed from their columns."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar, Literal, NamedTuple, TypeVar

import pyarrow as pa
from pydantic import Field

from latentmap.config import Options, Plugin, Registry, unknown
from latentmap.errors import LatentmapError
from latentmap.samples.cells import split_path

Kind = Literal["categorical", "continuous", "circular", "binary"]
"""What the values of a target are: names, numbers, angles, or one of two things."""


class Derived(NamedTuple):
    """One target that a plug-in derives.

    Attributes:
        name: after the name of the entry and a dot (`boxes.width`); empty of a plug-in's only
            target, which is called as the entry.
        title: what pages call it.
        kind: of its values.
        values: (N,) of the samples, None where it is not defined: numbers of a continuous target,
            degrees of a circular one, texts of a categorical one, truth values of a binary one.
        unit: of the numbers, as people write it.
        unreadable: why a value that is there could not be read, by row.
    """

    name: str
    title: str
    kind: Kind
    values: Sequence[float | str | bool | None]
    unit: str = ""
    unreadable: Mapping[int, str] = {}


class DerivationOptions(Options):
    """Options of every derived target.

    Attributes:
        of: of the targets that it gives, those to take; all by default.
    """

    of: tuple[str, ...] | None = Field(None, min_length=1)


D_co = TypeVar("D_co", bound=DerivationOptions, covariant=True)


class Derivation(Plugin[D_co]):
    """A way to derive targets from columns of the samples.

    Attributes:
        family: what pages group its targets under.
        names: of the targets that it gives, in their order; one that is empty for a single target.
    """

    Options: type[DerivationOptions] = DerivationOptions
    family: ClassVar[str]
    names: ClassVar[tuple[str, ...]]

    @property
    def chosen(self) -> tuple[str, ...]:
        """Names of the targets to take.

        Raises:
            LatentmapError: it gives no target of one of these names.
        """
        for name in self.options.of or ():
            if name not in self.names:
                raise LatentmapError(unknown(f"target of {self.kind}", name, self.names))
        return self.names if self.options.of is None else self.options.of

    @abstractmethod
    def columns(self, there: Collection[str]) -> tuple[str, ...]:
        """Return which columns of the samples it reads.

        Args:
            there: names of all columns, those of annotations among them.

        Raises:
            LatentmapError: one that it needs is not there.
        """

    @abstractmethod
    def derive(self, samples: pa.Table) -> Sequence[Derived]:
        """Return all targets that it gives.

        Args:
            samples: (N) the columns that it reads; null where a source has none.
        """


def column_there(path: str, there: Collection[str]) -> str:
    """Return the column that a path leads into.

    Raises:
        LatentmapError: there is no such column.
    """
    column, _ = split_path(path, there)
    if column not in there:
        raise LatentmapError(unknown("column of the samples", column, there))
    return column


DERIVATIONS: Registry[Derivation[DerivationOptions]] = Registry(
    "latentmap.targets.derived", Derivation, "derived target"
)
