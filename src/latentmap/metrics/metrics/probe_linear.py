"""Linear probe: whether linear boundaries find the labels of source groups they never saw."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from latentmap.config import Options
from latentmap.metrics.agreement import NO_NEIGHBOR
from latentmap.metrics.discriminant import Discriminant, HeldOut, Moments
from latentmap.metrics.features import Floats, leading_columns, linear_features
from latentmap.metrics.folds import grouped_folds
from latentmap.metrics.inference import interval_parts
from latentmap.metrics.metric import SHARED_ROWS, LabelledEmbedding, Measurement, Metric
from latentmap.metrics.probes import (
    NOTHING_TO_TEST,
    PERMUTATIONS,
    UNTESTED,
    Answers,
    occurs_elsewhere,
    probe_columns,
    probe_measurements,
)

# Times the mean sum of squares of a feature; from which one is chosen, the strongest of equals.
PENALTIES = (10.0, 1.0, 1e-1, 1e-2, 1e-3)
# Where two folds leave none to choose by.
MEDIUM = 1e-2
# Permutations that are trained together.
TOGETHER = 32


class ProbeLinearOptions(Options):
    """Options of the linear probe.

    Attributes:
        folds: parts that take turns in being tested; fewer where there are fewer source groups.
        max_samples: of more samples, so many are drawn at random.
        seed: of the folds and of that draw.
    """

    folds: int = Field(default=5, ge=2)
    max_samples: int = Field(default=SHARED_ROWS, ge=2, le=SHARED_ROWS)
    seed: int = 0


class ProbeLinear(Metric[ProbeLinearOptions]):
    """Cross-validated linear discriminant with a penalty, source groups kept together.

    The penalty of each fold is that of `PENALTIES` with the best accuracy on the other folds, each
    tested in turn by what is trained on the rest of them. What it sees of the embedding are its
    `linear_features`.

    A sample whose label occurs in one source group only is not tested; where that leaves some out,
    the note says how many are. Permutations keep the penalties that the labels as they are led to.
    """

    Options = ProbeLinearOptions
    columns: ClassVar = probe_columns(
        "probe_linear", "linear probe", "a linear classifier on other source groups"
    )

    def measure(self, data: LabelledEmbedding) -> dict[str, Measurement]:
        """Measure on all samples, or on some of a large set, drawn at random."""
        if data.obstacle:
            return self.undefined(data.obstacle)
        rng = np.random.default_rng(self.options.seed)
        rows = _drawn(len(data.values), self.options.max_samples, rng)
        codes, groups = data.codes[rows], _numbered(data.sources[rows])
        if not groups.any():
            return self.undefined(NO_NEIGHBOR)
        testable = occurs_elsewhere(codes, groups, len(data.classes))
        if not testable.any():
            return self.undefined(NOTHING_TO_TEST)
        folds = self._folds(codes, groups, rng)
        probe = _Probe(
            _features(data, rows).astype(np.float64, copy=False), codes, folds, len(data.classes)
        )
        permuted = _permuted(data, rows)

        def answered(labels: NDArray[np.integer], given: NDArray[np.integer]) -> Answers:
            return Answers(labels, np.where(testable[labels], given, UNTESTED))

        own = codes[:, np.newaxis]
        return probe_measurements(
            "probe_linear",
            data,
            found=answered(own, probe.answers()[:, np.newaxis]),
            without=answered(own, probe.without(interval_parts(groups, data.statistics.seed))),
            permuted=answered(permuted, probe.permuted(permuted)),
        )

    def _folds(
        self, codes: NDArray[np.intp], groups: NDArray[np.intp], rng: np.random.Generator
    ) -> NDArray[np.intp]:
        count = int(groups.max()) + 1
        shuffled = rng.permutation(count)[groups]
        return grouped_folds(_numbered(codes), shuffled, min(self.options.folds, count))


def _permuted(data: LabelledEmbedding, rows: NDArray[np.intp]) -> NDArray[np.integer]:
    """Return the labels of some samples after each permutation, (n, permutations)."""
    exchange = data.exchange(data.codes)
    drawn = replace(exchange, codes=data.codes[rows], groups=_numbered(exchange.groups[rows]))
    count = min(data.statistics.permutations, PERMUTATIONS)
    return np.concatenate(list(drawn.permuted(count, data.statistics.seed)), axis=1)


def _numbered(values: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return numbers of which every one up to the largest is in use."""
    return np.unique(values, return_inverse=True)[1]


