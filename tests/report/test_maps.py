import re

import numpy as np
import pytest

from latentmap.report.maps import map_chart

COLORS = {"a": "#000000", "b.c[0]": "#FFFFFF"}


def domain(spec, axis, whole=False):
    """The ends of an axis, as the map begins or with all points in view."""
    scale = spec["encoding"][axis]["scale"]
    if not whole or "domainMin" not in scale:
        return scale["domain"]
    ends = (scale[end]["expr"] for end in ("domainMin", "domainMax"))
    return [float(re.fullmatch(r"whole \? (\S+) : \S+", end)[1]) for end in ends]


def test_one_unit_is_as_long_on_both_axes_and_every_point_is_inside():
    points = {"x": [0.0, 10.0], "y": [5.0, 6.0]}
    spec = map_chart(points, COLORS, "", (800, 400)).to_dict()
    x, y = (domain(spec, axis) for axis in "xy")
    assert (x[1] - x[0]) / 800 == pytest.approx((y[1] - y[0]) / 400)
    assert x[0] < 0 and x[1] > 10 and y[0] < 5 and y[1] > 6


def test_a_single_place_still_has_an_extent():
    spec = map_chart({"x": [3.0, 3.0], "y": [4.0, 4.0]}, COLORS, "").to_dict()
    low, high = domain(spec, "x")
    assert low < 3 < high


def test_a_far_cluster_does_not_squeeze_the_rest():
    rng = np.random.default_rng(0)
    near, far = rng.normal(0, 1, (95, 2)), rng.normal(60, 0.1, (5, 2))
    x, y = np.concatenate([near, far]).T.tolist()
    spec = map_chart({"x": x, "y": y}, COLORS, "", (400, 400), "trust 0.9").to_dict()
    assert -6 < domain(spec, "x")[0] < near[:, 0].min()
    assert near[:, 0].max() < domain(spec, "x")[1] < 6
    assert domain(spec, "x", whole=True)[1] > 60
    assert spec["usermeta"] == {"outside": 5}
    assert spec["title"]["text"] == "trust 0.9; 5 of 100 points far outside"


@pytest.mark.parametrize("side", [6, 12])
def test_what_is_no_small_part_or_is_not_far_stays_in_view(side):
    rng = np.random.default_rng(0)
    x, y = np.concatenate([rng.normal(0, 1, (80, 2)), rng.normal(side, 1, (20, 2))]).T.tolist()
    spec = map_chart({"x": x, "y": y}, COLORS, "").to_dict()
    assert spec["usermeta"] == {"outside": 0}
    assert domain(spec, "x") == domain(spec, "x", whole=True)


def test_three_dimensions_become_the_pairs_of_axes():
    points = {"x": [0.0, 1.0], "y": [0.0, 1.0], "z": [0.0, 1.0]}
    spec = map_chart(points, COLORS, "").to_dict()
    fields = [(p["encoding"]["x"]["field"], p["encoding"]["y"]["field"]) for p in spec["hconcat"]]
    assert fields == [("x", "y"), ("x", "z"), ("y", "z")]


def test_three_panels_and_their_axes_are_as_wide_as_a_page():
    points = {"x": [0.0, 1.0], "y": [0.0, 1.0], "z": [0.0, 1.0]}
    panels = map_chart(points, COLORS, "", (900, 600)).to_dict()["hconcat"]
    assert all(panel["width"] == panel["height"] for panel in panels)
    # Together wider than a flat map, by less than a fifth, which their axes take.
    assert 900 < sum(panel["width"] for panel in panels) < 1.2 * 900


def test_colors_belong_to_groups_by_name():
    spec = map_chart({"x": [0.0], "y": [0.0]}, COLORS, "").to_dict()
    scale = spec["encoding"]["color"]["scale"]
    assert dict(zip(scale["domain"], scale["range"], strict=True)) == COLORS


def test_the_caption_is_printed_on_the_map_of_every_dimension():
    for points in ({"x": [0.0], "y": [0.0]}, {"x": [0.0], "y": [0.0], "z": [0.0]}):
        spec = map_chart(points, COLORS, "what it is", caption="trustworthiness 0.93").to_dict()
        assert spec["title"]["text"] == "trustworthiness 0.93"
        assert spec["description"] == "what it is"


def test_a_specification_does_not_depend_on_what_was_built_before():
    points = {"x": [0.0, 1.0], "y": [0.0, 1.0], "z": [0.0, 1.0]}
    first = map_chart(points, COLORS, "").to_dict()
    assert map_chart(points, COLORS, "").to_dict() == first


def test_samples_of_a_reference_run_are_grey_behind_the_others_and_in_view():
    points, theirs = {"x": [0.0, 1.0], "y": [0.0, 1.0]}, {"x": [5.0, 2.0], "y": [3.0, 2.0]}
    spec = map_chart(points, COLORS, "", (400, 400), behind=theirs).to_dict()
    grey, own = spec["layer"]
    assert own["data"] == {"name": "points"} and (spec["width"], spec["height"]) == (400, 400)
    rows = spec["datasets"][grey["data"]["name"]]
    assert rows == [{"x": 5.0, "y": 3.0}, {"x": 2.0, "y": 2.0}]
    low, high = own["encoding"]["x"]["scale"]["domain"]
    assert grey["encoding"]["x"]["scale"]["domain"] == [low, high] and low < 0 and high > 5
    # What the page sets stands where it looks for it.
    assert {"shown", "coloring", "opened"} <= {param["name"] for param in spec["params"]}
    assert "layer" not in map_chart(points, COLORS, "").to_dict()
