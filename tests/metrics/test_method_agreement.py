"""The files of agreement between methods."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from latentmap.errors import LatentmapError
from latentmap.metrics.method_agreement import AgreementOptions, compare_embeddings, compare_maps
from latentmap.neighbors.exact import find_neighbors
from latentmap.neighbors.graph import Audit, read_graph, write_graph
from latentmap.store.tables import write_arrow, write_embedding, write_parquet

COUNT = 60


@pytest.fixture
def run(tmp_path):
    """Four methods: one, the same in another order, nearly the same, and another."""
    return write_run(tmp_path, COUNT, [f"image {row // 3}" for row in range(COUNT)])


def write_run(tmp_path, count, groups):
    rng = np.random.default_rng(0)
    ids = [f"s{row}" for row in range(count)]
    values = rng.normal(size=(count, 8)).astype(np.float32)
    embeddings = {
        "flatten": values,
        "spatial": values[:, ::-1],
        "nearly": values + 0.05 * rng.normal(size=values.shape),
        "other": rng.normal(size=(count, 5)),
    }
    write_arrow(tmp_path / "shard.arrow", pa.table({"id": ids, "source_group": groups}))
    paths = {}
    for method, table in embeddings.items():
        table = table.astype(np.float32)
        paths[method] = tmp_path / f"{method}.parquet", tmp_path / f"{method}.n.parquet"
        write_embedding(paths[method][0], ids, table, 1)
        write_graph(paths[method][1], find_neighbors(ids, table, groups, 6))
        write_parquet(
            tmp_path / f"{method}.map.parquet",
            pa.table({"id": ids, "x": table[:, 0], "y": table[:, 1]}),
        )
    return tmp_path, paths


def compare(run, output="agreement.json", **options):
    folder, paths = run
    compare_embeddings(
        {method: path for method, (path, _) in paths.items()},
        {method: path for method, (_, path) in paths.items()},
        [folder / "shard.arrow"],
        folder / output,
        AgreementOptions(**{"k": 5} | options),
    )
    return json.loads((folder / output).read_text())


def test_what_is_the_same_in_another_order_is_a_duplicate_and_what_nearly_is_not(run):
    found = compare(run)
    assert found["duplicates"] == [["flatten", "spatial"]]
    assert (found["samples"], found["of"]) == (COUNT, COUNT)
    for table in found["tables"].values():
        assert table["methods"] == ["flatten", "spatial", "nearly", "other"]
        same, close, other = table["values"][0][1:]
        assert same == pytest.approx(1, abs=1e-4)
        assert table["limit"][0][2] < close < 1
        assert table["chance"][0][3] / 2 < other < table["limit"][0][3] * 1.3


def test_neighbors_of_the_same_source_group_do_not_make_methods_agree(tmp_path):
    # Both methods put the three samples of an image together, and the images anywhere.
    groups = [f"image {row // 3}" for row in range(COUNT)]
    folder, paths = write_run(tmp_path, COUNT, groups)
    rng = np.random.default_rng(1)
    ids = [f"s{row}" for row in range(COUNT)]
    for method in ("flatten", "other"):
        places = np.repeat(10 * rng.normal(size=(COUNT // 3, 8)), 3, axis=0)
        table = (places + 0.01 * rng.normal(size=places.shape)).astype(np.float32)
        write_embedding(paths[method][0], ids, table, 1)
        write_graph(paths[method][1], find_neighbors(ids, table, groups, 6))
    table = compare((folder, paths), k=2)["tables"]["jaccard"]
    assert table["values"][0][3] < 0.2


def test_two_samples_do_not_make_methods_the_same(tmp_path):
    assert compare(write_run(tmp_path, 2, ["a", "b"]), k=1)["duplicates"] == []
    three = write_run(tmp_path, 3, ["a", "b", "c"])
    assert compare(three, k=2)["duplicates"] == [["flatten", "spatial"]]


def test_the_lowest_recall_of_approximate_neighbors_is_told(run):
    assert compare(run)["recall"] is None
    for method, recall in (("nearly", 0.98), ("other", 0.97)):
        path = run[1][method][1]
        write_graph(path, replace(read_graph(path), audit=Audit(recall, 6, 50)))
    assert compare(run)["recall"] == 0.97


def test_the_same_input_gives_the_same_bytes(run):
    assert compare(run, "1.json") == compare(run, "2.json")
    assert (run[0] / "1.json").read_bytes() == (run[0] / "2.json").read_bytes()


def test_a_large_set_is_drawn_from(run):
    found = compare(run, max_samples=30)
    assert (found["samples"], found["of"]) == (30, COUNT)
    assert found["duplicates"] == [["flatten", "spatial"]]


def test_maps_are_compared_by_projection(run):
    folder, paths = run
    keys = [(method, kind) for method in paths for kind in ("umap", "pca")]
    maps = [folder / f"{method}.map.parquet" for method, _ in keys]
    compare_maps(keys, maps, [folder / "shard.arrow"], folder / "maps.json")
    tables = json.loads((folder / "maps.json").read_text())["tables"]
    found = tables["umap"]
    assert tables["pca"] == found
    assert found["methods"] == list(paths)
    assert found["values"][0][2] > 0.98
    assert found["values"][0][3] < found["limit"][0][3] * 1.5 < 0.5


def test_errors_name_the_file(run):
    paths = run[1]
    with pytest.raises(LatentmapError, match="Set the k of `neighbors` to 7"):
        compare(run, k=7)
    write_embedding(paths["other"][0], ["s0"], np.zeros((1, 2), np.float32), 1)
    with pytest.raises(LatentmapError, match=r"other\.parquet has 1 rows where 60 are expected"):
        compare(run)
