"""Hubness against planted hubs, a closed form, and independent counts."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
from sklearn.neighbors import NearestNeighbors

from latentmap.metrics.measure import measure
from latentmap.metrics.metrics.hubness import Hubness


def hubness_of(embed, values, k=10):
    found = Hubness(Hubness.Options(k=k)).measure(embed(values, ["a"] * len(values), k=k))
    return found["hubness_skewness"], found["hubness_antihubs"]


def test_one_hub_is_the_neighbor_of_all(embed):
    """The ends of a star, pairwise at √2 times the distance to its middle, all have the middle."""
    ends = 30
    skewness, antihubs = hubness_of(embed, np.vstack([np.zeros(ends), np.eye(ends)]), k=1)
    # The middle's own neighbor is one of the ends; the others are nobody's.
    assert antihubs.value == pytest.approx((ends - 1) / (ends + 1))
    counts = [ends, 1] + [0] * (ends - 1)
    assert skewness.value == pytest.approx(scipy.stats.skew(counts))
    assert "High" in skewness.note


def test_a_ring_has_no_hub(embed):
    turn = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    skewness, antihubs = hubness_of(embed, np.stack([np.cos(turn), np.sin(turn)], axis=1), k=4)
    assert (skewness.value, antihubs.value) == (pytest.approx(0, abs=0.5), 0)
    assert skewness.note is None


def test_hubness_of_many_dimensions_is_that_of_independent_counts(embed):
    rng = np.random.default_rng(0)
    found = {}
    for dims in (8, 20):
        values = rng.normal(size=(400, dims)).astype(np.float32)
        skewness, antihubs = hubness_of(embed, values)
        others = NearestNeighbors(n_neighbors=10).fit(values).kneighbors(return_distance=False)
        counts = np.bincount(others.ravel(), minlength=400)
        assert skewness.value == pytest.approx(scipy.stats.skew(counts))
        assert antihubs.value == (counts == 0).mean()
        found[dims] = skewness
    assert found[8].note is None
    assert "High" in found[20].note


def test_identical_samples_share_their_occurrence(embed):
    """Only the first ten of twenty copies fit into a list, which makes no hubs of them."""
    values = np.repeat(np.eye(5), 20, axis=0)
    assert [found.value for found in hubness_of(embed, values)] == [0, 0]


def test_copies_in_a_source_group_do_not_make_each_other_neighbors(embed):
    """Three copies of each end of a star have the middle's copies, and never each other."""
    ends, copies = 30, 3
    values = np.repeat(np.vstack([np.zeros(ends), np.eye(ends)]), copies, axis=0)
    groups = np.arange(copies * (ends + 1)) // copies
    data = embed(values, ["a"] * len(values), source_groups=groups, k=copies)
    found = Hubness(Hubness.Options(k=copies)).measure(data)
    assert found["hubness_antihubs"].value == pytest.approx((ends - 1) / (ends + 1))


def test_too_few_samples_say_nothing(embed):
    skewness, antihubs = hubness_of(embed, np.random.default_rng(0).normal(size=(8, 3)))
    assert np.isnan([skewness.value, antihubs.value]).all()
    assert "8 samples" in skewness.note


def test_samples_need_no_labels(embed):
    values = np.random.default_rng(0).normal(size=(60, 4))
    labelled, bare = (embed(values, [label] * 60, k=10) for label in ("a", ""))
    found, without = (measure(data, {"hubness": None})[0] for data in (labelled, bare))
    assert without == found and without["hubness_skewness"].value > -3
