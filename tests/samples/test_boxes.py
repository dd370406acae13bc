"""Boxes: unit and layout are told from all of a source, and only what is certain is repaired."""

import numpy as np
import pytest

from latentmap.errors import LatentmapError
from latentmap.samples.boxes import BoxFormat, BoxOptions, clean_boxes, judge_boxes
from latentmap.samples.faults import FaultError

SIZE = np.array([640, 480])


def corners(count, seed=0, largest=0.6):
    """Boxes in images of one size, as corners in fractions: (n, 4)."""
    random = np.random.default_rng(seed)
    extent = random.uniform(0.02, largest, (count, 2))
    start = random.uniform(0, 1, (count, 2)) * (1 - extent)
    return np.hstack([start, start + extent])


def given_as(boxes, layout, unit):
    """Write corners in fractions in another layout and unit."""
    start, end = boxes[:, :2], boxes[:, 2:]
    written = {
        "xyxy": boxes,
        "xywh": np.hstack([start, end - start]),
        "cxcywh": np.hstack([(start + end) / 2, end - start]),
    }[layout]
    return written if unit == "fractions" else np.rint(written * np.tile(SIZE, 2))


def judged(boxes, **given):
    boxes = np.asarray(boxes, float)
    sizes = np.tile(SIZE, (len(boxes), 1)).astype(float)
    return judge_boxes(boxes, BoxOptions(**given), lambda: (boxes, sizes))


@pytest.mark.parametrize("unit", ["pixels", "fractions"])
@pytest.mark.parametrize("layout", ["xyxy", "xywh", "cxcywh"])
@pytest.mark.parametrize("seed", range(5))
def test_unit_and_layout_are_told_from_the_boxes(layout, unit, seed):
    boxes = given_as(corners(60, seed), layout, unit)
    assert judged(boxes) == (unit, layout)
    cleaned, repairs = clean_boxes(boxes.tolist(), tuple(SIZE.tolist()), BoxFormat(unit, layout))
    assert repairs == []
    np.testing.assert_allclose(cleaned, corners(60, seed) * np.tile(SIZE, 2), atol=1.01)


@pytest.mark.parametrize(("layout", "unit"), [("xyxy", "pixels"), ("xyxy", "fractions")])
def test_a_few_inverted_corners_are_mistakes(layout, unit):
    boxes = given_as(corners(40), layout, unit)
    boxes[:3] = boxes[:3][:, [2, 1, 0, 3]]
    assert judged(boxes) == (unit, layout)
    # One of four, where another layout would lead out of the images.
    assert judged([[600, 300, 20, 470], *[[500, 400, 600, 470]] * 3]).layout == "xyxy"


def test_boxes_of_one_kind_only():
    assert judged([[60, 50, 30, 20]] * 6) == ("pixels", "xywh")
    assert judged([[0.1, 0.2, 0.5, 0.6], [0.3, 0.3, 0.9, 0.9]]) == ("fractions", "xyxy")
    assert judged([[0, 0, 1, 1]] * 4) == ("fractions", "xyxy")
    assert judged([[0, 0, 0, 0], [0, 0, 1, 1], *[[10, 10, 90, 60]] * 20]) == ("pixels", "xyxy")
    assert judged([[0, 0, 0, 0]]) == ("pixels", "xyxy")
    assert judged(np.zeros((0, 4))) == ("pixels", "xyxy")


def test_images_of_unknown_size_do_not_tell_layouts_apart_but_corners():
    boxes = given_as(corners(60), "xywh", "pixels")
    unknown = np.full((60, 2), np.nan)
    assert judge_boxes(boxes, BoxOptions(), lambda: (boxes, unknown)).layout == "xywh"


