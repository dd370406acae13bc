"""What is wrong with the explorer of a run, and what mends it."""

from __future__ import annotations

from pathlib import Path

from latentmap.errors import LatentmapError
from latentmap.explorer.page import files_of
from latentmap.explorer.write import FORMAT, READS, VERSION
from latentmap.store.results import EXPLORER, EXPLORER_PAGE, RUN, Results

WRITE = "snakemake --cores all explore"
AGAIN = "snakemake --cores all explore --forcerun write_explorer"

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
    given = "with the configuration of the run"
    for artifact, what in ((EXPLORER, "data"), (EXPLORER_PAGE, "page")):
        if not artifact.below(folder).exists():
            raise LatentmapError(
                f"The explorer of '{results.name}' has no {what}: {artifact.below(folder)} is "
                f"missing. Run, {given}: {WRITE}"
            )
    manifest = EXPLORER.read(EXPLORER.below(folder))
    found = (manifest.get("format"), manifest.get("version")) if isinstance(manifest, dict) else ()
    if found != (FORMAT, VERSION):
        raise LatentmapError(
            f"{EXPLORER.below(folder)} is not of version {VERSION}, which this latentmap shows. "
            f"Run, {given}: {AGAIN}"
        )
    root = EXPLORER.below(folder).parent
    lost = [file for file, (size, _) in files_of(manifest).items() if _size(root / file) != size]
    if lost:
        raise LatentmapError(
            f"The explorer of '{results.name}' is not whole: {root / lost[0]} is missing or not "
            f"what was written ({len(lost):,} such files). Run, {given}: {AGAIN}"
        )
    newest = max(
        (path.stat().st_mtime for kind in READS for path in results.paths(kind) if path.exists()),
        default=0,
    )
    if newest > EXPLORER.below(folder).stat().st_mtime:
        return [f"The run is newer than its explorer. To renew it run, {given}: {WRITE}"]
    return []


def last_explored(runs: Path) -> Path:
    """Return the folder of the run whose explorer was written last.

    Raises:
        LatentmapError: none has one.
    """
    found = _explored(runs)
    if not found:
        raise LatentmapError(f"No run in {runs}/ has an explorer. Write one: {WRITE}")
    return found[0]


def _explored(runs: Path) -> list[Path]:
    """Return the folders of the runs that have an explorer, the one written last first."""
    found = [path for path in runs.glob("*/") if EXPLORER.below(path).exists()]
    return sorted(found, key=lambda folder: -EXPLORER.below(folder).stat().st_mtime)


def _instead(runs: Path) -> str:
    """Return what to run in place of what has no run."""
    found = _explored(runs)
    if not found:
        return f"Make a run with an explorer: {WRITE}"
    names = ", ".join(folder.name for folder in found[:NAMED])
    more = f" and {len(found) - NAMED:,} more" if len(found) > NAMED else ""
    return f"{runs}/ has {names}{more}: latentmap view {found[0]}"


def _size(path: Path) -> int | None:
    return path.stat().st_size if path.is_file() else None
