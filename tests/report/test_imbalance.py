"""What is said where one label has most of the samples, or the average decides which is best."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from latentmap.metrics.inference import StatisticsOptions
from latentmap.metrics.measure import describe, measure
from latentmap.metrics.metric import Key, LabelledEmbedding
from latentmap.neighbors.exact import find_neighbors
from latentmap.report.experiments import averages, ranked, read_experiments
from latentmap.report.imbalance import imbalance_findings
from latentmap.store.files import write_json

FEW = StatisticsOptions(permutations=19)


def experiments(tmp_path, labels, **centres):
    """Measure methods that put labels at their centres, with noise of deviation 1."""
    random, names = np.random.default_rng(0), labels.astype(np.str_)
    rows = np.arange(len(labels)).astype(np.str_)
    keys, paths = [], []
    for method, places in centres.items():
        values = random.normal(size=(len(labels), 3)) + np.array(places)[labels]
        values = values.astype(np.float32)
        graph = find_neighbors(rows.tolist(), values, rows.tolist(), 10)
        data = LabelledEmbedding(values, names, names, rows, graph, 1, FEW)
        keys.append(Key("encoder", "plain", method))
        paths.append(tmp_path / f"{method}.json")
        write_json(paths[-1], describe(data, *measure(data, {"knn_category": None})))
    return ranked(read_experiments(keys, paths))


@pytest.fixture
def imbalanced(tmp_path):
    """53 % have label 0, which one method knows, and another all others."""
    labels = np.random.default_rng(1).permutation(np.repeat([0, 1, 2, 3], [159, 47, 47, 47]))
    frequent = [[4, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0]]
    others = [[0, 0, 0], [2.2, 0, 0], [0, 2.2, 0], [0, 0, 2.2]]
    return experiments(tmp_path, labels, frequent=frequent, others=others)


def test_the_average_that_decides_is_told(imbalanced):
    assert imbalanced[0].key.method == "frequent"
    majority, rival = imbalance_findings(imbalanced)
    assert majority.warning and rival.warning
    assert majority.text.startswith("53 % of the samples have the label '0'.")
    assert "(kNN label purity, macro" in rival.text
    assert rival.text.startswith("Averaged over labels instead of samples")
    name = imbalanced[1].key.name
    assert f"{name} would come first instead of {imbalanced[0].key.name}: " in rival.text
    assert "95 % interval" in rival.text


def test_with_macro_averages_as_headline_samples_are_the_other_average(imbalanced):
    macro = ranked([replace(e, headline="knn_category_acc_macro_grouped") for e in imbalanced])
    assert macro[0].key.method == "others"
    _, rival = imbalance_findings(macro)
    assert rival.text.startswith("Averaged over samples instead of labels (kNN label purity")


def test_nothing_is_said_of_labels_that_are_alike(tmp_path):
    labels = np.arange(120) % 4
    weak, strong = ([[size, 0, 0], [0, size, 0], [0, 0, size], [0, 0, 0]] for size in (1, 3))
    found = experiments(tmp_path, labels, weak=weak, strong=strong)
    assert list(imbalance_findings(found)) == []
    assert list(imbalance_findings([])) == []


def test_a_metric_has_two_averages():
    pair = ("knn_category_acc_grouped", "knn_category_acc_macro_grouped")
    assert averages(pair[0]) == averages(pair[1]) == pair
    assert averages("knn_group_acc") == ("knn_group_acc", "knn_group_acc_macro")
