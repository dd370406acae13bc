"""The page about how sources differ, and the sentence about them in the summary."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from latentmap.metrics.metric import HEADLINE as HONEST
from latentmap.metrics.metric import Measurement
from latentmap.metrics.sources import RunFiles, SourcesOptions, compare_sources
from latentmap.report.experiments import Experiment, Key
from latentmap.report.page import PAGES
from latentmap.report.palette import NEUTRAL
from latentmap.report.plates import rows_of
from latentmap.report.publish import charts_in
from latentmap.report.source_comparisons import read_comparisons, source_findings
from latentmap.store.files import write_json
from latentmap.store.manifest import Shard, write_manifest
from latentmap.store.results import (
    EMBEDDING,
    MANIFEST,
    METRICS,
    PROJECTION,
    SAMPLES,
    SOURCE_METRICS,
    EncoderFacts,
    Results,
    RunFacts,
)
from latentmap.store.samples import SCHEMA
from latentmap.store.tables import write_arrow, write_embedding, write_parquet

HOSTILE = "</script><img src=x onerror=alert(1)>"
KEY = ("tower", "plain", "flatten")


class Pages:
    """Runs in a folder, and the page about their sources."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, name, values, sources, far=None):
        """Write a run of one embedding with one map."""
        ids = [f"{name}-{row}" for row in range(len(values))]
        run = self.results(name)
        empty = {field.name: pa.nulls(len(ids), field.type) for field in SCHEMA}
        columns = {"id": ids, "source": sources, "source_group": ids, "label": ["cat"] * len(ids)}
        write_arrow(run.path(SAMPLES, "0"), pa.table({**empty, **columns}))
        write_manifest(run.path(MANIFEST), [Shard("0", len(ids), 0, "")])
        write_embedding(run.path(EMBEDDING, *KEY), ids, np.asarray(values, np.float32), 1)
        places = {axis: np.asarray(values, np.float32)[:, i] for i, axis in enumerate("xy")}
        facts = {b"latentmap": json.dumps({"far": far})}
        table = pa.table({"id": ids, **places}).replace_schema_metadata(facts)
        write_parquet(run.path(PROJECTION, *KEY, "umap"), table)
        content = {
            "neighbors": {"exact": True, "metric": "euclidean", "zero_rows": 0},
            "metrics": {HONEST: {"value": 0.5, "chance": 0.1}},
            "labels": {"cat": {"n": 1}},
        }
        write_json(run.path(METRICS, *KEY), content)
        return name

    def results(self, name, reference=None, most=5000):
        names = ["flatten"]
        encoder = EncoderFacts("tower", "image", False, False, names, names, names, {})
        config = {
            "variants": ["plain"],
            "headline": HONEST,
            "reference_run": reference,
            "samples": {"sources": [{}, {}]},
            "report": {"max_points": most},
        }
        return Results(self.folder / name, RunFacts(config, (encoder,), {"umap": 2}, True))

    def files(self, name):
        run = self.results(name)
        maps = {"umap": run.path(PROJECTION, *KEY, "umap")}
        return RunFiles(run.path(EMBEDDING, *KEY), maps, run.paths(SAMPLES))

    def write(self, name, reference=None, most=5000, metric="euclidean"):
        run = self.results(name, reference, most)
        self.found = run.path(SOURCE_METRICS, *KEY)
        old = None if reference is None else (reference, self.files(reference))
        options = SourcesOptions(permutations=99, regions=4, metric=metric)
        compare_sources(self.files(name), options, self.found, old)
        page = PAGES.create("sources")
        page.write(run, encoder=KEY[0], variant=KEY[1])
        text = run.address(page.file, *KEY[:2]).read_text()
        return text, {name: chart["spec"] for name, chart in charts_in(text).items()}

    def finding(self):
        (comparison,) = read_comparisons([KEY], [self.found])
        experiment = Experiment(Key(*KEY), {HONEST: Measurement(0.5)}, {})
        return [found.text for found in source_findings([comparison], [experiment])]


