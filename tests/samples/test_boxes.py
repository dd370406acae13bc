"""Boxes: unit and layout are told from all of a source, and only what is certain is repaired."""

import io
from itertools import product
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from latentmap.errors import LatentmapError
from latentmap.samples.boxes import (
    BoxFormat,
    BoxOptions,
    all_boxes,
    box_remarks,
    clean_boxes,
    judge_boxes,
)
from latentmap.samples.faults import FaultError
from latentmap.samples.ingest import ingest_shard
from latentmap.samples.pictures import picture_size
from latentmap.samples.plan import SEALED, Limit, list_rows, plan_shards
from latentmap.samples.source import SOURCES

SHARED = Path(__file__).parents[3] / "shared"
CASES, RELATIONS = SHARED / "cases", SHARED / "data" / "coco-relations"

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


def source_of(path, given, **options):
    """A table of one row for each list of boxes, all of one picture of 40x30."""
    data = io.BytesIO()
    Image.new("RGB", (40, 30)).save(data, "PNG")
    rows = [
        {"id": f"{n}", "label": "x", "bbox": found, "image": data.getvalue()}
        for n, found in enumerate(given)
    ]
    pq.write_table(pa.Table.from_pylist(rows), path)
    columns = {"id": "id", "label": "label", "source_group": None, "text": None, "image": "image"}
    return SOURCES.create("hub", {"input": str(path), "columns": columns, **options})


def planned(source):
    """The shards of a source, and the boxes of their samples."""
    shards = plan_shards(list_rows({"s": source}, Limit()), 4, pl.DataFrame(schema=SEALED))
    made = [ingest_shard(source, shard, {}) for shard in shards]
    return shards, [boxes for part in made for boxes in part.samples["boxes"].to_pylist()]


def test_a_whole_source_is_judged_and_every_shard_told(tmp_path):
    fractions = [[[0.1, 0.2, 0.5, 0.6]], [], [[0.25, 0.5, 1, 1], [0, 0, 0.5, 0.5]]] * 2
    shards, boxes = planned(source_of(tmp_path / "q.parquet", fractions))
    assert {shard.boxes for shard in shards} == {BoxFormat("fractions", "xyxy")}
    assert boxes[:3] == [[[4, 6, 20, 18]], [], [[10, 15, 40, 30], [0, 0, 20, 15]]]
    [remark] = box_remarks(shards[0].boxes, 6)
    assert remark.in_short().startswith(
        "boxes of samples: read as fractions of the image, corners (x0, y0, x1, y1). Set 'boxes' to"
    )
    assert box_remarks(BoxFormat(), 6) == []
    # What is said is not judged, and makes the same samples.
    said = source_of(tmp_path / "q.parquet", fractions, boxes={"unit": "fractions"})
    assert planned(said)[0] == shards
    # Rows without boxes do not depend on how others have them.
    corners = source_of(tmp_path / "q.parquet", fractions, boxes={"layout": "cxcywh"})
    other, _ = planned(corners)
    same = [a == b for a, b in zip(other[0].digests, shards[0].digests, strict=True)]
    assert same == [False, True, False, False]


def test_corner_and_size_are_told_by_the_sizes_of_images(tmp_path):
    sized = [[[20, 10, 12, 8]], [[2, 3, 30, 20]], [[30, 5, 10, 25]], [[5, 20, 3, 10]]]
    shards, boxes = planned(source_of(tmp_path / "q.parquet", sized))
    assert shards[0].boxes == ("pixels", "xywh")
    assert boxes == [[[20, 10, 32, 18]], [[2, 3, 32, 23]], [[30, 5, 40, 30]], [[5, 20, 8, 30]]]
    unclear = source_of(tmp_path / "q.parquet", [[[0.5, 0.5, 0.2, 0.1]]] * 2)
    with pytest.raises(LatentmapError, match=r"q\.parquet: It cannot be told how boxes are given"):
        planned(unclear)


@pytest.mark.skipif(not CASES.is_dir(), reason="needs the cases beside the project")
@pytest.mark.parametrize(
    ("case", "given", "boxes"),
    [
        ("boxes_normalised", ("fractions", "xyxy"), [[10, 16, 50, 48], [30, 24, 90, 72]]),
        ("boxes_xywh_coco", ("pixels", "xywh"), [[60, 50, 90, 70]]),
    ],
)
def test_cases_of_boxes(case, given, boxes):
    source = SOURCES.create("hub", {"input": str(CASES / case / "q.parquet")})
    shards, found = planned(source)
    assert {shard.boxes for shard in shards} == {given}
    np.testing.assert_allclose(found, [boxes] * 6)


@pytest.mark.skipif(not RELATIONS.exists(), reason="no shared data")
def test_25_boxes_of_photographs_suffice():
    source = SOURCES.create("hub", {"input": str(RELATIONS / "embedded.parquet")})
    raw = source.read(range(160))
    found = [all_boxes([boxes]) for boxes in raw["boxes"].to_pylist()]
    pictures = [picture_size(image) for image in raw["image"].to_pylist()]
    sizes = np.repeat(np.array(pictures, float), [len(boxes) for boxes in found], axis=0)
    boxes = np.concatenate(found) / np.tile(sizes, 2)
    random = np.random.default_rng(0)
    for layout, unit in product(("xyxy", "xywh", "cxcywh"), ("pixels", "fractions")):
        written = given_as(boxes, layout, "fractions")
        written = written * np.tile(sizes, 2) if unit == "pixels" else written
        for _ in range(50):
            drawn = random.choice(len(boxes), 25, replace=False)
            samples = written[drawn], sizes[drawn]
            assert judge_boxes(samples[0], BoxOptions(), lambda s=samples: s) == (unit, layout)
