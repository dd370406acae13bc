"""3D maps in the layout of viewers that exist."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import yaml

from latentmap.errors import LatentmapError
from latentmap.export.points import export_points
from latentmap.metrics.density import LocalDensity, write_sampling_weights
from latentmap.report.labels import collect_labels
from latentmap.store.samples import SCHEMA
from latentmap.store.tables import write_arrow, write_parquet

KNOWN = Path(__file__).parents[2] / "resources" / "label_groups" / "preference_pairs.yaml"
LABELS = ["hh-rlhf", "ultrafeedback-binarized", "other", "hh-rlhf"]
KEYS = [
    "id",
    "sample",
    "x",
    "y",
    "z",
    "size",
    "color",
    "density",
    "density_percentile",
    "weight",
    "source",
    "prompt",
    "prefix",
    "chosen",
    "rejected",
]


@pytest.fixture
def write(tmp_path):
    def written(coordinates, density, labels=LABELS, ids=None):
        ids = ids or [f"p{row}" for row in range(len(labels))]
        columns = {field.name: pa.nulls(len(labels), field.type) for field in SCHEMA}
        columns |= {
            "id": ids,
            "label": labels,
            "label_group": labels,
            "text": ["p" * 300, "<b>ä</b>", None, "short"],
        }
        columns |= {"chosen": ["c" * 300] * 4, "rejected": [None] * 4}
        half = {name: values[:2] for name, values in columns.items()}
        rest = {name: values[2:] for name, values in columns.items() if name != "rejected"}
        write_arrow(tmp_path / "a.arrow", pa.table(half))
        write_arrow(tmp_path / "b.arrow", pa.table(rest))
        axes = dict(zip("xyz", np.asarray(coordinates, np.float32).T, strict=True))
        placed = [f"p{row}" for row in range(len(labels))]
        write_parquet(tmp_path / "map.parquet", pa.table({"id": placed, **axes}))
        found = LocalDensity(np.asarray(density, np.float64))
        write_sampling_weights(tmp_path / "w.parquet", placed, found, 10, {})
        shards = [tmp_path / "a.arrow", tmp_path / "b.arrow"]
        known = yaml.safe_load(KNOWN.read_text())
        groups = {name: group["color"] for name, group in known.items()}
        collect_labels(shards, groups, tmp_path / "labels.json")
        export_points(
            tmp_path / "map.parquet",
            tmp_path / "w.parquet",
            shards,
            tmp_path / "labels.json",
            tmp_path / "embeddings_3d.json",
        )
        return json.loads((tmp_path / "embeddings_3d.json").read_text("utf-8"))

    return written


PLACES = [[0, 5, 1], [10, 5, 2], [5, 5, 3], [2.5, 5, 5]]


def test_points_have_the_keys_and_ranges_that_viewers_expect(write):
    found = write(PLACES, [1.0, 3.0, 2.0, 1.5])
    assert list(found) == ["points", "metadata"]
    points = found["points"]
    assert all(list(point) == KEYS for point in points)
    assert [point["id"] for point in points] == [0, 1, 2, 3]
    assert [point["x"] for point in points] == [-1, 1, 0, -0.5]
    assert [point["y"] for point in points] == [0] * 4
    assert [point["z"] for point in points] == [-1, -0.5, 0, 1]
    assert [point["density"] for point in points] == [0, 1, 0.5, 0.25]
    assert [point["size"] for point in points] == [2.5, 0.5, 1.5, 2]
    assert [point["source"] for point in points] == LABELS
    assert [point["prompt"] for point in points] == ["p" * 200, "<b>ä</b>", "", "short"]
    assert [point["prefix"] for point in points] == ["p" * 300, "<b>ä</b>", "", "short"]
    assert [point["sample"] for point in points] == ["p0", "p1", "p2", "p3"]
    assert [point["density_percentile"] for point in points] == [0, 100, 66.67, 33.33]
    assert [point["weight"] * 30 for point in points] == pytest.approx([12, 4, 6, 8], rel=1e-5)
    assert {point["chosen"] for point in points} == {"c" * 100}
    assert {point["rejected"] for point in points} == {""}


def test_known_sources_keep_their_colours_and_others_get_one_of_their_own(write):
    found = write(PLACES, [1.0, 3.0, 2.0, 1.5])
    colors = found["metadata"]["colors"]
    assert colors["hh-rlhf"] == [0.2, 0.8, 0.2]
    assert colors["ultrafeedback-binarized"] == [0.2, 0.2, 0.8]
    assert colors["other"] not in (colors["hh-rlhf"], colors["ultrafeedback-binarized"])
    assert all(0 <= channel <= 1 for color in colors.values() for channel in color)
    assert all(point["color"] == colors[point["source"]] for point in found["points"])
    assert found["metadata"]["total_points"] == 4
    assert found["metadata"]["sources"] == ["hh-rlhf", "other", "ultrafeedback-binarized"]


def test_one_density_for_all_gives_points_of_one_size(write):
    points = write(PLACES, [2.0] * 4)["points"]
    assert {(point["density"], point["size"]) for point in points} == {(0.5, 1.5)}


def test_a_map_of_other_samples_is_refused(write):
    with pytest.raises(LatentmapError, match=r"map\.parquet has id 'p0' in row 0 where 'q0'"):
        write(PLACES, [1.0] * 4, ids=["q0", "q1", "q2", "q3"])


def test_a_sample_without_a_label_is_grey_and_says_so(write):
    found = write(PLACES, [1.0, 3.0, 2.0, 1.5], labels=["a", None, "a", None])
    assert [point["source"] for point in found["points"]] == ["a", "no label", "a", "no label"]
    assert found["metadata"]["sources"] == ["a", "no label"]
    red, green, blue = found["metadata"]["colors"]["no label"]
    assert red == green == blue
