from latentmap.draw.colors import OKABE_ITO
from latentmap.report.palette import group_colors


def test_given_colors_stay_and_others_get_the_next_free_one():
    colors = group_colors({"a": None, "b": OKABE_ITO[0].lower(), "c": None})
    assert colors == {"a": OKABE_ITO[1], "b": OKABE_ITO[0].lower(), "c": OKABE_ITO[2]}


def test_groups_of_the_samples_follow_the_configured_ones():
    assert list(group_colors({"z": None}, ["b", "a", "z"])) == ["z", "a", "b"]


def test_more_groups_than_colors_still_differ():
    colors = group_colors({}, [str(i) for i in range(24)])
    assert len(set(colors.values())) == 24
