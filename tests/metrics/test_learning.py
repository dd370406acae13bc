"""The best method on growing sets of source groups."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest
from sklearn.neighbors import NearestNeighbors

from latentmap.metrics.learning import PROBE, growing_sets, trace_learning, traced
from latentmap.metrics.metric import HEADLINE
from latentmap.neighbors.graph import write_graph
from latentmap.neighbors.search import NeighborOptions, find_neighbors
from latentmap.store.files import write_json
from latentmap.store.tables import write_arrow, write_embedding

GROUPS = np.arange(240) // 3
SEARCH = NeighborOptions(k=20)
OPTIONS = {"knn_category": {"k": 3}, "probe_linear": None, "silhouette": None}


def test_sets_of_one_size_share_no_source_group_and_sizes_double():
    sizes = []
    for sets in growing_sets(GROUPS, seed=0):
        rows = np.concatenate(sets)
        assert len(np.unique(rows)) == len(rows)
        for some in sets:
            assert np.isin(GROUPS, GROUPS[some]).sum() == len(some)
        sizes.append([len(some) // 3 for some in sets])
    assert sizes == [[10] * 4, [20] * 4, [40] * 2]
    assert list(growing_sets(np.arange(19), seed=0)) == []
    *_, largest = growing_sets(np.arange(100_000), seed=0)
    assert {len(some) for some in largest} == {6250}


@pytest.fixture
def run(tmp_path):
    """Labels in many small clusters, which few samples do not fill; the second method is noise."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(30, 4))
    cluster = rng.integers(30, size=240)
    labels = np.where(np.arange(240) % 8 > 0, np.array(["a", "b", "c"])[cluster % 3], "")
    values = {
        "mean": centres[cluster] + 0.1 * rng.normal(size=(240, 4)),
        "max": rng.normal(size=(240, 4)),
    }
    ids, groups = [f"s{row}" for row in range(240)], GROUPS.astype(str).tolist()
    table = {"id": ids, "label": labels.tolist(), "label_group": labels.tolist()}
    write_arrow(tmp_path / "0.arrow", pa.table({**table, "source_group": groups}))
    for method, rows in values.items():
        rows = rows.astype(np.float32)
        write_embedding(tmp_path / f"{method}.parquet", ids, rows, 1)
        write_graph(tmp_path / f"{method}.graph", find_neighbors(ids, rows, groups, SEARCH))
    return tmp_path, values["mean"].astype(np.float32), labels


def trace(folder, values, output="learning.json"):
    """Trace the methods, whose metrics on all samples are these."""
    for method, given in values.items():
        entries = {name: {"value": value} for name, value in given.items()}
        write_json(folder / f"{method}.json", {"metrics": entries})
    trace_learning(
        {method: folder / f"{method}.parquet" for method in values},
        {method: folder / f"{method}.graph" for method in values},
        {method: folder / f"{method}.json" for method in values},
        [folder / "0.arrow"],
        HEADLINE,
        traced(HEADLINE, OPTIONS),
        SEARCH,
        0,
        folder / output,
    )
    return json.loads((folder / output).read_text())


def test_the_best_method_is_measured_on_parts_of_the_labelled_samples(run):
    folder, values, labels = run
    given = {"mean": {HEADLINE: 0.7, PROBE: 0.5}, "max": {HEADLINE: 0.3, PROBE: 0.9}}
    found = trace(folder, given)
    assert traced(HEADLINE, OPTIONS).keys() == {"knn_category", "probe_linear"}
    assert found["method"] == "mean"
    assert set(found["curves"]) == {HEADLINE, PROBE}
    curve = found["curves"][HEADLINE]
    assert [len(point["values"]) for point in curve] == [4, 4, 2, 1]
    assert [point["source_groups"] for point in curve] == [10, 20, 40, 80]
    assert curve[-1]["values"] == [0.7]
    assert curve[-1]["samples"] == 210
    means = [np.mean(point["values"]) for point in curve[:-1]]
    assert means[0] < means[1] < means[2]
    # By another library: the largest sets, as if there were no other samples.
    rows = np.flatnonzero(labels != "")
    by_name = np.unique(GROUPS[rows].astype(str), return_inverse=True)[1]
    *_, sets = growing_sets(by_name, seed=0)
    for value, some in zip(curve[2]["values"], sets, strict=True):
        here = rows[some]
        nearest = NearestNeighbors(n_neighbors=20).fit(values[here]).kneighbors()[1]
        shares = []
        for row, neighbors in zip(here, here[nearest], strict=True):
            others = neighbors[GROUPS[neighbors] != GROUPS[row]][:3]
            shares.append((labels[others] == labels[row]).mean())
        assert value == pytest.approx(np.mean(shares), abs=1e-5)


def test_a_run_gives_the_same_bytes_again_and_nothing_where_nothing_is_ranked(run):
    folder = run[0]
    given = {"mean": {HEADLINE: 0.7}, "max": {HEADLINE: None}}
    assert set(trace(folder, given)["curves"]) == {HEADLINE}
    trace(folder, given, "again.json")
    both = [(folder / name).read_bytes() for name in ("learning.json", "again.json")]
    assert both[0] == both[1]
    nothing = trace(folder, {"mean": {HEADLINE: None}, "max": {}})
    assert nothing["method"] is None
    assert nothing["curves"] == {}
