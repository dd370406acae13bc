"""Maps and measurements of latent spaces: what an encoder keeps, and which pooling keeps it.

    import latentmap as lm

    vectors = lm.pool(latents, "all")             # (N, C, H, W) to one (N, D) for each method
    ranking = lm.compare(vectors, labels, groups)
    lm.explore(vectors[ranking.best], labels, groups)

Functions are looked up when they are first used, so that the import itself takes no time.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from latentmap.api.encoding import encode as encode
    from latentmap.api.mapping import Map as Map
    from latentmap.api.mapping import project as project
    from latentmap.api.measuring import Measures as Measures
    from latentmap.api.measuring import Ranking as Ranking
    from latentmap.api.measuring import compare as compare
    from latentmap.api.measuring import measure as measure
    from latentmap.api.neighborhoods import Neighbors as Neighbors
    from latentmap.api.neighborhoods import neighbors as neighbors
    from latentmap.api.opened import Run as Run
    from latentmap.api.opened import open as open
    from latentmap.api.pooling import pool as pool
    from latentmap.api.runs import explore as explore
    from latentmap.api.runs import report as report
    from latentmap.errors import LatentmapError as LatentmapError

_HOMES = {
    "pool": "latentmap.api.pooling",
    "neighbors": "latentmap.api.neighborhoods",
    "Neighbors": "latentmap.api.neighborhoods",
    "measure": "latentmap.api.measuring",
    "compare": "latentmap.api.measuring",
    "Measures": "latentmap.api.measuring",
    "Ranking": "latentmap.api.measuring",
    "encode": "latentmap.api.encoding",
    "project": "latentmap.api.mapping",
    "Map": "latentmap.api.mapping",
    "report": "latentmap.api.runs",
    "explore": "latentmap.api.runs",
    "open": "latentmap.api.opened",
    "Run": "latentmap.api.opened",
    "LatentmapError": "latentmap.errors",
}
"""The module of every public name."""

__all__ = sorted(_HOMES)

# Some functions have the name of a package. Python binds a package here as it is first imported,
# which would hide the function: so that is now, and undone.
for _package in ("encode", "neighbors", "pool", "project", "report"):
    import_module(f"{__name__}.{_package}")
    del globals()[_package]


def __getattr__(name: str) -> Any:
    """Look up a public name, or `__version__`, which jobs do without, when it is asked for."""
    if name in _HOMES:
        found = getattr(import_module(_HOMES[name]), name)
        globals()[name] = found
        return found
    if name == "__version__":
        from importlib.metadata import version

        return version(__name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
