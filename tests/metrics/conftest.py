"""A labelled embedding from arrays."""

from __future__ import annotations

import numpy as np
import pytest

from latentmap.metrics.inference import StatisticsOptions
from latentmap.metrics.metric import LabelledEmbedding
from latentmap.neighbors.exact import find_neighbors


def embed(values, labels, label_groups=None, source_groups=None, k=10, statistics=None):
    values = np.asarray(values, np.float32)
    labels = np.asarray(labels, np.str_)
    rows = np.arange(len(values)).astype(np.str_)
    groups = rows if source_groups is None else np.asarray(source_groups, np.str_)
    coarse = labels if label_groups is None else np.asarray(label_groups, np.str_)
    graph = find_neighbors(rows.tolist(), values, groups.tolist(), k)
    return LabelledEmbedding(
        values, labels, coarse, groups, graph, 4, statistics or StatisticsOptions()
    )


@pytest.fixture(name="embed", scope="session")
def embed_fixture():
    return embed


@pytest.fixture(scope="session")
def clusters():
    """Three overlapping clusters of unequal size, and one sample alone with its label."""
    rng = np.random.default_rng(0)
    labels = np.repeat(["a", "b", "c", "alone"], [40, 25, 14, 1])
    centres = {"a": 0.0, "b": 1.5, "c": 3.0, "alone": -2.0}
    values = rng.normal(size=(80, 6)) + np.array([centres[label] for label in labels])[:, None]
    return values.astype(np.float32), labels
