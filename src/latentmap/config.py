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
import inspect
import os.path
import pkgutil
import re
import traceback
from abc import ABC
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, cached_property
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import (
    Annotated,
    Any,
    ClassVar,
    Generic,
    NamedTuple,
    TypeVar,
    get_args,
    get_origin,
    get_type_hints,
)

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    PlainSerializer,
    TypeAdapter,
    ValidationError,
)

from latentmap.errors import LatentmapError
from latentmap.home import find_given, name_given
from latentmap.plugins import classes as classes_of_others

UserPath = Annotated[
    str,
    AfterValidator(os.path.expanduser),
    AfterValidator(find_given),
    PlainSerializer(name_given),
]
"""A path as a user writes it, with `~` written out. An id on a hub stays as it is."""


SIZED = "_n"
"""End of the name of a file whose plug-in comes in several sizes."""


OTHER_WORDS: Mapping[str, str] = {
    **dict.fromkeys(("average", "avg", "avgpool", "gap"), "mean"),
    **dict.fromkeys(("maximum", "maxpool", "gmp"), "max"),
    **dict.fromkeys(("minimum", "minpool"), "min"),
    **dict.fromkeys(("sd", "stdev", "deviation"), "std"),
    **dict.fromkeys(("raw", "reshape"), "flatten"),
}
"""What others call things of ours, which spelling would not tell."""


ROOT = __name__.partition(".")[0]
"""The package that every plug-in of latentmap itself is in."""


class Options(BaseModel):
    """Options of one part of a run: typed, immutable, and closed to unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


S = TypeVar("S", bound=Options)


def checked(options: type[S], **given: Any) -> S:
    """Make options from a caller's own values.

    Raises:
        LatentmapError: says what is wrong with the first that is, in one line.
    """
    try:
        return options(**given)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            raise LatentmapError(unknown("option", name, options.model_fields)) from None
        raise LatentmapError(f"{name}: {first['msg']} (given: {first['input']!r}).") from None


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

    @classmethod
    def flaws(cls) -> Iterator[str]:
        """Yield what is wrong with the class itself, beside attributes of a wrong type."""
        yield from ()

    @property
    def kind(self) -> str:
        """Its name in the configuration: its file's or, outside of latentmap, its class's."""
        package, _, file = type(self).__module__.rpartition(".")
        if package.partition(".")[0] != ROOT:
            return own_name(type(self))
        return _Place(file, self.size).name


def own_name(plugin: type[Plugin[Any]]) -> str:
    """Return the name of a plug-in that is no file of latentmap: `MedianPool` is `median_pool`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", plugin.__name__).lower()


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
        self._found: dict[str, type[P]] = {}
        self._checked: tuple[tuple[type, ...], dict[str, type[P]]] = ((), {})

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def names(self) -> tuple[str, ...]:
        """Return the names of all plug-ins, sorted."""
        return tuple(sorted({*self._places, *self._others}))

    def module(self, name: str) -> str:
        """Return the dotted module name of a plug-in.

        Raises:
            LatentmapError: no plug-in has this name.
        """
        other = self._others.get(name)
        return f"{self.package}.{self._place(name).file}" if other is None else other.__module__

    def __getitem__(self, name: str) -> type[P]:
        other = self._others.get(name)
        if other is not None:
            return other
        file, size = self._place(name)
        plugin = self._defined_in(file)
        if size is None:
            return plugin
        return type(plugin.__name__, (plugin,), {"size": size, "__module__": plugin.__module__})

    @property
    def _others(self) -> Mapping[str, type[P]]:
        """The plug-ins of others, which are no files of latentmap, by name.

        Raises:
            LatentmapError: one is not whole, or has the name of another.
        """
        classes = classes_of_others()
        if classes != self._checked[0]:
            found: dict[str, type[P]] = {}
            for plugin in classes:
                if issubclass(plugin, self.base):
                    self._check_other(plugin)
                    name = own_name(plugin)
                    if name in self._places or name in found:
                        raise LatentmapError(
                            f"Two {self.noun}s are called '{name}'; {plugin.__name__} of "
                            f"{plugin.__module__} is one. Rename it."
                        )
                    found[name] = plugin
            self._checked = (classes, found)
        return self._checked[1]

    def _check_other(self, plugin: type[P]) -> None:
        flaw = next(_flaws(plugin), None)
        if flaw:
            where = f"{plugin.__module__}: the {self.noun}"
            raise LatentmapError(f"{where} {plugin.__name__} {flaw}.")

    @cached_property
    def _places(self) -> Mapping[str, _Place]:
        """Where the plug-in of each name is."""
        folder = importlib.import_module(self.package).__path__
        files = (m.name for m in pkgutil.iter_modules(folder) if m.name[0] != "_")
        places: dict[str, _Place] = {}
        for file in files:
            for size in self._defined_in(file).sizes if file.endswith(SIZED) else (None,):
                place = _Place(file, size)
                other = places.setdefault(place.name, place)
                if other is not place:
                    raise LatentmapError(
                        f"Two {self.noun}s are called '{place.name}': {_shown(self._path(file))} "
                        f"and {_shown(self._path(other.file))}. Rename one."
                    )
        return places

    def _place(self, name: str) -> _Place:
        if name not in self._places:
            raise LatentmapError(unknown(self.noun, name, self.names()))
        return self._places[name]

    def _defined_in(self, file: str) -> type[P]:
        """Import a file and return the plug-in class that it defines.

        Raises:
            LatentmapError: it cannot be imported, or does not define one whole plug-in.
        """
        if file not in self._found:
            self._found[file] = self._one_in(self._imported(file))
        return self._found[file]

    def _imported(self, file: str) -> ModuleType:
        try:
            return importlib.import_module(f"{self.package}.{file}")
        except LatentmapError:
            raise
        except Exception as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            raise LatentmapError(
                f"{_shown(self._path(file))}: this {self.noun} cannot be imported. "
                f"{type(error).__name__}: {error} ({_shown(last.filename)}, line {last.lineno})."
            ) from error

    def _one_in(self, module: ModuleType) -> type[P]:
        """Return the class that a module defines, which must be a whole plug-in."""
        found = [
            value
            for value in vars(module).values()
            if isinstance(value, type)
            and issubclass(value, self.base)
            and value.__module__ == module.__name__
        ]
        file = _shown(str(module.__file__))
        if len(found) != 1:
            names = f" ({', '.join(one.__name__ for one in found)})" if found else ""
            raise LatentmapError(
                f"{file} defines {len(found)} classes derived from {self.base.__name__}{names}; "
                f"the file of a {self.noun} defines one."
            )
        flaw = next(_flaws(found[0]), None) if module.__doc__ else "has no docstring above it"
        if flaw:
            raise LatentmapError(f"{file}: the {self.noun} {found[0].__name__} {flaw}.")
        return found[0]

    def _path(self, file: str) -> str:
        spec = find_spec(f"{self.package}.{file}")
        assert spec is not None and spec.origin is not None
        return spec.origin

    def create(self, name: str, options: Mapping[str, Any] | None = None) -> P:
        """Make the plug-in `name` from plain options, as a job gets them."""
        plugin = self[name]
        return plugin(plugin.Options.model_validate(options or {}))

    def made(self, given: str | type[P] | P, options: Mapping[str, Any] | None = None) -> P:
        """Make the plug-in `given` by name, or from a class of the caller's own; an object is one.

        Raises:
            LatentmapError: it is no plug-in of this kind, or is not whole, or an option is wrong.
        """
        if isinstance(given, self.base):
            return given
        plugin = self[given] if isinstance(given, str) else given
        if not (isinstance(plugin, type) and issubclass(plugin, self.base)):
            raise LatentmapError(
                f"{plugin!r} is no {self.noun}: give a name, or a class or an object that derives "
                f"from {self.base.__name__}."
            )
        self._check_other(plugin)
        return plugin(checked(plugin.Options, **(options or {})))

    def description(self, name: str) -> str:
        """Return the first line of a plug-in's docstring, with its size where that has an `n`."""
        if name in self._others:
            return (inspect.getdoc(self._others[name]) or "").partition("\n")[0]
        file, size = self._place(name)
        docstring = ast.get_docstring(ast.parse(Path(self._path(file)).read_text("utf-8"))) or ""
        first = docstring.partition("\n")[0]
        return first if size is None else re.sub(r"\bn\b", str(size), first)


