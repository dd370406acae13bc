"""What the jobs of a shard open of the data, counted by the system: their own files, once."""

import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from PIL import Image

from latentmap.planning import Plan
from latentmap.run import load_run
from latentmap.samples.planned import write_plan
from latentmap.store.digests import SETTLED

pytestmark = [
    pytest.mark.workflow,
    pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace"),
]

CONFIG = {
    "run": "small",
    "input": "images",
    "samples": {"sources": [{"kind": "folder"}], "shard_size": 4},
    "encoders": [{"kind": "dct", "size": 64}],
    "variants": ["plain"],
}


@pytest.fixture
def images(unfinished, monkeypatch):
    """A project of twelve images in three shards; its plan."""
    monkeypatch.chdir(unfinished.folder)
    unfinished.configure(CONFIG)
    for number in range(12):
        path = Path("images") / "ab"[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (16, 16), (number, 0, 0)).save(path)
    return Plan(load_run(CONFIG), unfinished.results, Path)


def opened(project, *arguments) -> set[str]:
    """Run snakemake; return the images that it and its jobs have opened."""
    logs = project.folder / "opened"
    shutil.rmtree(logs, ignore_errors=True)
    logs.mkdir()
    # A file for each thread: in one for all, a call may be cut in two by another.
    trace = ["strace", "-ff", "-qq", "-e", "trace=open,openat,openat2", "-o", str(logs / "of")]
    command = project.command(*arguments, "--configfile", "config/small.yaml")
    done = subprocess.run(
        [*trace, *command], env=project.environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    calls = "".join(path.read_text() for path in logs.iterdir())
    return set(re.findall(r'images/(\w+/\w+\.png)"[^\n]* = \d+$', calls, re.MULTILINE))


def test_the_jobs_of_a_shard_open_their_own_images_and_an_unchanged_plan_opens_none(
    images, unfinished
):
    everything = {place["file_name"] for shard in images.shards.values() for place in shard.places}
    assert opened(unfinished, "-n", "samples") == everything
    second = list(images.shards.values())[1]
    time.sleep(SETTLED / 1e9)
    # What changed a moment before is looked at once more.
    unfinished.snakemake("-n", "samples")
    assert opened(unfinished, "-n", "samples") == set()
    # As a cluster starts it: the job parses the workflow, and takes the plan that it was given.
    # What the last plan remembers of files is on another machine.
    shutil.rmtree(unfinished.folder / ".snakemake" / "latentmap")
    write_plan(unfinished.results / "plan.json", images.shards.values())
    rules = ("ingest_samples", "draw_thumbnails")
    jobs = [f"{rule}:shard={second.id}" for rule in rules]
    remote = ["--mode", "remote", "--nolock", "--target-jobs", *jobs, "--allowed-rules", *rules]
    assert opened(unfinished, *remote) == {place["file_name"] for place in second.places}
    assert (unfinished.results / "thumbnails" / f"{second.id}.arrow").exists()
