import base64
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from latentmap.errors import LatentmapError
from latentmap.report.plates import first_coloring
from latentmap.report.points import MOST_COLUMNS, OWN_LENGTH, read_points, read_shown_samples
from latentmap.store.tables import read_arrow, write_arrow, write_parquet


def test_every_image_is_embedded_once_and_found_by_its_samples(fake_run):
    shown = read_shown_samples(fake_run.samples, fake_run.thumbnails, 1000)
    content = shown.content
    jpegs = [jpeg for path in fake_run.thumbnails for jpeg in read_arrow(path)["jpeg"].to_pylist()]
    assert content["id"] == fake_run.ids and content["label"] == fake_run.labels
    assert len(content["images"]) == len({jpeg for jpeg in jpegs if jpeg}) < len(jpegs)
    assert content["image"][0] == -1 and jpegs[0] is None
    for row in range(1, len(jpegs)):
        uri = content["images"][content["image"][row]]
        assert uri == "data:image/jpeg;base64," + base64.b64encode(jpegs[row]).decode()


def test_too_many_samples_are_thinned_evenly(fake_run):
    shown = read_shown_samples(fake_run.samples, fake_run.thumbnails, 10)
    assert shown.rows.tolist() == list(range(0, 70, 7))
    assert shown.content["id"] == fake_run.ids[::7]
    assert len(shown.content["image"]) == 10
    path = fake_run.projections["dct", "plain", "mean", "umap"]
    x = pq.read_table(path)["x"].to_numpy()
    np.testing.assert_allclose(read_points(path, shown)["x"], x[::7], rtol=1e-5)


def test_coordinates_of_other_samples_are_refused(fake_run, tmp_path):
    shown = read_shown_samples(fake_run.samples, fake_run.thumbnails, 1000)
    ids = [*fake_run.ids[:-1], "stranger"]
    write_parquet(tmp_path / "p.parquet", pa.table({"id": ids, "x": range(70), "y": range(70)}))
    with pytest.raises(LatentmapError, match=r"p\.parquet has id 'stranger' in row 69"):
        read_points(tmp_path / "p.parquet", shown)


def test_thumbnails_of_other_samples_are_refused(fake_run, tmp_path):
    table = read_arrow(fake_run.thumbnails[0])
    write_arrow(tmp_path / "t.arrow", table.slice(1))
    with pytest.raises(LatentmapError, match=r"t\.arrow has 39 rows where 40 are expected"):
        read_shown_samples(fake_run.samples[:1], [tmp_path / "t.arrow"], 1000)


@pytest.fixture
def with_columns(fake_run, tmp_path):
    """The run's samples with columns of their own, with or without labels."""

    def write(label):
        paths = []
        for number, path in enumerate(fake_run.samples):
            table = read_arrow(path)
            rows = range(40 * number, 40 * number + len(table))
            columns = {
                "language": ["de" if row % 3 else "en" for row in rows],
                "score": [row % 2 for row in rows],
                "text_of_its_own": [f"text {row}" for row in rows],
                "always": ["same"] * len(rows),
                "nested": [{"a": row % 2} for row in rows],
            }
            if number == 1:  # the first shard has no such column
                columns["late"] = ["a", "b"] * 15
            for name, column in columns.items():
                table = table.append_column(name, pa.array(column))
            if not label:
                for name in ("label", "label_group"):
                    place = table.column_names.index(name)
                    table = table.set_column(place, name, pa.nulls(len(table), pa.string()))
            paths.append(tmp_path / path.name)
            write_arrow(paths[-1], table)
        return paths

    return write


@pytest.mark.parametrize("label", [True, False])
def test_samples_are_told_apart_by_columns_of_their_own(fake_run, with_columns, label):
    shown = read_shown_samples(with_columns(label), fake_run.thumbnails, 10)
    assert list(shown.further) == ["language", "score", "text_of_its_own", "nested.a", "late"]
    assert shown.further["language"] == ["de" if row % 3 else "en" for row in range(0, 70, 7)]
    assert shown.further["score"] == [str(row % 2) for row in range(0, 70, 7)]
    assert shown.further["text_of_its_own"] == [f"text {row}" for row in range(0, 70, 7)]
    assert shown.further["nested.a"] == shown.further["score"]
    assert shown.further["late"][:6] == [None] * 6 and None not in shown.further["late"][6:]
    own = [c.title for c in shown.colorings if c.title != "label"]
    assert own == ["language", "score", "text_of_its_own", "nested.a", "late"]
    if not label:
        assert set(shown.content["label"]) == set(shown.content["group"]) == {""}


def test_of_many_columns_those_come_first_that_can_colour_maps(fake_run, tmp_path):
    paths = []
    for path in fake_run.samples:
        table = read_arrow(path)
        for number in range(MOST_COLUMNS):
            names = [f"{number} {row} {'long ' * 40}" for row in range(len(table))]
            table = table.append_column(f"name{number}", pa.array(names))
        table = table.append_column("few", pa.array([row % 2 for row in range(len(table))]))
        paths.append(tmp_path / path.name)
        write_arrow(paths[-1], table)
    shown = read_shown_samples(paths, fake_run.thumbnails, 1000)
    assert list(shown.further) == [*(f"name{n}" for n in range(MOST_COLUMNS - 1)), "few"]
    assert max(map(len, shown.further["name0"])) == OWN_LENGTH


@pytest.mark.parametrize(
    ("asked", "first"), [("group", "group"), ("label", "labels"), ("score", "column1")]
)
def test_maps_begin_with_the_colours_that_are_asked_for(fake_run, with_columns, asked, first):
    shown = read_shown_samples(with_columns(True), fake_run.thumbnails, 1000, color_by=asked)
    key, palette = first_coloring(shown, {"A": "#111111"})
    assert key == first
    assert len(palette) == {"group": 0, "label": len(set(fake_run.labels)), "score": 2}[asked]
    with pytest.raises(LatentmapError, match=r"report.color_by: .*'scor'.* Did you mean 'score'"):
        first_coloring(replace(shown, color_by="scor"), {"A": "#111111"})
