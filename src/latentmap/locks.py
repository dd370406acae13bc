"""Locks that a killed run has left in Snakemake's folder, so that the next run goes on by itself.

Snakemake locks the files of a run and does not know whose locks they are. A run of latentmap is
known to be alive as long as it holds a lock of the operating system, which ends with its process
however that ends.
"""

from __future__ import annotations

import atexit
import fcntl
import socket
from contextlib import suppress
from pathlib import Path
from typing import IO

SNAKEMAKE = Path(".snakemake")

_own: list[IO[str]] = []
"""The file that says that this process is a run's."""


def take_over(results: Path, is_dry: bool, snakemake: Path = SNAKEMAKE) -> bool:
    """Remove the locks of a run whose process is dead, and be known as its process from here on.

    Locks that another machine has set, or another program, stay.

    Args:
        results: folder of the run's results, as it is in the locked paths.
        is_dry: whether this process computes nothing, so that it is not the run's.
        snakemake: the folder that Snakemake keeps.

    Returns:
        Whether locks were removed.
    """
    file = _claimed(results, snakemake)
    if file is None:
        return False
    file.seek(0)
    is_left = file.read() == socket.gethostname()
    removed = is_left and _remove_locks(results, snakemake / "locks")
    if is_dry:
        file.close()
    else:
        _say(file, socket.gethostname())
        _own.append(file)
        atexit.register(_say, file, "")
    return removed


def outlive() -> None:
    """Let locks stay should this run be killed: its jobs are elsewhere, and go on without it."""
    for file in _own:
        _say(file, "")


def is_alive(results: Path, snakemake: Path = SNAKEMAKE) -> bool:
    """Return whether a process is known as that of a run, as far as this machine can tell."""
    file = _claimed(results, snakemake)
    if file is not None:
        file.close()
    return file is None


def is_known(results: Path, snakemake: Path = SNAKEMAKE) -> bool:
    """Return whether a run was ever planned with this folder of Snakemake's."""
    return _file(results, snakemake).exists()


def _file(results: Path, snakemake: Path) -> Path:
    return snakemake / "latentmap" / f"{results.name}.alive"


def _claimed(results: Path, snakemake: Path) -> IO[str] | None:
    """Claim the file that says whose process is alive; none if that is another's."""
    path = _file(results, snakemake)
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # it is alive; or this disk knows no such locks
        file.close()
        return None
    return file


def _remove_locks(results: Path, locks: Path) -> bool:
    """Remove Snakemake's locks of the files of a run."""
    stale = [path for path in locks.glob("*.lock") if _is_about(path, f"{results}/")]
    for path in stale:
        path.unlink(missing_ok=True)
    return bool(stale)


def _is_about(lock: Path, start: str) -> bool:
    with suppress(OSError), lock.open() as lines:
        return any(line.startswith(start) for line in lines)
    return False


def _say(file: IO[str], text: str) -> None:
    """Write whose process is alive; nobody's as it ends by itself."""
    with suppress(OSError):  # as on a full disk
        file.truncate(0)
        file.write(text)
        file.flush()
