"""Old shards: files of samples that have changed or gone since, which no manifest names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from latentmap.errors import LatentmapError
from latentmap.locks import is_alive
from latentmap.shell.forecast import SHARD
from latentmap.store.results import MANIFEST, RUN

KEPT = ("samples", "thumbnails", "latents", "benchmarks", "logs")
"""The folders in which a shard has files of its own."""


def old_shards(folder: Path) -> list[Path]:
    """Return the files of a run that belong to shards which its manifest does not name.

    Those that are newer than the manifest may be of a run that was interrupted, and stay.

    Args:
        folder: of the run's results.

    Raises:
        LatentmapError: it is no folder of a run, or the run is under way.
    """
    manifest = MANIFEST.below(folder)
    if not RUN.below(folder).exists() or not manifest.exists():
        raise LatentmapError(f"{folder} is no folder of a run whose samples are sealed.")
    if is_alive(folder):
        raise LatentmapError(f"{folder} is being written. Wait until the run has ended.")
    sealed = {shard.id for shard in MANIFEST.read(manifest)}
    written = manifest.stat().st_mtime
    return sorted(
        path
        for path, shard in _of_shards(folder)
        if shard not in sealed and path.stat().st_mtime < written
    )


def _of_shards(folder: Path) -> Iterator[tuple[Path, str]]:
    for name in KEPT:
        for path in (folder / name).rglob("*"):
            shard = shard_of(path)
            if SHARD.fullmatch(shard) and path.is_file() and not path.is_symlink():
                yield path, shard


def shard_of(path: Path) -> str:
    """Return the shard that a file is of; latents that wait for their job begin with a dot."""
    return path.name.removeprefix(".").partition(".")[0]
