"""A job on another machine takes the plan that it was given, and looks at its own rows only."""

from pathlib import Path

import pytest
from PIL import Image

from latentmap.planning import Plan
from latentmap.run import load_run
from latentmap.samples.planned import write_plan

pytestmark = pytest.mark.workflow

CONFIG = {
    "run": "small",
    "input": "images",
    "samples": {"sources": [{"kind": "folder"}], "shard_size": 2},
    "encoders": [{"kind": "dct", "size": 64}],
}


def test_the_job_of_a_shard_needs_no_image_of_another(unfinished, monkeypatch):
    monkeypatch.chdir(unfinished.folder)
    for number in range(6):
        path = Path("images") / "ab"[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (16, 16), (number, 0, 0)).save(path)
    plan = Plan(load_run(CONFIG), unfinished.results, Path)
    write_plan("results/small/plan.json", plan.shards.values())
    first, second, _ = plan.shards.values()
    for place in first.places:
        (Path("images") / place["file_name"]).unlink()
    unfinished.configure(CONFIG)
    wanted = [f"ingest_samples:shard={second.id}", "--allowed-rules", "ingest_samples"]
    unfinished.snakemake("--mode", "remote", "--nolock", "--target-jobs", *wanted)
    made = unfinished.outputs()
    assert f"samples/{second.id}.arrow" in made and f"samples/{first.id}.arrow" not in made
