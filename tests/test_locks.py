"""The locks of a killed run are removed, those of a living one and of others are not."""

import subprocess
import sys
from pathlib import Path

import pytest

from latentmap.locks import take_over

RESULTS = Path("results/mine")

HOLD = """
import sys, time
from pathlib import Path
from latentmap.locks import outlive, take_over
take_over(Path("results/mine"), is_dry=sys.argv[2] == "dry", snakemake=Path(sys.argv[1]))
if sys.argv[2] == "elsewhere":
    outlive()
print("held", flush=True)
if sys.argv[3] == "stay":
    time.sleep(60)
"""


@pytest.fixture
def locked(tmp_path):
    """A folder of Snakemake with a lock of this run, and one of another."""
    locks = tmp_path / "locks"
    locks.mkdir()
    (locks / "0.output.lock").write_text("results/mine/report/summary_report.html\n")
    (locks / "1.output.lock").write_text("results/mine2/report/summary_report.html\n")
    return tmp_path


def process(folder, *, kind="real", end="stay"):
    started = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder), kind, end], stdout=subprocess.PIPE, text=True
    )
    assert started.stdout.readline() == "held\n"
    return started


def locks(folder):
    return sorted(path.name[0] for path in (folder / "locks").iterdir())


def test_locks_of_a_killed_run_are_removed_once_it_is_dead(locked):
    running = process(locked)
    assert not take_over(RESULTS, is_dry=True, snakemake=locked) and locks(locked) == ["0", "1"]
    running.kill()
    running.wait()
    assert take_over(RESULTS, is_dry=True, snakemake=locked) and locks(locked) == ["1"]


@pytest.mark.parametrize("how", [{"end": "leave"}, {"kind": "dry"}, {"kind": "elsewhere"}])
def test_locks_of_no_killed_run_of_ours_stay(locked, how):
    """They are another program's, or of a run whose jobs on other machines have outlived it."""
    other = process(locked, **how)
    if how.get("end") != "leave":
        other.kill()
    other.wait()
    assert not take_over(RESULTS, is_dry=True, snakemake=locked) and locks(locked) == ["0", "1"]


def test_locks_that_another_machine_may_hold_stay(locked):
    running = process(locked)
    running.kill()
    running.wait()
    (locked / "latentmap/mine.alive").write_text("another-machine")
    assert not take_over(RESULTS, is_dry=True, snakemake=locked) and locks(locked) == ["0", "1"]
