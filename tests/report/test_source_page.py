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
from latentmap.report.options import ReportOptions
from latentmap.report.palette import NEUTRAL
from latentmap.report.source_comparisons import read_comparisons, source_findings
from latentmap.report.source_page import write_sources_page
from latentmap.store.files import write_json, write_stamped_text
from latentmap.store.samples import SCHEMA
from latentmap.store.tables import write_arrow, write_embedding, write_parquet

HOSTILE = "</script><img src=x onerror=alert(1)>"
KEY = ("tower", "plain", "flatten")


class Pages:
    """Files of runs in a folder, and the page about their sources."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        write_stamped_text(folder / "vega.js", "/* Vega ", " */")
        write_json(
            folder / "metrics.json",
            {
                "neighbors": {"exact": True, "metric": "euclidean", "zero_rows": 0},
                "metrics": {HONEST: {"value": 0.5, "chance": 0.1}},
                "labels": {"cat": {"n": 1}},
            },
        )

    def run(self, name, values, sources, far=None):
        folder = self.folder / name
        ids = [f"{name}-{row}" for row in range(len(values))]
        empty = {field.name: pa.nulls(len(ids), field.type) for field in SCHEMA}
        columns = {"id": ids, "source": sources, "source_group": ids, "label": ["cat"] * len(ids)}
        write_arrow(folder / "s.arrow", pa.table({**empty, **columns}))
        write_embedding(folder / "e.parquet", ids, np.asarray(values, np.float32), 1)
        places = {axis: np.asarray(values, np.float32)[:, i] for i, axis in enumerate("xy")}
        facts = {b"latentmap": json.dumps({"far": far})}
        table = pa.table({"id": ids, **places}).replace_schema_metadata(facts)
        write_parquet(folder / "umap.parquet", table)
        return RunFiles(
            folder / "e.parquet", {"umap": folder / "umap.parquet"}, [folder / "s.arrow"]
        )

    def write(self, run, reference=None, most=5000):
        found, page = self.folder / "flatten.sources.json", self.folder / "sources.html"
        compare_sources(run, SourcesOptions(permutations=99, regions=4), found, reference)
        old = reference[1] if reference else RunFiles("", {}, [])
        write_sources_page(
            page,
            encoder=KEY[0],
            variant=KEY[1],
            keys=[KEY],
            comparisons=[found],
            metrics=[self.folder / "metrics.json"],
            agreement=self.folder / "agreement.json",
            map_keys=[(*KEY, "umap")],
            maps=[run.maps["umap"]],
            samples=run.samples,
            reference_maps=list(old.maps.values()),
            reference_samples=old.samples,
            options=ReportOptions(max_points=most),
            bundle=self.folder / "vega.js",
            home=self.folder / "summary.html",
        )
        text = page.read_text()
        charts = re.findall(r'data-chart="([\w-]+)">(.*?)</script>', text, re.DOTALL)
        return text, {name: json.loads(chart)["spec"] for name, chart in charts}

    def finding(self):
        (comparison,) = read_comparisons([KEY], [self.folder / "flatten.sources.json"])
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
    return data.get("values") or spec["datasets"][data["name"]]


def test_a_planted_shift_is_on_the_map_in_the_bars_in_the_table_and_in_the_summary(pages, normal):
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
    (sentence,) = pages.finding()
    assert "differ: a classifier names the source of" in sentence
    assert HOSTILE not in text


def test_without_a_shift_nothing_is_marked(pages, normal):
    text, charts = pages.write(pages.run("r", normal, ["a", "b"] * 60))
    assert len(charts["umap-regions"]["layer"]) == 1
    table = text[text.index("<tbody>") : text.index("</tbody>")]
    assert "<strong>" not in table
    assert "are not told apart" in pages.finding()[0]


def test_the_reference_lies_in_grey_behind(pages, normal):
    before = pages.run("before", normal, ["x"] * 60 + ["y"] * 60)
    after = pages.run("after", normal[:40] + 1, ["x"] * 40, far=0.125)
    text, charts = pages.write(after, ("before", before))
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
