"""The first analysis gave pixels of 0 to 255 to a model of -1 to 1: that must be plain to see."""

import numpy as np
import pytest

from latentmap.encode.calibration import StatedStatistics, calibrate
from latentmap.report.chart import CHARTS, Comparison
from latentmap.report.pages.summary import _alarms
from latentmap.report.provenance import UNKNOWN, commit_of

PLACE = ("vae", "plain")


def encoded(pixels):
    """Latents (n, 4, 8, 8) of a linear model with 8 x 8 patches, and what its authors state."""
    weights = np.random.default_rng(0).normal(size=(4, 3, 8, 8)) / 14
    patches = pixels.reshape(len(pixels), 3, 8, 8, 8, 8)
    return np.einsum("niyaxb,ciab->ncyx", patches, weights, optimize=True).astype(np.float32)


@pytest.fixture
def photographs():
    """(12, 3, 64, 64) pixels of 0 to 255, smooth and brighter than grey."""
    rng = np.random.default_rng(1)
    coarse = rng.uniform(40, 255, size=(12, 3, 8, 8))
    return np.kron(coarse, np.ones((8, 8)))


@pytest.fixture
def stated(photographs):
    """The statistics of latents of other photographs, in the right range."""
    latents = encoded(photographs[6:] / 127.5 - 1)
    return StatedStatistics(
        tuple(latents.mean(axis=(0, 2, 3)).tolist()), tuple(latents.std(axis=(0, 2, 3)).tolist())
    )


def test_pixels_of_0_to_255_raise_the_banner_and_correct_ones_do_not(photographs, stated):
    wrong = calibrate(encoded(photographs), stated)
    right = calibrate(encoded(photographs / 127.5 - 1), stated)
    (alarm,) = _alarms({PLACE: wrong, ("vae", "boxes"): right})
    assert alarm.startswith("vae (plain): The latents are not where the model's own are")


def test_the_chart_marks_the_channels_that_are_far_out(photographs, stated):
    shown = {}
    for name, pixels in {"wrong": photographs, "right": photographs / 127.5 - 1}.items():
        found = calibrate(encoded(pixels), stated)
        chart = CHARTS.create("calibration").build(
            Comparison((), (), {}, calibrations={PLACE: found})
        )
        (rows,) = chart.to_dict()["datasets"].values()
        np.testing.assert_allclose([row["deviations"] for row in rows], found.z)
        assert [row["model_mean"] for row in rows] == list(stated.mean)
        shown[name] = [row["far"] for row in rows]
    assert any(shown["wrong"]) and not any(shown["right"])


def test_a_model_that_states_nothing_has_no_chart(photographs):
    found = calibrate(encoded(photographs), None)
    nothing = Comparison((), (), {}, calibrations={PLACE: found})
    assert CHARTS.create("calibration").build(nothing) is None


def test_a_folder_that_is_no_checkout_has_no_commit(tmp_path):
    assert commit_of(tmp_path) == UNKNOWN