def _flaws(plugin: type[Plugin[Any]]) -> Iterator[str]:
    """Yield what a plug-in class lacks of what its bases ask for, and what is wrong with it."""
    for name in sorted(plugin.__abstractmethods__):
        yield f"does not define {name}()"
    told = meanings(plugin)
    for name, kind in _attributes(plugin.__bases__).items():
        meaning = f" ({told[name].removesuffix('.')})" if name in told else ""
        if not hasattr(plugin, name):
            yield f"does not set '{name}'{meaning}"
            continue
        try:
            kind.validate_python(getattr(plugin, name))
        except ValidationError as error:
            yield f"has a wrong '{name}'{meaning}: {error.errors()[0]['msg']}"
    yield from plugin.flaws()


@cache
def _attributes(bases: tuple[type, ...]) -> Mapping[str, TypeAdapter[Any]]:
    """Return what checks each attribute that classes declare of those derived from them."""
    config = ConfigDict(arbitrary_types_allowed=True, strict=True)
    return {
        name: TypeAdapter(get_args(hint)[0], config=config)
        for base in bases
        for name, hint in get_type_hints(base).items()
        if get_origin(hint) is ClassVar
    }


_ENTRY = re.compile(r"^    (\w+): (.*(?:\n {8}.*)*)", re.MULTILINE)
"""One attribute of a docstring: its name, and what is said of it."""


def meanings(described: type) -> dict[str, str]:
    """Return what the docstrings of a class and of its bases say of each attribute."""
    told: dict[str, str] = {}
    for base in reversed(described.__mro__):
        attributes = (inspect.cleandoc(vars(base).get("__doc__") or "")).partition("Attributes:")[2]
        told |= {name: " ".join(text.split()) for name, text in _ENTRY.findall(attributes)}
    return told


def _shown(path: str) -> str:
    """Return a path as a user reads it: below the current folder if it is there."""
    shown = os.path.relpath(path)
    return path if shown.startswith("..") else shown


def unknown(noun: str, given: str, allowed: Iterable[str]) -> str:
    """Return the one line that answers a wrong name: nearest match first, then what is allowed."""
    allowed = list(allowed)
    meant = OTHER_WORDS.get(given.lower())
    close = difflib.get_close_matches(given, allowed, n=1, cutoff=0.5)
    nearest = [meant] if meant in allowed else close
    hint = f" Did you mean '{nearest[0]}'?" if nearest else ""
    return f"Unknown {noun} '{given}'.{hint} Allowed: {', '.join(allowed) or 'none'}."
