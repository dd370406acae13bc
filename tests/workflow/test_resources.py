"""What jobs ask for follows from the plan, and makes nothing anew."""

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.workflow

# Snakemake shows no resources of a job that has a message.
ASK = """
import json
from pathlib import Path
from snakemake.api import SnakemakeApi
from snakemake.settings.types import ConfigSettings, OutputSettings, ResourceSettings
with SnakemakeApi(OutputSettings(dryrun=True)) as api:
    run = api.workflow(
        resource_settings=ResourceSettings(cores=2),
        config_settings=ConfigSettings(configfiles=[Path("config/small.yaml").resolve()]),
        snakefile=Path("Snakefile"),
    )
    run.dag().execute_workflow(executor="dryrun")
    jobs = {job.rule.name: job for job in run._workflow.dag.jobs}
    asked = {name: (job.resources.get("mem_mb"), job.threads) for name, job in jobs.items()}
    Path("asked.json").write_text(json.dumps(asked))
"""

TEXTS = {
    "run": "small",
    "input": "texts.jsonl",
    "samples": {"sources": [{"kind": "jsonl"}], "shard_size": 100_000},
    "encoders": [{"kind": "tfidf"}],
    "variants": ["plain"],
    "explorer": None,
}


def asked(project, rows):
    lines = (json.dumps({"prompt": f"text {row}", "src": "ab"[row % 2]}) for row in range(rows))
    (project.folder / "texts.jsonl").write_text("\n".join(lines))
    done = subprocess.run(
        [sys.executable, "-c", ASK],
        cwd=project.folder,
        env=project.environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads((project.folder / "asked.json").read_text())


def test_the_jobs_of_a_large_run_ask_for_more_than_those_of_a_small_one(unfinished):
    unfinished.configure(TEXTS)
    few, many = asked(unfinished, 40), asked(unfinished, 40_000)
    more = {name: many[name][0] - few[name][0] for name in few if few[name][0]}
    # In MB, what was measured for 40,000 more samples.
    assert more["find_neighbors"] > 40_000 * 10_000 / 2**20
    assert more["project_embedding"] > 40_000 * 4000 / 2**20
    assert more["ingest_samples"] == more["draw_thumbnails"] == 0
    assert (few["find_neighbors"][1], many["find_neighbors"][1]) == (1, 2)


def test_asking_for_more_makes_nothing_anew(project):
    project.edit("src/latentmap/memory.py", "HEADROOM = 1.5", "HEADROOM = 15")
    project.edit("src/latentmap/memory.py", "STEP = 100", "STEP = 1000")
    assert project.pending() == set()
