"""Runs of which little can be said are run to the end, and their pages say it once."""

import html
import json
import re

import numpy as np
import pytest
import yaml

pytestmark = pytest.mark.workflow

QUICK = {
    "encoders": [{"kind": "cached"}],
    "methods": ["mean", "max", "region"],
    "maps": ["mean"],
    "projections": {"tsne": None, "umap": None},
    "explorer": None,
}


@pytest.mark.parametrize(
    ("labels", "why", "pairs"),
    [
        ([f"label {row}" for row in range(12)], "No two samples share a label.", True),
        (["one"] * 12, "All samples have the same label.", True),
        (
            ["one", "two"] * 3,
            "With 6 samples all others are among the 10 nearest neighbors.",
            False,
        ),
    ],
    ids=["a label for each sample", "one label", "six samples"],
)
def test_what_cannot_be_said_is_said_once(unfinished, labels, why, pairs):
    latents = np.random.default_rng(0).normal(size=(len(labels), 3, 4, 4)).astype(np.float32)
    rows = [{"id": f"s{row}", "label": label} for row, label in enumerate(labels)]
    np.savez(unfinished.folder / "few.npz", latents=latents, metadata=json.dumps(rows))
    source = {"kind": "npz", "input": "few.npz"}
    config = {**QUICK, "run": "few", "input": "few.npz", "samples": {"sources": [source]}}
    (unfinished.folder / "few.yaml").write_text(yaml.safe_dump(config))
    unfinished.run_snakemake("--configfile", "few.yaml")

    report = unfinished.folder / "results/few/report"
    summary, neighbors = (
        html.unescape(re.sub(r"<[^>]+>", " ", page.read_text()))
        for page in (
            report / "summary_report.html",
            report / "cached/plain/deep_dive/nearest_neighbors.html",
        )
    )
    assert summary.count(f"Methods are not ranked: {why}") == 1
    assert "Findings" not in summary
    assert "region of cached, which needs boxes" in summary
    assert "The best method" not in summary and "label group" not in summary.split("Leaderboard")[0]
    assert "the best method" not in neighbors
    assert ("The closest pairs" in neighbors) == pairs
    assert ("too few samples" in neighbors) != pairs
