"""How a run gets on: one line that is renewed on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import logging
import shutil
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from statistics import fmean
from typing import Any, TextIO

from latentmap.shell.stages import FOLDERS, measured_as, stage_of

SECONDS_BETWEEN_LINES = 30.0
"""Where nothing can be renewed, such as in a file, a line is written so often at most."""

FIRST_ESTIMATE = 3
"""Jobs that must have ended before anything is said of the time that is left."""

FAILURES_SHOWN = 5

STOPPED = "Terminating processes on user request"
"""What Snakemake's log says after Ctrl-C, before it calls the jobs that it ended failed."""


class Progress:
    """What is known of a run under way, and the line that says it.

    Args:
        seconds: of a job of each rule, as earlier runs took.
        clock: gives the time in seconds.
    """

    def __init__(
        self,
        seconds: Mapping[str, float] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._before = dict(seconds or {})
        self._clock = clock
        self._started = clock()
        self._running: dict[int, tuple[str, float]] = {}
        self._took: dict[str, list[float]] = defaultdict(list)
        self._stages: list[str] = []
        self.counts: Counter[str] = Counter()
        self.done = 0
        self.total = 0

    def plan(self, counts: Mapping[str, int]) -> None:
        """Take how many jobs of each rule there are."""
        self.counts = Counter()
        for rule, count in counts.items():
            if stage_of(rule):
                self.counts[measured_as(rule)] += count
        self.total = sum(self.counts.values())
        self._started = self._clock()

    def start(self, job: int, rule: str) -> None:
        """Take that a job has begun."""
        if stage_of(rule):
            self._running[job] = (measured_as(rule), self._clock())

    def end(self, job: int) -> None:
        """Take that a job has ended, whether it has failed or not."""
        if job in self._running:
            rule, since = self._running.pop(job)
            self._took[rule].append(self._clock() - since)
            self.done += 1
            # A checkpoint makes more jobs known than there were at first.
            self.total = max(self.total, self.done + len(self._running))

    @property
    def has_begun(self) -> bool:
        """Whether any job has."""
        return bool(self._running or self.done)

    def line(self) -> str:
        """Return what to say now: stage, jobs, rate and the time that is left."""
        elapsed = max(self._clock() - self._started, 1e-9)
        stages = Counter(stage_of(rule) for rule, _ in self._running.values())
        self._stages = [stage for stage in FOLDERS if stage in stages] or self._stages
        names = ["done"] if self.done == self.total else self._stages
        parts = [", ".join(names), f"{self.done:,} of {self.total:,} jobs"]
        if self.done >= FIRST_ESTIMATE:
            parts.append(_rate(self.done / elapsed))
            left = self._left(elapsed)
            if left is not None:
                parts.append(f"about {say_seconds(left)} left")
        return "  ".join(parts)

    def _left(self, elapsed: float) -> float | None:
        """Return the seconds that are left; none while most jobs are of rules never seen."""
        known = {rule: fmean(took) for rule, took in self._took.items()}
        both = known.keys() & self._before.keys()
        # This machine and these samples against those of before.
        before = sum(self._before[rule] * len(self._took[rule]) for rule in both)
        scale = sum(sum(self._took[rule]) for rule in both) / before if before else 1.0
        work, unseen = 0.0, 0
        for rule, count in self.counts.items():
            left = max(count - len(self._took.get(rule, ())), 0)
            each = known.get(rule, self._before.get(rule, 0) * scale)
            work += left * each
            unseen += left if not each else 0
        remaining = self.total - self.done
        if not remaining or unseen > remaining / 2:
            return None
        work *= remaining / (remaining - unseen) if unseen < remaining else 1.0
        begun = sum(self._clock() - since for _, since in self._running.values())
        at_once = max((sum(map(sum, self._took.values())) + begun) / elapsed, 1e-9)
        return max(work - begun, 0.0) / at_once


class Screen:
    """Shows the progress of a run, and what else must be seen.

    Args:
        progress: what is known of the run.
        stream: where to.
        is_dry: whether no job is run, so that there is no progress to show.
    """

    def __init__(
        self, progress: Progress, stream: TextIO = sys.stderr, is_dry: bool = False
    ) -> None:
        self._progress = progress
        self._stream = stream
        self._is_dry = is_dry
        self._renews = stream.isatty() and not is_dry
        self._shown = 0.0
        self._failures = 0
        self._is_stopped = False
        self._lock = threading.RLock()
        self._ended = threading.Event()
        if self._renews:
            threading.Thread(target=self._tick, daemon=True).start()

    def emit(self, record: logging.LogRecord) -> None:
        """Take one record of Snakemake's log."""
        event = getattr(record, "event", None)
        with self._lock:
            take = getattr(self, f"_on_{event}", None) if event else None
            if take is not None:
                take(vars(record))
                self.show()
            elif record.getMessage().startswith(STOPPED):
                self._stop()
            elif event is None and (record.levelno >= logging.WARNING):
                self.say(record.getMessage())

    def say(self, text: str) -> None:
        """Write a line that stays."""
        with self._lock:
            self._clear()
            print(text.strip("\n"), file=self._stream, flush=True)

    def show(self, at_once: bool = False) -> None:
        """Show the line of progress, if it is time to."""
        with self._lock:
            progress, now = self._progress, time.monotonic()
            if self._is_dry or self._is_stopped or not progress.has_begun:
                return
            if self._renews:
                width = shutil.get_terminal_size().columns - 1
                self._clear()
                # What a job writes itself begins where the line does.
                self._stream.write(f"{progress.line()[:width]}\r")
                self._stream.flush()
            elif at_once or now - self._shown >= SECONDS_BETWEEN_LINES:
                self._shown = now
                print(progress.line(), file=self._stream, flush=True)

    def close(self) -> None:
        """Remove the line that is renewed; elsewhere say how far the run has come."""
        if self._ended.is_set():
            return
        self._ended.set()
        if self._renews:
            self._clear()
        elif self._progress.done:
            self.show(at_once=True)

    def _stop(self) -> None:
        self._is_stopped = True
        self.say("Stopped. The same command goes on from here.")

    def _clear(self) -> None:
        if self._renews:
            self._stream.write("\r\x1b[K")

    def _tick(self) -> None:
        while not self._ended.wait(1.0):
            self.show()

    def _on_run_info(self, record: Mapping[str, Any]) -> None:
        self._progress.plan(record["stats"])
        if not self._is_dry:
            self.say(f"{self._progress.total:,} jobs to run.")

    def _on_job_info(self, record: Mapping[str, Any]) -> None:
        if not self._is_dry:
            self._progress.start(record["jobid"], record["rule_name"])

    def _on_job_finished(self, record: Mapping[str, Any]) -> None:
        self._progress.end(record["job_id"])

    def _on_job_error(self, record: Mapping[str, Any]) -> None:
        self._progress.end(record["jobid"])
        if self._is_stopped:
            return
        self._failures += 1
        if self._failures <= FAILURES_SHOWN:
            logs = ", ".join(map(str, record["log"])) or "none"
            self.say(f"Failed: {record['rule_name']} (log: {logs})")

    def _on_error(self, record: Mapping[str, Any]) -> None:
        if self._is_stopped:
            return
        if record.get("exception") == "LockException":
            self.say(
                "Another run is writing these results. Wait until it has ended; if none is alive "
                "on any machine, add `-- --unlock` once."
            )
        elif not self._failures:  # else it only says that there were some
            self.say(str(record["msg"]))


def _rate(jobs_per_second: float) -> str:
    if jobs_per_second >= 1:
        return f"{jobs_per_second:.1f} jobs/s"
    return f"{60 * jobs_per_second:.1f} jobs/min"


def say_seconds(seconds: float) -> str:
    """Return a duration in words, as exact as an estimate is."""
    if seconds < 1:
        return "1 s"
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
