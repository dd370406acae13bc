"""What a neighbor graph mixes, and the page about it."""

import json
import re
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from latentmap.neighbors.exact import find_neighbors
from latentmap.neighbors.graph import Audit, write_graph
from latentmap.report.labels import collect_labels
from latentmap.report.neighbor_charts import (
    LabelledGraph,
    confusion,
    confusion_chart,
    share_histograms,
)
from latentmap.report.pages.nearest_neighbors import telling_pairs
from latentmap.store.files import read_json, write_json
from latentmap.store.results import EMBEDDING, NEIGHBORS
from latentmap.store.tables import read_arrow, write_arrow, write_embedding

PLACE = ("tiny-vae", "plain")
COLORS = {"A": "#000000", "B": "#ffffff"}


def labelled(values, codes, sources, k=2):
    values = np.asarray(values, np.float32).reshape(len(codes), -1)
    sources = np.asarray(sources)
    ids = [str(row) for row in range(len(codes))]
    graph = find_neighbors(ids, values, [str(s) for s in sources], k)
    return LabelledGraph(graph, k, ["a", "b", "c"], ["A", "A", "B"], np.asarray(codes), sources)


@pytest.fixture
def line():
    """Samples on a line: a and b alternate, c is far away."""
    return labelled([0, 1, 2.5, 4.5, 100, 101, 102], [0, 1, 0, 1, 2, 2, 2], [0, 1, 2, 3, 4, 5, 6])


def test_confusion_is_the_share_of_each_label(line):
    shares, chances = confusion(line)
    # Neighbors of 0: b a; of 1: a a; of 2.5: b b (1.5 and 2 away); of 4.5: a b.
    np.testing.assert_allclose(shares, [[0.25, 0.75, 0], [0.75, 0.25, 0], [0, 0, 1]])
    np.testing.assert_allclose(chances, np.array([[1, 2, 3], [2, 1, 3], [2, 2, 2]]) / 6)
    np.testing.assert_allclose(shares.sum(axis=1), 1)


def test_chance_is_that_of_random_neighbors_of_other_source_groups():
    rng = np.random.default_rng(0)
    codes, sources = rng.integers(0, 3, 60), rng.integers(0, 12, 60)
    total = np.zeros((3, 3))
    for seed in range(300):
        shuffled = np.random.default_rng(seed).normal(size=(60, 3))
        shares, chances = confusion(labelled(shuffled, codes, sources, k=5))
        total += shares / 300
    np.testing.assert_allclose(total, chances, atol=0.01)


def test_telling_pairs_are_near_and_of_different_labels(line):
    pairs = telling_pairs(line)
    assert [(pair.sample, pair.neighbor) for pair in pairs] == [(0, 1), (3, 2)]
    assert [pair.distance for pair in pairs] == [1, 2]
    # Distances to the nearest neighbor: 1, 1, 1.5, 2, 1, 1, 1.
    assert [pair.relative for pair in pairs] == [1, 2]


def test_no_sample_is_shown_twice_and_pairs_of_labels_take_turns():
    rng = np.random.default_rng(1)
    data = labelled(rng.normal(size=(90, 2)), rng.integers(0, 3, 90), np.arange(90))
    pairs = telling_pairs(data, 6)
    rows = [row for pair in pairs for row in (pair.sample, pair.neighbor)]
    assert len(set(rows)) == len(rows) == 12
    kinds = [tuple(sorted(data.codes[[p.sample, p.neighbor]])) for p in pairs]
    assert all(kinds.count(kind) == 2 for kind in ((0, 1), (0, 2), (1, 2)))
    assert all(a != b for a, b in kinds)
    assert [p.distance for p in pairs] == sorted(p.distance for p in pairs)


def test_neighbors_of_the_same_source_group_are_left_out():
    data = labelled([0, 0, 5, 5, 9, 9], [0, 1, 0, 1, 2, 2], [0, 0, 1, 1, 2, 2])
    assert min(pair.distance for pair in telling_pairs(data)) == 4
    alone = labelled([0, 0, 5, 5, 9, 9], [0, 1, 0, 1, 2, 2], [0] * 6)
    assert not alone.is_grouped and telling_pairs(alone)[0].distance == 0


def test_histograms_count_every_sample_once_in_each_list(line):
    spec = share_histograms(line, {"label": 0.25, "label group": 0.5}).to_dict()
    assert spec["description"] and len(spec["hconcat"]) == 2
    for panel in spec["hconcat"]:
        name = panel["layer"][0]["data"]["name"]
        rows = spec["datasets"][name]
        for neighbors in {row["neighbors"] for row in rows}:
            assert sum(row["samples"] for row in rows if row["neighbors"] == neighbors) == 7
    same = spec["datasets"][spec["hconcat"][0]["layer"][0]["data"]["name"]]
    counts = {r["count"]: r["samples"] for r in same if "across" in r["neighbors"]}
    # 0 has one a of two, 1 none, 2.5 none, 4.5 one, and each c two.
    assert counts == {0: 2, 1: 2, 2: 3}
    (level,) = spec["datasets"][spec["hconcat"][0]["layer"][1]["data"]["name"]]
    assert level == {"at": 0.5}
    assert "chance 0.250" in spec["hconcat"][0]["title"]["subtitle"]


