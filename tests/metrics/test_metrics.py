"""Every metric against a closed form or scikit-learn, and where it is not defined."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest
import scipy.spatial.distance
import sklearn.metrics

from latentmap.metrics.metric import METRICS
from latentmap.metrics.metrics import silhouette
from latentmap.neighbors import distances

# Two labels on a line, centroids 1 and 9, mean 5; within 4 · 1, between 4 · 16.
LINE, SIDES = [[0.0], [2.0], [8.0], [10.0]], ["left", "left", "right", "right"]
SCIKIT = {
    "silhouette": sklearn.metrics.silhouette_score,
    "davies_bouldin": sklearn.metrics.davies_bouldin_score,
    "calinski_harabasz": sklearn.metrics.calinski_harabasz_score,
}
ALWAYS_DEFINED = {"classes", "density_classes"} | {
    m for m in METRICS if not METRICS[m].needs_labels
}


def measure(name, data, **options):
    return METRICS.create(name, options).measure(data)


def value(name, data, metric=None, **options):
    return measure(name, data, **options)[metric or name].value


def test_two_pairs_on_a_line(embed):
    data = embed(LINE, SIDES)
    assert value("f_ratio", data) == pytest.approx(64 / 4)
    assert value("calinski_harabasz", data) == pytest.approx(64 / (4 / 2))
    assert value("davies_bouldin", data) == pytest.approx((1 + 1) / 8)
    assert value("distances", data, "mean_intra_distance") == pytest.approx(1)
    assert value("distances", data, "mean_inter_distance") == pytest.approx(8)
    assert value("distances", data, "distance_ratio") == pytest.approx(8)
    outer, inner = (9 - 2) / 9, (7 - 2) / 7
    assert value("silhouette", data) == pytest.approx((outer + inner) / 2)


def test_the_f_ratio_sums_over_samples_and_dimensions(embed):
    # Labels of 3 and 1 samples: centroids (1, 0) and (5, 4), mean (2, 1).
    data = embed([[0, 0], [1, 0], [2, 0], [5, 4]], ["a", "a", "a", "b"])
    assert value("f_ratio", data) == pytest.approx((3 * 2 + 1 * 18) / 2)


def test_distances_between_centroids_average_over_pairs_of_labels(embed):
    data = embed([[0, 0], [0, 0], [3, 0], [0, 4]], ["a", "a", "b", "c"])
    assert value("distances", data, "mean_inter_distance") == pytest.approx((3 + 4 + 5) / 3)


@pytest.mark.parametrize("name", SCIKIT)
@pytest.mark.parametrize("dims", [6, 700])
def test_equals_scikit_learn(embed, clusters, name, dims):
    values, labels = clusters
    mix = np.random.default_rng(1).normal(size=(6, dims)) if dims > 6 else np.eye(6)
    values = (values @ mix + 30).astype(np.float32)
    expected = SCIKIT[name](values.astype(np.float64), labels)
    assert value(name, embed(values, labels)) == pytest.approx(expected, rel=1e-5)


def test_blocks_change_nothing(embed, clusters, monkeypatch):
    names = ("silhouette", "davies_bouldin", "f_ratio", "feature_entropy", "effective_dim")
    whole = [measure(name, embed(*clusters)) for name in names]
    monkeypatch.setattr(distances, "BLOCK", 170)
    monkeypatch.setattr("latentmap.metrics.metrics.silhouette.SHARED_ROWS", 10)
    for name, expected in zip(names, whole, strict=True):
        for metric, found in measure(name, embed(*clusters)).items():
            assert found.value == pytest.approx(expected[metric].value, rel=1e-6)


@pytest.mark.parametrize("unit", [1e-6, 1e6])
def test_the_silhouette_does_not_depend_on_the_unit(embed, clusters, unit):
    values, labels = clusters
    expected = sklearn.metrics.silhouette_score(values, labels)
    assert value("silhouette", embed(values * unit, labels)) == pytest.approx(expected, abs=1e-5)


def test_the_interval_of_the_silhouette_ends_at_the_best_there_can_be(embed):
    # Labels far apart, of which one sample lies with another's.
    rng = np.random.default_rng(0)
    labels = np.repeat(["a", "b"], 20)
    values = np.where(labels == "a", 0.0, 1e3)[:, np.newaxis] + rng.normal(size=(40, 3))
    values[0] += 900
    found = METRICS.create("silhouette").measure(embed(values, labels))["silhouette"]
    assert 0.9 < found.value < found.interval[1] <= 1


def test_the_silhouette_without_a_part_is_that_of_the_others(embed, clusters):
    """The jackknife leaves out rows without measuring anything anew: compare with doing so."""
    values, labels = clusters
    codes = np.unique(labels, return_inverse=True)[1]
    part = np.array([0, 7, 41, 50, 79])  # the last is alone with its label
    distances = scipy.spatial.distance.cdist(values, values)
    blocks = [(slice(0, 30), distances[:30]), (slice(30, 80), distances[30:])]
    whole, (without,) = silhouette._mean_silhouettes(iter(blocks), codes, [part])
    assert whole == pytest.approx(sklearn.metrics.silhouette_score(values, labels), abs=1e-6)
    rest = np.delete(values, part, axis=0), np.delete(labels, part)
    assert without == pytest.approx(sklearn.metrics.silhouette_score(*rest), abs=1e-6)


def test_the_silhouette_of_many_samples_is_that_of_a_subset(embed):
    rng = np.random.default_rng(2)
    labels = np.repeat(["a", "b"], 300)
    values = rng.normal(size=(600, 3)) + 4 * (labels == "a")[:, None]
    data = embed(values, labels)
    found = measure("silhouette", data, max_samples=200)["silhouette"]
    whole = value("silhouette", data)
    assert found.note == "Of 200 samples drawn at random."
    assert found.value == pytest.approx(whole, abs=0.05)
    assert found.value != whole
    assert measure("silhouette", data, max_samples=200)["silhouette"] == found


@pytest.mark.parametrize("extra", [0, 3000])
def test_effective_dimensions_of_known_variances(embed, extra):
    # Orthogonal columns with variances 80, 10, 5, 4, 1: shares 80, 90, 95, 99, 100 %.
    signs = np.array([[(row >> bit & 1) * 2 - 1 for bit in range(5)] for row in range(32)])
    values = np.pad(signs * np.sqrt([80, 10, 5, 4, 1]), ((0, 0), (0, extra)))
    data = embed(values + 7, np.repeat(["a", "b"], 16))
    found = {name: metric.value for name, metric in measure("effective_dim", data).items()}
    assert found == {"effective_dim_90": 2, "effective_dim_95": 3, "effective_dim_99": 4}


@pytest.mark.parametrize("offset", [0, 30])
@pytest.mark.parametrize("dims", [8, 40, 700, 3000])
def test_a_share_that_is_reached_exactly_is_not_missed_for_rounding(embed, dims, offset):
    variances = np.array([70, 20, 5, 4, 0.5, 0.3, 0.2])  # 70, 90, 95, 99, 99.5, 99.8, 100 %
    for seed in range(10):
        rng = np.random.default_rng(seed)
        scores = rng.normal(size=(60, 7))
        scores = np.linalg.qr(scores - scores.mean(axis=0))[0] * np.sqrt(variances)
        axes = np.linalg.qr(rng.normal(size=(dims, 7)))[0]
        data = embed(scores @ axes.T + offset / np.sqrt(dims), np.repeat(["a", "b"], 30))
        found = [metric.value for metric in measure("effective_dim", data).values()]
        assert found == [2, 3, 4]


def test_effective_dimensions_of_a_large_set_come_from_a_subset(embed):
    rng = np.random.default_rng(3)
    values = rng.normal(size=(90, 3)) @ rng.normal(size=(3, 80))
    data = embed(values, np.repeat(["a", "b"], 45))
    found = measure("effective_dim", data, max_size=40)["effective_dim_99"]
    assert (found.value, found.note) == (3, "Of 40 samples drawn at random.")


def test_feature_entropy_of_known_histograms(embed):
    # Four equally filled bins: 2 bits. One half in one bin: 1.5 bits. Constant: 0 bits.
    values = np.stack([[0, 1, 2, 3], [0, 0, 1, 3], [5, 5, 5, 5]], axis=1)
    data = embed(values, SIDES)
    assert value("feature_entropy", data, bins=4) == pytest.approx((2 + 1.5 + 0) / 3)


def test_feature_entropy_equals_numpy_histograms(embed, clusters):
    values, labels = clusters
    shares = [np.histogram(column, bins=50)[0] / len(column) for column in values.T]
    expected = np.mean([-(p[p > 0] * np.log2(p[p > 0])).sum() for p in shares])
    assert value("feature_entropy", embed(values, labels)) == pytest.approx(expected, rel=1e-9)


def test_sizes(embed):
    found = measure("size", embed(LINE, SIDES)) | measure("classes", embed(LINE, SIDES))
    assert [metric.value for metric in found.values()] == [4, 1, 4, 2, 2, 0.5, 0.5]


@pytest.mark.parametrize("name", sorted(set(METRICS) - ALWAYS_DEFINED))
@pytest.mark.parametrize(
    ("values", "labels", "reason"),
    [
        (np.arange(30)[:, None], ["a"] * 30, "All samples have the same label"),
        (np.arange(30)[:, None], list(range(30)), "No two samples share a label"),
        (np.full((30, 2), 0.1), ["a", "b"] * 15, "All samples have the same values"),
        ([[0.5]], ["a"], "All samples have the same label"),
    ],
)
def test_metrics_of_labels_are_undefined_with_a_reason(embed, name, values, labels, reason):
    found = measure(name, embed(values, labels))
    assert found.keys() == METRICS[name].columns.keys()
    for metric in found.values():
        assert math.isnan(metric.value)
        assert metric.note.startswith(reason)


@pytest.mark.parametrize("name", ["effective_dim", "feature_entropy"])
def test_a_constant_embedding_has_no_spectrum_and_no_histogram(embed, name):
    for metric in measure(name, embed(np.full((12, 3), 0.3), ["a", "b"] * 6)).values():
        assert math.isnan(metric.value)
        assert metric.note == "All samples have the same values."


def test_labels_without_inner_spread_have_no_ratio(embed):
    data = embed([[0.0], [0.0], [3.0], [3.0]], SIDES)
    for name, metric in (
        ("f_ratio", "f_ratio"),
        ("calinski_harabasz", "calinski_harabasz"),
        ("distances", "distance_ratio"),
    ):
        found = measure(name, data)[metric]
        assert math.isnan(found.value)
        assert found.note == "All samples of a label have the same values."
    assert value("silhouette", data) == 1


def test_labels_with_one_centroid_do_not_look_perfectly_separated(embed):
    found = measure("davies_bouldin", embed([[-1], [1], [-2], [2]], SIDES))["davies_bouldin"]
    assert math.isnan(found.value)
    data = embed([[-1], [1], [-2], [2], [9], [11]], [*SIDES, "far", "far"])
    found = measure("davies_bouldin", data)["davies_bouldin"]
    assert found.value == pytest.approx(np.mean([2 / 10, 3 / 10, 3 / 10]))
    assert found.note == "1 pairs of labels with the same centroid are left out."


@pytest.mark.parametrize("dims", [6, 100, 3000])
def test_labels_with_one_centroid_but_for_rounding_are_not_apart(embed, dims):
    # Both labels lie around one place, on axes of their own, and a third somewhere else.
    axes = np.linalg.qr(np.random.default_rng(dims).normal(size=(dims, 6)))[0].T
    places = np.concatenate([axes[:2], -axes[:2], axes[2:4], -axes[2:4], axes[4:] + 3 * axes[4]])
    labels = np.repeat(["a", "b", "far"], [4, 4, 2])
    found = measure("davies_bouldin", embed(places + 1 / dims, labels))["davies_bouldin"]
    assert found.note == "1 pairs of labels with the same centroid are left out."
    # The third is √(3.5² + 0.5²) away, its samples half of √2 from their centroid.
    overlap = (1 + math.sqrt(0.5)) / math.sqrt(12.5)
    assert found.value == pytest.approx(overlap, rel=1e-4)


def test_metrics_import_nothing_that_starts_slowly():
    code = (
        "import sys; from latentmap.metrics.metric import known_metrics; known_metrics();"
        "print([name for name in ('sklearn', 'scipy', 'torch') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
