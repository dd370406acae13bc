"""The line of progress, and how long it says a run will take, on a clock of the test's own."""

import io
import logging
import re

import pytest

from latentmap.home import HOME
from latentmap.shell.progress import Progress, Screen, say_seconds
from latentmap.shell.stages import FOLDERS, stage_of

RULES = {"pool_latents": 10, "find_neighbors": 10, "all": 1}


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def run_jobs(progress, clock, rule, jobs, seconds):
    for job in jobs:
        progress.start(job, rule)
        clock.now += seconds
        progress.end(job)


def test_every_rule_has_a_stage_and_every_stage_a_file():
    assert all((HOME / "rules" / f"{stage}.smk").exists() for stage in FOLDERS)
    assert stage_of("encode_samples") == stage_of("encode_samples_on_gpu") == "encode"
    assert stage_of("download_source") == "samples"
    assert stage_of("write_summary") == "report" and stage_of("write_explorer") == "explorer"
    assert stage_of("all") is None
    named = {
        rule: file.stem
        for file in (HOME / "rules").glob("*.smk")
        for rule in re.findall(r"^(?:rule|checkpoint) (\w+):", file.read_text(), re.MULTILINE)
    }
    assert named and {rule: stage_of(rule) for rule in named} == named


def test_the_time_left_is_that_of_the_jobs_left(clock):
    progress = Progress({}, clock)
    progress.plan(RULES)
    run_jobs(progress, clock, "pool_latents", range(10), 2.0)
    run_jobs(progress, clock, "find_neighbors", range(10, 14), 10.0)
    progress.start(14, "find_neighbors")
    # Six of ten seconds each are left.
    assert progress.line().split("  ") == [
        *("neighbors", "14 of 20 jobs", "14.0 jobs/min", "about 60 s left")
    ]


def test_earlier_runs_tell_of_rules_that_are_still_to_come(clock):
    """They were made on half the samples: what is done already says so."""
    progress = Progress({"pool_latents": 1.0, "find_neighbors": 30.0}, clock)
    progress.plan(RULES)
    run_jobs(progress, clock, "pool_latents", range(5), 2.0)
    # 5 of 2 seconds and 10 of 60 are left.
    assert progress.line().endswith("about 10 min left")
    unknown = Progress({}, clock)
    unknown.plan(RULES)
    run_jobs(unknown, clock, "pool_latents", range(5), 2.0)
    assert "left" not in unknown.line()


def test_jobs_that_run_at_once_are_counted_so(clock):
    progress = Progress({}, clock)
    progress.plan({"pool_latents": 8})
    for pair in ((0, 1), (2, 3)):
        for job in pair:
            progress.start(job, "pool_latents")
        clock.now += 30
        for job in pair:
            progress.end(job)
    assert progress.line().endswith("about 60 s left")


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.2, "1 s"), (61.4, "61 s"), (600, "10 min"), (7200, "2.0 h")],
)
def test_durations(seconds, said):
    assert say_seconds(seconds) == said


def record(event=None, level=logging.INFO, message="", **more):
    made = logging.makeLogRecord({"msg": message, "levelno": level, **more})
    if event:
        made.event = event
    return made


class Terminal(io.StringIO):
    def isatty(self):
        return True


def feed(screen):
    screen.emit(record("run_info", stats={"pool_latents": 2, "all": 1, "total": 3}))
    screen.emit(record(message="reasons and lists"))
    screen.emit(record(level=logging.WARNING, message="cats passes over .md files: 4."))
    screen.emit(record("job_info", jobid=1, rule_name="pool_latents", rule_msg="Pool"))
    screen.emit(record("job_finished", job_id=1))
    screen.emit(record("job_info", jobid=2, rule_name="pool_latents", rule_msg="Pool"))
    screen.emit(record("job_error", jobid=2, rule_name="pool_latents", log=["logs/p.log"]))
    screen.emit(record("error", message="At least one job failed.", exception="WorkflowError"))
    screen.close()
    screen.close()


def test_a_terminal_has_one_line_that_is_removed_at_the_end():
    stream = Terminal()
    feed(Screen(Progress(), stream))
    shown = stream.getvalue()
    lines = [line.rpartition("\x1b[K")[2] for line in shown.split("\n")]
    assert lines == [
        "2 jobs to run.",
        "cats passes over .md files: 4.",
        "Failed: pool_latents (log: logs/p.log)",
        "",
    ]
    assert "pool  1 of 2 jobs" in shown


def test_a_file_has_plain_lines():
    stream = io.StringIO()
    feed(Screen(Progress(), stream))
    assert stream.getvalue().splitlines() == [
        "2 jobs to run.",
        "cats passes over .md files: 4.",
        "pool  0 of 2 jobs",
        "Failed: pool_latents (log: logs/p.log)",
        "done  2 of 2 jobs",
    ]


@pytest.mark.parametrize(
    ("kind", "said"), [("LockException", "Another run is writing"), ("OSError", "No space left.")]
)
def test_what_ends_a_run_before_its_jobs_is_said(kind, said):
    stream = io.StringIO()
    Screen(Progress(), stream).emit(record("error", message="No space left.", exception=kind))
    assert stream.getvalue().startswith(said) and stream.getvalue().count("\n") == 1


def test_a_dry_run_shows_no_progress():
    stream = io.StringIO()
    screen = Screen(Progress(), stream, is_dry=True)
    screen.emit(record("run_info", stats={"pool_latents": 2}))
    screen.emit(record("job_info", jobid=1, rule_name="pool_latents", rule_msg="Pool"))
    screen.close()
    assert stream.getvalue() == ""


def test_ctrl_c_is_no_failure_of_jobs():
    stream = io.StringIO()
    screen = Screen(Progress(), stream)
    screen.emit(record("run_info", stats={"pool_latents": 2}))
    screen.emit(record("job_info", jobid=1, rule_name="pool_latents", rule_msg="Pool"))
    screen.emit(record(message="Terminating processes on user request, this might take some time."))
    screen.emit(record("job_error", jobid=1, rule_name="pool_latents", log=["logs/p.log"]))
    screen.emit(record("error", message="At least one job failed.", exception="WorkflowError"))
    screen.close()
    assert stream.getvalue().splitlines()[-1] == "Stopped. The same command goes on from here."
