"""Which classes change places, and chance levels of small cases by going through all orders."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import numpy as np
import pytest

from latentmap.metrics import exchange
from latentmap.metrics.agreement import agreements
from latentmap.metrics.exchange import Exchange
from latentmap.metrics.inference import StatisticsOptions
from latentmap.metrics.permutation import (
    SameClassShares,
    chance_levels,
    chance_of,
    most_permutations,
)

MANY = StatisticsOptions(permutations=4000)


def exchanged(labels, groups, whole=True):
    codes = np.unique(list(labels), return_inverse=True)[1]
    return Exchange(codes, np.asarray(groups), whole)


def drawn(found, names, count=4000):
    """How often each order of the labels was drawn."""
    return Counter("".join(names[code] for code in codes) for codes in found.draws(count, 0))


def shares_of(codes, neighbors):
    """The mean share of same-class neighbors, sample by sample."""
    return np.mean(
        [
            np.mean([codes[other] == codes[row] for other in others if other >= 0])
            for row, others in enumerate(neighbors.indices)
        ]
    )


def test_samples_that_stand_alone_change_places_freely():
    found = exchanged("abcd", range(4))
    assert (found.scheme, found.reason) == ("free", "every sample is a source group of its own")
    counts = drawn(found, "abcd")
    assert len(counts) == 24
    assert np.array(list(counts.values())) / 4000 == pytest.approx(1 / 24, abs=0.02)


def test_pure_groups_take_the_label_of_another_of_any_size():
    found = exchanged("aaabcc", [0, 0, 0, 1, 2, 2])
    assert found.scheme == "whole"
    counts = drawn(found, "abc")
    assert set(counts) == {"aaabcc", "aaacbb", "bbbacc", "bbbcaa", "cccabb", "cccbaa"}
    assert np.array(list(counts.values())) / 4000 == pytest.approx(1 / 6, abs=0.03)


def test_mixed_groups_take_the_labels_of_a_group_of_their_size_in_any_order():
    # One pure group; two mixed ones of two samples; a mixed one of three, the only of its size.
    found = exchanged("aa" + "ab" + "cd" + "abb", [0, 0, 1, 1, 2, 2, 3, 3, 3])
    assert found.scheme == "whole and within"
    assert found.reason == "3 of 4 source groups have samples of several classes"
    counts = drawn(found, "abcd")
    pairs = Counter({order[2:6]: 0 for order in counts})
    threes = Counter()
    for order, times in counts.items():
        assert order[:2] == "aa"
        pairs[order[2:6]] += times
        threes[order[6:]] += times
    assert set(pairs) == {
        *("abcd", "bacd", "abdc", "badc"),
        *("cdab", "cdba", "dcab", "dcba"),
    }
    assert np.array(list(pairs.values())) / 4000 == pytest.approx(1 / 8, abs=0.03)
    assert set(threes) == {"abb", "bab", "bba"}
    assert np.array(list(threes.values())) / 4000 == pytest.approx(1 / 3, abs=0.03)


def test_labels_inside_groups_only():
    found = exchanged("aab" + "ac" + "bb", [0, 0, 0, 1, 1, 2, 2], whole=False)
    assert found.scheme == "within"
    assert set(drawn(found, "abc")) == {
        one + two + "bb" for one in ("aab", "aba", "baa") for two in ("ac", "ca")
    }


def test_the_scheme_may_be_configured(embed):
    labels, groups = list("aabbab"), [0, 0, 1, 1, 2, 2]
    schemes = {"auto": "whole and within", "free": "free", "within": "within"}
    for configured, scheme in schemes.items():
        options = StatisticsOptions(scheme=configured)
        data = embed(np.eye(6), labels, source_groups=groups, k=2, statistics=options)
        assert data.exchange(data.codes).scheme == scheme


@pytest.mark.parametrize("suffix", ["", "_grouped"])
def test_chance_and_p_value_are_those_of_all_orders(embed, suffix):
    values = [[0.0], [1.0], [2.1], [3.3], [10.0], [11.0], [12.1], [13.3]]
    # Outside their source the first six rows have two neighbors only.
    sources = [0, 0, 0, 0, 0, 0, 1, 2]
    options = StatisticsOptions(permutations=4000, scheme="free")
    data = embed(values, list("aabababb"), source_groups=sources, k=3, statistics=options)
    found = {name: (agreed, chance) for name, agreed, chance in agreements(data, data.codes, 3)}
    agreed, chance = found[suffix]
    orders = [np.isin(np.arange(8), ones).astype(int) for ones in combinations(range(8), 4)]
    shares = np.array([shares_of(codes, agreed.neighbors) for codes in orders])
    expected = np.mean(shares >= agreed.shares.mean() - 1e-9)
    assert 0.05 < expected < 0.98
    assert chance.overall.p_value == pytest.approx(expected, abs=0.03)
    assert chance.overall.mean == pytest.approx(shares.mean(), abs=0.01)
    low, high = chance.overall.range
    assert max(np.mean(shares < low - 1e-9), np.mean(shares > high + 1e-9)) < 0.04
    assert min(np.mean(shares <= low + 1e-9), np.mean(shares >= high - 1e-9)) > 0.015
    assert chance.by_class.mean(axis=0) == pytest.approx(shares.mean(), abs=0.01)
    if suffix == "":
        assert shares.mean() == pytest.approx(agreed.chances.mean())


def test_shares_are_told_less_what_neighbors_at_random_would_have(embed):
    """Pure groups of 1, 2 and 4 samples: all orders of their labels, one closed form each."""
    rng = np.random.default_rng(3)
    groups = np.repeat(np.arange(8), [1, 1, 2, 2, 3, 3, 4, 4])
    labels = np.array(list("abaababb"))[groups]
    data = embed(rng.normal(size=(20, 2)), labels, None, groups, k=4)
    agreed = {name: one for name, one, _ in agreements(data, data.codes, 4)}["_grouped"]

    def at_random(codes):
        """The chance that a sample of another group has the same label."""
        return np.mean(
            [np.mean(codes[groups != groups[row]] == codes[row]) for row in range(len(codes))]
        )

    orders = [np.isin(groups, ones).astype(int) for ones in combinations(range(8), 4)]
    shares = np.array([shares_of(codes, agreed.neighbors) - at_random(codes) for codes in orders])
    (chance,) = chance_levels(data.exchange(data.codes), [agreed.neighbors], MANY)
    own = at_random(data.codes)
    assert np.ptp([at_random(codes) for codes in orders]) > 0.1
    assert chance.overall.mean == pytest.approx(shares.mean() + own, abs=0.01)
    expected = np.mean(shares >= agreed.shares.mean() - own - 1e-9)
    assert chance.overall.p_value == pytest.approx(expected, abs=0.03)


def test_many_labels_and_batches_change_nothing(embed, monkeypatch):
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 300, 400)
    groups = np.sort(rng.integers(0, 150, 400))
    data = embed(rng.normal(size=(400, 2)), codes, source_groups=groups)
    options = StatisticsOptions(permutations=90)

    def levels(classes):
        found = Exchange(classes, np.unique(groups, return_inverse=True)[1])
        return chance_levels(found, [data.graph.grouped], options)[0].overall

    whole = levels(data.codes)
    # Numbers that need more than one byte take the same places.
    few = data.codes // 3
    (narrow,), (wide,) = (
        Exchange(codes, np.arange(400) // 4).permuted(9, 0) for codes in (few, few + 200)
    )
    assert (wide == narrow.astype(int) + 200).all()
    monkeypatch.setattr(exchange, "CELLS", 4000)
    monkeypatch.setattr(exchange, "FEWEST", 7)
    assert levels(data.codes) == whole


def test_permutations_go_on_only_where_the_share_is_rare(embed, monkeypatch):
    rng = np.random.default_rng(0)
    codes = np.arange(90) % 3
    permuted, counts = Exchange.permuted, []

    def counted(self, count, seed):
        counts.append(count)
        return permuted(self, count, seed)

    monkeypatch.setattr(Exchange, "permuted", counted)
    options = StatisticsOptions(permutations=200)
    for signal, p_values, drawn_ in ((0, (0.05, 1), [200]), (9, (1 / 1001, 1 / 1001), [200, 800])):
        counts.clear()
        values = rng.normal(size=(90, 3)) + signal * np.eye(3)[codes]
        data = embed(values, codes, statistics=options)
        *_, (_, _, chance) = agreements(data, data.codes, 5, precise=True)
        assert p_values[0] <= chance.overall.p_value <= p_values[1]
        assert counts == drawn_


def test_a_large_set_gets_no_more_permutations_than_can_be_afforded():
    assert most_permutations(StatisticsOptions(), 1406) == 5000
    assert most_permutations(StatisticsOptions(), 50_000) == 2**27 // 50_000
    assert most_permutations(StatisticsOptions(), 10**6) == 1000


def test_the_floor_of_p_values_is_told():
    draws = np.arange(199.0)
    assert chance_of(198.0, draws).p_value == 2 / 200
    assert chance_of(198.0, draws).note is None
    # The highest value in every twentieth order: in fewer no test could be.
    few = chance_of(5.0, np.append(np.zeros(194), np.full(5, 5.0)))
    assert few.p_value == 6 / 200
    assert few.note == "Labels have so few orders that no p-value below 0.03 is possible."
    none = chance_of(1.0, np.ones(199))
    assert none.p_value is None
    assert none.note == "No p-value: labels have too few orders for one below 1."


def test_neighbors_from_the_same_source_are_no_evidence(embed):
    rng = np.random.default_rng(0)
    sources = np.arange(120) // 6
    labels = rng.permutation(np.repeat(["a", "b"], 10))[sources]
    values = 100 * rng.normal(size=(20, 3))[sources] + rng.normal(size=(120, 3))
    data = embed(values, labels, source_groups=sources, k=5)
    _, agreed, chance = next(agreements(data, data.codes, 5))
    found = agreed.mean(chance.overall, agreed.losses(data.sources))
    # Whatever label a group has, its samples see each other.
    assert (found.value, found.chance, found.chance_range) == (1, 1, (1, 1))
    assert found.p_value is None
    alone = embed(values, labels, k=5)
    assert next(agreements(alone, alone.codes, 5))[2].overall.p_value < 0.01


def test_shares_of_each_class_add_up(embed):
    rng = np.random.default_rng(1)
    data = embed(
        rng.normal(size=(60, 2)), rng.integers(4, size=60), source_groups=np.arange(60) // 4
    )
    shares = SameClassShares(data.exchange(data.codes), data.graph.grouped)
    (table,) = shares.exchange.permuted(20, 0)
    (overall, macro), by_class = shares.means(table)
    assert by_class @ np.bincount(data.codes) / 60 == pytest.approx(overall)
    assert overall[0] == pytest.approx(shares_of(table[:, 0], data.graph.grouped))
    assert np.mean(by_class, axis=1) == pytest.approx(macro)
