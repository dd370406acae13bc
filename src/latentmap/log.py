"""Where a job's words go: everything to its log file, what a person follows to the terminal."""

from __future__ import annotations

import atexit
import errno
import gc
import logging
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import NoReturn

from latentmap.errors import LatentmapError


class _LogFile(logging.FileHandler):
    """A log file that says once that it takes no more lines, as on a full disk, and goes on."""

    full = False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Go on without a line; a line that cannot be formatted is an error of ours."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            super().handleError(record)
        elif not self.full:
            self.full = True
            print(f"{self.baseFilename} takes no more lines: {error.strerror}.", file=sys.stderr)


def _end(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Say why a process ends, but for Ctrl-C, which comes to all jobs at once."""
    if not issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)


# From now on, so that it holds while a script imports the rest.
sys.excepthook = _end


@contextmanager
def job_log(path: Path | str) -> Iterator[None]:
    """Log to `path` during one job, and end the process with one clear line if it fails.

    An error the user can mend is shown as its message; of any other the traceback goes to the log
    and the terminal. A log that cannot be written, as on a full disk, is no reason to fail.
    """
    logging.basicConfig(
        handlers=[_handler(Path(path))],
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
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            _fail(error)
        logging.error("%s", error)
        sys.exit(f"Error: {error}. Make room and run again.")
    except Exception as error:
        _fail(error)


def _fail(error: Exception) -> NoReturn:
    """End the process with the traceback of what nobody has foreseen."""
    logging.exception("The job failed: %r", error)
    traceback.print_exc()
    sys.exit(1)


def _handler(path: Path) -> logging.Handler:
    """Return what writes to a log file or, where there can be none, to the terminal."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return _LogFile(path, "w", encoding="utf-8")
    except OSError as error:
        print(f"{path} cannot be written: {error.strerror}.", file=sys.stderr)
        return logging.StreamHandler()
