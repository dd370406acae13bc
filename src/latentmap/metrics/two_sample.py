"""Do two sets of samples have one distribution? A classifier, and neighborhoods, that say."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from latentmap.axes import principal_axes
from latentmap.config import Options
from latentmap.metrics.exchange import Exchange
from latentmap.metrics.folds import grouped_folds
from latentmap.metrics.inference import TAILS
from latentmap.neighbors.distances import Points, row_blocks
from latentmap.neighbors.exact import Distances
from latentmap.neighbors.lists import distinct

FOLDS = 5
COMPONENTS = 50
# A discriminant over more components than a tenth of the samples fits noise.
SAMPLES_PER_COMPONENT = 10
# Singular values of the training's design below this share of the largest count as none.
SMALLEST = 1e-5
# Of the scores of a discriminant, whose last digits depend on the order of sums.
DIGITS = 9
# Sums of the same shares in another order differ by less.
ROUNDING = 1e-9

Tail = Literal["high", "low", "both"]
TAIL_OF: Mapping[str, Tail] = {
    "auc": "high",
    "own_neighbors": "high",
    "coverage_of_first": "low",
    "coverage_of_second": "low",
    "density_of_first": "both",
    "density_of_second": "both",
}
"""Every metric of `compare_pair`, and which of its values speak for a difference."""


class PairOptions(Options):
    """Options of the comparison of two sources.

    Attributes:
        k: own neighbors that a sample's ball reaches to, for coverage and density.
        neighbors: nearest neighbors whose source is asked for.
        permutations: of the sources, for what to expect of equal distributions.
        seed: of the permutations.
    """

    k: int = Field(default=5, ge=1)
    neighbors: int = Field(default=10, ge=1)
    permutations: int = Field(default=1000, ge=1)
    seed: int = 0


def compare_pair(
    values: NDArray[np.float32],
    codes: NDArray[np.intp],
    groups: NDArray[np.intp],
    options: PairOptions,
) -> dict[str, Any]:
    """Hold two sets of samples of one embedding against each other.

    `auc` is that of a linear classifier asked for the source of samples that it has not seen (the
    classifier two-sample test of Lopez-Paz and Oquab 2017, arXiv:1610.06545), `accuracy` the mean
    over sources of its hits. `own_neighbors` is the share of the nearest neighbors of other source
    groups that have a sample's source (Schilling 1986, doi:10.2307/2289012). `coverage_of_first` is
    the share of the first source's samples with a sample of the second no farther than their k-th
    nearest of the first; `density_of_first` how many such balls around samples of the second hold a
    sample of the first, over k (Naeem et al. 2020, arXiv:2002.09797, who improve on the precision
    and recall of Kynkäänniemi et al. 2019, arXiv:1904.06991).

    What to expect of two equal distributions comes from permutations of the sources that respect
    source groups, in each of which everything is computed anew, the classifier's training included.

    Args:
        values: (N, D) float32, in an order that has nothing to do with sources: it decides between
            equally distant neighbors.
        codes: (N,) 0 for samples of the first source, 1 of the second; both occur.
        groups: (N,) source group of each sample, every number up to the largest in use.
        options: of the comparison.

    Returns:
        `metrics`, for each name of `TAIL_OF` its `value`, and under permutation its mean
        (`expected`), its 95 % range (`low`, `high`) and a `p_value`, (1 + as extreme) /
        (1 + permutations), two-sided for densities; `accuracy`; `scheme` of the permutations;
        `shared`, the groups with samples of both sources; and `in_neighborhoods`, the samples that
        all metrics but the classifier's are about: of groups of one source as many of each as the
        smallest has. NaN where a metric is not defined.
    """
    exchange = Exchange(codes, groups)
    draws = np.array([codes, *exchange.draws(options.permutations, options.seed)])
    alike = _rows_of_groups_alike(exchange)
    numbered = np.unique(groups[alike], return_inverse=True)[1]
    found = _neighborhoods(values[alike], numbered, draws[:, alike], options)
    found["auc"], accuracy = _classifier(values, groups, draws)
    metrics = {name: against_draws(found[name], tail) for name, tail in TAIL_OF.items()}
    return {
        "metrics": metrics,
        "accuracy": accuracy,
        "scheme": exchange.scheme,
        "shared": exchange.shared,
        "in_neighborhoods": len(alike),
    }


def _rows_of_groups_alike(exchange: Exchange) -> NDArray[np.intp]:
    """Return rows of which groups that change their source have the same number, the smallest.

    How full a neighborhood is depends on the sizes of groups. Where these differ, and more so where
    one source has the larger groups, a permutation would give the sources other sizes than they
    have, and with them other neighborhoods.
    """
    pure = exchange.sizes[~exchange.is_mixed]
    if (pure == pure[:1]).all():
        return np.arange(len(exchange.groups))
    order = np.argsort(exchange.groups, kind="stable")
    starts = np.cumsum(exchange.sizes) - exchange.sizes
    place = np.empty(len(order), np.intp)
    place[order] = np.arange(len(order)) - starts[exchange.groups[order]]
    return np.flatnonzero((place < pure.min()) | exchange.is_mixed[exchange.groups])


def against_draws(values: NDArray[np.float64], tail: Tail) -> dict[str, float]:
    """Hold a metric, the first of the values, against the same metric under permutation."""
    value, draws = float(values[0]), values[1:]
    if math.isnan(value):
        return dict.fromkeys(("value", "expected", "low", "high", "p_value"), math.nan)
    above = (1 + int((draws >= value - ROUNDING).sum())) / (1 + len(draws))
    below = (1 + int((draws <= value + ROUNDING).sum())) / (1 + len(draws))
    both = min(1.0, 2 * above, 2 * below)
    p_value = {"high": above, "low": below, "both": both}[tail]
    low, high = np.nanquantile(draws, TAILS)
    return {
        "value": value,
        "expected": float(np.nanmean(draws)),
        "low": float(low),
        "high": float(high),
        "p_value": p_value,
    }


def _classifier(
    values: NDArray[np.float32], groups: NDArray[np.intp], draws: NDArray[np.intp]
) -> tuple[NDArray[np.float64], float]:
    """Return the AUC under each of (P, N) sources, (P,), and the accuracy under the first."""
    folds = min(FOLDS, int(groups.max()) + 1)
    if folds < 2:
        return np.full(len(draws), np.nan), math.nan
    fold = grouped_folds(np.zeros(len(groups), np.intp), groups, folds)
    features = leading_components(values, min(COMPONENTS, len(values) // SAMPLES_PER_COMPONENT))
    scores = held_out_scores(features, fold, draws.T.astype(np.float64)).T
    areas = [_auc(one, codes == 1, fold, folds) for one, codes in zip(scores, draws, strict=True)]
    if math.isnan(areas[0]):  # each fold has one source: nothing to be told apart was learned
        return np.array(areas), math.nan
    hits = (scores[0] > 0) == (draws[0] == 1)
    return np.array(areas), float(np.mean([hits[draws[0] == code].mean() for code in (0, 1)]))


def leading_components(values: NDArray[np.float32], count: int) -> NDArray[np.float64]:
    """Return the first principal components of the rows with unit variance, (N, ≤ count).

    Those of identical rows are identical.
    """
    points = Points(values)
    rows, dims = values.shape
    if dims > rows:
        squares, vectors = principal_axes(points.products(slice(0, rows)))
    else:
        centred = points.centred(slice(None), slice(None))
        squares, axes = principal_axes(centred.T @ centred)
        vectors = centred @ axes / np.sqrt(np.maximum(squares, np.finfo(float).tiny))
    # What rounding of the values may make is no component.
    kept = squares > points.rounding
    leading: NDArray[np.float64] = vectors[:, kept][:, :count] * math.sqrt(rows)
    firsts, place = distinct(values)  # whose products may differ in their last digits
    return leading[firsts[place]]


def held_out_scores(
    features: NDArray[np.float64], fold: NDArray[np.intp], targets: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the discriminant of every sample by classifiers that were trained without its fold.

    Least squares on a 0/1 target has the direction of Fisher's linear discriminant, and is linear
    in the target: thousands of permuted targets are fitted at the cost of one.

    Args:
        features: (N, r).
        fold: (N,) fold of each sample.
        targets: (N, P), 0 or 1 in every column.

    Returns:
        (N, P): above 0 where the classifier says 1, its threshold half-way between the means of
        both classes in training. They are rounded, so that those of equal samples tie.
    """
    design = np.column_stack([features, np.ones(len(features))])
    scores = np.zeros(targets.shape)
    for number in np.unique(fold):
        out = fold == number
        trained = targets[~out]
        weights = np.linalg.pinv(design[~out], rcond=SMALLEST) @ trained
        fitted = design[~out] @ weights
        ones = np.maximum(trained.sum(axis=0), 1)
        zeros = np.maximum((1 - trained).sum(axis=0), 1)
        of_ones = (fitted * trained).sum(axis=0)
        threshold = (of_ones / ones + (fitted.sum(axis=0) - of_ones) / zeros) / 2
        scores[out] = design[out] @ weights - threshold
    return scores.round(DIGITS)


