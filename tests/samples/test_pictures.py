"""A picture of any kind is seen as its values say; one that shows nothing is set aside."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latentmap.samples.clean import Cleaner
from latentmap.samples.faults import FaultError
from latentmap.samples.pictures import open_picture, picture_suffixes

CASES = Path(__file__).parents[3] / "shared" / "cases"


def encoded(image, form="TIFF", **options):
    data = io.BytesIO()
    image.save(data, form, **options)
    return data.getvalue()


def grey(values, dtype, form="TIFF"):
    return encoded(Image.fromarray(np.array([values], dtype)), form)


def seen(data):
    """The grey levels of the first row of a picture."""
    pixels = np.asarray(open_picture(data).image)
    assert pixels.ndim == 3 and (pixels == pixels[..., :1]).all()
    return pixels[0, :, 0].tolist()


def deep_png(pixels, color):
    """A PNG file of 16 bits a channel, which Pillow cannot write: (H, W, channels)."""
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    head = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], 16, color, 0, 0, 0)
    parts = [(b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in parts
    )


@pytest.mark.parametrize(
    ("values", "dtype", "levels", "span"),
    [
        ([0, 257, 51400, 65535], np.uint16, [0, 1, 200, 255], None),
        ([0, 2048, 4095], np.uint16, [0, 128, 255], "a scale of 0 to 4095"),
        ([0, 1, 200, 255], np.uint16, [0, 1, 200, 255], "a scale of 0 to 255"),
        ([3, 100, 245], np.int32, [3, 100, 245], "a scale of 0 to 255"),
        ([-1000, 0, 1000], np.int32, [0, 128, 255], "its own scale of -1000 to 1000"),
        ([100_000, 200_000, 300_000], np.int32, [0, 128, 255], "its own scale of 100000 to 300000"),
        ([70_000, 70_000], np.int32, [0, 0], "its own scale of 70000 to 70000"),
        ([0, 0.2, 1], np.float32, [0, 51, 255], None),
        ([-1, 0.6, 1], np.float32, [0, 204, 255], "a scale of -1 to 1"),
        ([0, 12.4, 200], np.float32, [0, 12, 200], "a scale of 0 to 255"),
        ([0, 13107, 60000], np.float32, [0, 51, 233], "a scale of 0 to 65535"),
        ([0.5, np.nan, np.inf, -np.inf], np.float32, [128, 0, 255, 0], None),
    ],
)
def test_values_that_are_no_bytes_are_shown_by_their_range(values, dtype, levels, span):
    data = grey(values, dtype)
    assert seen(data) == levels
    assert open_picture(data).note == (span and f"its grey values are shown on {span}")


def test_both_orders_of_bytes_are_the_same():
    values = np.array([[0, 2048, 4095]], np.uint16)
    big = Image.frombytes("I;16B", (3, 1), values.astype(">u2").tobytes())
    assert seen(encoded(big)) == seen(grey(values[0], np.uint16)) == [0, 128, 255]
    assert seen(deep_png(values[..., None], 0)) == [0, 128, 255]


def test_negatives_are_seen_as_they_are_meant():
    for values, dtype in (([0, 2048, 4095], np.uint16), ([0, 0.5, 1], np.float32)):
        image = Image.fromarray(np.array([values], dtype))
        assert seen(encoded(image, tiffinfo={262: 0})) == [255, 127, 0]


@pytest.mark.parametrize("color", [2, 4, 6], ids=["RGB", "LA", "RGBA"])
def test_colours_of_16_bits_are_seen_or_set_aside_where_the_lower_bits_are_all(color):
    channels = {2: 3, 4: 2, 6: 4}[color]
    pixels = np.full((2, 2, channels), 65535)
    pixels[..., : channels - (color != 2)] = 51400
    assert open_picture(deep_png(pixels, color)).image.getpixel((0, 0)) == (200, 200, 200)
    pixels[..., : channels - (color != 2)] = 4095
    with pytest.raises(FaultError, match="colours of 16 bits"):
        open_picture(deep_png(pixels, color))


def test_a_picture_without_a_finite_value_is_set_aside():
    with pytest.raises(FaultError, match="no value but NaN and infinity"):
        open_picture(grey([np.nan, np.inf], np.float32))


def palette(**options):
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 200, 100, 50])
    image.putpixel((1, 0), 1)
    return encoded(image, "PNG", **options)


def film(form):
    frames = [Image.new("RGB", (2, 1), color) for color in ((200, 100, 50), "blue", "white")]
    options = {"lossless": True} if form == "WEBP" else {}
    return encoded(frames[0], form, save_all=True, append_images=frames[1:], **options)


@pytest.mark.parametrize(
    ("data", "pixel"),
    [
        (encoded(Image.new("1", (2, 1), 1), "PNG"), (255, 255, 255)),
        (encoded(Image.new("1", (2, 1), 0)), (0, 0, 0)),
        (encoded(Image.new("LA", (2, 1), (0, 51)), "PNG"), (204, 204, 204)),
        (encoded(Image.new("RGBA", (2, 1), (255, 0, 0, 51)), "PNG"), (255, 204, 204)),
        (encoded(Image.new("RGB", (2, 1), (9, 8, 7)), "PNG", transparency=(9, 8, 7)), (255,) * 3),
        (encoded(Image.new("L", (2, 1), 7), "PNG", transparency=7), (255, 255, 255)),
        (palette(), (200, 100, 50)),
        (palette(transparency=1), (255, 255, 255)),
        (palette(transparency=bytes([255, 51])), (244, 224, 214)),
        (encoded(Image.new("CMYK", (2, 1), (0, 255, 255, 0))), (255, 0, 0)),
        (encoded(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG", quality=99), (254, 0, 0)),
        (film("GIF"), (200, 100, 50)),
        (film("PNG"), (200, 100, 50)),
        (film("WEBP"), (200, 100, 50)),
        (film("TIFF"), (200, 100, 50)),
    ],
)
def test_every_mode_is_seen_in_its_colours(data, pixel):
    image = open_picture(data).image
    assert image.mode == "RGB"
    np.testing.assert_allclose(image.getpixel((1, 0)), pixel, atol=1)


@pytest.mark.parametrize(
    "data", [b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", b"no image"]
)
def test_what_is_no_picture_is_set_aside_and_never_run(data):
    with pytest.raises(FaultError, match=r"cannot be decoded \(unknown format\)"):
        open_picture(data)


def test_suffixes_are_those_that_pillow_can_open():
    assert {".jfif", ".jpe", ".avif", ".webp", ".tif", ".pgm", ".mpo", ".tga"} <= picture_suffixes()
    assert not {".heic", ".eps", ".pdf", ".mpg", ".h5", ".emf", ".txt"} & picture_suffixes()


@pytest.mark.skipif(not CASES.is_dir(), reason="needs the cases beside the project")
def test_no_picture_of_more_than_8_bits_is_black():
    folder = CASES / "float_and_int32_tiff_go_black" / "images"
    pictures = [path.read_bytes() for path in sorted(folder.glob("*/*"))]
    brightest = [np.asarray(open_picture(data).image).max() for data in pictures]
    assert brightest == [245, 245, 244, 245]
    sample = {"id": "a", "label": "x", "text": None, "boxes": None, "image": pictures[2]}
    assert Cleaner().clean(sample).notes == ["its grey values are shown on a scale of 0 to 4095"]
