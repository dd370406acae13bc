import io
from itertools import combinations

import numpy as np
import pytest
from PIL import Image

from latentmap.draw.boxes import (
    DrawOptions,
    decode,
    draw_boxes,
    place_labels,
    regions,
    show,
)
from latentmap.draw.colors import OKABE_ITO
from latentmap.errors import LatentmapError

OPTIONS = DrawOptions()


def encoded(image: Image.Image, form: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def sample(image: bytes | None, boxes=()) -> dict:
    return {"id": "s1", "image": image, "boxes": list(boxes)}


def rgb(color: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(color[1:]))


def random_boxes(seed: int, count: int, size: tuple[int, int]) -> list[list[float]]:
    random = np.random.default_rng(seed)
    starts = random.uniform(0, 0.8, (count, 2))
    stops = starts + random.uniform(0.05, 1, (count, 2)) * (1 - starts)
    return (np.hstack([starts, stops]) * (size * 2)).tolist()


def overlap(first, second) -> bool:
    return all(first[a] < second[a + 2] and second[a] < first[a + 2] for a in (0, 1))


@pytest.mark.parametrize("size", [(640, 480), (480, 640), (200, 160), (1600, 300)])
@pytest.mark.parametrize("count", [1, 2, 3, 5])
@pytest.mark.parametrize("seed", range(4))
def test_every_label_is_inside_and_alone(size, count, seed):
    found = regions(random_boxes(seed, count, size), size, OPTIONS)
    labels = place_labels(found, size, OPTIONS)
    assert [label.text for label in labels] == [region.label for region in found]
    for label in labels:
        x0, y0, x1, y1 = label.area
        assert 0 <= x0 < x1 <= size[0]
        assert 0 <= y0 < y1 <= size[1]
    assert not any(overlap(a.area, b.area) for a, b in combinations(labels, 2))


def test_a_crowd_of_labels_at_one_place_does_not_overlap():
    size = (320, 240)
    boxes = [[100 + i, 100 + i, 180 + i, 160 + i] for i in range(12)]
    labels = place_labels(regions(boxes, size, OPTIONS), size, OPTIONS)
    assert len(labels) == 12
    assert not any(overlap(a.area, b.area) for a, b in combinations(labels, 2))


def test_only_lines_and_labels_change_and_the_text_lies_in_its_area():
    image = Image.fromarray(
        np.random.default_rng(0).integers(0, 256, (240, 320, 3), dtype=np.uint8)
    )
    boxes = [[20, 30, 120, 200], [150.4, 90.2, 300.1, 220.7]]
    drawn = np.asarray(draw_boxes(image, boxes, OPTIONS))
    width = round(OPTIONS.line_width * 240)
    changeable = np.zeros((240, 320), bool)
    found = regions(boxes, image.size, OPTIONS)
    for region in found:
        x0, y0, x1, y1 = region.box
        changeable[y0:y1, x0:x1] = True
        changeable[y0 + width : y1 - width, x0 + width : x1 - width] = False
    for label in place_labels(found, image.size, OPTIONS):
        x0, y0, x1, y1 = label.area
        changeable[y0:y1, x0:x1] = True
        assert (drawn[y0:y1, x0:x1] == rgb(label.color)).all(axis=-1).mean() > 0.4
        assert len(np.unique(drawn[y0:y1, x0:x1].reshape(-1, 3), axis=0)) > 2
    assert (drawn[~changeable] == np.asarray(image)[~changeable]).all()


def test_the_edge_of_a_box_has_its_colour():
    drawn = draw_boxes(
        Image.new("RGB", (400, 300), "gray"), [[50, 60, 250, 200], [10, 90, 90, 280]], OPTIONS
    )
    assert drawn.getpixel((249, 199)) == rgb(OKABE_ITO[0])
    assert drawn.getpixel((250, 200)) == (128, 128, 128)
    assert drawn.getpixel((10, 200)) == rgb(OKABE_ITO[1])


def test_lines_and_labels_scale_with_the_image():
    def line_and_font(side: int) -> tuple[int, int]:
        boxes = [[side * f for f in (0.2, 0.3, 0.8, 0.9)]]
        drawn = np.asarray(draw_boxes(Image.new("RGB", (side, side)), boxes, OPTIONS))
        row = (drawn[side * 6 // 10, : side // 2] == rgb(OKABE_ITO[0])).all(axis=-1)
        labels = place_labels(regions(boxes, (side, side), OPTIONS), (side, side), OPTIONS)
        return int(row.sum()), labels[0].font_size

    small, large = line_and_font(500), line_and_font(1000)
    assert small == (4, 22)
    assert large == (8, 45)


def test_identical_boxes_are_drawn_once_and_later_boxes_keep_their_colour():
    found = regions([[10, 10, 50, 50], [10, 10, 50, 50], [60, 10, 90, 50]], (100, 100), OPTIONS)
    assert [(region.label, region.color) for region in found] == [
        ("Region [0] [1]", OKABE_ITO[0]),
        ("Region [2]", OKABE_ITO[2]),
    ]


def test_colours_start_again_when_they_run_out():
    boxes = [[i, i, i + 5, i + 5] for i in range(len(OKABE_ITO) + 1)]
    found = regions(boxes, (100, 100), OPTIONS)
    assert found[len(OKABE_ITO)].color == OKABE_ITO[0]


@pytest.mark.parametrize("size", [(16, 16), (1, 1), (3, 200), (24, 24)])
def test_tiny_images_keep_their_size_and_show_their_boxes(size):
    drawn = draw_boxes(Image.new("RGB", size), [[0, 0, *size], [2, 2, 9, 9]], OPTIONS)
    assert drawn.size == size
    assert np.asarray(drawn).any()


def test_labels_shrink_on_small_images():
    (label,) = place_labels(regions([[4, 4, 40, 30]], (64, 64), OPTIONS), (64, 64), OPTIONS)
    assert label.text == "Region [0]"
    assert label.font_size == 6


def test_drawing_is_deterministic_and_leaves_its_input_alone():
    image = Image.new("RGB", (200, 150), "white")
    boxes = random_boxes(3, 4, image.size)
    first, second = (draw_boxes(image, boxes, OPTIONS).tobytes() for _ in range(2))
    assert first == second
    assert image.getextrema() == ((255, 255),) * 3


def test_variants():
    image = Image.new("RGB", (80, 60), "white")
    given = sample(encoded(image), [[10, 10, 60, 50]])
    assert show(given, "plain", OPTIONS).tobytes() == image.tobytes()
    boxes = show(given, "boxes", OPTIONS)
    assert boxes.tobytes() == draw_boxes(image, given["boxes"], OPTIONS).tobytes()
    assert boxes.tobytes() != image.tobytes()
    with pytest.raises(LatentmapError, match=r"Unknown variant 'box'.*plain, boxes"):
        show(given, "box", OPTIONS)


def test_a_sample_without_boxes_is_shown_plain():
    image = Image.new("RGB", (80, 60), "white")
    given = {**sample(encoded(image)), "boxes": None}
    assert show(given, "boxes", OPTIONS).tobytes() == image.tobytes()


def test_no_image_or_a_broken_one_is_named():
    with pytest.raises(LatentmapError, match="'s1' has no image"):
        show(sample(None), "plain", OPTIONS)
    data = encoded(Image.effect_noise((90, 90), 50).convert("RGB"), "JPEG")
    for broken in (b"", b"no image", data[: len(data) // 2]):
        with pytest.raises(LatentmapError, match=r"'s1' cannot be read"):
            show(sample(broken), "plain", OPTIONS)


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (Image.new("L", (4, 4), 100), (100, 100, 100)),
        (Image.new("1", (4, 4), 1), (255, 255, 255)),
        (Image.new("RGBA", (4, 4), (255, 0, 0, 0)), (255, 255, 255)),
        (Image.new("RGBA", (4, 4), (10, 20, 30, 255)), (10, 20, 30)),
        (Image.new("LA", (4, 4), (0, 0)), (255, 255, 255)),
        (Image.new("RGB", (4, 4), (10, 200, 30)).quantize(4), (10, 200, 30)),
        (Image.fromarray(np.full((4, 4), 0x8034, np.uint16)), (0x80, 0x80, 0x80)),
    ],
    ids=["L", "1", "transparent", "RGBA", "LA", "P", "16-bit"],
)
def test_every_mode_becomes_rgb(image, expected):
    shown = decode(sample(encoded(image)))
    assert shown.mode == "RGB"
    assert shown.getpixel((2, 2)) == expected


def test_cmyk_becomes_rgb():
    shown = decode(sample(encoded(Image.new("CMYK", (8, 8), (0, 0, 0, 255)), "JPEG")))
    assert max(shown.getpixel((4, 4))) < 8


def test_an_exif_orientation_is_not_applied():
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encoded(Image.new("RGB", (40, 20)), "JPEG", exif=exif)
    assert decode(sample(data)).size == (40, 20)
