"""What predicts targets, and how predictions are judged, against scikit-learn and SciPy."""

import numpy as np
import pytest
from scipy.stats import rankdata, spearmanr
from sklearn.linear_model import Ridge as Reference
from sklearn.metrics import balanced_accuracy_score, r2_score, roc_auc_score
from sklearn.model_selection import GroupKFold
from sklearn.neighbors import KNeighborsRegressor
from sklearn.preprocessing import StandardScaler

from latentmap.metrics.ranks import column_ranks
from latentmap.neighbors.exact import find_neighbors
from latentmap.targets.figures import answered, auc, balanced, cosine, r2, rho
from latentmap.targets.neighbors import NeighborMeans
from latentmap.targets.ridge import PENALTIES, Ridge, dealt

N, D = 150, 12
EVERY = np.ones((N, 1), bool)


@pytest.fixture(scope="module")
def rng():
    return np.random.default_rng(0)


@pytest.fixture(scope="module")
def groups(rng):
    return np.unique(rng.integers(0, 40, N), return_inverse=True)[1]


@pytest.fixture(scope="module")
def features(rng):
    return StandardScaler().fit_transform(rng.normal(size=(N, D)) * np.arange(1, D + 1))


@pytest.fixture(scope="module")
def targets(rng, features):
    signal = features[:, :3] @ rng.normal(size=(3, 4)) + rng.normal(size=(N, 4))
    signal[:, 3] = rng.normal(size=N)
    return signal


@pytest.fixture(scope="module")
def folds(groups):
    return dealt(groups, 5, seed=0)


def predicted_by_reference(features, targets, train, asked, penalty):
    """Fit scikit-learn's ridge regression, with a penalty in mean sums of squares of a feature."""
    apart = features[train] - features[train].mean(axis=0)
    alpha = penalty * np.square(apart).sum() / apart.shape[1]
    return Reference(alpha=alpha).fit(features[train], targets[train]).predict(features[asked])


@pytest.fixture(scope="module")
def nested(features, targets, folds):
    """Predictions, and the penalties of each fold that a search inside its training folds finds."""
    predicted, chosen = np.empty_like(targets), np.empty((5, 4), int)
    for fold, column in np.ndindex(5, 4):
        inner = [np.flatnonzero(folds == other) for other in range(5) if other != fold]
        errors = [
            sum(
                np.square(
                    targets[asked, column]
                    - predicted_by_reference(
                        features,
                        targets[:, column],
                        np.concatenate([one for one in inner if one is not asked]),
                        asked,
                        penalty,
                    )
                ).sum()
                for asked in inner
            )
            for penalty in PENALTIES
        ]
        chosen[fold, column] = np.argmin(errors)
        train, asked = np.concatenate(inner), np.flatnonzero(folds == fold)
        predicted[asked, column] = predicted_by_reference(
            features, targets[:, column], train, asked, PENALTIES[chosen[fold, column]]
        )
    return predicted, chosen


def test_folds_keep_source_groups_whole_and_are_of_like_size(groups, folds):
    assert all(len(set(folds[groups == group])) == 1 for group in set(groups))
    own = np.bincount(folds)
    theirs = [len(test) for _, test in GroupKFold(5).split(groups, groups=groups)]
    assert own.max() - own.min() <= 6 + max(theirs) - min(theirs)


def test_ridge_predicts_as_a_nested_search_with_scikit_learn_does(features, targets, folds, nested):
    fitted = Ridge(features, folds).fit(targets)
    assert len(set(nested[1].ravel())) > 2
    np.testing.assert_array_equal(fitted.chosen, nested[1])
    np.testing.assert_allclose(fitted.predicted, nested[0], atol=1e-6)
    narrow = Ridge(features, folds).fit(targets.astype(np.float32))
    np.testing.assert_allclose(narrow.predicted, nested[0], atol=1e-4)


def test_columns_of_one_target_share_their_penalty(features, targets, folds):
    alone = Ridge(features, folds).fit(targets[:, [0, 3]])
    assert (alone.chosen[:, 0] != alone.chosen[:, 1]).any()
    together = Ridge(features, folds).fit(targets[:, [0, 3]], width=2)
    np.testing.assert_array_equal(together.chosen[:, 0], together.chosen[:, 1])
    # What counts nothing has no say.
    led = Ridge(features, folds).fit(targets[:, [0, 3]], width=2, weights=np.array([0.0, 1.0]))
    np.testing.assert_array_equal(led.chosen[:, 0], alone.chosen[:, 1])


def test_ridge_without_a_part_is_trained_without_it(features, targets, groups, folds, nested):
    ridge = Ridge(features, folds)
    parts = [np.flatnonzero(groups == group) for group in range(3)]
    found = ridge.without(targets, ridge.fit(targets), parts)
    for place, part in enumerate(parts):
        for fold, column in np.ndindex(5, 4):
            whole, asked = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
            apart = features[whole] - features[whole].mean(axis=0)
            penalty = PENALTIES[nested[1][fold, column]] * np.square(apart).sum() / D
            train = np.setdiff1d(whole, part)
            expected = Reference(alpha=penalty).fit(features[train], targets[train, column])
            np.testing.assert_allclose(
                found[asked, place, column], expected.predict(features[asked]), atol=1e-9
            )


