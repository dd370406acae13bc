"""A run that is killed at drawn moments, or whose disk fills, ends as an undisturbed one."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import time
from contextlib import suppress

import psutil
import pytest

pytestmark = [pytest.mark.workflow, pytest.mark.slow]

RUN = {
    "samples": {"sources": [{"kind": "scenes", "images": 6}], "shard_size": 4},
    "encoders": [{"kind": "dct", "size": 64}],
}
TARGETS = ("metrics", "projections", "--configfile", "config/small.yaml")
KILLS = 20
# Of a disk, in bytes, from one call to the next.
SIZES = [int(mib * 2**20) for mib in (0.2, 0.8, 100)]


@pytest.fixture(scope="module")
def planned(fresh, tmp_path_factory):
    """A run of six shards, not yet started."""
    project = fresh.copy(tmp_path_factory.mktemp("planned") / "project")
    project.configure(RUN)
    return project


@pytest.fixture(scope="module")
def undisturbed(planned, tmp_path_factory):
    """What that run makes if nothing happens."""
    project = planned.copy(tmp_path_factory.mktemp("undisturbed") / "project")
    project.run_snakemake(*TARGETS)
    return project


@pytest.fixture
def project(planned, tmp_path):
    """That run, for a test of its own."""
    return planned.copy(tmp_path / "project")


def start(project) -> subprocess.Popen[bytes]:
    """Start the run in a process group of its own."""
    return subprocess.Popen(
        project.command(*TARGETS),
        cwd=project.folder,
        env=project.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def made(project) -> set[tuple[str, int]]:
    """What is there with its times, while it changes."""
    while True:
        with suppress(FileNotFoundError):  # of an output that is deleted at this moment
            return set(project.outputs().items())


def jobs_of(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """The jobs that a run has at this moment."""
    with suppress(psutil.NoSuchProcess):
        children = psutil.Process(process.pid).children(recursive=True)
        return [child for child in children if not child.children()]
    return []


def kill(process: subprocess.Popen[bytes], victim: str, draw: random.Random) -> bool:
    """Kill without notice a run with its jobs, its controller alone, or one job; say if it was."""
    if victim == "job":
        jobs = jobs_of(process)
        if jobs:
            with suppress(psutil.NoSuchProcess):
                draw.choice(jobs).kill()
        return bool(jobs)
    (os.killpg if victim == "run" else os.kill)(process.pid, signal.SIGKILL)
    process.wait()
    return True


def test_killed_twenty_times_it_ends_with_the_same_bytes(project, undisturbed):
    draw = random.Random(14)
    process = start(project)
    killed = dict.fromkeys(("run", "controller", "job"), 0)
    before = made(project)
    try:
        while sum(killed.values()) < KILLS:
            if process.poll() is not None:
                assert process.returncode, f"It has ended after {killed}."
                process = start(project)
            if made(project) <= before:
                time.sleep(0.05)
                continue
            time.sleep(draw.uniform(0, 0.3))
            if process.poll() is None and kill(process, victim := draw.choice([*killed]), draw):
                killed[victim] += 1
                before = made(project)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert min(killed.values()) > 2
    assert len(made(project)) < len(made(undisturbed))
    project.run_snakemake(*TARGETS)
    assert project.contents() == undisturbed.contents()
    assert "Nothing to be done" in project.run_snakemake(*TARGETS)


def test_a_disk_that_fills_says_so_and_with_more_room_the_run_goes_on(
    project, undisturbed, disk_of
):
    project.results.mkdir(parents=True)
    with disk_of(project.results, SIZES[0]) as resize:
        for size in SIZES[:-1]:
            assert resize(size)
            printed = project.run_snakemake(*TARGETS, check=False)
            full = r"^Error: results/\S+ cannot be written: No space left on device.* Make room in "
            assert re.search(full, printed, re.MULTILINE), printed
        assert resize(SIZES[-1])
        project.run_snakemake(*TARGETS)
        assert project.contents() == undisturbed.contents()
