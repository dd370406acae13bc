"""What source groups contribute is what the metric loses when they are really left out."""

from __future__ import annotations

import numpy as np
import pytest

from latentmap.metrics.contributions import Contributions
from latentmap.metrics.inference import StatisticsOptions
from latentmap.metrics.measure import measure
from latentmap.metrics.metric import METRICS, known_metrics

FEW = StatisticsOptions(permutations=1)
RANKING = [name for name, column in known_metrics().items() if column.ranks]
OF_METRIC = {name: metric for metric in METRICS for name in METRICS[metric].columns}


@pytest.fixture(scope="module")
def planted():
    """Places, labels and source groups of one to six samples; few have the last label."""
    rng = np.random.default_rng(3)
    groups = np.repeat(np.arange(40), rng.integers(1, 7, 40))
    labels = np.where(
        rng.random(len(groups)) < 0.4,
        rng.choice(4, 40)[groups],
        rng.choice(4, len(groups), p=[0.5, 0.3, 0.15, 0.05]),
    )
    places = rng.normal(size=(40, 3))[groups] + rng.normal(size=(len(groups), 3))
    # Numbers of two digits: their names are in the same order.
    return places + 1.5 * np.eye(4, 3)[labels], labels, groups + 10


@pytest.mark.parametrize("name", RANKING)
def test_contributions_are_what_is_lost_without_a_source_group(embed, planted, name):
    """Whatever ranks: neighbors are found anew among the samples that are left."""
    places, labels, groups = planted

    def measured(rows):
        coarse = labels[rows] // 2
        data = embed(places[rows], labels[rows], coarse, groups[rows], statistics=FEW)
        return measure(data, {OF_METRIC[name]: None})[0][name]

    found = measured(np.arange(len(labels)))
    really = np.array([measured(groups != group).value for group in np.unique(groups)])
    contributions = found.contributions
    assert contributions.values.mean() == pytest.approx(found.value)
    assert np.corrcoef(contributions.without, really)[0, 1] > 0.9
    assert contributions.without.std() / really.std() == pytest.approx(1, abs=0.2)


def test_only_what_has_contributions_can_rank(embed, planted):
    places, labels, groups = planted
    data = embed(places, labels, labels // 2, groups, k=30, statistics=FEW)
    found, _ = measure(data, dict.fromkeys(METRICS))
    assert {name for name, one in found.items() if one.contributions is not None} == set(RANKING)
    assert {"knn_category_acc", "knn_group_acc_grouped"} <= set(RANKING)
    assert "silhouette" not in RANKING


def test_scores_of_samples_are_no_contributions():
    scores, sources = np.linspace(0, 1, 12), np.arange(12) // 2
    with pytest.raises(ValueError, match=r"\(12,\) values for 6 source groups"):
        Contributions(0.5, scores, sources)


def test_contributions_of_a_mean_of_independent_samples_are_the_samples():
    scores = np.random.default_rng(0).normal(size=30)
    without = np.array([np.delete(scores, row).mean() for row in range(30)])
    found = Contributions(float(scores.mean()), without, np.arange(30))
    assert found.values == pytest.approx(scores)
    # Twice as many samples in every group: the same parts for both.
    pairs = np.repeat(np.arange(30), 2)
    assert Contributions(found.value, without, pairs).values == pytest.approx(scores[pairs])


def test_a_group_without_which_nothing_is_left_contributes_nothing_of_its_own():
    alone = Contributions(0.4, np.array([np.nan]), np.zeros(5, np.intp))
    assert alone.values.tolist() == [0.4] * 5
    assert alone.interval((0, 1)) is None
