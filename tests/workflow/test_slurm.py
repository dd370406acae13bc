"""A run that submits its encoding to SLURM: what is submitted, where it runs, what it survives."""

from __future__ import annotations

import importlib.util
import os
import re
import signal
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import pytest

pytestmark = [pytest.mark.workflow, pytest.mark.slow]

HERE = Path(__file__).parent
GIVEN = "JobID: ,Partition: ,tres-per-job:"
PROFILE = "profiles/slurm/profile.yaml"
# They start daemons, so they must be asked for; then none is skipped.
ASKED = "LATENTMAP_TEST_SLURM"

MODEL = {"kind": "vae", "name": "tiny-vae", "model": "resources/tiny-vae", "size": 64}
RUN = {
    "plugins": ["own"],
    "samples": {"sources": [{"kind": "scenes", "images": 4}], "shard_size": 8},
    "encoders": [MODEL, {"kind": "metadata"}, {"kind": "light"}, {"kind": "greedy"}],
    "variants": ["plain"],
    "methods": ["mean"],
    "maps": [],
}
OWN = '''
    """Encoders of little work: one that is given a GPU, and one that takes memory on a cluster."""

    import os
    import time

    import numpy as np

    from latentmap.encode.encoders.metadata import Metadata, MetadataOptions


    class LightOptions(MetadataOptions):
        """Options that ask for a GPU.

        Attributes:
            device: where it is said to run.
        """

        device: str = "auto"


    class Light(Metadata):
        """What metadata gives, with a GPU."""

        Options = LightOptions


    class Greedy(Metadata):
        """What metadata gives, for 3 GB of memory."""

        def load(self):
            if "SLURM_JOB_ID" in os.environ:
                self.taken = np.ones(3_000_000_000, np.uint8)
                time.sleep(3)  # SLURM looks every second
'''

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
def prepared(fresh, tmp_path_factory):
    """A project with encoders of its own, never run."""
    project = fresh.copy(tmp_path_factory.mktemp("prepared") / "project")
    (project.folder / "own.py").write_text(textwrap.dedent(OWN).lstrip())
    project.configure(RUN)
    # Of a cluster that keeps no accounts.
    project.edit(PROFILE, "slurm-status-command: sacct", "slurm-status-command: squeue")
    return project


@pytest.fixture(scope="module")
def local(slurm, prepared, tmp_path_factory):
    """The run of all encoders, made on this machine."""
    project = prepared.copy(tmp_path_factory.mktemp("local") / "project")
    project.snakemake("embeddings")
    return project


