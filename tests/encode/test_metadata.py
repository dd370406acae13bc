import numpy as np
import pytest

from latentmap.encode.encoder import ENCODERS
from latentmap.encode.encoders.metadata import LAYOUT
from latentmap.errors import LatentmapError


def vector(**columns) -> dict:
    sample = {"id": "s1", "width": 400, "height": 200, "boxes": [], **columns}
    encoder = ENCODERS.create("metadata")
    values = encoder.encode([encoder.prepare(sample, None)])
    assert values.shape == (1, len(LAYOUT))
    assert values.dtype == np.float32
    return dict(zip(LAYOUT, values[0].tolist(), strict=True))


def test_two_boxes():
    found = vector(boxes=[[0, 0, 100, 100], [200, 50, 400, 200]])
    expected = {
        "box_count": 2,
        "box_0_center_x": 0.125,
        "box_0_center_y": 0.25,
        "box_0_width": 0.25,
        "box_0_height": 0.5,
        "box_0_area": 0.125,
        "box_1_center_x": 0.75,
        "box_1_center_y": 0.625,
        "box_1_width": 0.5,
        "box_1_height": 0.75,
        "box_1_area": 0.375,
        "image_width": 0.4,
        "image_height": 0.2,
        "image_aspect": 2,
    }
    assert found == pytest.approx(expected)


@pytest.mark.parametrize(("count", "present"), [(0, 0), (1, 1), (3, 2)])
def test_missing_boxes_are_zero_and_only_the_count_knows_of_a_third(count, present):
    found = vector(boxes=[[0, 0, 40, 20]] * count)
    assert found["box_count"] == count
    for index in range(2):
        assert (found[f"box_{index}_area"] > 0) is (index < present)


def test_a_text_is_refused_by_name():
    with pytest.raises(LatentmapError, match="'s1' has no image"):
        vector(width=None, height=None, boxes=None)
