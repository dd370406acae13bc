import json

import numpy as np
import pytest

from latentmap.encode.calibration import Calibration, StatedStatistics, calibrate, merge

# latents_mean and latents_std of the Wan VAE (Cosmos-Predict2), and the channel means that its
# latents had when it was fed pixels of 0..255: the first three of 16.
WAN = StatedStatistics((-0.7571, -0.7089, -0.9113), (2.8184, 1.4541, 2.3275))
SEED_MEANS = (6.3, -6.1, 4.4)


def latents(seed: int = 0, n: int = 12) -> np.ndarray:
    random = np.random.default_rng(seed)
    offsets = np.array([30, -2, 0.1])[:, None, None]
    return (random.normal(size=(n, 3, 16, 8)) * [[[1]], [[2]], [[0.5]]] + offsets).astype(
        np.float32
    )


def test_moments_are_those_of_all_values_of_a_channel():
    values = latents()
    found = calibrate(values, None)
    exact = values.astype(np.float64)
    assert found.count == 12 * 16 * 8
    np.testing.assert_allclose(found.mean, exact.mean(axis=(0, 2, 3)), rtol=1e-6)
    np.testing.assert_allclose(found.std, exact.std(axis=(0, 2, 3)), rtol=1e-5)
    assert found.z is None
    assert found.warning() is None


def test_every_entry_of_a_vector_is_a_channel():
    values = np.random.default_rng(1).normal(size=(20, 5)).astype(np.float32)
    found = calibrate(values, None)
    assert found.count == 20
    np.testing.assert_allclose(found.mean, values.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(found.std, values.std(axis=0), rtol=1e-5)


def test_parts_merge_to_the_whole():
    values = latents()
    parts = [calibrate(part, WAN) for part in (values[:1], values[1:4], values[4:])]
    merged, whole = merge(parts), calibrate(values, WAN)
    assert (merged.samples, merged.count) == (12, whole.count)
    assert merged.expected == WAN
    np.testing.assert_allclose(merged.mean, whole.mean, rtol=1e-9)
    np.testing.assert_allclose(merged.std, whole.std, rtol=1e-9)
    with pytest.raises(ValueError, match="no calibrations"):
        merge([])


def test_the_comparison_with_the_model():
    found = Calibration(10, 10, (2.0, 1.0), (3.0, 1.0), StatedStatistics((0.0, 1.0), (1.0, 4.0)))
    np.testing.assert_allclose(found.z, [2, 0])


def test_the_first_analysis_is_plainly_out_of_range():
    found = Calibration(1406, 1406, SEED_MEANS, WAN.std, WAN)
    assert found.out_of_range
    assert "2.5 (median) to 3.7 (largest) of its standard deviations" in found.warning()


def test_a_handful_of_samples_says_nothing():
    assert not Calibration(7, 7 * 4096, SEED_MEANS, WAN.std, WAN).out_of_range
    assert Calibration(8, 8 * 4096, SEED_MEANS, WAN.std, WAN).warning()


def test_a_shift_of_half_a_deviation_is_ordinary():
    mean = tuple(m + 0.5 * s for m, s in zip(WAN.mean, WAN.std, strict=True))
    assert not Calibration(1406, 1406, mean, WAN.std, WAN).out_of_range


@pytest.mark.parametrize("expected", [None, WAN])
def test_json_and_back(expected):
    found = calibrate(latents(), expected)
    assert Calibration.from_json(json.loads(json.dumps(found.to_json()))) == found
