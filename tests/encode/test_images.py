import numpy as np
import pytest

from latentmap.draw.boxes import DrawOptions, show
from latentmap.encode.encoder import ENCODERS


def plain(sample):
    return show(sample, "plain", DrawOptions())


def test_the_whole_image_is_stretched_to_the_square(make_sample):
    pixels = np.zeros((40, 80, 3), np.uint8)
    pixels[:20, :40] = (255, 0, 0)
    pixels[20:, 40:] = (0, 0, 255)
    encoder = ENCODERS.create("dct", {"size": 16, "resampling": "box"})
    seen = encoder.prepare(make_sample(pixels=pixels), plain)
    assert seen.dtype == np.uint8
    expected = np.zeros((16, 16, 3), np.uint8)
    expected[:8, :8] = (255, 0, 0)
    expected[8:, 8:] = (0, 0, 255)
    np.testing.assert_array_equal(seen, expected)


@pytest.mark.parametrize("resampling", ["nearest", "box", "bilinear", "hamming", "lanczos"])
def test_resampling_is_chosen_by_name(make_sample, resampling):
    sample = make_sample(3)
    chosen, default = (
        ENCODERS.create("dct", {"size": 16, **options}).prepare(sample, plain)
        for options in ({"resampling": resampling}, {})
    )
    assert (chosen != default).any()
    assert np.abs(chosen.astype(int) - default).mean() < 12
