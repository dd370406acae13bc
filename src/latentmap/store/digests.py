"""Digests of files, remembered from one plan to the next: what is as it was is not opened."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from latentmap.errors import LatentmapError
from latentmap.store.files import KNOWN_DIGESTS
from latentmap.store.tables import facts_of, read_parquet, with_facts, write_parquet

SETTLED = 2 * 10**9
"""Nanoseconds since a file was changed from when on its times tell a later change."""


class State(NamedTuple):
    """What a file system says of a file.

    No program can set the time of its last change (`ctime`), as it can that of its modification
    (`mtime`): a file of the same state has the same content.
    """

    inode: int
    size: int
    mtime: int
    ctime: int


TYPES = {"inode": pa.uint64(), "size": pa.int64(), "mtime": pa.int64(), "ctime": pa.int64()}
"""Of the columns of a state; some network file systems number inodes beyond 63 bits."""


class DigestMemory:
    """Digests of files by their path and state.

    Args:
        path: the Parquet file that they are remembered in.
        version: of the way in which files are digested; what another way gave is forgotten.
    """

    def __init__(self, path: Path | str, version: str) -> None:
        self._path = Path(path)
        self._version = version
        self._before = _read(self._path, version)
        self._now: dict[str, tuple[State, str]] = {}
        self._folders: dict[str, str] = {}

    def digest(self, path: Path | str, read: Callable[[Path | str], str]) -> str:
        """Return the digest of a file as it was remembered, if its state is the same.

        Args:
            path: the file.
            read: digests its content.

        Raises:
            OSError: the file is not there, or cannot be read.
        """
        name = self._absolute(str(path))
        found = os.stat(path)  # noqa: PTH116
        state = State(found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
        known, digest = self._before.get(name, (None, ""))
        if known != state:
            digest = read(path)
        if time.time_ns() - max(state.mtime, state.ctime) > SETTLED:
            self._now[name] = (state, digest)
        return digest

    def _absolute(self, path: str) -> str:
        """Return an absolute path, links as they are; a folder is looked at once."""
        folder, _, name = path.rpartition("/")
        if not folder or name in ("", ".", ".."):
            return os.path.abspath(path)  # noqa: PTH100
        if folder not in self._folders:
            self._folders[folder] = os.path.abspath(folder)  # noqa: PTH100
        return f"{self._folders[folder]}/{name}"

    def save(self) -> None:
        """Remember what was asked for, if it is not what was remembered."""
        if self._now == self._before or not self._now:
            return
        states = [state for state, _ in self._now.values()]
        columns = {
            "path": pa.array(self._now, pa.string()),
            **{
                name: pa.array([getattr(s, name) for s in states], kind)
                for name, kind in TYPES.items()
            },
            "digest": pa.array([digest for _, digest in self._now.values()], pa.string()),
        }
        write_parquet(self._path, with_facts(pa.table(columns), {"version": self._version}))


def remember_digests(path: Path | str, version: str) -> DigestMemory:
    """Let `digest_file` remember from now on; see `DigestMemory`."""
    memory = DigestMemory(path, version)
    KNOWN_DIGESTS.set(memory)
    return memory


def _read(path: Path, version: str) -> dict[str, tuple[State, str]]:
    """Read what is remembered; nothing if it is damaged, or was made in another way."""
    if not path.exists():
        return {}
    try:
        table = read_parquet(path)
    except LatentmapError:
        return {}
    if facts_of(table).get("version") != version:
        return {}
    states = map(State, *(table[name].to_pylist() for name in State._fields))
    found = zip(states, table["digest"].to_pylist(), strict=True)
    return dict(zip(table["path"].to_pylist(), found, strict=True))
