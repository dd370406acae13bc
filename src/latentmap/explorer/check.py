"""What is wrong with the explorer of a run, and what mends it."""

from __future__ import annotations

from pathlib import Path

from latentmap.errors import LatentmapError
from latentmap.explorer.page import files_of
from latentmap.explorer.write import FORMAT, READS, VERSION
from latentmap.store.results import CONFIG, EXPLORER, EXPLORER_PAGE, RUN, Results

AGAIN = "--forcerun write_explorer"

MAKE = "Make a run with an explorer: latentmap run DATA"

NAMED = 5
"""Runs that are named where another one was asked for."""


def check_explorer(folder: Path) -> list[str]:
    """Check that a run has an explorer that can be shown.

    Returns:
        What a reader should know of it, all the same.

    Raises:
        LatentmapError: it has none, or not all of it; says what is missing and what makes it.
    """
    if not RUN.below(folder).exists():
        raise LatentmapError(
            f"{folder} is no folder of a run: it has no {RUN.pattern}. {_instead(folder.parent)}"
        )
    results = Results.open(folder)
    for artifact, what in ((EXPLORER, "data"), (EXPLORER_PAGE, "page")):
        if not artifact.below(folder).exists():
            raise LatentmapError(
                f"The explorer of '{results.name}' has no {what}: {artifact.below(folder)} is "
                f"missing. {_remedy(results)}"
            )
    manifest = EXPLORER.read(EXPLORER.below(folder))
    found = (manifest.get("format"), manifest.get("version")) if isinstance(manifest, dict) else ()
    if found != (FORMAT, VERSION):
        raise LatentmapError(
            f"{EXPLORER.below(folder)} is not of version {VERSION}, which this latentmap shows. "
            f"{_remedy(results, AGAIN)}"
        )
    root = EXPLORER.below(folder).parent
    lost = [file for file, (size, _) in files_of(manifest).items() if _size(root / file) != size]
    if lost:
        raise LatentmapError(
            f"The explorer of '{results.name}' is not whole: {root / lost[0]} is missing or not "
            f"what was written ({len(lost):,} such files). {_remedy(results, AGAIN)}"
        )
    newest = max(
        (path.stat().st_mtime for kind in READS for path in results.paths(kind) if path.exists()),
        default=0,
    )
    if newest > EXPLORER.below(folder).stat().st_mtime:
        return [f"The run is newer than its explorer. {_remedy(results)}"]
    return []


def last_explored(runs: Path) -> Path:
    """Return the folder of the run whose explorer was written last.

    Raises:
        LatentmapError: none has one.
    """
    found = _explored(runs)
    if not found:
        raise LatentmapError(f"No run in {runs}/ has an explorer. {MAKE}")
    return found[0]


def _remedy(results: Results, *further: str) -> str:
    """Return what writes the explorer of a run: whoever made it knows by which configuration.

    `latentmap run` keeps that beside the results.
    """
    file = results.folder / CONFIG
    named = str(file) if file.exists() else "CONFIG.yaml"
    left_out = [] if results.explored else ["--config 'explorer={}'"]
    command = ["latentmap run --configfile", named, *left_out, "-- explore", *further]
    given = "" if file.exists() else ", with its configuration as CONFIG.yaml"
    return f"Run{given}: {' '.join(command)}"


def _explored(runs: Path) -> list[Path]:
    """Return the folders of the runs that have an explorer, the one written last first."""
    found = [path for path in runs.glob("*/") if EXPLORER.below(path).exists()]
    return sorted(found, key=lambda folder: -EXPLORER.below(folder).stat().st_mtime)


def _instead(runs: Path) -> str:
    """Return what to run in place of what has no run."""
    found = _explored(runs)
    if not found:
        return MAKE
    names = ", ".join(folder.name for folder in found[:NAMED])
    more = f" and {len(found) - NAMED:,} more" if len(found) > NAMED else ""
    return f"{runs}/ has {names}{more}: latentmap view {found[0]}"


def _size(path: Path) -> int | None:
    return path.stat().st_size if path.is_file() else None
