"""Where a job's words go: everything to its log file, what a person follows to the terminal."""

from __future__ import annotations

import atexit
import gc
import logging
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from latentmap.errors import LatentmapError


@contextmanager
def job_log(path: Path | str) -> Iterator[None]:
    """Log to `path` during one job, and end the process with one clear line if it fails.

    An error the user can mend is shown as its message; of any other the traceback goes to the log
    and the terminal.
    """
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(
        filename=path,
        filemode="w",
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(message)s",
        force=True,
    )
    logging.captureWarnings(True)
    # As it ends, Python would look once more for garbage among all that was imported: 0.1 to 0.2 s.
    atexit.register(gc.freeze)
    try:
        yield
    except LatentmapError as error:
        logging.error("%s", error)
        sys.exit(f"Error: {error}")
    except Exception:
        logging.exception("The job failed.")
        traceback.print_exc()
        sys.exit(1)
