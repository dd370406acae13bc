"""The labels of a run and their colours."""

import pyarrow as pa
import pytest

from latentmap.report.labels import NO_LABEL, Label, collect_labels, read_labels
from latentmap.report.palette import GROUPS, NEUTRAL
from latentmap.store.tables import write_arrow


@pytest.fixture
def collected(tmp_path):
    def collect(rows, configured):
        half = len(rows) // 2
        for name, part in (("a", rows[:half]), ("b", rows[half:])):
            columns = zip(*part, strict=True)
            names = ("label", "label_group")
            arrays = [pa.array(column, pa.string()) for column in columns]
            write_arrow(tmp_path / f"{name}.arrow", pa.table(arrays, names))
        shards = [tmp_path / "a.arrow", tmp_path / "b.arrow"]
        collect_labels(shards, configured, tmp_path / "labels.json")
        return read_labels(tmp_path / "labels.json")

    return collect


def test_groups_are_those_of_the_samples_with_the_colours_of_the_configuration(collected):
    rows = [("cat", "Pets"), ("dog", "Pets"), ("oak", "oak"), (None, None), ("cat", "Own")] * 2
    rows += [("cat", "Pets")] * 2
    found = collected(rows, {"Pets": "#123456", "Unused": None})
    assert found.labels == [
        Label("cat", "Pets", 6),
        Label("dog", "Pets", 2),
        Label("oak", "oak", 2),
    ]
    assert {group.name: group.samples for group in found.groups} == {
        **{"Pets": 6, "Unused": 0, "Own": 2, "oak": 2}
    }
    assert found.colors == {
        **{"Pets": "#123456", "Own": GROUPS[1], "oak": GROUPS[2]},
        NO_LABEL: NEUTRAL,
    }
    assert list(found.group_of) == ["cat", "dog", "oak"]
    assert (found.labelled, found.without) == (10, 2)
    assert found.color_of("dog") == "#123456" and found.color_of(NO_LABEL) == NEUTRAL


def test_no_labels_at_all(collected):
    found = collected([(None, None)] * 4, {"Unused": "#123456"})
    assert (found.labels, found.labelled) == ([], 0)
    assert found.colors == {NO_LABEL: NEUTRAL}
