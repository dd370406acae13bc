"""Plug-ins of others: modules that a configuration names, and entry points of installed packages.

A job is another process: what its workflow uses is named in the environment, so that a job imports
the same and looks for nothing.
"""

from __future__ import annotations

import importlib
import inspect
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from types import ModuleType

from latentmap.errors import LatentmapError

GROUP = "latentmap.plugins"
"""The group of entry points, each of which names a module with plug-ins."""

VARIABLE = "LATENTMAP_PLUGINS"
"""The variable that names the modules to this process and those that it starts."""

_in_memory: list[type] = []
"""Classes that no module is asked for, such as those of a notebook."""

_modules: dict[str, ModuleType] = {}
"""The modules that were imported, by name."""


def use(modules: Iterable[str]) -> None:
    """Use the plug-ins of these modules, too, here and in the processes that this one starts.

    Raises:
        LatentmapError: one cannot be imported.
    """
    names = list(dict.fromkeys([*used(), *modules]))
    for name in names:
        _imported(name)
    os.environ[VARIABLE] = ",".join(names)


def use_class(plugin: type) -> None:
    """Use a class as a plug-in, in this process."""
    if plugin not in _in_memory:
        _in_memory.append(plugin)


def used() -> list[str]:
    """Return the names of the modules whose plug-ins are used."""
    if VARIABLE not in os.environ:
        from importlib.metadata import entry_points

        found = dict.fromkeys(entry.module for entry in entry_points(group=GROUP))
        os.environ[VARIABLE] = ",".join(found)
    return [name for name in os.environ[VARIABLE].split(",") if name]


def classes() -> tuple[type, ...]:
    """Return all classes that modules of others define and that do not begin with `_`.

    What a plug-in is of is for registries to see. An abstract class from which others derive is
    their base, and none itself.

    Raises:
        LatentmapError: a module cannot be imported.
    """
    found = dict.fromkeys(_in_memory)
    for name in used():
        found |= dict.fromkeys(_classes_of(_imported(name)))
    return tuple(found)


def _classes_of(module: ModuleType) -> Iterator[type]:
    for name, value in vars(module).items():
        if (
            isinstance(value, type)
            and not name.startswith("_")
            and f"{value.__module__}.".startswith(f"{module.__name__}.")
            and not (inspect.isabstract(value) and value.__subclasses__())
        ):
            yield value


def _imported(name: str) -> ModuleType:
    if name not in _modules:
        here = str(Path.cwd())
        with suppress(ModuleNotFoundError):
            _modules[name] = importlib.import_module(name)
            return _modules[name]
        # Beside the configuration, which a console script does not look at by itself.
        if here not in sys.path:
            sys.path.append(here)
        try:
            _modules[name] = importlib.import_module(name)
        except LatentmapError:
            raise
        except Exception as error:
            raise LatentmapError(
                f"plugins: the module '{name}' cannot be imported. {type(error).__name__}: {error}."
            ) from error
    return _modules[name]
