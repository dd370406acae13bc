"""Which labels change places, and the p-values of small cases by going through all orders."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

from latentmap.metrics import permutation
from latentmap.metrics.agreement import agreements
from latentmap.metrics.inference import StatisticsOptions
from latentmap.metrics.permutation import choose_permutation

MANY = StatisticsOptions(permutations=4000)


def chosen(labels, sources, options=MANY, label_groups=None):
    labels, sources = np.asarray(labels, np.str_), np.asarray(sources, np.str_)
    coarse = labels if label_groups is None else np.asarray(label_groups, np.str_)
    return choose_permutation(labels, coarse, sources, options)


def orders(found):
    return np.concatenate(list(found._orders()))


def test_samples_that_stand_alone_change_places_freely():
    found = chosen(list("aabb"), range(4))
    assert found.scheme == "free"
    counts = np.unique(orders(found), axis=0, return_counts=True)[1]
    assert len(counts) == 24
    assert counts / 4000 == pytest.approx(1 / 24, abs=0.02)


def test_sources_of_one_label_take_the_label_of_another():
    sources = [0, 0, 0, 1, 2, 2]
    found = chosen(list("aaabcc"), sources)
    assert (found.scheme, found.one_label) == ("whole", True)
    given = np.array(list("aaabcc"))[orders(found)]
    kinds, counts = np.unique(["".join(row) for row in given], return_counts=True)
    # Each source has one label again, and each label one source, of any size.
    assert set(kinds) == {"aaabcc", "aaacbb", "bbbacc", "bbbcaa", "cccabb", "cccbaa"}
    assert counts / 4000 == pytest.approx(1 / 6, abs=0.03)
    # A coarser class may vary where the label does not.
    assert not chosen(list("aaabcc"), sources, label_groups=list("xyxxxx")).one_label


def test_labels_of_sources_of_one_size_stay_together():
    sources = np.repeat(np.arange(13), [1, *[2] * 6, *[3] * 6])
    labels = np.arange(len(sources))
    found = chosen(labels, sources)
    assert found.scheme == "whole"
    assert found.reason == "12 of 13 source groups have as many samples as others"
    drawn = orders(found)[:200]
    assert (drawn[:, 0] == 0).all()
    for size in (2, 3):
        rows = np.flatnonzero(np.bincount(sources)[sources] == size).reshape(-1, size)
        assert {tuple(row) for row in drawn[:, rows].reshape(-1, size)} == set(map(tuple, rows))
    assert (np.sort(drawn, axis=1) == labels).all()


def test_few_sources_of_one_size_leave_labels_inside_them():
    sources = np.array([0, 1, 1, 0, 2, 2, 2])
    found = chosen(list("abababb"), sources)
    assert found.scheme == "within"
    drawn = orders(found)
    assert (sources[drawn] == sources).all()
    assert len(np.unique(drawn, axis=0)) == 2 * 2 * 6


def test_the_scheme_may_be_configured(embed):
    options = StatisticsOptions(scheme="within")
    found = chosen(list("aabb"), range(4), options)
    assert (found.scheme, found.reason) == ("within", "as configured")
    assert (orders(found) == np.arange(4)).all()


@pytest.mark.parametrize("suffix", ["", "_grouped"])
def test_p_values_are_those_of_all_orders(embed, suffix):
    values = [[0.0], [1.0], [2.1], [10.0], [11.0], [12.1]]
    # Outside their source the first four rows have two neighbors only.
    sources = [0, 0, 0, 0, 1, 2]
    data = embed(values, list("aababb"), source_groups=sources, k=3, statistics=MANY)
    agreed = dict(agreements(data, data.codes, 3))[suffix]
    free = replace(data.permutation, scheme="free")
    p_value, mean = free.test(data.codes, agreed.neighbors)
    shares = []
    for order in permutations(range(6)):
        codes = data.codes[list(order)]
        same = [
            np.mean([codes[other] == codes[row] for other in others if other >= 0])
            for row, others in enumerate(agreed.neighbors.indices)
        ]
        shares.append(np.mean(same))
    expected = np.mean(np.array(shares) >= agreed.shares.mean() - 1e-9)
    assert 0.02 < expected < 0.98
    assert p_value == pytest.approx(expected, abs=0.03)
    assert mean == pytest.approx(np.mean(shares), abs=0.01)
    if suffix == "":
        assert mean == pytest.approx(agreed.chances.mean(), abs=0.01)


def test_many_labels_and_batches_change_nothing(embed, monkeypatch):
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 300, 400)
    data = embed(rng.normal(size=(400, 2)), codes, source_groups=np.arange(400) // 4)
    agreed = dict(agreements(data, data.codes, 10))["_grouped"]
    every = replace(data.permutation, count=30)
    whole = every.test(data.codes, agreed.neighbors)
    monkeypatch.setattr(permutation, "BATCH", 4000)
    assert every.test(data.codes, agreed.neighbors) == pytest.approx(whole)
    # The same classes with numbers that need more than one byte.
    few = data.codes // 3
    assert every.test(few + 200, agreed.neighbors) == every.test(few, agreed.neighbors)


def test_neighbors_from_the_same_source_are_no_evidence(embed):
    rng = np.random.default_rng(0)
    sources = np.arange(120) // 6
    labels = rng.permutation(np.repeat(["a", "b"], 10))[sources]
    data = embed(100 * rng.normal(size=(20, 3))[sources] + rng.normal(size=(120, 3)), labels, k=5)
    leaking = replace(data, source_groups=sources.astype(np.str_))
    agreed = dict(agreements(leaking, data.codes, 5))[""].mean(leaking.permutation)
    assert agreed.value == 1
    assert agreed.p_value == 1
    assert agreed.note == "With labels permuted (whole) the mean is 1.000."
    assert dict(agreements(data, data.codes, 5))[""].mean(data.permutation).p_value < 0.01
