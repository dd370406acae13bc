"""Whether a change moves an embedding the same way everywhere, and how far.

The direction of a change is the mean cosine between the differences that it makes in two pairs that
do not inform about each other. If the change means nothing to the embedding, a difference is as
probable as its opposite: the null distribution is that of the same cosines after the differences of
some groups, drawn at random, have changed their signs. It needs no pair to be exchangeable with
another, and is exact where differences are symmetric about zero.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latentmap.metrics.inference import interval_of, interval_parts, jackknife
from latentmap.targets.pairs import Change

Numbers = NDArray[np.float64]

ROUNDING = 1e-5
"""Differences that are shorter, in parts of the rows' own lengths, are rounding."""

BLOCK = 2**24
"""Numbers that are worked on at a time."""


@dataclass(frozen=True)
class Moves:
    """What a change does to one embedding, by groups of pairs.

    Attributes:
        sums: (G, D) the differences of each group's pairs, each brought to length 1, summed.
        counts: (G,) how many of them there are.
        lengths: (G,) the lengths of all differences, summed.
        pairs: (G,) how many pairs there are, those that differ by rounding only among them.
    """

    sums: NDArray[np.float32]
    counts: Numbers
    lengths: Numbers
    pairs: Numbers


def moves_of(change: Change, rows: NDArray[np.float32], groups: int) -> Moves:
    """Return what a change does.

    Args:
        change: with its pairs.
        rows: (N, D) of an embedding.
        groups: how many there are over all changes.
    """
    order = np.argsort(change.groups, kind="stable")
    pairs, member = change.rows[order], change.groups[order]
    sums = np.zeros((groups, rows.shape[1]), np.float32)
    lengths, moved = np.zeros(len(pairs)), np.zeros(len(pairs), np.bool_)
    step = max(1, BLOCK // rows.shape[1])
    for start in range(0, len(pairs), step):
        part = slice(start, start + step)
        before, after = (rows[side].astype(np.float64) for side in pairs[part].T)
        apart = after - before
        length = np.linalg.norm(apart, axis=1)
        own = np.maximum(np.linalg.norm(before, axis=1), np.linalg.norm(after, axis=1))
        is_moved = length > ROUNDING * own
        units = apart[is_moved] / length[is_moved, np.newaxis]
        np.add.at(sums, member[part][is_moved], units.astype(np.float32))
        lengths[part], moved[part] = np.where(is_moved, length, 0), is_moved
    counted = [np.bincount(member, weights, groups) for weights in (moved, lengths, None)]
    return Moves(sums, *(count.astype(np.float64) for count in counted))


def directions(moves: Moves, weights: Numbers) -> Numbers:
    """Return the mean cosine of differences of different groups, (W,), for some weights of these.

    Args:
        moves: the differences.
        weights: (W, G) 1, -1 to turn a group's differences round, 0 to leave it out.

    Returns:
        NaN where fewer than two groups have a difference.
    """
    squares = np.zeros(len(weights))
    own = np.zeros(weights.shape[1])
    step = max(1, BLOCK // max(weights.shape))
    for start in range(0, moves.sums.shape[1], step):
        part = moves.sums[:, start : start + step].astype(np.float64)
        squares += np.square(weights @ part).sum(axis=1)
        own += np.square(part).sum(axis=1)
    present = np.abs(weights)
    between = (present @ moves.counts) ** 2 - present @ moves.counts**2
    cosines = np.full(len(weights), np.nan)
    np.divide(squares - present @ own, between, out=cosines, where=between > 0)
    return cosines


def random_signs(groups: int, count: int, seed: int) -> Numbers:
    """Return random signs of groups, (count, G)."""
    return np.random.default_rng(seed).choice([-1.0, 1.0], (count, groups))


@dataclass(frozen=True)
class Direction:
    """The direction of a change in one embedding.

    Attributes:
        value: mean cosine of its differences; NaN where fewer than two groups have any.
        low, high: its 95 % interval, NaN where there are too few groups.
        null: (draws,) the same under random signs.
    """

    value: float
    low: float
    high: float
    null: Numbers

    @property
    def p(self) -> float:
        """Its p-value: how probable so large a cosine is if the change means nothing."""
        if math.isnan(self.value):
            return math.nan
        reached = np.count_nonzero(self.null >= self.value * (1 - 1e-9))
        return float((1 + reached) / (1 + len(self.null)))

    @property
    def standard(self) -> tuple[float, Numbers]:
        """The value and its null distribution in standard errors of the latter."""
        spread = float(self.null.std()) if len(self.null) else math.nan
        if not spread > 0:
            return math.nan, np.full(len(self.null), np.nan)
        return self.value / spread, self.null / spread


def direction_of(moves: Moves, signs: Numbers, seed: int) -> Direction:
    """Measure whether a change moves an embedding the same way everywhere.

    Args:
        moves: the differences.
        signs: (draws, G) random signs of the groups, the same for all embeddings and changes.
        seed: of the parts that the interval's jackknife leaves out.
    """
    without = _without(moves, seed)
    whole = np.ones((1, len(moves.counts)))
    found = directions(moves, np.concatenate([whole, signs, without]))
    value, null, jackknifed = found[0], found[1 : 1 + len(signs)], found[1 + len(signs) :]
    low = high = math.nan
    if len(jackknifed) and not np.isnan(jackknifed).any():
        ends = interval_of(float(value), jackknife(jackknifed))
        low, high = (min(max(end, -1.0), 1.0) for end in ends)
    return Direction(float(value), low, high, null)


@dataclass(frozen=True)
class Size:
    """How far a change moves an embedding, in parts of something else.

    Attributes:
        value: ratio of two mean lengths.
        low, high: its 95 % interval, NaN where there are too few groups.
    """

    value: float
    low: float
    high: float


def size_of(moves: Moves, beside: Sequence[Moves], seed: int) -> Size:
    """Measure the mean length of a change's differences in parts of that of others' together."""
    lengths, pairs = (sum(getattr(m, name) for m in beside) for name in ("lengths", "pairs"))
    others = Moves(moves.sums, moves.counts, np.asarray(lengths), np.asarray(pairs))
    weights = np.concatenate([np.ones((1, len(moves.pairs))), _without(others, seed)])
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = (weights @ moves.lengths / (weights @ moves.pairs)) / (
            weights @ others.lengths / (weights @ others.pairs)
        )
        logs = np.log(ratios)
    value = float(ratios[0]) if np.isfinite(ratios[0]) else math.nan
    if value == 0:
        return Size(0.0, 0.0, 0.0)
    if len(logs) == 1 or not np.isfinite(logs).all():
        return Size(value, math.nan, math.nan)
    low, high = interval_of(float(logs[0]), jackknife(logs[1:]))
    return Size(value, math.exp(low), math.exp(high))


def _without(moves: Moves, seed: int) -> Numbers:
    """Return weights that leave out one part of the groups after the other, (parts, G).

    None where the groups are too few for an interval.
    """
    present = np.flatnonzero(moves.pairs)
    parts = interval_parts(np.arange(len(present)), seed) if len(present) else []
    weights = np.ones((len(parts), len(moves.pairs)))
    for row, part in zip(weights, parts, strict=True):
        row[present[part]] = 0
    return weights


def adjusted(found: Sequence[Direction]) -> Numbers:
    """Return p-values that hold for all embeddings and changes together, by the largest (max-T).

    Westfall and Young 1993, with standardised statistics, so that all count alike. Those that are
    not defined do not count.

    Args:
        found: made with the same random signs.
    """
    values, nulls = zip(*(one.standard for one in found), strict=True)
    largest = np.nanmax([null for null in nulls if not np.isnan(null).any()] or [[]], axis=0)
    return np.array(
        [
            math.nan
            if math.isnan(value)
            else (1 + np.count_nonzero(largest >= value * (1 - 1e-9))) / (1 + len(largest))
            for value in values
        ]
    )
