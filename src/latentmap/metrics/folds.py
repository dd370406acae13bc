"""Folds for cross-validation that keep source groups together and labels balanced."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Folds are equally uneven where they differ by less than this: relatively, and absolutely.
SAME = (1e-5, 1e-8)


def grouped_folds(
    codes: NDArray[np.intp], groups: NDArray[np.intp], folds: int
) -> NDArray[np.intp]:
    """Assign whole groups to folds so that every fold has its share of every label.

    The greedy rule of scikit-learn's StratifiedGroupKFold: groups with the most uneven counts of
    labels first, each to the fold where the labels' shares then vary least over the folds, of
    equal ones to that with the fewest samples.

    Args:
        codes: (N,) label of each sample, every number up to the largest in use.
        groups: (N,) source group of each sample, likewise; where groups are equally uneven, that
            with the smaller number goes first.
        folds: how many.

    Returns:
        (N,) fold of each sample.
    """
    counts = np.zeros((groups.max() + 1, codes.max() + 1))
    np.add.at(counts, (groups, codes), 1)
    weights = 1 / (counts.sum(axis=0) * counts.shape[1] * np.sqrt(folds))
    filled = np.zeros((folds, counts.shape[1]))
    sums, squares = np.zeros((2, counts.shape[1]))
    fold_of = np.empty(len(counts), np.intp)
    for group in np.argsort(-counts.std(axis=1), kind="stable"):
        added = counts[group]
        # (tried, label): squared deviations of the folds' counts from their mean if the group went
        # to the fold that is tried; then the mean standard deviation of their shares.
        spread = squares + added * (2 * filled + added) - (sums + added) ** 2 / folds
        uneven = np.sqrt(spread) @ weights
        bound = uneven.min() * (1 + SAME[0]) + SAME[1]
        samples = np.where(uneven <= bound, filled.sum(axis=1), np.inf)
        fold = fold_of[group] = samples.argmin()
        squares += added * (2 * filled[fold] + added)
        sums += added
        filled[fold] += added
    return fold_of[groups]
