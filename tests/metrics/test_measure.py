"""The metrics file of one embedding."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
import sklearn.metrics

from latentmap.errors import LatentmapError
from latentmap.metrics import metric
from latentmap.metrics import metrics as package
from latentmap.metrics.density import DensityOptions
from latentmap.metrics.inference import StatisticsOptions
from latentmap.metrics.measure import describe, measure, measure_embedding
from latentmap.metrics.metric import METRICS, known_metrics
from latentmap.neighbors.graph import Audit, write_graph
from latentmap.neighbors.search import NeighborOptions
from latentmap.store.files import read_json, write_json
from latentmap.store.tables import write_arrow, write_embedding

FEW = StatisticsOptions(resamples=50, permutations=50)


def test_metrics_of_all_metrics_lead_with_the_published_columns():
    metrics = list(known_metrics())
    assert metrics[:4] == ["silhouette", "f_ratio", "davies_bouldin", "calinski_harabasz"]
    assert metrics[11:20] == [
        "knn_group_acc",
        "knn_group_rate_mean",
        "mean_intra_distance",
        "mean_inter_distance",
        "distance_ratio",
        "n_samples",
        "n_dimensions",
        "n_classes",
        "n_tokens",
    ]
    assert sorted(metrics) == sorted(name for m in METRICS for name in METRICS[m].columns)


def test_two_metrics_may_not_give_the_same_column(tmp_path, monkeypatch):
    (tmp_path / "another.py").write_text(
        "'''What another measures.'''\n"
        "from latentmap.metrics.metric import Metric, MetricColumn\n"
        "class Another(Metric):\n"
        '    """Measures what another does."""\n'
        "    columns = {'silhouette': MetricColumn('mine')}\n"
        "    def measure(self, data):\n"
        "        return {}\n"
    )
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    monkeypatch.setattr(metric, "METRICS", type(METRICS)(METRICS.package, metric.Metric, "metric"))
    with pytest.raises(LatentmapError, match="'another' and 'silhouette' both give a column 'silh"):
        known_metrics()


def test_chosen_metrics_and_what_they_say_of_each_label(embed, clusters):
    data = embed(*clusters)
    found = describe(data, *measure(data, {"classes": None, "knn_category": {"k": 5}}))
    assert found["samples"] == 80
    assert found["metrics"]["n_classes"] == {
        "value": 4,
        "chance": None,
        "chance_range": None,
        "effect": None,
        "interval": None,
        "p_value": None,
        "note": None,
    }
    labels = found["labels"]
    assert {name: row["n"] for name, row in labels.items()} == {
        "a": 40,
        "alone": 1,
        "b": 25,
        "c": 14,
    }
    assert labels["alone"]["knn_category_rate"] == 0
    rates = [row["knn_category_rate"] for row in labels.values()]
    sizes = [row["n"] for row in labels.values()]
    metrics = found["metrics"]
    assert np.average(rates, weights=sizes) == pytest.approx(metrics["knn_category_acc"]["value"])
    assert np.mean(rates) == pytest.approx(metrics["knn_category_acc_macro"]["value"])


def test_effects_are_cohens_kappa_of_neighbors_that_answer(embed):
    rng = np.random.default_rng(0)
    labels = rng.choice(3, 300, p=[0.6, 0.3, 0.1])
    values = rng.normal(size=(300, 2)) + np.eye(3, 2)[labels]
    data = embed(values, labels, statistics=FEW)
    found, _ = measure(data, dict.fromkeys(METRICS))
    nearest = labels[data.graph.every.indices]
    kappa = sklearn.metrics.cohen_kappa_score(np.repeat(labels, 10), nearest.ravel())
    assert kappa > 0.1
    assert found["knn_category_acc"].effect == pytest.approx(kappa, abs=0.02)
    for name, one in found.items():
        has_best = name.startswith(("knn_", "probe_", "r_precision", "map_at_r"))
        assert (one.effect is not None) == (has_best and one.chance is not None), name
    # Whatever the labels' frequencies: chance is 0, and what cannot be better is 1.
    perfect, _ = measure(embed(50 * np.eye(3)[labels] + 0.1, labels), {"knn_category": None})
    assert perfect["knn_category_acc"].effect == perfect["knn_category_acc_macro"].effect == 1
    nothing, _ = measure(embed(rng.normal(size=(300, 2)), labels), {"knn_category": None})
    assert abs(nothing["knn_category_acc"].effect) < 0.1


def test_files_in_and_out(tmp_path, embed, clusters):
    values, labels = clusters
    data = embed(values, labels)
    samples = tmp_path / "shard.arrow"
    columns = {"label": labels, "label_group": labels, "source_group": data.graph.ids}
    write_arrow(samples, pa.table({"id": data.graph.ids, **columns}))
    write_embedding(tmp_path / "e.parquet", data.graph.ids, values, 4)
    write_graph(tmp_path / "n.parquet", data.graph)
    metrics = dict.fromkeys(METRICS)
    arguments = (tmp_path / "e.parquet", tmp_path / "n.parquet", [samples], metrics, FEW)
    arguments += (DensityOptions(k=5), NeighborOptions(k=10))
    first, second = (
        [tmp_path / f"{run}.{name}" for name in ("json", "parquet", "weights.parquet")]
        for run in (1, 2)
    )
    measure_embedding(*arguments, *first)
    measure_embedding(*arguments, *second)
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    data = replace(data, statistics=FEW, density=DensityOptions(k=5))
    metrics, by_label = measure(data, metrics)
    assert set(metrics) == set(known_metrics())
    write_json(tmp_path / "described.json", describe(data, metrics, by_label))
    assert read_json(first[0]) == read_json(tmp_path / "described.json")
    scores = pl.read_parquet(first[1])
    assert scores["id"].to_list() == data.graph.ids
    assert {"knn_category_acc", "knn_group_acc_grouped"} < set(scores.columns)
    for name in scores.columns[1:]:
        metric, _, k = name.partition("@")
        found = metrics[metric].by_k[int(k)] if k else metrics[metric]
        assert scores[name].drop_nans().mean() == pytest.approx(found.value, abs=1e-6)

    write_embedding(tmp_path / "e.parquet", data.graph.ids[:-1], values[:-1], 1)
    with pytest.raises(LatentmapError, match=r"e\.parquet has 79 rows where 80 are expected"):
        measure_embedding(*arguments, *first)


def test_what_is_not_defined_is_null_in_the_file(tmp_path, embed):
    data = embed([[0.0], [1.0], [2.0]], ["a", "a", "a"])
    samples = tmp_path / "shard.arrow"
    rows = {"id": data.graph.ids, "source_group": data.graph.ids}
    write_arrow(samples, pa.table(rows | dict.fromkeys(("label", "label_group"), ["a"] * 3)))
    write_embedding(tmp_path / "e.parquet", data.graph.ids, data.values, 1)
    write_graph(tmp_path / "n.parquet", data.graph)
    arguments = (tmp_path / "e.parquet", tmp_path / "n.parquet", [samples], {"knn_category": None})
    outputs = [tmp_path / name for name in ("m.json", "m.parquet", "w.parquet")]
    measure_embedding(*arguments, FEW, DensityOptions(k=2), NeighborOptions(), *outputs)
    assert pl.read_parquet(tmp_path / "m.parquet").columns == ["id"]
    found = read_json(tmp_path / "m.json")
    assert found["metrics"]["knn_category_acc"]["value"] is None
    assert found["metrics"]["knn_category_acc"]["note"] == "All samples have the same label."
    names = [
        f"knn_category_{name}{suffix}"
        for name in ("rate", "chance", "deviation", "low", "high")
        for suffix in ("", "_grouped")
    ]
    assert found["labels"] == {"a": {"n": 3, **dict.fromkeys(names)}}


def test_the_recall_of_approximate_neighbors_stands_beside_what_is_made_from_them(embed, clusters):
    data = embed(*clusters, statistics=FEW)
    options = dict.fromkeys(("knn_category", "silhouette"))
    exact, _ = measure(data, options)
    approximate = replace(data, graph=replace(data.graph, audit=Audit(0.97, 10, 50)))
    metrics, by_label = measure(approximate, options)
    said = "From approximate neighbors: recall@10 0.970."
    assert said in metrics["knn_category_acc"].note
    assert said not in (metrics["silhouette"].note or "")
    assert not any(said in (found.note or "") for found in exact.values())
    compared = {"metric": "euclidean", "zero_rows": 0}
    facts = {"exact": False, "recall": 0.97, "k": 10, "rows": 50, **compared}
    assert describe(approximate, metrics, by_label)["neighbors"] == facts
    assert describe(data, exact, by_label)["neighbors"] == {"exact": True, **compared}


@pytest.fixture
def mixed(embed, clusters):
    """The clusters, and samples without a label mixed in among them; and where the clusters are."""
    values, labels = clusters
    rng = np.random.default_rng(1)
    rows = np.sort(rng.choice(110, 80, replace=False))
    every = rng.normal(1.5, 2, (110, 6)).astype(np.float32)
    names = np.full(110, "", labels.dtype)
    every[rows], names[rows] = values, labels
    return replace(embed(every, names, statistics=FEW), search=NeighborOptions(k=10)), rows


def test_metrics_of_labels_are_those_of_the_labelled_samples_alone(mixed, embed, clusters):
    data, rows = mixed
    alone = embed(*clusters, source_groups=data.source_groups[rows], statistics=FEW)
    metrics = dict.fromkeys(METRICS)
    measured, by_label = measure(data, metrics)
    expected, expected_by_label = measure(alone, metrics)
    free = {name for m in METRICS if not METRICS[m].needs_labels for name in METRICS[m].columns}
    assert {"effective_dim_90", "n_samples", "density_effective_sample_size"} < free
    for name, found in measured.items():
        if name in free:
            continue
        same = expected[name]
        assert found.value == pytest.approx(same.value, rel=1e-12, nan_ok=True), name
        assert (found.chance, found.interval, found.p_value) == (
            *(same.chance, same.interval, same.p_value),
        )
        assert found.note.startswith("Of the 80 of 110 samples that have a label.")
        if found.contributions is not None:
            assert found.contributions.values == pytest.approx(same.contributions.values)
    assert by_label.keys() == expected_by_label.keys()
    for name in by_label.keys() - {"knn_category_rate", "knn_category_rate_grouped"}:
        np.testing.assert_array_equal(by_label[name], expected_by_label[name])
    assert measured["n_samples"].value == 110
    found = describe(data, measured, by_label)
    assert (found["samples"], found["labelled"]) == (110, 80)
    assert found["labels"].keys() == {"a", "b", "c", "alone"}


def test_without_labels_only_what_needs_none_is_measured(tmp_path, embed, clusters):
    values, _ = clusters
    data = embed(values, [""] * 80)
    nothing = dict.fromkeys(("label", "label_group"), pa.nulls(80, pa.string()))
    ids = data.graph.ids
    write_arrow(tmp_path / "s.arrow", pa.table({"id": ids, **nothing, "source_group": ids}))
    write_embedding(tmp_path / "e.parquet", ids, values, 4)
    write_graph(tmp_path / "n.parquet", data.graph)
    outputs = [tmp_path / name for name in ("m.json", "m.parquet", "w.parquet")]
    arguments = (tmp_path / "e.parquet", tmp_path / "n.parquet", [tmp_path / "s.arrow"])
    options = (FEW, DensityOptions(k=5), NeighborOptions())
    measure_embedding(*arguments, dict.fromkeys(METRICS), *options, *outputs)
    found = read_json(outputs[0])
    alike = replace(embed(*clusters), density=DensityOptions(k=5))
    labelled, _ = measure(alike, dict.fromkeys(METRICS))
    assert found["metrics"].keys() == {
        *("n_samples", "n_dimensions", "n_tokens", "feature_entropy"),
        *("effective_dim_90", "effective_dim_95", "effective_dim_99"),
        *("hubness_skewness", "hubness_antihubs", "density_effective_sample_size"),
    }
    for name, one in found["metrics"].items():
        expected = labelled[name].value
        assert one["value"] == pytest.approx(expected, rel=1e-8)
    assert (found["labelled"], found["labels"], found["permutation"]) == (0, {}, None)
    assert pl.read_parquet(outputs[1]).columns == ["id"]
    assert len(pl.read_parquet(outputs[2])) == 80