def test_two_folds_leave_no_penalty_to_choose(features, targets, groups):
    fitted = Ridge(features, groups % 2).fit(targets)
    for fold in range(2):
        train, asked = np.flatnonzero(groups % 2 != fold), np.flatnonzero(groups % 2 == fold)
        expected = predicted_by_reference(features, targets, train, asked, 1e-2)
        np.testing.assert_allclose(fitted.predicted[asked], expected, atol=1e-9)


@pytest.fixture(scope="module")
def neighbors(features, groups):
    values = features.astype(np.float32)
    graph = find_neighbors([str(i) for i in range(N)], values, groups.astype(str).tolist(), 10)
    return graph.grouped


def test_neighbors_predict_as_scikit_learn_does(features, targets, groups, neighbors):
    found = NeighborMeans(neighbors.indices).of(targets)
    for group in range(groups.max() + 1):
        others, own = np.flatnonzero(groups != group), groups == group
        model = KNeighborsRegressor(10).fit(features[others].astype(np.float32), targets[others])
        expected = model.predict(features[own].astype(np.float32))
        np.testing.assert_allclose(found[own], expected, atol=1e-6)


def test_neighbors_without_a_part_are_those_that_are_left(targets, neighbors):
    indices = neighbors.indices.copy()
    indices[:5, 3:] = -1
    part_of = np.arange(N) % 7
    means, left = NeighborMeans(indices).without(targets, part_of, 7)
    for row, part in np.ndindex(N, 7):
        kept = [i for i in indices[row] if i >= 0 and part_of[i] != part]
        assert left[row, part] == len(kept)
        expected = targets[kept].mean(axis=0) if kept else 0
        np.testing.assert_allclose(means[row, part], expected, atol=1e-12)


def test_figures_of_numbers_are_those_of_scikit_learn_and_scipy(rng, targets):
    truth = np.round(targets[:, :1], 1)
    predicted = np.column_stack([truth[:, 0] + rng.normal(size=N), np.round(targets[:, 1])])
    own = r2(truth, predicted, EVERY), rho(order_of(truth), predicted, EVERY)
    for column in range(2):
        assert own[0][column] == pytest.approx(r2_score(truth[:, 0], predicted[:, column]))
        expected = spearmanr(truth[:, 0], predicted[:, column]).statistic
        assert own[1][column] == pytest.approx(expected, abs=1e-6)


def test_figures_of_names_are_those_of_scikit_learn(rng):
    codes = rng.choice(3, N, p=[0.6, 0.3, 0.1])
    predicted = rng.dirichlet(np.ones(3), N) + 0.3 * np.eye(3)[codes]
    shares = np.bincount(codes) / N
    answers = (predicted / shares).argmax(axis=1)
    right = answered(codes[:, None], predicted[:, None], shares[None, None])
    np.testing.assert_array_equal(right[:, 0], answers == codes)
    found = balanced(codes[:, None], right, EVERY, 3)
    assert found[0] == pytest.approx(balanced_accuracy_score(codes, answers))
    positive, scores = codes == 1, np.round(predicted[:, 1], 2)
    found = auc(positive[:, None], scores[:, None], EVERY)
    assert found[0] == pytest.approx(roc_auc_score(positive, scores), abs=1e-6)


def test_answers_that_are_equally_good_count_in_part():
    codes = np.array([[0], [0], [1], [2]])
    predicted = np.full((4, 1, 3), 1 / 3)
    right = answered(codes, predicted, np.full((1, 1, 3), 1 / 3))
    np.testing.assert_allclose(right, 1 / 3)


def test_cosines_are_of_the_angle_between_directions():
    angles = np.radians([0, 90, 200, 300])
    truth = np.column_stack([np.cos(angles), np.sin(angles)])[:, None]
    shifted = angles + np.radians([0, 60, 180, 90])
    predicted = 3 * np.column_stack([np.cos(shifted), np.sin(shifted)])[:, None]
    found = cosine(truth, predicted, np.ones((4, 1), bool))
    assert found[0] == pytest.approx((1 + 0.5 - 1 + 0) / 4)
    assert cosine(truth, 0 * predicted, np.ones((4, 1), bool))[0] == 0


def test_samples_that_do_not_count_change_no_figure(rng, targets):
    tested = rng.random((N, 2)) < 0.7
    truth, predicted = targets[:, :1], np.round(targets[:, 1:3] + truth_of(targets), 1)
    codes = (targets[:, :1] > 0).astype(int)
    right = rng.random((N, 2))
    for column in range(2):
        kept = tested[:, column]
        alone = np.ones((kept.sum(), 1), bool)
        for figure, values, given in (
            (r2, truth, predicted[:, :, None]),
            (rho, order_of(truth), predicted[:, :, None]),
            (auc, codes == 1, predicted[:, :, None]),
        ):
            whole = figure(values, given[:, :, 0], tested)[column]
            assert whole == pytest.approx(figure(values[kept], given[kept, column], alone)[0])
        whole = balanced(codes, right, tested, 2)[column]
        own = balanced(codes[kept], right[kept][:, [column]], alone, 2)[0]
        assert whole == pytest.approx(own)


def truth_of(targets):
    return targets[:, :1]


def order_of(truth):
    return np.unique(truth, return_inverse=True)[1].reshape(truth.shape)


def test_ranks_of_columns_share_ties_as_scipy_does(rng):
    values = np.round(rng.normal(size=(40, 3)), 1)
    values[:, 2] = 1
    np.testing.assert_array_equal(column_ranks(values), rankdata(values, axis=0) - 1)
