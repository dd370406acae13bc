"""What every configurable part shares: typed options, and plug-ins found by their files.

A plug-in is one module in a plug-in package (`pool/methods/mean.py`): its file name is its name in
the configuration, the first line of its docstring its description, and the one class that it
defines its behaviour. Nothing is registered by hand. A file whose name ends in `_n` holds a plug-in
of several sizes, each of which has a name: `patch_n.py` is `patch4`, `patch8` and `patch16`.
"""

from __future__ import annotations

import ast
import difflib
import importlib
import os.path
import pkgutil
import re
from abc import ABC
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, ClassVar, Generic, NamedTuple, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict

from latentmap.errors import LatentmapError

UserPath = Annotated[str, AfterValidator(os.path.expanduser)]
"""A path as a user writes it, with `~` written out. An id on a hub stays as it is."""


SIZED = "_n"
"""End of the name of a file whose plug-in comes in several sizes."""


class Options(BaseModel):
    """Options of one part of a run: typed, immutable, and closed to unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


O_co = TypeVar("O_co", bound=Options, covariant=True)


class Plugin(ABC, Generic[O_co]):
    """One way of doing a stage's work, made from its options.

    Attributes:
        sizes: of a plug-in that comes in several, all of them.
        size: of these, the one that the plug-in's name ends in.
    """

    Options: type[Options] = Options
    sizes: ClassVar[tuple[int, ...]] = ()
    size: ClassVar[int | None] = None

    def __init__(self, options: O_co) -> None:
        self.options = options

    @property
    def kind(self) -> str:
        """Its name in the configuration, which is that of its file."""
        return _Place(type(self).__module__.rpartition(".")[2], self.size).name


class _Place(NamedTuple):
    """Where a plug-in is: the file and, of one that comes in several, the size."""

    file: str
    size: int | None

    @property
    def name(self) -> str:
        """The plug-in's name: `patch_n` of size 4 is `patch4`."""
        return self.file if self.size is None else f"{self.file.removesuffix(SIZED)}{self.size}"


P = TypeVar("P", bound=Plugin[Any])


class Registry(Generic[P]):
    """The plug-ins of one package, by file name; a plug-in is imported when it is asked for."""

    def __init__(self, package: str, base: type[P], noun: str) -> None:
        self.package = package
        self.base = base
        self.noun = noun

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def names(self) -> tuple[str, ...]:
        """Return the names of all plug-ins, sorted."""
        return tuple(sorted(self._places))

    def module(self, name: str) -> str:
        """Return the dotted module name of a plug-in.

        Raises:
            LatentmapError: no plug-in has this name.
        """
        return f"{self.package}.{self._place(name).file}"

    def __getitem__(self, name: str) -> type[P]:
        file, size = self._place(name)
        plugin = self._defined_in(file)
        if size is None:
            return plugin
        return type(plugin.__name__, (plugin,), {"size": size, "__module__": plugin.__module__})

    @cached_property
    def _places(self) -> Mapping[str, _Place]:
        """Where the plug-in of each name is."""
        folder = importlib.import_module(self.package).__path__
        files = (m.name for m in pkgutil.iter_modules(folder) if m.name[0] != "_")
        places = (
            _Place(file, size)
            for file in files
            for size in (self._defined_in(file).sizes if file.endswith(SIZED) else (None,))
        )
        return {place.name: place for place in places}

    def _place(self, name: str) -> _Place:
        if name not in self._places:
            raise LatentmapError(unknown(self.noun, name, self.names()))
        return self._places[name]

    def _defined_in(self, file: str) -> type[P]:
        """Import a file and return the plug-in class that it defines."""
        module = importlib.import_module(f"{self.package}.{file}")
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
        """Return the first line of a plug-in's docstring, with its size where that has an `n`."""
        file, size = self._place(name)
        spec = find_spec(f"{self.package}.{file}")
        assert spec is not None and spec.origin is not None
        docstring = ast.get_docstring(ast.parse(Path(spec.origin).read_text("utf-8"))) or ""
        first = docstring.partition("\n")[0]
        return first if size is None else re.sub(r"\bn\b", str(size), first)


def unknown(noun: str, given: str, allowed: Iterable[str]) -> str:
    """Return the one line that answers a wrong name: nearest match first, then what is allowed."""
    allowed = list(allowed)
    nearest = difflib.get_close_matches(given, allowed, n=1, cutoff=0.5)
    hint = f" Did you mean '{nearest[0]}'?" if nearest else ""
    return f"Unknown {noun} '{given}'.{hint} Allowed: {', '.join(allowed) or 'none'}."
