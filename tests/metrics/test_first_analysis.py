"""The columns of the first analysis' table have its values, computed here by other libraries."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import pdist
from scipy.stats import entropy
from sklearn import metrics as theirs
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors

from latentmap.metrics.measure import measure
from latentmap.metrics.metric import METRICS, known_metrics

K = 10


@pytest.fixture(scope="module")
def planted():
    """120 rows of five labels in two groups, whose means are apart in three of eight dimensions."""
    rng = np.random.default_rng(3)
    labels = rng.choice(5, 120, p=[0.4, 0.25, 0.15, 0.12, 0.08])
    values = rng.normal(size=(120, 8)) * np.linspace(3, 0.3, 8)
    values[:, :3] += rng.normal(size=(5, 3))[labels] * 2
    return values.astype(np.float32), labels, labels % 2


def the_first_analysis(values, labels, groups):
    """Return its columns. A sample is its own first neighbor; the standard deviation is ddof 0."""
    values = values.astype(np.float64)
    nearest = NearestNeighbors(n_neighbors=K + 1).fit(values).kneighbors(values)[1][:, 1:]
    same_label = (labels[nearest] == labels[:, np.newaxis]).mean(axis=1)
    same_group = (groups[nearest] == groups[:, np.newaxis]).mean(axis=1)
    centroids = np.stack([values[labels == label].mean(axis=0) for label in range(5)])
    distances = np.linalg.norm(values - centroids[labels], axis=1)
    total = ((values - values.mean(axis=0)) ** 2).sum()
    held = np.cumsum(PCA().fit(values).explained_variance_ratio_)
    return {
        "silhouette": theirs.silhouette_score(values, labels),
        "f_ratio": (total - (distances**2).sum()) / (distances**2).sum(),
        "davies_bouldin": theirs.davies_bouldin_score(values, labels),
        "calinski_harabasz": theirs.calinski_harabasz_score(values, labels),
        **{
            f"effective_dim_{share}": 1 + int(np.argmax(held >= share / 100))
            for share in (90, 95, 99)
        },
        "feature_entropy": np.mean(
            [entropy(np.histogram(column, 50)[0], base=2) for column in values.T]
        ),
        "knn_category_acc": same_label.mean(),
        "knn_category_rate_mean": same_label.mean(),
        "knn_category_rate_median": np.median(same_label),
        "knn_group_acc": same_group.mean(),
        "knn_group_rate_mean": same_group.mean(),
        "random_baseline_category": 1 / 5,
        "random_baseline_group": 1 / 2,
        "mean_intra_distance": distances.mean(),
        "mean_inter_distance": pdist(centroids).mean(),
        "distance_ratio": pdist(centroids).mean() / distances.mean(),
        "n_samples": 120,
        "n_dimensions": 8,
        "n_classes": 5,
    }


def test_every_column_of_the_first_analysis_has_its_value(embed, planted):
    values, labels, groups = planted
    expected = the_first_analysis(values, labels, groups)
    data = embed(values, [f"label {one}" for one in labels], [f"group {one}" for one in groups])
    found, _ = measure(data, dict.fromkeys(METRICS))
    for name, value in expected.items():
        assert found[name].value == pytest.approx(value, rel=2e-5), name
        assert name in known_metrics()
