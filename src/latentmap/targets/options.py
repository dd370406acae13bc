"""What a configuration says of targets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from latentmap.config import Options
from latentmap.names import Title
from latentmap.samples.cells import as_text
from latentmap.targets.derivation import DERIVATIONS, Derivation, DerivationOptions, Kind


def _as_texts(values: Any) -> Any:
    """Take one value as a list of one, and numbers and truth values as they are written."""
    listed = values if isinstance(values, list | tuple) else [values]
    return tuple(as_text(value) for value in listed)


Values = Annotated[tuple[str, ...], BeforeValidator(_as_texts), Field(min_length=1)]


def read_entry(given: Any) -> Any:
    """Take a text as the name of a column."""
    return {"column": given} if isinstance(given, str) else given


def full_name(first: str, name: str) -> str:
    """Return what a derived target is called, given the entry's name and its own."""
    return f"{first}.{name}" if name else first


class OneDerivation(Options):
    """Which derived target an entry means, by the plug-in's name: its options; None of others."""

    @model_validator(mode="before")
    @classmethod
    def _read_name(cls, given: Any) -> Any:
        """Take a name in the place of a plug-in without options; null is no options."""
        if isinstance(given, str):
            return {given: {}}
        if isinstance(given, Mapping):
            return {name: {} if options is None else options for name, options in given.items()}
        return given

    @model_validator(mode="after")
    def _name_one(self) -> OneDerivation:
        named = [name for name, options in self if options is not None]
        if len(named) != 1:
            raise ValueError(f"one derived target per entry, not {', '.join(named) or 'none'}")
        return self

    @property
    def given(self) -> tuple[str, DerivationOptions]:
        """The plug-in's name and its options."""
        return next((name, options) for name, options in self if options is not None)


OWN = ("label", "label_group")
"""Targets that every run with labels has, before those of its configuration."""


class TargetOptions(Options):
    """One entry of `targets`: a column of the samples, or targets that are derived from columns.

    Attributes:
        name: of the target, and before a dot of several; by default that of the column or of what
            derives it.
        column: of the samples or of their annotations; a dot leads into a nested value. A column's
            name alone is an entry too; `label` or `label_group` alone asks for no other target.
        derived: what derives targets: the name of a plug-in, or `{name: options}`.
        kind: of a column: `categorical` (names), `continuous` (numbers), `circular` (angles) or
            `binary` (one of two values); by default what its values are.
        period: of a circular column, what a full turn is: 360 for degrees, 24 for hours.
        where: values that columns must have, by column; of other samples the target is not
            defined. `*` stands for any text, `?` for any character.
        family: what pages group it under.
    """

    name: Title = ""
    column: str | None = None
    derived: OneDerivation | None = None
    kind: Literal["auto", Kind] = "auto"
    period: float | None = Field(None, gt=0, allow_inf_nan=False)
    where: dict[str, Values] = Field(default_factory=dict)
    family: Title = ""

    @property
    def is_own(self) -> bool:
        """Whether it is a target that every run with labels has, and nothing else."""
        return self.column in OWN and self.model_fields_set == {"column"}

    @property
    def derivation(self) -> tuple[Derivation[DerivationOptions], str] | None:
        """What derives its targets, and what their names begin with; None of a column."""
        if self.derived is None:
            return None
        kind, options = self.derived.given
        return DERIVATIONS[kind](options), self.name or kind

    @property
    def names(self) -> list[str]:
        """Names of its targets.

        Raises:
            LatentmapError: what derives them gives none of a name that is asked for.
        """
        found = self.derivation
        if found is None:
            return [self.name or str(self.column)]
        derivation, first = found
        return [full_name(first, name) for name in derivation.chosen]

    @model_validator(mode="after")
    def _have_one_origin(self) -> TargetOptions:
        if (self.column is None) == (self.derived is None):
            raise ValueError("a target is a column or derived: give one of the two")
        if self.derived is not None and (self.kind, self.period) != ("auto", None):
            raise ValueError("a derived target knows its kind; leave out kind and period")
        return self

    @model_validator(mode="after")
    def _turn_circles_only(self) -> TargetOptions:
        if (self.kind == "circular") != (self.period is not None):
            raise ValueError(
                "a circular target needs its period, such as 360 for degrees or 24 for hours"
                if self.period is None
                else "period is for kind: circular; leave it out, or give that kind"
            )
        return self


def check_targets(names: Iterable[str]) -> None:
    """Refuse names of targets that tables cannot have side by side.

    Raises:
        ValueError: two are the same, or one is taken.
    """
    seen: set[str] = set()
    for name in names:
        if name in OWN:
            raise ValueError(f"'{name}' is a target of every run with labels; leave it out")
        if name == "id":
            raise ValueError("'id' names the samples; give the target a name of its own")
        if name in seen:
            raise ValueError(f"several are called '{name}'; give each a name of its own")
        seen.add(name)