@pytest.fixture
def submit(slurm, prepared, tmp_path):
    """Start the run of some encoders through the profile; a function that gives its process."""
    project = prepared.copy(tmp_path / "project")
    started = []

    def start(*encoders: str) -> subprocess.Popen[str]:
        chosen = [e for e in RUN["encoders"] if e.get("name", e["kind"]) in encoders]
        project.configure({**RUN, "encoders": chosen})
        with (project.folder / "snakemake.log").open("a") as output:
            process = subprocess.Popen(
                [
                    *(sys.executable, str(HERE / "snakemake_polling.py"), "embeddings"),
                    *("--workflow-profile", "profiles/slurm"),
                    *("--configfile", "config/small.yaml"),
                ],
                cwd=project.folder,
                env=slurm.environment | project.environment,
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
        slurm.call("scancel", "--signal=KILL", "--full", *jobs)


def submissions(project) -> list[str]:
    """Return the SLURM ids of what was submitted, in order."""
    log = (project.folder / "snakemake.log").read_text()
    return re.findall(r"submitted with SLURM jobid (\d+)", log)


def ends_as(local, slurm, submit, process, *encoders: str) -> None:
    """Wait for a run to end; what it made is what was made on this machine, byte by byte."""
    code = process.wait(timeout=900)
    assert code == 0, (submit.project.folder / "snakemake.log").read_text()[-4000:]
    wait_until(lambda: not slurm.jobs(), 300)
    of_others = {
        f"/{one.get('name', one['kind'])}/"
        for one in RUN["encoders"]
        if one.get("name", one["kind"]) not in encoders
    }
    wanted = {
        name: data
        for name, data in local.contents().items()
        if not any(other in name for other in of_others)
    }
    # The plan is written for jobs on other machines.
    assert {n: d for n, d in submit.project.contents().items() if n != "plan.json"} == wanted


def test_what_is_submitted_is_little_and_gives_the_same_bytes(submit, slurm, local):
    """One submission for an encoder, those with a GPU on its node; and one for a rule of choice."""
    submit.project.edit(PROFILE, "groups:\n", "groups:\n  - pool_latents=pooling\n")
    process = submit("tiny-vae", "metadata")
    ends_as(local, slurm, submit, process, "tiny-vae", "metadata")
    log = (submit.project.folder / "snakemake.log").read_text()
    groups = re.findall(r"SLURM jobid (\d+) \(log: \S*/group_(\S+)/\d+\.log\)", log)
    assert [job for job, _ in groups] == submissions(submit.project)
    placed = dict(
        line.split(maxsplit=1)
        for line in slurm.call("squeue", "-h", "-t", "all", "-O", GIVEN).splitlines()
    )
    assert sorted((group, placed[job]) for job, group in groups) == [
        ("metadata_encode_samples", "cpu N/A"),
        ("pooling_pool_latents", "cpu N/A"),
        ("pooling_pool_latents", "cpu N/A"),
        ("tiny-vae_encode_samples_on_gpu", "gpu gres:gpu:1"),
    ]


def test_cancelled_and_killed_jobs_are_submitted_again(submit, slurm, local):
    process = submit("light", "metadata")
    wait_until(lambda: slurm.jobs("RUNNING"), 300)
    cancelled = slurm.jobs("RUNNING")[0]
    slurm.call("scancel", cancelled)
    wait_until(lambda: set(slurm.jobs("RUNNING")) - {cancelled}, 300)
    (killed, *_) = set(slurm.jobs("RUNNING")) - {cancelled}
    slurm.kill_job(killed)
    slurm.restart_controller()
    ends_as(local, slurm, submit, process, "light", "metadata")
    assert len(submissions(submit.project)) == 4


def test_a_node_that_dies_leaves_its_jobs_to_the_others(submit, slurm, local):
    process = submit("metadata")
    wait_until(lambda: slurm.jobs("RUNNING"), 300)
    (job,) = slurm.jobs("RUNNING")
    node = slurm.call("squeue", "-h", "-j", job, "-o", "%N").strip()
    slurm.kill_node(node)
    try:
        ends_as(local, slurm, submit, process, "metadata")
        assert slurm.call("squeue", "-h", "-t", "all", "-j", job, "-o", "%N").strip() != node
    finally:
        slurm.start_node(node)


def test_a_job_without_memory_gets_more(submit, slurm, local):
    ends_as(local, slurm, submit, submit("greedy"), "greedy")
    first, second = submissions(submit.project)
    listed = slurm.call("squeue", "-h", "-t", "all", "-j", f"{first},{second}", "-o", "%A %T %m")
    state = {
        job: (ended, int(mb.rstrip("M"))) for job, ended, mb in map(str.split, listed.splitlines())
    }
    (failed, before), (ended, after) = state[first], state[second]
    # Without control groups, which would say OUT_OF_MEMORY.
    assert (failed, ended) == ("FAILED", "COMPLETED")
    assert before < 3000 < after
    logs = (path.read_text() for path in slurm.folder.glob("slurmd-n?.log"))
    assert any("exceeded memory limit" in log for log in logs)


def test_a_killed_controller_resumes_beside_its_jobs(submit, slurm, local):
    process = submit("light", "metadata")
    wait_until(lambda: slurm.jobs("RUNNING"), 300)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert slurm.jobs("RUNNING")
    assert submit("light", "metadata").wait(timeout=300)
    submit.project.snakemake("--unlock")
    process = submit("light", "metadata")
    ends_as(local, slurm, submit, process, "light", "metadata")
    assert submit.project.pending("embeddings") == set()
