"""Metrics of a wide embedding from its rows, and from the rotated rows that its graph keeps."""

from dataclasses import replace

import numpy as np
import pytest

from latentmap.metrics.metric import METRICS


def test_rotated_rows_give_the_metrics_of_the_rows(embed):
    random = np.random.default_rng(0)
    labels = np.repeat(["a", "b", "c"], 30)
    values = random.normal(size=(90, 700)) + 0.5 * random.normal(size=(3, 700))[np.arange(90) // 30]
    data = embed(values, labels)
    assert data.compact.shape == (90, 89)
    plain = replace(data, graph=replace(data.graph, rotated=None))
    for name in METRICS:
        metric = METRICS.create(name)
        expected = metric.measure(plain)
        for column, found in metric.measure(data).items():
            assert found.value == pytest.approx(expected[column].value, rel=1e-4), column
