"""What is said last, when a run has ended: what failed, and what was set aside."""

from __future__ import annotations

import atexit
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from latentmap.samples.remarks import NOT_USED
from latentmap.store.tables import read_parquet

SHOWN = 5
"""Errors that are named; of more, only how many they are."""

FAILED = re.compile(r"^\S+ \S+ ERROR (?P<message>.*)$", re.MULTILINE)
"""A line of a job's log (`job_log`) that says why it failed."""


_last: list[str] = []
"""What is printed when the process ends."""


def say_last(lines: Iterable[str], before: Iterable[str] = ()) -> None:
    """Print lines when the process ends, under all that Snakemake says until then.

    Args:
        lines: put below what is to be said already.
        before: put above it.
    """
    _last[:] = [*before, *_last, *lines]


@atexit.register
def _print_last() -> None:
    if _last:
        print(*_last, sep="\n", file=sys.stderr, flush=True)


def failure_lines(logs: Path, since: float) -> list[str]:
    """Return why jobs failed, a line for each reason.

    Args:
        logs: folder of the jobs' logs.
        since: when the run began, in seconds since the epoch; older logs do not count.
    """
    failed: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(logs.rglob("*.log")):
        if path.stat().st_mtime < since:
            continue
        messages = FAILED.findall(path.read_text("utf-8", "replace"))
        if messages:
            failed[messages[-1]].append(path)
    commonest = sorted(failed.items(), key=lambda item: -len(item[1]))
    lines = [f"Error: {message} ({_whose(paths)})" for message, paths in commonest[:SHOWN]]
    if len(commonest) > SHOWN:
        lines.append(f"{len(commonest) - SHOWN} more errors are in the logs under {logs}.")
    return lines


def quarantine_lines(tables: Iterable[Path], since: float) -> list[str]:
    """Return how many rows were set aside, repaired or noted, of each table of them that is new.

    Args:
        tables: of all that was set aside.
        since: when the run began; an older table was told of before.
    """
    new = (table for table in tables if table.exists() and table.stat().st_mtime >= since)
    return [line for table in new for line in _told(table)]


def _told(table: Path) -> Iterator[str]:
    """Yield what a table of what was set aside says, if anything."""
    counts: Counter[str] = Counter()
    for row in read_parquet(table, ["action", "count"]).to_pylist():
        if row["action"] != NOT_USED:
            counts[row["action"]] += row["count"]
    if counts:
        said = ", ".join(f"{count:,} {action}" for action, count in sorted(counts.items()))
        yield f"Rows and files of the input to look at: {said}. Reasons and remedies: {table}"


def _whose(paths: list[Path]) -> str:
    return f"log: {paths[0]}" if len(paths) == 1 else f"{len(paths)} jobs; a log: {paths[0]}"