def _auc(
    scores: NDArray[np.float64], positive: NDArray[np.bool_], fold: NDArray[np.intp], folds: int
) -> float:
    """Return the share of pairs of one fold in which the positive sample scores higher.

    Scores of different folds come from different classifiers and are not compared.
    """
    higher = pairs = 0.0
    for number in range(folds):
        here = fold == number
        others = np.sort(scores[here & ~positive])
        own = scores[here & positive]
        sides = [np.searchsorted(others, own, side).sum() for side in ("left", "right")]
        higher += sum(sides) / 2
        pairs += len(own) * len(others)
    return higher / pairs if pairs else math.nan


def _neighborhoods(
    values: NDArray[np.float32],
    groups: NDArray[np.intp],
    draws: NDArray[np.intp],
    options: PairOptions,
) -> dict[str, NDArray[np.float64]]:
    """Return the metrics that come from neighbors under each of (P, N) sources, (P,) each."""
    order = neighbor_order(values, groups)
    # Where there are few, neither the row itself nor its source group may fill up its neighbors.
    most = max(1, len(values) - int(np.bincount(_units(groups)).max()))
    neighbors = min(options.neighbors, most)
    found = [neighborhood_metrics(order, codes, options.k, neighbors) for codes in draws]
    return {name: np.array([one[name] for one in found]) for name in found[0]}


