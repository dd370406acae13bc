import io

import numpy as np
import pytest
from PIL import Image, ImageFile

from latentmap.samples.clean import Cleaner
from latentmap.samples.faults import FaultError
from latentmap.samples.pictures import open_picture


def encoded(size=(40, 30), form="PNG", **options):
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), np.uint8)
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, form, **options)
    return data.getvalue()


def sample(**change):
    return {"id": "a", "label": "x", "text": None, "boxes": None, "image": encoded()} | change


def reason(**change):
    with pytest.raises(FaultError) as caught:
        Cleaner().clean(sample(**change))
    assert caught.value.remedy
    return caught.value.reason


def test_a_good_sample_passes_unchanged():
    clean = Cleaner().clean(sample(boxes=[[1.5, 2, 3, 4], [0, 0, 40, 30]]))
    assert clean.size == (40, 30)
    assert clean.boxes == [[1.5, 2, 3, 4], [0, 0, 40, 30]]
    assert clean.repairs == []
    assert Cleaner().clean(sample()).boxes == []


@pytest.mark.parametrize("blank", [None, "", " \t\n"])
def test_blank_ids_and_labels_are_set_aside(blank):
    assert reason(id=blank) == "no id"
    assert reason(label=blank) == "empty label"


def test_a_sample_needs_image_text_or_latent():
    assert reason(image=None) == "neither image nor text"
    assert reason(image=None, text=" ") == "neither image nor text"
    assert Cleaner().clean(sample(image=None, text="hello")).size is None
    assert Cleaner().clean(sample(image=None, npz_row=0)).size is None


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF"])
def test_truncated_images_are_set_aside_though_the_switch_is_on(form, monkeypatch):
    whole = encoded(form=form)
    assert open_picture(whole).image.size == (40, 30)
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    with pytest.raises(FaultError, match="cannot be decoded"):
        open_picture(whole[: len(whole) // 2])


def test_damaged_and_missing_images_are_set_aside():
    damaged = bytearray(encoded())
    damaged[60:80] = bytes(20)
    assert "cannot be decoded" in reason(image=bytes(damaged))
    assert reason(image=b"no image at all") == "image cannot be decoded (unknown format)"
    missing = {
        "code": "no_image",
        "reason": "image is missing (file a.png)",
        "remedy": "Put it there.",
    }
    assert reason(image=None, no_image=missing, text="a question") == missing["reason"]


def test_a_sample_with_a_latent_is_shown_without_an_image_that_is_damaged():
    clean = Cleaner().clean(sample(image=b"bad", npz_row=0))
    assert clean.size is None
    assert clean.notes == ["shown without its image: image cannot be decoded (unknown format)"]
    missing = {
        "code": "no_image",
        "reason": "image is missing (file a.png)",
        "remedy": "Put it there.",
    }
    clean = Cleaner().clean(sample(image=None, no_image=missing, cache_row=0))
    assert clean.notes == ["shown without its image: image is missing (file a.png)"]


def test_decompression_bombs_are_set_aside(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 500)
    assert reason() == "image has more than 1000 pixels"


def test_the_size_is_that_of_the_stored_pixels():
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown rotated by a quarter
    assert open_picture(encoded(form="JPEG", exif=exif)).image.size == (40, 30)


def test_an_image_is_decoded_once(monkeypatch):
    from latentmap.samples import clean

    calls = []
    monkeypatch.setattr(
        clean, "open_picture", lambda data: calls.append(data) or open_picture(data)
    )
    cleaner, other = Cleaner(), encoded((20, 10))
    for image in (encoded(), encoded(), other, encoded()):
        cleaner.clean(sample(image=image))
    assert len(calls) == 2


def test_a_bad_image_is_set_aside_each_time():
    cleaner = Cleaner()
    for _ in range(2):
        with pytest.raises(FaultError, match="unknown format"):
            cleaner.clean(sample(image=b"bad"))
