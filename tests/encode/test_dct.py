import numpy as np
import pytest
from pydantic import ValidationError
from scipy.fft import dctn

from latentmap.encode.encoder import ENCODERS
from latentmap.encode.encoders.dct import CHANNELS, FROM_RGB


@pytest.fixture
def encoder():
    return ENCODERS.create("dct", {"size": 32})


def test_a_constant_image_has_only_its_mean(encoder):
    (latent,) = encoder.encode([np.full((32, 32, 3), 255, np.uint8)])
    assert latent.shape == (16, 4, 4)
    assert latent.dtype == np.float32
    np.testing.assert_allclose(latent[0], 8, rtol=1e-6)
    np.testing.assert_allclose(latent[1:], 0, atol=1e-4)


def test_a_cosine_along_x_is_in_one_channel(encoder):
    wave = np.cos((2 * np.arange(32) + 1) * 2 * np.pi / 16)
    pixels = np.rint((wave * 100 + 127.5)[None, :, None].repeat(32, 0).repeat(3, 2))
    (latent,) = encoder.encode([pixels.astype(np.uint8)])
    channel = CHANNELS.index(("Y", 0, 2))
    # A cosine of amplitude a has the coefficient a * sqrt(8) * sqrt(8 / 2) in an 8 x 8 block.
    np.testing.assert_allclose(latent[channel], 100 / 127.5 * np.sqrt(32), rtol=0.01)
    np.testing.assert_allclose(np.delete(latent, channel, axis=0), 0, atol=0.05)


def test_pure_chroma_is_in_its_own_channel(encoder):
    pixels = np.zeros((32, 32, 3), np.uint8)
    pixels[:] = (255, 0, 0)
    (latent,) = encoder.encode([pixels])
    red = np.array([1, -1, -1])
    for plane in ("Y", "Cb", "Cr"):
        expected = 8 * np.dot(FROM_RGB[plane], red)
        np.testing.assert_allclose(latent[CHANNELS.index((plane, 0, 0))], expected, rtol=1e-5)


def test_every_channel_is_the_coefficient_it_names(encoder):
    batch = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    latents = encoder.encode(list(batch))
    planes = {name: batch / 127.5 @ weights - sum(weights) for name, weights in FROM_RGB.items()}
    for channel, (plane, row, column) in enumerate(CHANNELS):
        blocks = planes[plane].reshape(3, 4, 8, 4, 8)
        expected = dctn(blocks, axes=(2, 4), norm="ortho")[:, :, row, :, column]
        np.testing.assert_allclose(latents[:, channel], expected, atol=1e-4)


def test_zigzag_takes_the_lowest_frequencies():
    luma = {(row, column) for plane, row, column in CHANNELS if plane == "Y"}
    assert luma == {(row, column) for row in range(4) for column in range(4) if row + column < 4}
    assert len(set(CHANNELS)) == 16


def test_a_size_that_is_no_multiple_of_the_block_is_refused():
    with pytest.raises(ValidationError, match="multiple of 8"):
        ENCODERS.create("dct", {"size": 100})
