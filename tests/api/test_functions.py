"""Functions over arrays give what the jobs of a run write of the same data."""

import io
import json
import subprocess
import sys

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

import latentmap as lm
from latentmap.api import waiting
from latentmap.errors import LatentmapError
from latentmap.metrics.density import DensityOptions
from latentmap.metrics.inference import StatisticsOptions
from latentmap.metrics.measure import measure_embedding
from latentmap.metrics.metric import METRICS, Measurement, Metric, MetricColumn
from latentmap.metrics.ranking import rank_methods
from latentmap.neighbors.graph import read_graph
from latentmap.neighbors.search import NeighborOptions, find_graph
from latentmap.pool.embed import pool_latents
from latentmap.pool.method import METHODS, PoolingMethod
from latentmap.project.place import project_embedding
from latentmap.project.projection import PROJECTIONS
from latentmap.project.quality import TrustOptions, assess_maps
from latentmap.store.latents import write_latents
from latentmap.store.maps import read_map
from latentmap.store.samples import BOXES
from latentmap.store.tables import facts_of, matrix, read_embedding, read_parquet, write_arrow

COUNT = 60
TWO = ["a", "b"] * (COUNT // 2)
NAMES = ("mean", "region", "patch4")
SEARCH, STATISTICS = NeighborOptions(), StatisticsOptions(permutations=200)


@pytest.fixture(scope="module")
def data():
    """Latents whose second label shifts a channel, three samples a group, with boxes."""
    rng = np.random.default_rng(0)
    labels = np.array(["cat", "dog", "owl"])[np.arange(COUNT) % 3]
    groups = np.array([f"g{row // 3}" for row in range(COUNT)])
    latents = rng.normal(size=(COUNT, 3, 8, 8)).astype(np.float32)
    latents[labels == "dog", 0] += 1.5
    boxes = [[[0.1, 0.2, 0.6, 0.9]] if row % 2 else [] for row in range(COUNT)]
    return {"latents": latents, "labels": labels, "groups": groups, "boxes": boxes}


@pytest.fixture(scope="module")
def run(data, tmp_path_factory):
    """What jobs write of them, by their names."""
    folder = tmp_path_factory.mktemp("jobs")
    ids = [f"sample {row}" for row in range(COUNT)]
    samples, latents = folder / "samples.arrow", folder / "latents.arrow"
    pixels = [[[x * 100 for x in box] for box in boxes] or None for boxes in data["boxes"]]
    table = {
        "id": ids,
        "label": data["labels"].tolist(),
        "label_group": data["labels"].tolist(),
        "source_group": data["groups"].tolist(),
        "boxes": pa.array(pixels, BOXES),
        "width": pa.array([100] * COUNT, pa.int32()),
        "height": pa.array([100] * COUNT, pa.int32()),
    }
    write_arrow(samples, pa.table(table))
    write_latents(latents, ids, data["latents"], {})
    paths = {}
    for name in NAMES:
        embedding, neighbors, metrics, scores = (
            folder / f"{name}.{part}" for part in ("embedding", "neighbors", "json", "scores")
        )
        pool_latents(METHODS.create(name), [latents], [samples], embedding)
        find_graph(embedding, [samples], SEARCH, neighbors)
        measure_embedding(
            embedding,
            neighbors,
            [samples],
            dict.fromkeys(METRICS),
            STATISTICS,
            DensityOptions(),
            SEARCH,
            metrics,
            scores,
            folder / "weights",
        )
        paths[name] = (embedding, neighbors, metrics, scores)
    ranking = folder / "ranking.json"
    rank_methods(
        [("arrays", "plain", name) for name in NAMES],
        [paths[name][2] for name in NAMES],
        [paths[name][3] for name in NAMES],
        [samples],
        "knn_category_acc_grouped",
        (),
        STATISTICS,
        ranking,
    )
    return {"samples": samples, "paths": paths, "ranking": ranking, "folder": folder}


@pytest.fixture(scope="module")
def vectors(data):
    return lm.pool(data["latents"], NAMES, boxes=data["boxes"])


@pytest.fixture(scope="module")
def ranking(data, vectors):
    return lm.compare(vectors, data["labels"], data["groups"], permutations=200)


def test_pooling_is_that_of_jobs(run, vectors):
    assert list(vectors) == list(NAMES)
    for name in NAMES:
        np.testing.assert_array_equal(vectors[name], read_embedding(run["paths"][name][0])[1])


def test_neighbors_are_those_of_jobs(data, run, vectors):
    graph = read_graph(run["paths"]["mean"][1])
    every = lm.neighbors(vectors["mean"], k=90)
    grouped = lm.neighbors(vectors["mean"], k=90, groups=data["groups"])
    np.testing.assert_array_equal(every.indices, graph.every.indices)
    np.testing.assert_array_equal(grouped.indices, graph.grouped.indices)
    np.testing.assert_array_equal(grouped.distances, graph.grouped.distances)


def test_measures_and_scores_are_those_of_jobs(run, ranking):
    for name in NAMES:
        _, _, metrics, scores = run["paths"][name]
        written = json.loads(metrics.read_text())
        own = json.loads(json.dumps(ranking.measures[name].facts))
        # A job is told how many tokens a method hands over; vectors in memory are one.
        for found in (written["metrics"], own["metrics"]):
            found.pop("n_tokens")
        assert own["metrics"] == nan_for_null(written["metrics"], own["metrics"])
        assert own["labels"] == nan_for_null(written["labels"], own["labels"])
        table = read_parquet(scores)
        assert {*table.column_names} - {"id"} == {*ranking.measures[name].scores}
        for column, values in ranking.measures[name].scores.items():
            np.testing.assert_array_equal(matrix(table[column]), values)


def nan_for_null(written, own):
    """Return what was written with NaN in the place of null where it is NaN in memory."""
    if isinstance(written, dict):
        return {key: nan_for_null(value, own[key]) for key, value in written.items()}
    if written is None and isinstance(own, float):
        assert np.isnan(own)
        return own
    return written


def test_the_ranking_is_that_of_jobs(run, ranking):
    written = json.loads(run["ranking"].read_text())
    written.pop("stamp", None)
    own = json.loads(json.dumps(ranking.facts))
    assert {key: written[key] for key in own} == own
    table = ranking.to_polars()
    assert table["name"].to_list() == [row["method"] for row in own["scopes"][0]["ranking"]]
    assert ranking.best == table["name"][0] and ranking.best in ranking.tied


@pytest.mark.parametrize("kind", ["pca", "umap"])
def test_maps_and_their_trust_are_those_of_jobs(run, vectors, kind):
    embedding, neighbors, *_ = run["paths"]["mean"]
    projection = PROJECTIONS.create(kind, {"dims": 3, "seed": 0})
    place, trust = run["folder"] / f"{kind}.map", run["folder"] / f"{kind}.trust"
    samples = [run["samples"]]
    project_embedding(embedding, neighbors, samples, projection, place)
    assess_maps(embedding, neighbors, samples, [place], [projection], TrustOptions(), [trust])
    written = read_map(place)
    found = lm.project(vectors["mean"], kind, dims=3)
    np.testing.assert_array_equal(found.coordinates, written.coordinates)
    table = read_parquet(trust)
    for name, column in found.quality.items():
        np.testing.assert_array_equal(matrix(table[name]), column)
    assert found.facts == {**written.facts, "trust": facts_of(table)}


def test_all_methods_are_those_that_are_defined_for_the_latents(data):
    found = lm.pool(data["latents"], "all")
    assert "region" not in found and "patch16" not in found and "flatten" in found
    assert "region" in lm.pool(data["latents"], "all", boxes=data["boxes"])
    assert list(lm.pool(np.zeros((3, 5)), "all")) == ["flatten"]


def test_results_are_tables_whose_text_is_never_markup(data, vectors):
    labels = np.where(data["labels"] == "cat", "<b>cat</b>", data["labels"])
    found = lm.measure(vectors["mean"], labels, metrics=["knn_category"], permutations=50)
    assert "<b>" not in found._repr_html_() and "knn_category_acc" in found._repr_html_()
    assert found.to_polars().columns[:3] == ["metric", "value", "chance"]
    assert found.to_pandas().shape == found.to_polars().shape
    assert found.by_label()["label"].to_list()[0] == "<b>cat</b>"
    pairs = lm.neighbors(vectors["mean"], k=2)
    assert "… and 100 more rows" in repr(pairs) and "… and 60 more rows" in pairs._repr_html_()
    named = lm.compare({"<i>": found}, labels)
    assert "<i>" not in named._repr_html_() and "&lt;i&gt;" in named._repr_html_()


def test_a_map_is_plotted_with_its_labels(data, vectors):
    chart = lm.project(vectors["mean"], "pca").plot(data["labels"]).to_dict()
    points = pl.DataFrame(*chart["datasets"].values())
    assert points["label"].to_list() == data["labels"].tolist()


class FirstValue(PoolingMethod):
    """The first value of each channel."""

    reference = "nobody"

    def tokens(self, shape):
        return 1

    def dims(self, shape):
        return shape[0]

    def pool(self, latents, regions):
        return latents[:, :, 0, 0]


class Width(Metric):
    """Twice the number of dimensions."""

    needs_labels = False
    columns = {"width": MetricColumn("twice the dimensions")}  # noqa: RUF012

    def measure(self, data):
        return {"width": Measurement(2.0 * data.values.shape[1])}


class Unfinished(PoolingMethod):
    """Nothing yet."""


def test_a_class_of_ones_own_is_a_method_or_a_metric(data):
    found = lm.pool(data["latents"], ["mean", FirstValue])
    np.testing.assert_array_equal(found["first_value"], data["latents"][:, :, 0, 0])
    assert lm.measure(found["first_value"], None, metrics=[Width])["width"].value == 6
    with pytest.raises(
        LatentmapError, match="test_functions: the pooling method Unfinished does not define dims"
    ):
        lm.pool(data["latents"], Unfinished)
    with pytest.raises(LatentmapError, match="is no pooling method: give a name, or a class"):
        lm.pool(data["latents"], Width)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda x: lm.neighbors(x, k=0), "k: Input should be greater than or equal to 1"),
        (lambda x: lm.project(x, "umap", neighbours=3), "Unknown option 'neighbours'. Did you"),
        (lambda x: lm.pool(np.zeros((2, 3, 4, 4)), "avg"), "method 'avg'. Did you mean 'mean'"),
        (lambda x: lm.project(x, "umpa"), "Unknown projection 'umpa'. Did you mean 'umap'"),
        (lambda x: lm.measure(x, None, metrics=["knn"]), "Unknown metric 'knn'"),
        (lambda x: lm.compare({"a": x}, TWO, headline="map_at"), "Did you mean 'map_at_r'"),
        (lambda x: lm.compare({"a": x}, TWO, headline="silhouette"), "silhouette cannot rank"),
        (lambda x: lm.compare({"a": x, "b": x[1:]}, ["a"] * len(x)), "b: labels has 60 values for"),
        (lambda x: lm.compare({}), "nothing to compare"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(vectors, call, said):
    with pytest.raises(LatentmapError, match=said) as error:
        call(vectors["mean"])
    assert "\n" not in str(error.value)


def test_functions_stay_functions_whatever_is_imported():
    import latentmap.encode.encoder
    import latentmap.pool.embed
    import latentmap.report.page  # noqa: F401

    for name in ("pool", "neighbors", "project"):
        assert callable(getattr(lm, name))
    assert {"pool", "measure", "compare"} <= {*dir(lm)}


def test_the_import_takes_no_time():
    """Less than 0.3 s with all that Python itself does, and no package that is heavy."""
    code = """
import sys, time
start = time.perf_counter()
import latentmap
print(time.perf_counter() - start, *sys.modules)
"""
    runs = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        for _ in range(3)
    ]
    seconds, *modules = min((run.stdout.split() for run in runs), key=lambda words: float(words[0]))
    assert float(seconds) < 0.3
    assert not {"numpy", "polars", "pyarrow", "pydantic", "torch"}.intersection(modules)


def test_a_ranking_of_noise_says_that_it_is_noise():
    rng = np.random.default_rng(0)
    embeddings = {name: rng.normal(size=(60, 5)) for name in "ab"}
    ranking = lm.compare(embeddings, rng.choice(["x", "y"], 60), permutations=200)
    assert "nothing is significantly above chance" in ranking._repr_html_()


def test_what_is_compared_has_names():
    with pytest.raises(LatentmapError, match="compared by name"):
        lm.compare(np.zeros((4, 2)), ["x", "y", "x", "y"])


def test_what_takes_long_shows_a_bar_where_somebody_looks(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(waiting, "SECONDS", 0.0)
    for stream in (Terminal(), io.StringIO()):
        monkeypatch.setattr("sys.stderr", stream)
        assert list(waiting.bar_of("ab", "compare", 2)) == ["a", "b"]
        assert ("compare" in stream.getvalue()) == stream.isatty()
