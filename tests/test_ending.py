"""What is said last, when a run has ended."""

import os
import subprocess
import sys

import pyarrow as pa
import pytest

from latentmap.ending import failure_lines, quarantine_lines
from latentmap.store.tables import write_parquet

LOGGING = """
import sys
from latentmap.errors import LatentmapError
from latentmap.log import job_log
with job_log(sys.argv[1]):
    raise eval(sys.argv[2])
"""


def fail(path, error: str) -> None:
    subprocess.run([sys.executable, "-c", LOGGING, str(path), error], check=False)


def test_equal_errors_are_one_line_and_the_commonest_comes_first(tmp_path):
    for number in range(2):
        fail(tmp_path / "encode" / f"{number}.log", "LatentmapError('There is no device here.')")
    fail(tmp_path / "pool" / "a.log", "ValueError('of all sizes')")
    (tmp_path / "fine.log").write_text("2026-01-01 00:00:00,000 INFO 3 samples\n")
    old = tmp_path / "old.log"
    old.write_text("2026-01-01 00:00:00,000 ERROR of another run\n")
    os.utime(old, (1, 1))
    assert failure_lines(tmp_path, since=2) == [
        f"Error: There is no device here. (2 jobs; a log: {tmp_path}/encode/0.log)",
        f"Error: The job failed: ValueError('of all sizes') (log: {tmp_path}/pool/a.log)",
    ]


def test_many_different_errors_are_counted(tmp_path):
    for number in range(7):
        (tmp_path / f"{number}.log").write_text(f"2026-01-01 00:00:00,000 ERROR number {number}\n")
    *shown, last = failure_lines(tmp_path, since=0)
    assert len(shown) == 5
    assert last == f"2 more errors are in the logs under {tmp_path}."


@pytest.mark.parametrize("since", [0, 2**40])
def test_what_was_set_aside_is_told_of_once(tmp_path, since):
    table = tmp_path / "quarantine.parquet"
    assert quarantine_lines([table, table.with_name("none")], since) == []
    actions = ["quarantined", "passed over", "quarantined"]
    write_parquet(table, pa.table({"action": actions, "count": [1, 1200, 1]}))
    said = quarantine_lines([table, table.with_name("none")], since)
    if since:
        assert said == []
    else:
        assert said == [
            "Rows and files of the input to look at: 1,200 passed over, 2 quarantined. Reasons and "
            f"remedies: {table}"
        ]


def test_lines_are_said_once_and_in_their_order():
    said = """
from latentmap.ending import say_last
say_last([])
say_last(["set aside"])
say_last(["report"], before=["verdict"])
"""
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert done.stderr.splitlines() == ["verdict", "set aside", "report"]
    nothing = said.partition("say_last([]")[0] + "say_last([])"
    done = subprocess.run(
        [sys.executable, "-c", nothing], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