@pytest.fixture
def pages(tmp_path):
    return Pages(tmp_path)


@pytest.fixture
def normal():
    return np.random.default_rng(1).normal(size=(120, 3))


def values_of(spec, layer):
    data = spec["layer"][layer].get("data") or spec["data"]
    return data.get("values") or rows_of(spec["datasets"][data["name"]])


def test_a_planted_shift_is_on_the_map_in_the_bars_in_the_table_and_in_the_summary(
    pages, normal, titled
):
    normal[60:] += 3
    text, charts = pages.write(pages.run("r", normal, ["old"] * 60 + [HOSTILE] * 60))
    points = values_of(charts["umap-sources"], 0)
    assert sorted(point["id"] for point in points) == sorted(f"r-{row}" for row in range(120))
    assert {point["source"] for point in points} == {"old", HOSTILE}
    bars = values_of(charts["umap-regions"], 0)
    for source in ("old", HOSTILE):
        assert sum(bar["share"] for bar in bars if bar["source"] == source) == pytest.approx(1)
    assert len(values_of(charts["umap-regions"], 1)) >= 2
    assert "<strong>0.01" in text
    # The adjusted p of the AUC, which its column is sorted by.
    (sort,) = re.findall(
        r'data-sort="([^"]*)" title="adjusted for the number of pairs', titled(text)
    )
    assert 0 < float(sort) < 0.05
    (sentence,) = pages.finding()
    assert "differ: a classifier names the source of" in sentence
    assert HOSTILE not in text


def test_without_a_shift_nothing_is_marked(pages, normal):
    text, charts = pages.write(pages.run("r", normal, ["a", "b"] * 60))
    assert len(charts["umap-regions"]["layer"]) == 1
    table = text[text.index("<tbody>") : text.index("</tbody>")]
    assert "<strong>" not in table
    assert "are not told apart" in pages.finding()[0]
    assert "by cosine" not in text
    assert "compared by cosine." in pages.write("r", metric="cosine")[0]


def test_the_reference_lies_in_grey_behind(pages, normal):
    before = pages.run("before", normal, ["x"] * 60 + ["y"] * 60)
    after = pages.run("after", normal[:40] + 1, ["x"] * 40, far=0.125)
    text, charts = pages.write(after, before)
    points = values_of(charts["umap-sources"], 0)
    assert [point["source"] for point in points] == ["before (reference)"] * 120 + ["x"] * 40
    color = charts["umap-sources"]["layer"][0]["encoding"]["color"]["scale"]
    assert dict(zip(color["domain"], color["range"], strict=True))["before (reference)"] == NEUTRAL
    assert "12.5 % of them are far" in text
    assert "no test is made here" in text
    assert len(charts["umap-regions"]["layer"]) == 1


def test_outlines_hold_the_samples_of_their_region_only(pages, normal):
    _, charts = pages.write(pages.run("r", normal, ["a", "b"] * 60))
    corners = values_of(charts["umap-sources"], 1)
    assert len({corner["region"] for corner in corners}) >= 3
    shown = {(point["x"], point["y"]) for point in values_of(charts["umap-sources"], 0)}
    for corner in corners:
        near = min(abs(corner["x"] - x) + abs(corner["y"] - y) for x, y in shown)
        assert near < 1e-3


def test_of_many_samples_some_are_shown_and_it_is_said(pages, normal):
    text, charts = pages.write(pages.run("r", normal, ["a", "b"] * 60), most=50)
    assert len(values_of(charts["umap-sources"], 0)) == 50
    assert "50 of 120 samples, evenly spaced." in text


def test_one_source_that_is_left_gives_a_page_that_says_so(pages, normal):
    text, charts = pages.write(pages.run("r", normal, ["a"] * 120))
    assert not charts
    assert "nothing to compare" in text
    assert pages.finding() == []