@dataclass(frozen=True)
class _Probe:
    """A probe with its folds.

    Attributes:
        features: (n, r) of the samples.
        codes: (n,) their labels.
        folds: (n,) the fold in which each is tested.
        labels: how many there are.
    """

    features: NDArray[np.float64]
    codes: NDArray[np.intp]
    folds: NDArray[np.intp]
    labels: int

    def answers(self) -> NDArray[np.intp]:
        """Return the label that each sample is given when its fold is tested, (n,)."""
        given = np.empty(len(self.codes), np.intp)
        for out, held_out in self._held_out:
            given[out] = held_out.answers(self._indicators[~out])
        return given

    def without(self, parts: list[NDArray[np.intp]]) -> NDArray[np.intp]:
        """Return the answers without each of some parts of the samples, (n, parts)."""
        given = np.full((len(self.codes), len(parts)), UNTESTED)
        for out, held_out in self._held_out:
            places = np.cumsum(~out) - 1
            inside = [places[part[~out[part]]] for part in parts]
            given[out] = held_out.without(self._indicators[~out], inside)
        for place, part in enumerate(parts):
            given[part, place] = UNTESTED
        return given

    def permuted(self, codes: NDArray[np.integer]) -> NDArray[np.intp]:
        """Return the answers after training on each of (n, some) other labels."""
        given = np.empty(codes.shape, np.intp)
        outs = [(np.flatnonzero(out), held_out) for out, held_out in self._held_out]
        features = [self.features[out].T.astype(np.float32) for out, _ in outs]
        for start in range(0, codes.shape[1], TOGETHER):
            some = slice(start, start + TOGETHER)
            # What a classifier learns from all folds but one is less than what it is to learn from.
            parts = [
                _summed(of_fold, codes[out, some], self.labels)
                for of_fold, (out, _) in zip(features, outs, strict=True)
            ]
            sums, sizes = (np.sum(each, axis=0) for each in zip(*parts, strict=True))
            for (out, held_out), (own, count) in zip(outs, parts, strict=True):
                given[out, some] = held_out.with_classes(sums - own, sizes - count)
        return given

    @cached_property
    def _indicators(self) -> NDArray[np.float64]:
        return np.eye(self.labels)[self.codes]

    @cached_property
    def _held_out(self) -> list[tuple[NDArray[np.bool_], HeldOut]]:
        """Each fold, and the classifier that has not seen it."""
        penalties = self._penalties()
        outs = [self.folds == fold for fold in range(len(penalties))]
        return [
            (out, HeldOut(self.features[~out], self.features[out], penalty))
            for out, penalty in zip(outs, penalties, strict=True)
        ]

    def _penalties(self) -> list[float]:
        """Choose the penalty of each fold by the others."""
        members = [self.folds == fold for fold in range(int(self.folds.max()) + 1)]
        if len(members) < 3:
            return [MEDIUM] * len(members)
        moments = [Moments.of(self.features[here], self._indicators[here]) for here in members]
        total = sum(moments[1:], moments[0])
        right = np.zeros((len(members), len(PENALTIES)))
        for one, other in combinations(range(len(members)), 2):
            train = total - moments[one] - moments[other]
            for place, penalty in enumerate(PENALTIES):
                found = Discriminant.fit(train, penalty)
                for fold, asked in ((one, members[other]), (other, members[one])):
                    given = found.answers(self.features[asked])
                    right[fold, place] += np.count_nonzero(given == self.codes[asked])
        # The first of equals, which is the strongest.
        return [PENALTIES[place] for place in right.argmax(axis=1)]


def _summed(
    features: NDArray[np.float32], codes: NDArray[np.integer], labels: int
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Return (r, n) features summed over each of (n, some) labels, and how often each occurs.

    Returns:
        (r, some, labels) and (some, labels).
    """
    count = codes.shape[1]
    cells = codes + labels * np.arange(count)
    indicators = np.zeros((len(codes), count * labels), np.float32)
    np.put_along_axis(indicators, cells, 1, axis=1)
    sizes = np.bincount(cells.ravel(), minlength=count * labels).astype(np.float64)
    return (features @ indicators).reshape(-1, count, labels), sizes.reshape(count, labels)


def _drawn(count: int, limit: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Return all rows, or `limit` of them in their order."""
    if count <= limit:
        return np.arange(count)
    return np.sort(rng.choice(count, limit, replace=False))


def _features(data: LabelledEmbedding, rows: NDArray[np.intp]) -> Floats:
    if len(rows) < len(data.values):
        return linear_features(data.values[rows])
    if data.graph.rotated is not None:
        return leading_columns(data.graph.rotated)
    return linear_features(data.values, data.points)