def test_what_cannot_be_told_is_asked():
    mixed = [*given_as(corners(5), "xyxy", "pixels"), *given_as(corners(5), "xyxy", "fractions")]
    with pytest.raises(LatentmapError, match=r"50% of the boxes look like fractions.*boxes\.unit"):
        judged(mixed)
    assert judged(mixed, unit="pixels").unit == "pixels"
    small = [[0.5, 0.5, 0.1, 0.1], [0.4, 0.6, 0.2, 0.1], [0.5, 0.3, 0.1, 0.2]]
    with pytest.raises(LatentmapError, match=r"of 3 boxes, 3 as xyxy, 0 as cxcywh, 0 as xywh"):
        judged(small)
    assert judged(small, layout="cxcywh") == ("fractions", "cxcywh")
    scaled = given_as(corners(20), "xyxy", "pixels")[:, [2, 3, 0, 1]] * 10
    with pytest.raises(LatentmapError, match=r"Set 'boxes\.layout'"):
        judged(scaled)


@pytest.mark.parametrize(
    ("box", "given", "words"),
    [
        ([0.1, 0.2, 30, 40], ("fractions", "xyxy"), "is not in fractions of the image"),
        ([10, 20, -5, 4], ("pixels", "xywh"), "has a negative size"),
        ([10, 20, 0, 4], ("pixels", "cxcywh"), "zero area"),
        ([38, 20, 8, 4], ("pixels", "cxcywh"), None),
    ],
)
def test_boxes_that_are_unlike_the_others(box, given, words):
    if words is None:
        boxes, repairs = clean_boxes([box], (40, 30), BoxFormat(*given))
        assert boxes == [[34, 18, 40, 22]] and "clipped" in repairs[0]
    else:
        with pytest.raises(FaultError, match=words):
            clean_boxes([box], (40, 30), BoxFormat(*given))


def test_fractions_need_an_image_and_rounding_is_no_repair():
    fractions = BoxFormat("fractions", "xywh")
    with pytest.raises(FaultError, match="of an image that is not there"):
        clean_boxes([[0.1, 0.2, 0.3, 0.4]], None, fractions)
    assert 0.9 + 0.1 + 1e-9 > 1
    assert clean_boxes([[0.9, 0.0, 0.1 + 1e-9, 0.5]], (40, 30), fractions)[1] == []


@pytest.mark.parametrize(
    ("box", "expected", "words"),
    [
        ([30, 20, 10, 5], [10, 5, 30, 20], ["inverted"]),
        ([10, 20, 30, 5], [10, 5, 30, 20], ["inverted"]),
        ([-5, 5, 50, 20], [0, 5, 40, 20], ["outside the 40x30 image"]),
        ([30, 45, 10, 5], [10, 5, 30, 30], ["inverted", "outside the 40x30 image"]),
    ],
)
def test_certain_repairs(box, expected, words):
    boxes, repairs = clean_boxes([[1, 2, 3, 4], box], (40, 30))
    assert boxes == [[1, 2, 3, 4], expected]
    assert [any(word in repair for repair in repairs) for word in words] == [True] * len(words)
    assert len(repairs) == len(words)
    assert all(repair.startswith("box 1 ") for repair in repairs)


@pytest.mark.parametrize(
    ("box", "words"),
    [
        (None, "not four finite"),
        ([1, 2, float("nan"), 4], "not four finite"),
        ([1, 2, float("inf"), 4], "not four finite"),
        ([1, 2, None, 4], "not four finite"),
        ([0.1, 0.2, 0.5, 1], "is in fractions of the image, not in pixels"),
        ([10, 5, 10, 20], "zero area"),
        ([10, 5, 30, 5], "zero area"),
        ([40, 5, 60, 20], "outside the 40x30 image"),
        ([5, -20, 10, 0], "outside the 40x30 image"),
    ],
)
def test_hopeless_boxes(box, words):
    with pytest.raises(FaultError) as caught:
        clean_boxes([[1, 2, 3, 4], box], (40, 30))
    assert words in caught.value.reason and caught.value.remedy


def test_without_an_image_nothing_is_clipped():
    assert clean_boxes([[-5, 5, 500, 20]], None) == ([[-5, 5, 500, 20]], [])