def neighbor_order(values: NDArray[np.float32], groups: NDArray[np.intp]) -> NDArray[np.int32]:
    """Return all rows in the order of their distance to each row, (N, N).

    The row itself and those of its source group come last; where all rows are of one group, the
    row itself only.
    """
    distances, order = Distances(values), np.empty((len(values), len(values)), np.int32)
    units = _units(groups)
    for block in row_blocks(len(values)):
        rows = np.arange(len(values))[block]
        away = distances.to_others(rows)
        away[units[rows, np.newaxis] == units] = np.inf
        order[rows] = np.argsort(away, axis=1, kind="stable")
    return order


def _units(groups: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return what is not among a row's neighbors: its source group, or of one group the row."""
    return groups if groups.any() else np.arange(len(groups))


def neighborhood_metrics(
    order: NDArray[np.int32], codes: NDArray[np.intp], k: int, neighbors: int
) -> dict[str, float]:
    """Return the share of own neighbors, and coverage and density in both directions.

    Args:
        order: (N, N) from `neighbor_order`.
        codes: (N,) 0 or 1.
        k: own neighbors that a ball reaches to.
        neighbors: nearest neighbors whose source is asked for.
    """
    inside = _others_inside(order, codes, k)
    own = codes[order[:, :neighbors]] == codes[:, np.newaxis]
    metrics = {"own_neighbors": float(own.mean())}
    for code, name, other in ((0, "first", "second"), (1, "second", "first")):
        here = inside[codes == code]
        others = np.count_nonzero(codes != code)
        metrics[f"coverage_of_{name}"] = float((here > 0).mean())
        metrics[f"density_of_{other}"] = float(here.sum() / (k * others))
    return metrics


def _others_inside(order: NDArray[np.int32], codes: NDArray[np.intp], k: int) -> NDArray[np.intp]:
    """Return how many of the other source are nearer to each row than its k-th own neighbor."""
    inside = np.where(codes == 0, np.count_nonzero(codes), np.count_nonzero(codes == 0))
    rows, width = np.arange(len(codes)), 4 * k
    while len(rows):
        own = codes[order[rows, :width]] == codes[rows, np.newaxis]
        seen = own.cumsum(axis=1, dtype=np.int32)
        reached = seen[:, -1] >= k
        inside[rows[reached]] = (seen[reached] < k).sum(axis=1) - (k - 1)
        # A row without k own neighbors has a ball that holds everything.
        rows = rows[~reached] if width < len(codes) else rows[:0]
        width *= 4
    return inside
