"""Where a report comes from."""

from __future__ import annotations

import subprocess
from pathlib import Path

UNKNOWN = "unknown"


def commit_of(folder: Path | str) -> str:
    """Return the git commit of the checkout that a folder is the top of.

    `-dirty` follows where files differ from the commit; `unknown` where the folder is no checkout
    or git is not installed.
    """
    if not (Path(folder) / ".git").exists():
        return UNKNOWN
    command = ["git", "-C", str(folder), "describe", "--always", "--dirty", "--abbrev=40"]
    try:
        done = subprocess.run(
            [*command, "--exclude=*"], capture_output=True, text=True, check=True, timeout=30
        )
    except (OSError, subprocess.SubprocessError):
        return UNKNOWN
    return done.stdout.strip()
