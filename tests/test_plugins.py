"""A file that is no whole plug-in is refused in one line, which names it and what to do."""

import importlib
import sys
import textwrap

import numpy as np
import pytest

from latentmap.config import Registry
from latentmap.encode.encoder import ENCODERS
from latentmap.errors import LatentmapError
from latentmap.metrics import measure
from latentmap.metrics.measure import measure as measure_all
from latentmap.metrics.metric import METRICS, LabelledEmbedding, Measurement
from latentmap.neighbors.exact import find_neighbors
from latentmap.pool.method import METHODS
from latentmap.report.chart import CHARTS
from latentmap.report.experiments import Experiment, Key
from latentmap.report.page import PAGES
from latentmap.run import load_run

METHOD = """
    from latentmap.pool.statistics import ChannelStatistics

    class Newcomer(ChannelStatistics):
        reference = "nobody"
        statistics = ()
"""
METRIC = """
    from latentmap.metrics.metric import Measurement, Metric, MetricColumn

    class Newcomer(Metric):
        columns = {"newcomer": MetricColumn("how new it is")}

        def measure(self, data):
            return {"stranger": Measurement(1.0)}
"""
CHART = """
    from latentmap.report.chart import Chart

    class Newcomer(Chart):
        title = "Newcomer"
        look_for = "something new"

        def build(self, data):
            return None
"""
PAGE = """
    from latentmap.report.page import Page, Scope
    from latentmap.store.results import page_file

    class Newcomer(Page):
        title = "Newcomer"
        category = "Costs"
        file = page_file("{encoder}/{variant}/newcomer.html", lambda results: results.latents)
        scope = Scope.LATENTS
        reads = ()

        def build(self, results, keys):
            yield from ()
"""
ENCODER = """
    from latentmap.encode.encoder import Encoder

    class Newcomer(Encoder):
        rank = "map"

        def prepare(self, samples, show):
            return None

        def encode(self, prepared):
            return None
"""


@pytest.fixture
def added(tmp_path, monkeypatch):
    """Put a file among the plug-ins of one kind; return a registry that finds it."""
    modules = []

    def add(registry, code, name="newcomer", docstring="A newcomer."):
        text = textwrap.dedent(code)
        (tmp_path / f"{name}.py").write_text(f'"""{docstring}"""\n{text}' if docstring else text)
        package = importlib.import_module(registry.package)
        modules.append(f"{registry.package}.{name}")
        sys.modules.pop(modules[-1], None)
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
        importlib.invalidate_caches()
        return Registry(registry.package, registry.base, registry.noun)

    yield add
    for module in modules:
        sys.modules.pop(module, None)


def without(code, line):
    """The code without the lines that begin so."""
    kept = [one for one in code.splitlines() if not one.strip().startswith(line)]
    assert len(kept) < len(code.splitlines())
    return "\n".join(kept)


@pytest.mark.parametrize(
    ("registry", "code"),
    [(METHODS, METHOD), (METRICS, METRIC), (CHARTS, CHART), (PAGES, PAGE), (ENCODERS, ENCODER)],
    ids=["method", "metric", "chart", "page", "encoder"],
)
def test_a_whole_plug_in_is_taken(added, registry, code):
    assert added(registry, code)["newcomer"].__name__ == "Newcomer"


@pytest.mark.parametrize(
    ("registry", "code", "said"),
    [
        (
            METHODS,
            without(METHOD, "statistics"),
            r"pooling method Newcomer does not set 'statistics' \(",
        ),
        (METRICS, without(METRIC, "columns"), r"'columns' \(what it gives, by name\)"),
        (METRICS, METRIC.replace('MetricColumn("how new it is")', '"new"'), "a wrong 'columns'"),
        (METRICS, METRIC.replace('{"newcomer": MetricColumn("how new it is")}', "{}"), "no column"),
        (CHARTS, without(CHART, "title"), r"does not set 'title' \(its heading\)"),
        (CHARTS, without(CHART, "look_for"), r"'look_for' \(one line that says what to look for\)"),
        (CHARTS, f"{CHART}\n        scope = 'page'", "'comparisons', 'summary' or 'costs'"),
        (CHARTS, CHART.replace("build", "make"), r"chart Newcomer does not define build\(\)"),
        (CHARTS, CHART.replace("Chart)", "Comparison)"), "cannot be imported. NameError: .*line"),
        (CHARTS, f"{CHART}\n    class Other(Newcomer):\n        pass", r"2 classes .*Newcomer, O"),
        (CHARTS, "x = 1", "0 classes derived from Chart; the file of a chart defines one"),
        (PAGES, without(PAGE, "category"), "'category' .the kind of pages"),
        (PAGES, without(PAGE, "reads"), "'reads' .the files that it may open"),
        (PAGES, PAGE.replace("reads = ()", "reads = []"), "a wrong 'reads'.*a valid tuple"),
        (PAGES, PAGE.replace("LATENTS", "METHOD"), r"is of Scope.METHOD, but .*no \{method\}"),
        (ENCODERS, without(ENCODER, "rank"), r"encoder Newcomer does not define rank\(\)"),
        (ENCODERS, ENCODER.replace("encode(", "latents("), r"does not define encode\(\)"),
    ],
)
def test_what_a_plug_in_lacks_is_said(added, tmp_path, registry, code, said):
    with pytest.raises(LatentmapError, match=said) as caught:
        added(registry, code)["newcomer"]
    assert str(caught.value).startswith(str(tmp_path / "newcomer.py"))
    assert "\n" not in str(caught.value)


def test_a_plug_in_without_docstring_is_refused(added):
    with pytest.raises(LatentmapError, match="has no docstring above it"):
        added(CHARTS, CHART, docstring="")["newcomer"]


def test_two_plug_ins_of_one_name_are_refused(added):
    with pytest.raises(LatentmapError, match=r"Two pooling methods are called 'patch4': .*patch"):
        added(METHODS, METHOD, name="patch4").names()


def test_a_metric_that_gives_other_columns_than_it_promises_is_named(added, monkeypatch):
    monkeypatch.setattr(measure, "METRICS", added(METRICS, METRIC))
    values = np.random.default_rng(0).normal(size=(6, 2)).astype(np.float32)
    ids = [str(row) for row in range(6)]
    labels = np.array(list("aaabbb"))
    data = LabelledEmbedding(
        values, labels, labels, np.array(ids), find_neighbors(ids, values, ids, 2), 1
    )
    with pytest.raises(LatentmapError, match=r"'newcomer' gives 'stranger', but .* 'newcomer'\."):
        measure_all(data, {"newcomer": None})


def test_a_chart_that_asks_for_a_metric_that_is_none_is_told(added):
    experiment = Experiment(Key("a", "plain", "mean"), {"silhouette": Measurement(0.5)}, {})
    assert experiment.value("silhouette") == 0.5
    assert np.isnan(experiment.value("knn_group_acc"))
    with pytest.raises(LatentmapError, match=r"Unknown metric 'silhuette'\. Did you mean 'silh"):
        experiment.value("silhuette")


def test_options_of_a_plug_in_that_takes_none_are_refused_so():
    source = {"kind": "scenes", "images": 4}
    config = {"run": "a", "samples": {"sources": [source]}, "encoders": [{"kind": "dct"}]}
    with pytest.raises(LatentmapError, match=r"f_ratio\.k: 'f_ratio' takes no options"):
        load_run({**config, "metrics": {"f_ratio": {"k": 3}}})
