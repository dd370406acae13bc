"""The cosine is what other libraries say it is, and every stage sees the same rows."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.metrics.pairwise import cosine_distances, cosine_similarity
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import normalize

from latentmap.metrics.density import DensityOptions
from latentmap.metrics.inference import StatisticsOptions
from latentmap.metrics.measure import measure_embedding
from latentmap.metrics.method_agreement import AgreementOptions, compare_embeddings
from latentmap.metrics.metric import METRICS
from latentmap.metrics.sources import RunFiles, SourcesOptions, compare_sources
from latentmap.neighbors.graph import read_graph
from latentmap.neighbors.rows import compared, compared_alike
from latentmap.neighbors.search import NeighborOptions, find_graph
from latentmap.project.place import project_embedding
from latentmap.project.projection import PROJECTIONS
from latentmap.project.quality import TrustOptions, assess_maps
from latentmap.project.reference import ReferenceFiles, project_into_reference
from latentmap.store.samples import SCHEMA
from latentmap.store.tables import write_arrow, write_embedding

LABELS = np.repeat(np.arange(6), 30)


@pytest.fixture(scope="module")
def lengthy():
    """Directions that tell six labels apart, times lengths that mean nothing."""
    rng = np.random.default_rng(3)
    directions = rng.normal(size=(6, 24))[LABELS] + 1.6 * rng.normal(size=(180, 24))
    lengths = rng.lognormal(sigma=1, size=(180, 1))
    return (directions * lengths).astype(np.float32)


@dataclass
class Embedded:
    """One embedding with its samples and neighbors, in a folder."""

    folder: Path
    metric: str

    def __post_init__(self):
        self.embedding, self.graph = self.folder / "e.parquet", self.folder / "n.parquet"
        self.samples, self.map = [self.folder / "s.arrow"], self.folder / "pca.parquet"

    def write(self, values):
        ids = [f"s{row}" for row in range(len(values))]
        empty = {field.name: pa.nulls(len(ids), field.type) for field in SCHEMA}
        labels = LABELS[: len(ids)].astype(np.str_).tolist()
        sources = ["one" if row % 3 else "other" for row in range(len(ids))]
        of_rows = {"id": ids, "label": labels, "label_group": labels, "source": sources}
        write_arrow(self.samples[0], pa.table({**empty, **of_rows, "source_group": ids}))
        write_embedding(self.embedding, ids, np.asarray(values, np.float32), 1)
        find_graph(self.embedding, self.samples, self.search, self.graph)
        return self

    @property
    def search(self):
        return NeighborOptions(k=20, metric=self.metric)

    def project(self, kind="pca", **options):
        projection = PROJECTIONS.create(kind, options)
        project_embedding(self.embedding, self.graph, self.samples, projection, self.map)
        return projection


@pytest.fixture
def embedded(tmp_path, lengthy):
    """The rows by cosine, and rows of length 1 of another library, by Euclidean distance."""
    units = normalize(lengthy.astype(np.float64))
    return (
        Embedded(tmp_path / "raw", "cosine").write(lengthy),
        Embedded(tmp_path / "unit", "euclidean").write(units),
    )


def test_neighbors_are_those_of_scikit_learns_cosine(embedded, lengthy):
    found = read_graph(embedded[0].graph)
    search = NearestNeighbors(n_neighbors=20, metric="cosine").fit(lengthy.astype(np.float64))
    distances, indices = search.kneighbors()
    assert np.array_equal(found.every.indices, indices)
    np.testing.assert_allclose(found.every.distances**2 / 2, distances, atol=1e-6)
    assert found.metric == "cosine"


def test_lengths_that_mean_nothing_hide_labels_from_euclidean_neighbors_only(tmp_path, lengthy):
    shares = {}
    for metric in ("euclidean", "cosine"):
        one = Embedded(tmp_path / metric, metric).write(lengthy)
        near = read_graph(one.graph).every.indices[:, :10]
        shares[metric] = (LABELS[near] == LABELS[:, np.newaxis]).mean()
    assert shares["cosine"] - shares["euclidean"] > 0.15


def test_a_row_without_direction_is_at_right_angles_to_all(lengthy):
    values = lengthy.copy()
    values[[4, 9]] = 0
    rows = compared(values, "cosine").astype(np.float64)
    squared = ((rows[:, np.newaxis] - rows) ** 2).sum(axis=2)
    expected = cosine_distances(values.astype(np.float64))
    expected[4, 9] = expected[9, 4] = 0
    np.testing.assert_allclose(squared / 2, expected, atol=1e-6)
    assert compared(values[[0, 1]], "cosine").shape == (2, 24)
    alike = compared_alike([values[:3], values[4:]], "cosine")
    assert [table.shape for table in alike] == [(3, 25), (176, 25)]


def test_rows_without_direction_are_nobodys_neighbors_but_each_others(tmp_path):
    rng = np.random.default_rng(0)
    values = rng.normal(size=(180, 300))
    values[:2] = 0
    one = Embedded(tmp_path, "cosine").write(values)
    near = read_graph(one.graph).every.indices[:, :10]
    assert near[0, 0] == 1 and near[1, 0] == 0
    # Of the other 178 rows, those at right angles to most are as far as the two are.
    assert np.isin(near[2:], [0, 1]).mean() < 0.01
    outputs = [tmp_path / name for name in ("m.json", "m.parquet", "w.parquet")]
    measure(one, outputs, ["size", "feature_entropy"])
    found = json.loads(outputs[0].read_text())
    assert found["metrics"]["n_dimensions"]["value"] == 300
    assert (found["neighbors"]["metric"], found["neighbors"]["zero_rows"]) == ("cosine", 2)


def measure(one, outputs, metrics):
    few = StatisticsOptions(resamples=20, permutations=20)
    options = dict.fromkeys(metrics), few, DensityOptions(), one.search
    measure_embedding(one.embedding, one.graph, one.samples, *options, *outputs)


def test_every_metric_is_that_of_rows_of_length_one(embedded, tmp_path):
    found = []
    for place, one in enumerate(embedded):
        outputs = [tmp_path / f"{place}{name}" for name in ("m.json", "m.parquet", "w.parquet")]
        measure(one, outputs, set(METRICS) - {"other_metric"})
        metrics = json.loads(outputs[0].read_text())["metrics"]
        found.append({name: entry["value"] for name, entry in metrics.items()})
    assert found[0] == pytest.approx(found[1], rel=1e-5, nan_ok=True)


@pytest.mark.parametrize(("kind", "options"), [("pca", {}), ("umap", {"pca": 5})])
def test_maps_and_the_trust_in_them_are_those_of_rows_of_length_one(embedded, kind, options):
    places, facts = [], []
    for one in embedded:
        projection = one.project(kind, **options)
        table = pq.read_table(one.map)
        places.append(np.stack([table["x"].to_numpy(), table["y"].to_numpy()]))
        trust = one.folder / "trust.parquet"
        given = one.embedding, one.graph, one.samples, [one.map], [projection]
        assess_maps(*given, TrustOptions(seeds=0), [trust])
        facts.append(json.loads(pq.read_schema(trust).metadata[b"latentmap"]))
    np.testing.assert_allclose(*places, atol=0.02 if kind == "umap" else 1e-5)
    assert [fact.pop("metric") for fact in facts] == ["cosine", "euclidean"]
    assert facts[0] == pytest.approx(facts[1], abs=1e-4)


def test_methods_and_sources_are_compared_by_rows_of_length_one(embedded, tmp_path):
    agreements, sources = [], []
    for place, one in enumerate(embedded):
        rotated = Embedded(tmp_path / f"rotated{place}", one.metric)
        rotated.write(
            pq.read_table(one.embedding)["embedding"]
            .combine_chunks()
            .flatten()
            .to_numpy()
            .reshape(180, 24)[:, ::-1]
            * (1, -1)[place]
        )
        files = {"a": one.embedding, "b": rotated.embedding}
        graphs = {"a": one.graph, "b": rotated.graph}
        output = tmp_path / f"{place}.json"
        compare_embeddings(files, graphs, one.samples, output, AgreementOptions(permutations=9))
        agreements.append(json.loads(output.read_text())["tables"]["cka"]["values"])
        options = SourcesOptions.of(StatisticsOptions(permutations=9), one.metric)
        compare_sources(RunFiles(one.embedding, {}, one.samples), options, output)
        sources.append(json.loads(output.read_text())["pairs"])
    assert np.allclose(*agreements, atol=1e-4)
    assert sources[0] == sources[1]


def test_samples_are_placed_by_rows_of_length_one(embedded, tmp_path, lengthy):
    places = []
    new = lengthy[::-1][:60] * np.linspace(0.1, 9, 60, dtype=np.float32)[:, np.newaxis]
    for place, one in enumerate(embedded):
        projection = one.project()
        values = normalize(new) if place else new
        further = Embedded(tmp_path / f"new{place}", one.metric).write(values)
        reference = ReferenceFiles("before", one.embedding, one.graph, one.map)
        given = further.embedding, further.samples, projection, reference, further.map
        project_into_reference(*given)
        table = pq.read_table(further.map)
        places.append(np.stack([table["x"].to_numpy(), table["y"].to_numpy()]))
    np.testing.assert_allclose(*places, atol=1e-5)


def test_embeddings_on_disk_stay_as_they_are(embedded, lengthy):
    table = pq.read_table(embedded[0].embedding)
    stored = table["embedding"].combine_chunks().flatten().to_numpy().reshape(lengthy.shape)
    assert np.array_equal(stored, lengthy)


def test_squared_distances_of_compared_rows_are_sums_over_dimensions(lengthy):
    rows = compared(lengthy, "cosine").astype(np.float64)
    shares = (rows[:40] - rows[40:80]) ** 2
    cosines = np.diagonal(cosine_similarity(lengthy[:40], lengthy[40:80]))
    np.testing.assert_allclose(shares.sum(axis=1), 2 - 2 * cosines, atol=1e-6)
