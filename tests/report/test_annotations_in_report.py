from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from latentmap.errors import LatentmapError
from latentmap.report.annotations import COUNTED, annotation_warnings, read_joined
from latentmap.report.density import read_density
from latentmap.report.measures import own_measures
from latentmap.report.points import CELL_LENGTH, read_shown_samples
from latentmap.store.tables import read_parquet, write_parquet


def read(run, annotations, most=1000):
    return read_shown_samples(run.samples, run.thumbnails, most, annotations).further


def test_maps_get_the_columns_of_the_samples_they_show(fake_run):
    further = read(fake_run, fake_run.annotations, 10)
    assert list(further) == ["judged", "score", "annotation.title"]
    assert further["score"] == [str(row % 3) for row in range(0, 60, 7)] + [None]
    assert read(fake_run, None) == {}


def test_long_cells_are_shortened_and_names_of_a_tooltip_are_left_to_it(fake_run, tmp_path):
    columns = {"id": fake_run.ids, "image": ["http://x/y.png"] * 70, "long": ["é" * 1000] * 70}
    write_parquet(tmp_path / "a.parquet", pa.table(columns))
    further = read(fake_run, tmp_path / "a.parquet")
    assert list(further) == ["annotation.image", "long"]
    assert len(further["long"][0]) == CELL_LENGTH


def test_annotations_of_other_samples_are_refused(fake_run, tmp_path):
    write_parquet(tmp_path / "a.parquet", read_parquet(fake_run.annotations).slice(1))
    with pytest.raises(LatentmapError, match=r"a\.parquet has 69 rows where 70 are expected"):
        read(fake_run, tmp_path / "a.parquet")


def test_the_summary_tells_what_did_not_join(fake_run, report):
    (warning,) = annotation_warnings(read_joined(fake_run.annotations))
    assert warning.warning and warning.text == (
        "Annotations predictions: of 62 rows, 1 match no sample, 1 cannot be read "
        "(the first: line 63, 'stranger')."
    )
    page = report.summary.read_text()
    assert "60 of 70 samples have annotations" in page and "1 cannot be read" in page
    assert annotation_warnings(None) == []


def test_a_file_that_joins_whole_is_no_warning_and_one_that_does_not_join_is():
    file = {"name": "scores", "rows": 7, "samples": 7, "malformed_lines": [], "lost_keys": []}
    whole = file | dict.fromkeys(COUNTED, 0)
    assert annotation_warnings({"files": [whole]}) == []
    (warning,) = annotation_warnings({"files": [whole, whole | {"samples": 0}]})
    assert warning.text == (
        "Annotations scores: of 7 rows, none joins; nothing is joined: check 'on' and 'key'."
    )


def test_density_is_that_of_the_shown_samples(fake_run):
    path = fake_run.weights["dct", "plain", "mean"]
    shown = read_shown_samples(fake_run.samples, fake_run.thumbnails, 10)
    found = read_density(path, shown)
    place = np.arange(0, 70, 7) / 69
    np.testing.assert_allclose(found["density_percentile"], 100 * place, atol=0.05)
    # the density rises from 1 to 9 as the square of the place
    np.testing.assert_allclose(
        found["density_share"], 100 * ((1 + 2 * place) ** 2 - 1) / 8, atol=0.06
    )


def test_columns_of_numbers_can_be_measured(fake_run):
    shown = read_shown_samples(fake_run.samples, None, 70, fake_run.annotations)
    columns = {"one": ["1"] * 70, "some": ["1e3", None, *["-2"] * 68], "nan": ["nan", "1"] * 35}
    assert own_measures(replace(shown, further=shown.further | columns)) == {
        "own:score": "score",
        "own:some": "some",
    }
