"""Latents that are done before the job that has to give them: kept for it, beside its output.

Snakemake deletes what a job declares as its output before the job starts, and again if it fails. So
latents lie under another name, which says what they were made with, until their own job is there
and takes them over. What a killed job had done is there when it is tried again.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Sequence
from dataclasses import dataclass
from glob import escape
from pathlib import Path
from typing import IO, Any

from latentmap.store.files import digest, digest_file, lock_folder, move

_OPEN: dict[Path, IO[bytes]] = {}
"""Open for as long as this process lives: to close one would end its locks."""


@dataclass(frozen=True)
class Shard:
    """One shard to encode.

    Attributes:
        samples: its samples.
        output: where its job declares its latents.
        made_with: digest of all that the latents depend on beside the samples in the shard's id.
    """

    samples: Path
    output: Path
    made_with: str

    @property
    def sealed(self) -> Path:
        """Where its latents wait for the job."""
        return self.output.with_name(f".{self.output.stem}.{self.made_with}.sealed")

    def take(self) -> bool:
        """Put sealed latents where they are declared; return whether there are any.

        Those that were made with something else are removed.
        """
        for path in self.output.parent.glob(f".{escape(self.output.stem)}.*.sealed"):
            if path != self.sealed:
                path.unlink(missing_ok=True)
        if self.sealed.exists():
            move(self.sealed, self.output)
            return True
        return False


def made_with(tracked: Sequence[Any], fit: Path | str | None) -> str:
    """Return the digest of all that latents depend on beside what is in their shard's id.

    Args:
        tracked: what Snakemake compares of their job, as JSON can say it.
        fit: what the encoder has learned, if it has.
    """
    return digest(json.dumps(tracked, sort_keys=True), digest_file(fit) if fit else "")


class Claims:
    """Which shards this process encodes, so that no other of this machine does.

    A claim lasts as long as the process, however that ends.

    Args:
        folder: of the latents.
        since: seconds since the epoch; latents that are younger are those of a job that is done.
    """

    def __init__(self, folder: Path, since: float) -> None:
        path = lock_folder("encoding") / digest(str(folder.resolve()))
        self._file = _OPEN.get(path) or _OPEN.setdefault(path, path.open("ab"))
        self._since = since

    def wait_for(self, shard: Shard) -> None:
        """Claim a shard, after the process that has it, if one does."""
        fcntl.lockf(self._file, fcntl.LOCK_EX, 1, _place(shard))

    def try_for(self, shard: Shard) -> bool:
        """Claim a shard and return True, unless another process has or has done it."""
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _place(shard))
        except OSError:
            return False
        made = shard.output.stat().st_mtime if shard.output.exists() else 0.0
        return not shard.sealed.exists() and made < self._since


def _place(shard: Shard) -> int:
    """Return which byte of the file is locked for a shard."""
    return int(digest(shard.output.name)[:12], 16)
