"""Folds for cross-validation that keep source groups together and labels balanced."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


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
    sizes = counts.sum(axis=0)
    filled = np.zeros((folds, counts.shape[1]))
    fold_of = np.empty(len(counts), np.intp)
    for group in np.argsort(-counts.std(axis=1), kind="stable"):
        # (tried, fold, label): the shares if the group went to the fold that is tried.
        shares = (filled + np.eye(folds)[:, :, np.newaxis] * counts[group]) / sizes
        uneven = shares.std(axis=1).mean(axis=1)
        samples = np.where(np.isclose(uneven, uneven.min()), filled.sum(axis=1), np.inf)
        fold_of[group] = samples.argmin()
        filled[fold_of[group]] += counts[group]
    return fold_of[groups]
