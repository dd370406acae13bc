import base64

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from latentmap.errors import LatentmapError
from latentmap.report.points import read_points, read_shown_samples
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
