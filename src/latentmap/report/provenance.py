"""Where a report comes from."""

from __future__ import annotations

import platform
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


def processor() -> dict[str, str]:
    """Return what decides the last digits of a metric: the kernels of this process and its threads.

    NumPy chooses its own code by the instruction sets of the processor, and so does the library
    that multiplies its matrices, whose sums depend on the number of threads too.
    """
    import numpy as np
    from threadpoolctl import threadpool_info  # type: ignore[import-untyped]

    sets = np.show_config(mode="dicts")["SIMD Extensions"]
    found = {
        "machine": f"{platform.system()} {platform.machine()}",
        "instruction sets that NumPy uses": ", ".join([*sets["baseline"], *sets["found"]]),
    }
    for pool in threadpool_info():
        if pool["user_api"] == "blas":
            kernel = pool.get("architecture", "unknown")
            threads = f"{pool['num_threads']} thread{'s' * (pool['num_threads'] != 1)}"
            name = f"{pool['internal_api']} {pool['version'] or ''}".strip()
            found[name] = f"kernel {kernel}, {threads}"
    return found