def test_the_matrix_is_described_and_shows_all_labels(line):
    spec = confusion_chart(line, COLORS).to_dict()
    (rows,) = spec["datasets"].values()
    assert spec["description"] and len(rows) == 9


def write(run, values, audit=None):
    """Write the page of the fake run; of the other methods no graph can be read."""
    groups = [str(row // 3) for row in range(len(run.ids))]
    for kind in (NEIGHBORS, EMBEDDING):
        for path in run.results.paths(kind, encoder=PLACE[0], variant=PLACE[1]):
            path.unlink(missing_ok=True)
    graph = replace(find_neighbors(run.ids, values, groups, 10), audit=audit)
    write_graph(run.results.path(NEIGHBORS, *PLACE, "mean"), graph)
    write_embedding(run.results.path(EMBEDDING, *PLACE, "mean"), run.ids, values, 1)
    return run.write("nearest_neighbors", *PLACE)


@pytest.fixture
def run(fake_run, tmp_path):
    """A copy of the fake run, to be changed."""
    return fake_run.copy(tmp_path / "run")


def test_the_page_shows_the_best_method_with_pictures_and_hostile_text_as_text(run):
    values = np.random.default_rng(0).normal(size=(len(run.ids), 4)).astype(np.float32)
    text = write(run, values)
    assert "Nearest neighbors (tiny-vae, plain, mean)" in text
    assert 'data-chart="shares"' in text and 'data-chart="confusion"' in text
    places = [int(place) for place in re.findall(r'<img data-sample="(\d+)" alt', text)]
    (samples,) = re.findall(r'id="samples">(.*?)</script>', text)
    rows = json.loads(samples)["rows"]  # among those that all pages share, which are all here
    told = re.findall(r"<code>(sample_\d+)</code>", text)
    assert len(places) >= 40 and {run.ids[rows[place]] for place in places} <= set(told)
    assert "<img src=x" not in text
    assert text.count("× the median") == 24


def test_the_page_says_how_many_of_the_exact_neighbors_it_is_about(run):
    values = np.random.default_rng(0).normal(size=(len(run.ids), 4)).astype(np.float32)
    said = "from approximate neighbors: recall@10 0.970."
    assert said not in write(run, values)
    assert said in write(run, values, Audit(0.97, 10, 50))


def without_labels(run, rows, *others):
    """Take the label, and other columns, from some rows of a run.

    No metric of labels is left if that is all rows.
    """
    start = 0
    for path in run.samples:
        table = read_arrow(path)
        keep = pa.array([row not in rows for row in range(start, start + len(table))])
        for name in ("label", "label_group", *others):
            column = pa.compute.if_else(keep, table[name], None)
            table = table.set_column(table.column_names.index(name), name, column)
        start += len(table)
        write_arrow(path, table)
    collect_labels(run.samples, run.label_groups, run.labels_file)
    for path in run.metrics.values():
        nothing = {"metrics": {}, "labels": {}} if len(rows) == start else {}
        write_json(path, {**read_json(path), **nothing})


def test_without_labels_the_closest_pairs_are_shown(run):
    count = len(run.ids)
    values = np.random.default_rng(0).normal(size=(count, 4)).astype(np.float32)
    values[5] = values[60] + 0.001
    # Of the planted agreement, `std` is nearest to all others.
    without_labels(run, range(count))
    agreement = read_json(run.agreements[PLACE])
    table = agreement["tables"]["jaccard"]
    place = table["methods"].index("mean")
    table["values"][place] = [0.9] * len(table["methods"])
    write_json(run.agreements[PLACE], agreement)
    text = write(run, values)
    assert "<strong>mean</strong>, whose neighbors agree most" in text
    assert "The closest pairs" in text and "wrong neighbors" not in text
    assert 'data-chart="' not in text and "too few" not in text
    first = text.index("× the median")
    assert {"sample_005", "sample_060"} == {
        part[:10]
        for part in text[first : text.index("× the median", first + 1)].split("<code>")[1:]
    }


def test_neighbors_are_looked_for_among_labelled_samples_only(run):
    count = len(run.ids)
    values = np.random.default_rng(0).normal(size=(count, 4)).astype(np.float32)
    rows = range(0, count, 4)
    # Samples without a label coincide with samples that have one.
    values[rows] = values[np.array(rows) + 1]
    without_labels(run, rows)
    text = write(run, values)
    shown = {text[at + 6 : at + 16] for at in range(len(text)) if text.startswith("<code>", at)}
    assert len(shown) > 20
    assert not shown & {run.ids[row] for row in rows}
