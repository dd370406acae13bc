"""What every configurable part shares: typed options, and plug-ins found by their files.

A plug-in is one module in a plug-in package (`pool/methods/mean.py`): its file name is its name in
the configuration, the first line of its docstring its description, and the one class that it
defines its behaviour. Nothing is registered by hand.
"""

from __future__ import annotations

import ast
import difflib
import importlib
import os.path
import pkgutil
from abc import ABC
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Generic, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict

from latentmap.errors import LatentmapError

UserPath = Annotated[str, AfterValidator(os.path.expanduser)]
"""A path as a user writes it, with `~` written out. An id on a hub stays as it is."""


class Options(BaseModel):
    """Options of one part of a run: typed, immutable, and closed to unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


O_co = TypeVar("O_co", bound=Options, covariant=True)


class Plugin(ABC, Generic[O_co]):
    """One way of doing a stage's work, made from its options."""

    Options: type[Options] = Options

    def __init__(self, options: O_co) -> None:
        self.options = options

    @property
    def kind(self) -> str:
        """Its name in the configuration, which is that of its file."""
        return type(self).__module__.rpartition(".")[2]


P = TypeVar("P", bound=Plugin[Any])


class Registry(Generic[P]):
    """The plug-ins of one package, by file name; a plug-in is imported when it is asked for."""

    def __init__(self, package: str, base: type[P], noun: str) -> None:
        self.package = package
        self.base = base
        self.noun = noun

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    @cache  # noqa: B019 - a registry lives as long as the process
    def names(self) -> tuple[str, ...]:
        """Return the names of all plug-ins, sorted."""
        folder = importlib.import_module(self.package).__path__
        return tuple(sorted(m.name for m in pkgutil.iter_modules(folder) if m.name[0] != "_"))

    def module(self, name: str) -> str:
        """Return the dotted module name of a plug-in.

        Raises:
            LatentmapError: no plug-in has this name.
        """
        if name not in self.names():
            raise LatentmapError(unknown(self.noun, name, self.names()))
        return f"{self.package}.{name}"

    def __getitem__(self, name: str) -> type[P]:
        module = importlib.import_module(self.module(name))
        found = [
            value
            for value in vars(module).values()
            if isinstance(value, type)
            and issubclass(value, self.base)
            and value.__module__ == module.__name__
        ]
        if len(found) != 1:
            raise TypeError(f"{module.__name__} defines {len(found)} {self.noun}s, not one")
        return found[0]

    def create(self, name: str, options: Mapping[str, Any] | None = None) -> P:
        """Make the plug-in `name` from plain options, as a job gets them."""
        plugin = self[name]
        return plugin(plugin.Options.model_validate(options or {}))

    def description(self, name: str) -> str:
        """Return the first line of a plug-in's docstring, without importing it."""
        spec = find_spec(self.module(name))
        assert spec is not None and spec.origin is not None
        docstring = ast.get_docstring(ast.parse(Path(spec.origin).read_text("utf-8"))) or ""
        return docstring.partition("\n")[0]


def unknown(noun: str, given: str, allowed: Iterable[str]) -> str:
    """Return the one line that answers a wrong name: nearest match first, then what is allowed."""
    allowed = list(allowed)
    nearest = difflib.get_close_matches(given, allowed, n=1, cutoff=0.5)
    hint = f" Did you mean '{nearest[0]}'?" if nearest else ""
    return f"Unknown {noun} '{given}'.{hint} Allowed: {', '.join(allowed)}."
