import io
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from PIL import Image

from latentmap.samples.questions import CATEGORIES
from latentmap.samples.rendering import PROFILES, Backdrop, Camera, Scene, Solid, render
from latentmap.samples.scenery import Thing
from latentmap.samples.source import RAW_SCHEMA, SOURCES, Source
from latentmap.samples.sources import scenes as module

BENCHMARK = Path(__file__).parents[3] / "shared" / "data" / "coco-relations" / "qa.parquet"

CAMERA = Camera(256, 192, horizon=64, focal=200)
BLACK = Backdrop(
    "bare", "bare", ((0, 0, 0),) * 2, ((0, 0, 0),) * 2, depth=10, unit=1, grain=0, seed=0
)
WHITE_BALL = Solid(
    "ball", "plain", (1, 1, 1), (1, 1, 1), across=0, depth=4, altitude=0, width=1, height=1
)


def scenes(**options: object) -> Source:
    return SOURCES.create("scenes", options)


def pixels(table: pa.Table) -> np.ndarray:
    return np.stack(
        [np.asarray(Image.open(io.BytesIO(data))) for data in table["image"].to_pylist()]
    )


@pytest.fixture(scope="module")
def table() -> pa.Table:
    return scenes(images=24).read(range(96))


@pytest.fixture(scope="module")
def swapped() -> pa.Table:
    return scenes(images=80, swapped=True).read(range(80))


@pytest.mark.skipif(not BENCHMARK.exists(), reason="needs the shared data")
def test_categories_types_texts_and_boxes_are_the_benchmarks() -> None:
    theirs = {
        (row["qa_info"]["category"], row["qa_info"]["type"], row["text_q"], len(row["bbox"]))
        for row in pl.read_parquet(BENCHMARK).to_dicts()
    }
    ours = {
        (label, category.type, category.text, category.regions)
        for label, category in CATEGORIES.items()
    }
    assert ours == theirs


def test_every_category_is_asked_equally_often() -> None:
    counts = Counter(scenes(images=48, questions=4).index()["label"])
    assert set(counts) == set(CATEGORIES)
    assert set(counts.values()) == {48 * 4 / 24}


def test_read_matches_index_and_schema(table: pa.Table) -> None:
    index = scenes(images=24).index()
    assert table["id"].to_pylist() == index["id"].to_list()
    assert table["label"].to_pylist() == index["label"].to_list()
    assert table.schema.names[: len(RAW_SCHEMA)] == RAW_SCHEMA.names
    assert table.schema.types[: len(RAW_SCHEMA)] == RAW_SCHEMA.types
    assert index["id"].is_unique().all() and index["digest"].is_unique().all()


def test_rows_are_the_same_bytes_in_any_order(table: pa.Table) -> None:
    rows = [17, 3, 40, 2]
    assert scenes(images=24).read(rows).equals(table.take(rows))


def test_more_images_leave_the_first_ones_as_they_are() -> None:
    few, more = scenes(images=5).index(), scenes(images=11).index()
    assert more.head(20).equals(few)


@pytest.mark.parametrize("change", [{"seed": 1}, {"questions": 3}, {"swapped": True}])
def test_digests_depend_on_every_option(change: dict[str, object]) -> None:
    before, after = (scenes(images=6, **options).index()["digest"] for options in ({}, change))
    assert not set(before) & set(after)


