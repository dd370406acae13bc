import numpy as np
import pytest

from latentmap.draw.colors import OKABE_ITO
from latentmap.report.colorings import (
    MOST_LABELS,
    MOST_VALUES,
    NO_VALUE,
    OTHERS,
    colorings,
    label_coloring,
)
from latentmap.report.palette import TRUST, UNKNOWN, ordered_colors


def test_every_value_has_its_colour_and_what_has_none_is_white():
    (coloring,) = colorings({"judged": ["wrong", None, "right", "wrong"]})
    assert coloring.values == ["right", "wrong", NO_VALUE]
    assert coloring.colors == [*OKABE_ITO[:2], UNKNOWN]
    assert coloring.codes == [1, 2, 0, 1]


def test_numbers_are_in_their_order_from_dark_to_light():
    (coloring,) = colorings({"score": ["10", "9", "-1", "2.5"]})
    assert coloring.values == ["-1", "2.5", "9", "10"]
    assert coloring.colors[0] == TRUST[0] and coloring.colors[-1] == TRUST[-1]
    assert coloring.codes == [3, 2, 0, 1]


def test_what_is_no_finite_number_makes_names_of_numbers():
    (coloring,) = colorings({"score": ["10", "nan", "9", "-1"]})
    assert coloring.values == ["-1", "10", "9", "nan"]
    assert coloring.colors == list(OKABE_ITO[:4])


def test_columns_of_one_or_of_many_values_have_no_colours():
    many = [str(value) for value in range(MOST_VALUES + 1)]
    few = [*many[:MOST_VALUES], None]
    same = ["x"] * len(many)
    found = colorings({"many": many, "same": same, "few": few, "half": [None, *same[1:]]})
    assert [coloring.title for coloring in found] == ["few", "half"]
    assert len(set(found[0].colors)) == MOST_VALUES + 1
    assert len({coloring.key for coloring in found}) == 2


def test_of_many_texts_the_most_frequent_have_colours():
    column = [name for n in range(20) for name in [f"v{n:02}"] * (20 - n)] + [None]
    (coloring,) = colorings({"name": column})
    assert coloring.values == [*(f"v{n:02}" for n in range(MOST_VALUES - 1)), OTHERS, NO_VALUE]
    assert len(set(coloring.colors)) == MOST_VALUES + 1
    assert coloring.codes[-1] == MOST_VALUES
    assert coloring.codes[-2] == MOST_VALUES - 1
    assert len(coloring.codes) == len(column)


def test_labels_have_far_more_colours():
    labels = [f"class {n:02}" for n in range(MOST_LABELS)]
    assert label_coloring(labels).values == labels
    assert colorings({"name": labels}) == [] and label_coloring(["one", "one"]) is None


def test_labels_are_names_and_samples_without_one_are_told_so():
    coloring = label_coloring(["3", "", "10"])
    assert coloring.values == ["10", "3", "no label"]
    assert coloring.colors == [*OKABE_ITO[:2], UNKNOWN]
    assert coloring.codes == [1, 2, 0]


def test_steps_of_trust_are_steps_of_the_scale():
    assert ordered_colors(len(TRUST)) == list(TRUST)
    assert ordered_colors(1) == [TRUST[0]]
    lightness = [
        np.dot([int(c[i : i + 2], 16) for i in (1, 3, 5)], [0.2126, 0.7152, 0.0722])
        for c in ordered_colors(MOST_VALUES)
    ]
    assert lightness == sorted(lightness)


@pytest.mark.parametrize("count", [2, 7, MOST_VALUES])
def test_names_get_different_colours(count):
    (coloring,) = colorings({"name": [f"value {i}" for i in range(count)]})
    assert len(set(coloring.colors)) == count


def test_values_in_legends_are_as_charts_can_show_them():
    (coloring,) = colorings({"said": ["yes\x01", "no\u2028no"]})
    assert list(coloring.values) == ["no no", "yes\N{REPLACEMENT CHARACTER}"]
    assert coloring.codes == [1, 0]
