"""The examples of CONTRIBUTING.md are plug-ins that do what it says of them."""

import importlib
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from latentmap.config import Registry
from latentmap.metrics.metric import Key, LabelledEmbedding, Measurement, Metric
from latentmap.neighbors.exact import find_neighbors
from latentmap.pool.method import PoolingMethod
from latentmap.report.chart import Chart, Comparison
from latentmap.report.embedded import unpacked
from latentmap.report.experiments import Experiment
from latentmap.report.labels import collect_labels
from latentmap.report.page import Page
from latentmap.report.pages import summary
from latentmap.report.plates import rows_of
from latentmap.store.results import LABELS, Results, RunFacts
from latentmap.store.tables import write_arrow

PAGE = Path(__file__).parents[1] / "CONTRIBUTING.md"
EXAMPLES = dict(
    re.findall(r"^`src/(\S+)\.py`.*?```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL | re.M)
)


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """Write an example where its package finds it, and make the plug-in."""

    def make(path, base):
        package, name = path.replace("/", ".").rsplit(".", 1)
        (tmp_path / f"{name}.py").write_text(EXAMPLES[path])
        folders = importlib.import_module(package).__path__
        monkeypatch.setattr(importlib.import_module(package), "__path__", [*folders, str(tmp_path)])
        importlib.invalidate_caches()
        registry = Registry(package, base, "example")
        assert registry.description(name).endswith(".")
        return registry.create(name)

    return make


def test_the_median_is_taken_over_all_positions(plugin):
    method = plugin("latentmap/pool/methods/median", PoolingMethod)
    latents = np.zeros((2, 3, 1, 5), np.float32)
    latents[1, 2] = [9, 1, 7, 3, 100]
    pooled = method.pool(latents, ())
    assert pooled.tolist() == [[0, 0, 0], [0, 0, 7]]
    assert pooled.dtype == np.float32 and method.dims((3, 1, 5)) == 3


def test_the_participation_ratio_counts_equal_components(plugin):
    metric = plugin("latentmap/metrics/metrics/participation_ratio", Metric)
    corners = np.array([[x, y, z, 7] for x in (0, 1) for y in (0, 1) for z in (0, 1)], np.float32)
    names = [str(row) for row in range(len(corners))]
    groups = np.array(names)
    graph = find_neighbors(names, corners, names, 3)
    data = LabelledEmbedding(corners, groups, groups, groups, graph, 1)
    assert metric.measure(data)["participation_ratio"].value == pytest.approx(3)


def labelled(places, labels, sources):
    names = [str(row) for row in range(len(places))]
    graph = find_neighbors(names, places, sources, 10)
    groups = np.array(sources)
    return LabelledEmbedding(places, np.array(labels), np.array(labels), groups, graph, 1)


def test_the_nearest_label_is_held_against_chance_and_known_without_each_group(plugin):
    metric = plugin("latentmap/metrics/metrics/nearest_label", Metric)
    rng = np.random.default_rng(0)
    sources = [f"image {row // 2}" for row in range(24)]
    places = rng.normal(size=(24, 2)).astype(np.float32)
    apart = places + np.repeat([[0], [99]], 12, axis=0).astype(np.float32)
    clusters = metric.measure(labelled(apart, ["a"] * 12 + ["b"] * 12, sources))
    found = clusters["nearest_label_acc"]
    assert found.value == 1 and found.p_value < 0.01 and found.chance == pytest.approx(0.5, abs=0.1)

    labels = rng.choice(["a", "b"], 24).tolist()
    mixed = metric.measure(labelled(places, labels, sources))["nearest_label_acc"]
    assert mixed.p_value > 0.05
    for group in range(12):  # as if the group's samples had never been there
        rows = [row for row in range(24) if row // 2 != group]
        kept = ([labels[row] for row in rows], [sources[row] for row in rows])
        alone = metric.measure(labelled(places[rows], *kept))["nearest_label_acc"]
        assert mixed.contributions.without[sorted(set(sources)).index(f"image {group}")] == (
            pytest.approx(alone.value)
        )


def test_the_chart_has_a_point_for_every_method(plugin):
    chart = plugin("latentmap/report/charts/effective_dimension", Chart)
    experiments = [
        Experiment(
            Key("vae", "plain", method),
            {
                "knn_category_acc_grouped": Measurement(share),
                "effective_dim_90": Measurement(dimension),
            },
            {},
        )
        for method, share, dimension in (("mean", 0.5, 3), ("max", 0.25, 8))
    ]
    spec = chart.build(Comparison(experiments, [], {})).to_dict()
    (rows,) = spec["datasets"].values()
    shown = [(row["method"], row["share"], row["dimension"]) for row in rows]
    assert shown == [("mean", 0.5, 3), ("max", 0.25, 8)]
    nothing = [Experiment(Key("vae", "plain", "mean"), {}, {})]
    assert chart.build(Comparison(nothing, [], {})) is None


def test_the_page_reads_what_it_says_and_is_linked(plugin, tmp_path, monkeypatch):
    page = plugin("latentmap/report/pages/label_sizes", Page)
    facts = RunFacts({"variants": ["plain"], "reference_run": None}, (), {}, labelled=True)
    results = Results(tmp_path / "results" / "a", facts, list)
    samples = tmp_path / "samples.arrow"
    columns = {"label": ["cat", "cat", "dog"], "label_group": ["cat", "cat", "dog"]}
    write_arrow(samples, pa.table(columns))
    collect_labels([samples], {}, results.address(LABELS))
    (key,) = results.keys(page.file)
    (content,) = page.build(results.limited_to(page.reads, ()), [key])
    (plate,) = content.values["plates"]
    (table,) = unpacked(plate.embedded)["spec"]["datasets"].values()
    assert rows_of(table) == [{"label": "cat", "samples": 2}, {"label": "dog", "samples": 1}]
    monkeypatch.setattr(summary, "listed_pages", lambda: [page])
    linked = summary._links(results)[()].comparisons
    assert linked == [(page.title, tmp_path / "results/a/report/label_sizes.html")]
