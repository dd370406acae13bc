"""A run that submits its encoding to SLURM: what is submitted, where it runs, what it survives."""

from __future__ import annotations

import importlib.util
import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

pytestmark = [pytest.mark.workflow, pytest.mark.slow]

HERE = Path(__file__).parent
PROFILE = "profiles/slurm/profile.yaml"
# They take minutes and start daemons, so they must be asked for.
ASKED = "LATENTMAP_TEST_SLURM"

# 6 shards: of the model 12 jobs, which have a GPU each, of the baselines 24.
SUBMITTED = {
    "samples": {"sources": [{"kind": "scenes", "images": 6}], "shard_size": 4},
    "encoders": [
        {"kind": "vae", "name": "tiny-vae", "model": "resources/tiny-vae", "size": 64},
        {"kind": "dct", "size": 64},
        {"kind": "metadata"},
    ],
    "methods": ["mean"],
    "maps": [],
}
SHARDS = 6 * 2 * 3

_spec = importlib.util.spec_from_file_location("slurm", HERE / "slurm.py")
_slurm = importlib.util.module_from_spec(_spec)
sys.modules["slurm"] = _slurm
_spec.loader.exec_module(_slurm)
wait_until = _slurm.wait_until


@pytest.fixture(scope="module")
def slurm():
    """A cluster, its jobs and daemons ended with the tests."""
    if not os.environ.get(ASKED):
        pytest.skip(f"Set {ASKED}=1 to start a SLURM on this machine")
    if lacking := _slurm.Slurm.missing():
        pytest.fail(f"No SLURM can be started: {', '.join(lacking)}")
    with tempfile.TemporaryDirectory() as folder:  # pytest's are closed to all others
        cluster = _slurm.Slurm(Path(folder))
        try:
            cluster.start()
            yield cluster
        finally:
            cluster.stop()


@pytest.fixture(scope="module")
def local(fresh, tmp_path_factory):
    """The run made on this machine."""
    project = fresh.copy(tmp_path_factory.mktemp("local") / "project")
    project.configure(SUBMITTED)
    project.snakemake("latents", "embeddings", "metrics")
    return project


@pytest.fixture
def submit(fresh, slurm, tmp_path):
    """Start the run through the profile; a function that gives its process."""
    project = fresh.copy(tmp_path / "project")
    project.configure(SUBMITTED)
    started = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        with (project.folder / "snakemake.log").open("a") as output:
            process = subprocess.Popen(
                [
                    *(sys.executable, str(HERE / "snakemake_polling.py")),
                    *("--workflow-profile", "profiles/slurm"),
                    *("--configfile", "config/small.yaml"),
                    *("--default-resources", "slurm_account=tests", "slurm_partition=cpu"),
                    *("mem_mb=2500", "runtime=60", *arguments),
                    *("--", "latents", "embeddings", "metrics"),
                ],
                cwd=project.folder,
                env=project.environment | slurm.environment | project.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )
        started.append(process)
        return process

    start.project = project
    yield start
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    if jobs := slurm.jobs():
        slurm.call("scancel", "--signal=KILL", *jobs)


def submissions(project) -> list[str]:
    """Return the SLURM ids of what was submitted, in order."""
    log = (project.folder / "snakemake.log").read_text()
    return re.findall(r"submitted with SLURM jobid (\d+)", log)


def contents(project) -> dict[str, bytes]:
    """Return what a run made; the plan is for jobs on other machines."""
    return {name: data for name, data in project.contents().items() if name != "plan.json"}


def ends_well(submit, process) -> None:
    """Wait for a run to end, and show what it said if it failed."""
    code = process.wait(timeout=900)
    assert code == 0, (submit.project.folder / "snakemake.log").read_text()[-4000:]


def has_encoded(project, count: int) -> bool:
    """Whether so many shards of latents are there."""
    return len(list(project.results.glob("latents/*/*/*.arrow"))) >= count


def test_what_is_submitted_is_little_and_gives_the_same_bytes(submit, slurm, local):
    ends_well(submit, submit())
    assert contents(submit.project) == contents(local)
    ids = submissions(submit.project)
    assert 0 < len(ids) <= SHARDS / 10 + 5
    placed = {
        line.split()[0]: line.split()[1:]
        for line in slurm.call("squeue", "-h", "-t", "all", "-o", "%A %P %N %b").splitlines()
    }
    log = (submit.project.folder / "snakemake.log").read_text()
    with_gpu = set(re.findall(r"jobid (\d+) \(log: \S*/group_tiny-vae_\S*\)", log))
    assert with_gpu and with_gpu < set(ids)
    for job in ids:
        partition, node, gpus = placed[job]
        assert (partition == "gpu") == (job in with_gpu) == ("gpu" in gpus)
        assert node == "n2" or job not in with_gpu


def test_cancelled_and_killed_jobs_are_submitted_again(submit, slurm, local):
    process = submit()
    wait_until(lambda: slurm.jobs("RUNNING"), 300)
    slurm.call("scancel", slurm.jobs("RUNNING")[0])
    wait_until(lambda: has_encoded(submit.project, 6), 300)
    slurm.kill("slurmctld")
    slurm.call("slurmctld")
    ends_well(submit, process)
    assert contents(submit.project) == contents(local)


def test_a_node_that_dies_leaves_its_jobs_to_the_others(submit, slurm, local):
    process = submit()
    wait_until(lambda: slurm.jobs("RUNNING"), 300)
    slurm.kill("slurmd-n1")
    subprocess.run(["pkill", "-KILL", "-x", "slurmstepd"], check=False)
    try:
        ends_well(submit, process)
    finally:
        slurm.start_node("n1")
    assert contents(submit.project) == contents(local)


def test_a_job_without_memory_gets_more(submit, slurm, local):
    ends_well(submit, submit("--set-resources", "encode_samples_on_gpu:mem_mb=150*4**(attempt-1)"))
    states = slurm.call("squeue", "-h", "-t", "all", "-o", "%A %T").splitlines()
    assert any("FAILED" in line or "OUT_OF_MEMORY" in line for line in states)
    assert contents(submit.project) == contents(local)


def test_a_killed_controller_resumes_beside_its_jobs(submit, slurm, local):
    process = submit()
    wait_until(lambda: slurm.jobs("RUNNING"), 300)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert slurm.jobs("RUNNING")
    submit.project.snakemake("--unlock")
    ends_well(submit, submit())
    wait_until(lambda: not slurm.jobs(), 300)
    assert contents(submit.project) == contents(local)
