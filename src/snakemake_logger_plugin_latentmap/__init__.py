"""Snakemake's log as one line of progress: `snakemake --logger latentmap`.

Snakemake finds plug-ins for its log by the names of their packages.
"""

from __future__ import annotations

import logging
import sys
from typing import ClassVar

from snakemake_interface_logger_plugins.base import LogHandlerBase

from latentmap.shell.progress import Progress, Screen

PLANNED: dict[str, int] = {}
"""Jobs by rule that the last run in this process had to do; a dry run does none of them."""


class LogHandler(LogHandlerBase):
    """Shows what is going on; all that Snakemake says is in its log file."""

    seconds: ClassVar[dict[str, float]] = {}
    """Of a job of each rule, as earlier runs took."""

    writes_to_stream = True
    writes_to_file = False
    has_filter = True
    has_formatter = True
    needs_rulegraph = False

    def __post_init__(self) -> None:
        """Begin to show."""
        self._progress = Progress(self.seconds)
        self._screen = Screen(self._progress, sys.stderr, self.common_settings.dryrun)

    def emit(self, record: logging.LogRecord) -> None:
        """Show a record, or what follows from it."""
        try:
            self._screen.emit(record)
        except Exception:
            self.handleError(record)

    def close(self) -> None:
        """Leave the screen to what comes after the run."""
        PLANNED.clear()
        PLANNED.update(self._progress.counts)
        self._screen.close()
        super().close()
