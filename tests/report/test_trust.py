from dataclasses import replace

import numpy as np
import pytest

from latentmap.errors import LatentmapError
from latentmap.project.quality import DOUBTFUL, MapQuality, write_trust
from latentmap.report.points import read_shown_samples
from latentmap.report.trust import STEPS, read_trust, trust_legend

KEY = ("dct", "plain", "mean", "umap")


@pytest.fixture
def shown(fake_run):
    return read_shown_samples(fake_run.samples, fake_run.thumbnails, 1000)


def write(path, ids, trust, spread=np.nan, seeds=0):
    ones = np.ones(len(ids))
    columns = np.asarray(trust, float), ones, 0.5 * ones, 0 * ones
    write_trust(path, ids, MapQuality(*columns, k=15), np.full(len(ids), spread), seeds)
    return path


def test_each_point_has_the_lower_of_its_two_metrics(fake_run, shown):
    values = read_trust(fake_run.trust[KEY], shown).values
    tall = [label == "tall.choice" for label in fake_run.labels]
    assert values == [None] + [0.55 if is_tall else 0.95 for is_tall in tall[1:]]


def test_points_that_are_not_shown_have_no_value_on_the_page(fake_run):
    few = read_shown_samples(fake_run.samples, fake_run.thumbnails, 10)
    whole = read_shown_samples(fake_run.samples, fake_run.thumbnails, 1000)
    path = fake_run.trust[KEY]
    assert read_trust(path, few).values == read_trust(path, whole).values[::7]


def test_what_is_said_of_a_map(fake_run, shown, tmp_path):
    trust = read_trust(fake_run.trust[KEY], shown)
    doubtful = fake_run.labels.count("tall.choice")
    mean = (doubtful * 0.55 + (69 - doubtful) * 0.95) / 69
    assert trust.caption == (f"trustworthiness {mean:.2f}, continuity 0.97, neighbor recall 0.40")
    assert trust.note == (
        f"{100 * doubtful / 69:.0f} % of the 69 assessed points are unreliable (trust < 0.8). With "
        "2 other seeds the median point moves by 0.25 of the map's radius."
    )
    path = write(tmp_path / "t.parquet", fake_run.ids, [0.5] * 35 + [1.0] * 35)
    assert read_trust(path, shown).note == "50 % of the points are unreliable (trust < 0.8)."


def test_the_recall_of_approximate_neighbors_stands_beside_a_map(fake_run, shown, tmp_path):
    quality = MapQuality(*np.full((4, 70), 0.9), k=15)
    spread, audit = np.full(70, np.nan), {"exact": False, "recall": 0.97, "k": 90, "rows": 50}
    write_trust(tmp_path / "t.parquet", fake_run.ids, quality, spread, 0, audit)
    note = read_trust(tmp_path / "t.parquet", shown).note
    assert note.endswith("Made from approximate neighbors: recall@90 0.970.")


def test_a_map_whose_trust_is_not_known_says_why(fake_run, shown, tmp_path):
    trust = read_trust(write(tmp_path / "t.parquet", fake_run.ids, [np.nan] * 70), shown)
    assert trust.values == [None] * 70
    assert trust.caption == "trust is not measured"
    assert replace(trust, total=2).caption == "too few samples to measure trust"
    assert trust.note == ""


def test_trust_in_other_samples_is_refused(fake_run, shown, tmp_path):
    path = write(tmp_path / "t.parquet", [*fake_run.ids[:-1], "stranger"], [1.0] * 70)
    with pytest.raises(LatentmapError, match=r"t\.parquet has id 'stranger' in row 69"):
        read_trust(path, shown)


def test_a_colour_changes_where_samples_become_doubtful():
    assert DOUBTFUL in STEPS and list(STEPS) == sorted(STEPS)
    assert all(0.5 < step < 1 for step in STEPS)  # placed at random, and perfectly
    texts = [text for text, _ in trust_legend()]
    assert texts[0] == "below 0.6" and "0.7 to 0.8" in texts and texts[-1] == "not assessed"
    assert len({color for _, color in trust_legend()}) == len(STEPS) + 2
