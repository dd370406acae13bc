"""A report of arrays is, file by file, what the workflow makes of the same arrays."""

import re

import numpy as np
import pytest

import latentmap as lm
from latentmap.report.pages import summary

pytestmark = pytest.mark.workflow

COUNT = 40
OPTIONS = {
    "methods": ["mean", "minmax"],
    "maps": ["mean"],
    "projections": {"tsne": None, "umap": None},
    "statistics": {"permutations": 50},
    "targets": ["tallness"],
    "explorer": None,
}


@pytest.fixture(scope="module")
def given():
    rng = np.random.default_rng(0)
    labels = np.array(["cat", "dog", "owl"], object)[np.arange(COUNT) % 3]
    latents = rng.normal(size=(COUNT, 3, 6, 6)).astype(np.float32)
    latents[labels == "dog", 0] += 1
    labels[5] = None
    return {
        "X": {"maps": latents, "vectors": latents[:, :, 0, 0].astype(np.float16)},
        "labels": labels,
        "groups": np.arange(COUNT) // 2,
        "images": [np.full((8, 12, 3), 6 * row, np.uint8) for row in range(COUNT)],
        "texts": [f"sample {row}" for row in range(COUNT)],
        "columns": {"tallness": np.arange(COUNT) / 3},
    }


SUMMARY = "report/summary_report.html"
# A process that has done all stages has more libraries loaded than the job of one page, which says
# so in its Provenance; the page's nonce and checksum follow from that.
LIBRARIES = re.compile(r'<tr>\s*<th scope="row">openblas.*?</tr>\s*|nonce[-=]"?\w+|crc32 \w+', re.S)


def test_a_report_of_arrays_is_what_the_workflow_makes_of_them(given, unfinished, monkeypatch):
    monkeypatch.chdir(unfinished.folder)
    monkeypatch.setattr(summary, "commit_of", lambda folder: "unknown")  # as of the copy
    page = lm.report(**given, out="made/arrays", **OPTIONS)
    own = type(unfinished)(unfinished.folder, "arrays")
    own.run_snakemake("--configfile", "made/arrays/config.yaml")
    theirs = own.contents()
    own.results = page.folder
    ours = own.contents()
    beside = {name for name in ours if name.startswith("data/") or name == "config.yaml"}
    assert ours.keys() - beside == theirs.keys()
    assert [name for name in theirs if ours[name] != theirs[name]] in ([], [SUMMARY])
    ours, theirs = (LIBRARIES.sub("", found[SUMMARY].decode()) for found in (ours, theirs))
    assert ours == theirs
    assert "5" in lm.open("made/arrays").samples["id"]  # which has no label
