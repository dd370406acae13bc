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


def test_noise_takes_the_place_of_the_picture(make_sample):
    sample = make_sample(3)

    def seen(noise, **changes):
        encoder = ENCODERS.create("dct", {"size": 64, "noise": noise})
        return encoder.prepare({**sample, **changes}, plain).astype(int)

    picture = seen(0)
    np.testing.assert_array_equal(
        picture, ENCODERS.create("dct", {"size": 64}).prepare(sample, plain)
    )
    nothing, half = seen(1), seen(0.5)
    np.testing.assert_array_equal(nothing, seen(1))
    assert np.abs(half - (picture + nothing) / 2).max() <= 0.5
    # All 256 values are as probable, whatever the picture: mean 127.5, variance (256² - 1) / 12.
    assert nothing.mean() == pytest.approx(127.5, abs=2)
    assert nothing.var() == pytest.approx((256**2 - 1) / 12, rel=0.03)
    assert abs(np.corrcoef(nothing.ravel(), picture.ravel())[0, 1]) < 0.05
    assert (nothing != seen(1, id="another")).mean() > 0.9