def test_questions_share_an_image_that_is_rendered_once(
    table: pa.Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = table.group_by("source_group").aggregate([("image", "count_distinct")])
    assert images["image_count_distinct"].to_pylist() == [1] * 24

    rendered = []
    monkeypatch.setattr(module, "render", lambda scene: rendered.append(scene) or render(scene))
    scenes(images=3).read([0, 1, 5, 2])
    assert len(rendered) == 2


def test_boxes_lie_inside_the_image_and_images_vary(table: pa.Table) -> None:
    sizes = set()
    for data, boxes in zip(table["image"].to_pylist(), table["boxes"].to_pylist(), strict=True):
        width, height = Image.open(io.BytesIO(data)).size
        sizes.add((width, height))
        for x0, y0, x1, y1 in boxes:
            assert 0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height
    assert len(sizes) > 1


# What each label says about the two boxes alone.
SEEN = {
    "left": lambda a, b: a[2] <= b[0],
    "right": lambda a, b: a[0] >= b[2],
    "above": lambda a, b: a[3] <= b[1],
    "below": lambda a, b: a[1] >= b[3],
    "behind": lambda a, b: a[3] < b[3],
    "front": lambda a, b: a[3] > b[3],
    "tall": lambda a, b: a[3] - a[1] > 1.25 * (b[3] - b[1]),
    "short": lambda a, b: b[3] - b[1] > 1.25 * (a[3] - a[1]),
    "wide": lambda a, b: a[2] - a[0] > 1.25 * (b[2] - b[0]),
    "thin": lambda a, b: b[2] - b[0] > 1.25 * (a[2] - a[0]),
    "big": lambda a, b: (a[2] - a[0]) * (a[3] - a[1]) > 1.5 * (b[2] - b[0]) * (b[3] - b[1]),
    "small": lambda a, b: (b[2] - b[0]) * (b[3] - b[1]) > 1.5 * (a[2] - a[0]) * (a[3] - a[1]),
}


def test_labels_are_true_of_the_boxes(table: pa.Table) -> None:
    checked = Counter()
    for label, boxes in zip(table["label"].to_pylist(), table["boxes"].to_pylist(), strict=True):
        word, _, kind = label.partition("_")
        assert len(boxes) == (1 if label in ("height_data", "width_data") else 2)
        if kind in ("predicate", "choice"):
            assert SEEN[word](*boxes), (label, boxes)
            checked[word] += 1
    assert set(checked) == set(SEEN)


@pytest.mark.parametrize("shape", PROFILES)
def test_boxes_frame_what_is_drawn(shape: str) -> None:
    solid = replace(WHITE_BALL, shape=shape, across=0.3, width=0.8, height=1.1)
    seen = render(Scene(CAMERA, BLACK, (solid,), light=0.5)).max(axis=2) > 8
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    frame = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
    assert np.abs(np.subtract(frame, solid.box(CAMERA))).max() <= 1.5


def test_sizes_follow_the_pinhole_model() -> None:
    x0, y0, x1, y1 = replace(WHITE_BALL, across=1, altitude=0.2).box(CAMERA)
    assert (x1 - x0, y1 - y0) == (50, 50)
    assert ((x0 + x1) / 2, y1) == (128 + 200 * 1 / 4, 64 + 200 * (1.6 - 0.2) / 4)


def test_the_nearer_thing_hides_the_farther() -> None:
    near = replace(WHITE_BALL, colour=(1, 0, 0), width=1.4, height=1.4)
    far = replace(WHITE_BALL, colour=(0, 0, 1), depth=8)
    picture = render(Scene(CAMERA, BLACK, (near, far), light=0.5))
    alone = render(Scene(CAMERA, BLACK, (far,), light=0.5))
    x0, y0, x1, y1 = far.box(CAMERA)
    middle = round((y0 + y1) / 2), round((x0 + x1) / 2)
    assert alone[middle][2] > 100 > alone[middle][0]
    assert picture[middle][0] > 100 > picture[middle][2]


def test_quantities_are_those_of_the_scene() -> None:
    def thing(across: float, depth: float, altitude: float = 0) -> Thing:
        solid = replace(WHITE_BALL, across=across, depth=depth, altitude=altitude)
        return Thing("white ball", solid, solid.box(CAMERA))

    def answer(label: str, a: Thing, b: Thing) -> str:
        return CATEGORIES[label].answer(a, b)

    here, right, behind = thing(0, 4), thing(3, 4), thing(0, 8)
    assert answer("direction", here, right) == "3 o'clock"
    assert answer("direction", right, here) == "9 o'clock"
    assert answer("direction", here, behind) == "12 o'clock"
    assert answer("direction", behind, here) == "6 o'clock"
    assert answer("distance_data", right, behind) == "5.00 meters"
    assert answer("horizontal_distance_data", here, thing(3, 4, altitude=2)) == "3.00 meters"
    assert answer("vertical_distance_data", here, thing(3, 4, altitude=2)) == "2.00 meters"
    assert answer("height_data", here, here) == "1.00 meters"


def test_swapped_pairs_ask_left_and_right_of_the_same_two_things(swapped: pa.Table) -> None:
    labels = np.array(swapped["label"].to_pylist()).reshape(-1, 2)
    groups = np.array(swapped["source_group"].to_pylist()).reshape(-1, 2)
    assert {frozenset(pair) for pair in labels.tolist()} == {
        frozenset(("left_predicate", "right_predicate"))
    }
    assert (groups[:, 0] == groups[:, 1]).all() and len(set(groups[:, 0])) == 40
    for label, (a, b) in zip(
        swapped["label"].to_pylist(), swapped["boxes"].to_pylist(), strict=True
    ):
        assert SEEN[label.partition("_")[0]](a, b)


def test_swapped_pairs_are_the_same_blocks_in_another_order(swapped: pa.Table) -> None:
    images = pixels(swapped).reshape(40, 2, 32, 8, 32, 8, 3).transpose(0, 1, 2, 4, 3, 5, 6)
    for first, second in images.reshape(40, 2, 32 * 32, 8 * 8 * 3):
        assert not np.array_equal(first, second)
        assert Counter(map(bytes, first)) == Counter(map(bytes, second))


def test_position_is_needed_to_tell_left_from_right_and_is_enough(swapped: pa.Table) -> None:
    labels = np.array(swapped["label"].to_pylist())
    groups = np.array(swapped["source_group"].to_pylist())

    def accuracy(features: np.ndarray) -> float:
        """Share of images whose nearest image of another pair has the same label."""
        vectors = features.reshape(len(features), -1)
        distances = np.square(vectors[:, None] - vectors[None]).sum(axis=2)
        distances[groups[:, None] == groups[None]] = np.inf
        return float((labels[distances.argmin(axis=1)] == labels).mean())

    images = pixels(swapped).astype(np.float64)
    assert accuracy(images.mean(axis=(1, 2))) == 0.5
    assert accuracy(images.max(axis=(1, 2))) == 0.5
    assert accuracy(images.reshape(80, 8, 32, 8, 32, 3).mean(axis=(2, 4))) > 0.9


@pytest.fixture(scope="module")
def four() -> pa.Table:
    options = {"images": 48, "swapped": "both_ways", "variations": ["background", "light"]}
    return scenes(**options).read(range(48))


def blocks(image: np.ndarray) -> Counter:
    parts = image.reshape(32, 8, 32, 8, 3).transpose(0, 2, 1, 3, 4).reshape(32 * 32, -1)
    return Counter(map(bytes, parts))


def test_both_ways_things_take_all_quarters_of_the_same_blocks(four: pa.Table) -> None:
    places = Counter()
    for images, rows in zip(
        pixels(four).reshape(12, 4, 256, 256, 3),
        np.array(four.to_pylist()).reshape(12, 4),
        strict=True,
    ):
        assert all(blocks(image) == blocks(images[0]) for image in images)
        assert len({image.tobytes() for image in images}) == 4
        seen = {(row["first_side"], row["first_level"]) for row in rows}
        assert len(seen) == 4
        for row in rows:
            (ax, ay), (bx, by) = (((x0 + x1) / 2, (y0 + y1) / 2) for x0, y0, x1, y1 in row["boxes"])
            assert row["first_side"] == ("left" if ax < bx else "right")
            assert row["first_level"] == ("above" if ay < by else "below")
            assert {(ax > 128, ay > 128), (bx > 128, by > 128)} in (
                {(False, False), (True, True)},
                {(False, True), (True, False)},
            )
        places[rows[0]["first_side"], rows[0]["first_level"]] += 1
    assert len(places) > 1, "the order of the images must not tell the places"


def test_variations_change_one_thing_and_leave_the_rest(four: pa.Table) -> None:
    images = pixels(four).reshape(4, 3, 4, 256, 256, 3).astype(int)
    rows = np.array(four.to_pylist()).reshape(4, 3, 4)
    for before, other in zip(rows[:, 0].ravel(), rows[:, 1].ravel(), strict=True):
        assert before["background"] != other["background"]
        assert {**before, "background": 0, "floor": 0} | {"id": 0, "digest": 0, "image": 0} == {
            **other,
            "background": 0,
            "floor": 0,
        } | {"id": 0, "digest": 0, "image": 0}
    for before, other in zip(rows[:, 0].ravel(), rows[:, 2].ravel(), strict=True):
        assert before["light"] == -other["light"] and before["pair"] == other["pair"]
        assert before["boxes"] == other["boxes"]
    assert len(set(four["pair"].to_pylist())) == 4
    assert four["pair"].to_pylist() == four["source_group"].to_pylist()
    assert (images[:, 0][:, :, :8, :8] != images[:, 1][:, :, :8, :8]).any()
    assert np.array_equal(images[:, 0][:, :, :8, :8], images[:, 2][:, :, :8, :8])


def test_variations_are_of_swapped_images() -> None:
    with pytest.raises(ValueError, match="variations are of swapped images; set 'swapped'"):
        scenes(variations=["light"])


def test_the_first_sets_are_the_same_with_variations(swapped: pa.Table) -> None:
    varied = scenes(images=8, swapped=True, variations=["light"]).read(range(8))
    assert varied["image"].to_pylist()[:2] == swapped["image"].to_pylist()[:2]
    assert varied["image"].to_pylist()[4:6] == swapped["image"].to_pylist()[2:4]


def test_truth_is_seen_in_the_picture(table: pa.Table, swapped: pa.Table) -> None:
    lit = 0
    for row in swapped.to_pylist():
        image = np.asarray(Image.open(io.BytesIO(row["image"]))).astype(int)
        for number, thing in enumerate(("first", "second")):
            x0, y0, x1, y1 = (round(edge) for edge in row["boxes"][number])
            red, _, blue = image[(y0 + y1) // 2, (x0 + x1) // 2]
            warm = row[f"{thing}_colour"] in ("red", "orange", "yellow", "pink")
            assert warm == (thing == "first")
            if row[f"{thing}_colour"] not in ("green", "purple"):
                assert (red > blue) == warm
            if row[f"{thing}_shape"] == "ball" and row[f"{thing}_material"] == "plain":
                inside = image[y0:y1, x0:x1].sum(axis=2)[(y1 - y0) // 3 : (y1 - y0) * 2 // 3]
                left, right = inside[:, : (x1 - x0) // 2].mean(), inside[:, (x1 - x0) // 2 :].mean()
                assert row["light_from"] == ("left" if left > right else "right")
                lit += 1
    assert lit > 3
    for row in table.to_pylist():
        width, height = Image.open(io.BytesIO(row["image"])).size
        metre = 0.95 * max(width, height)
        for thing, (x0, y0, x1, y1) in zip(("first", "second"), row["boxes"], strict=False):
            depth = row[f"{thing}_depth"]
            assert x1 - x0 == pytest.approx(metre * row[f"{thing}_width"] / depth, abs=0.2)
            assert y1 - y0 == pytest.approx(metre * row[f"{thing}_height"] / depth, abs=0.2)
            assert (x0 + x1 - width) / 2 == pytest.approx(
                metre * row[f"{thing}_across"] / depth, abs=0.6
            )
            assert row["objects"][("first", "second").index(thing)] == (
                f"{row[f'{thing}_colour']} {row[f'{thing}_shape']}"
            )
        if len(row["boxes"]) == 1:
            assert row["second_colour"] is row["nearer"] is row["first_side"] is None
        elif row["first_altitude"] == row["second_altitude"] == 0:
            lower = "first" if row["boxes"][0][3] > row["boxes"][1][3] else "second"
            assert row["boxes"][0][3] == row["boxes"][1][3] or row["nearer"] == lower
    assert set(table["pair"].to_pylist()) == {None}
