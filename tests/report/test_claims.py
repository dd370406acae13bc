"""What the report claims in words, on simulated runs from embeddings to sentences."""

from __future__ import annotations

import numpy as np
import pytest

from latentmap.metrics.inference import StatisticsOptions
from latentmap.metrics.measure import describe, measure
from latentmap.metrics.metric import Key, LabelledEmbedding
from latentmap.neighbors.exact import find_neighbors
from latentmap.report.experiments import ranked, read_experiments
from latentmap.report.findings import key_findings
from latentmap.store.files import write_json

SAMPLES, LABELS, METHODS = 120, 8, 4
DRAWS = 40


def every_sample_alone(random):
    return random.integers(LABELS, size=SAMPLES), np.arange(SAMPLES)


def one_label_per_group(random):
    return np.repeat(random.integers(LABELS, size=30), 4), np.repeat(np.arange(30), 4)


def labels_mixed_in_groups(random):
    return random.integers(LABELS, size=SAMPLES), np.repeat(np.arange(24), 5)


def rare_labels(random):
    shares = 0.5 ** np.arange(1, LABELS + 1)
    return random.choice(LABELS, SAMPLES, p=shares / shares.sum()), np.arange(SAMPLES)


def sentences(tmp_path, random, labels, groups, signal=0.0):
    """Return what is said of labels, of methods that see groups and, with a signal, label 0."""
    keys, paths = [], []
    names, rows = labels.astype(np.str_), np.arange(len(labels)).astype(np.str_)
    of_groups = random.normal(size=(groups.max() + 1, 5))[groups]
    for number in range(METHODS):
        values = random.normal(size=(len(labels), 5)) + 0.7 * of_groups
        values[:, 0] += signal * (labels == 0)
        values = values.astype(np.float32)
        sources = groups.astype(np.str_)
        graph = find_neighbors(rows.tolist(), values, sources.tolist(), 10)
        few = StatisticsOptions(permutations=199)
        data = LabelledEmbedding(values, names, names, sources, graph, 1, few)
        keys.append(Key("encoder", "plain", f"method{number}"))
        paths.append(tmp_path / f"{number}.json")
        write_json(paths[-1], describe(data, *measure(data, {"knn_category": None})))
    found = key_findings(ranked(read_experiments(keys, paths)), {})
    return [finding.text for finding in found if finding.text.startswith("Under ")]


@pytest.mark.parametrize(
    "draw", [every_sample_alone, one_label_per_group, labels_mixed_in_groups, rare_labels]
)
def test_no_label_is_named_where_labels_mean_nothing(tmp_path, draw):
    named = 0
    for seed in range(DRAWS):
        random = np.random.default_rng(seed)
        said = sentences(tmp_path, random, *draw(random))
        named += any("often" in text for text in said)
        assert len(said) == 1 or named
    # At most 5 %: 5 or fewer of 40 in 98 % of such series.
    assert named <= 5


@pytest.mark.parametrize("draw", [every_sample_alone, one_label_per_group, labels_mixed_in_groups])
def test_a_planted_label_is_named(tmp_path, draw):
    named = 0
    for seed in range(20):
        random = np.random.default_rng(seed)
        labels, groups = draw(random)
        said = sentences(tmp_path, random, labels, groups, signal=4.0)
        named += any("more often" in text and "above it is '0'" in text for text in said)
    assert named >= 17
