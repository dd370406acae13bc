"""A run that is killed resumes, and ends with the bytes of an undisturbed one."""

import os
import signal
import subprocess
import time

import pytest

pytestmark = pytest.mark.workflow


def run_and_kill(project) -> None:
    """Start a run and kill it with all its jobs, without notice, once it has made something."""
    before = project.outputs()
    with subprocess.Popen(
        project.command("--configfile", "config/small.yaml"),
        cwd=project.folder,
        env=project.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        while len(project.outputs()) <= len(before):
            assert process.poll() is None
            time.sleep(0.2)
        os.killpg(process.pid, signal.SIGKILL)


def test_killed_run_resumes_to_the_same_bytes(unfinished, finished):
    for _ in range(3):
        run_and_kill(unfinished)
    assert 0 < len(unfinished.outputs()) < len(finished.outputs())
    unfinished.snakemake()
    assert unfinished.contents() == finished.contents()
