"""The ranking of all methods of a run: which differences are real, and how firm it is."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from latentmap.metrics.best_by_k import apart, best_by_k
from latentmap.metrics.inference import (
    FEWEST_GROUPS,
    Spread,
    StatisticsOptions,
    group_sums,
    holm,
    interval_within,
    too_few,
)
from latentmap.metrics.metric import Key, at_k, headlines, known_metrics
from latentmap.metrics.replication import FURTHEST, fresh_sample, groups_needed
from latentmap.metrics.simultaneous import (
    LEVEL,
    GroupMeans,
    best_minus_best,
    joined,
    p_best,
    p_different,
    same,
)
from latentmap.store.files import read_json, reading, write_json
from latentmap.store.samples import read_samples
from latentmap.store.tables import check_ids, matrix, read_parquet


def rank_methods(
    keys: Iterable[Sequence[str]],
    metrics: Iterable[Path | str],
    scores: Sequence[Path | str],
    samples: Iterable[Path | str],
    headline: str,
    baselines: Collection[str],
    statistics: StatisticsOptions,
    output: Path | str,
) -> None:
    """Rank all embeddings of a run by one metric, with what is sure of the order.

    Args:
        keys: (encoder, variant, method) of each embedding.
        metrics: their files of metrics, in the same order.
        scores: their files of scores, in the same order.
        samples: the shards of samples, in the manifest's order.
        headline: the metric that ranks; where all samples share one source group, its twin among
            all neighbors does.
        baselines: encoders without learning.
        statistics: how uncertainty is estimated.
        output: JSON file of what `RankedMethods.describe` returns.

    Raises:
        LatentmapError: the rows of a file are not the samples, or a file of metrics is damaged.
    """
    table = read_samples(samples, ["id", "source_group"])
    ids = table["id"].to_pylist()
    groups = np.unique(np.array(table["source_group"].to_pylist(), np.str_), return_inverse=True)[1]
    measured = [
        Scored(Key(*key), _read_p_values(found), _read_scores(path, ids))
        for key, found, path in zip(keys, metrics, scores, strict=True)
    ]
    write_json(output, ranked(measured, groups, headline, statistics).describe(baselines))


class Scored(NamedTuple):
    """What is known of one embedding to be ranked.

    Attributes:
        key: encoder, variant, method.
        p_values: of every metric that has one.
        scores: (N,) what each sample contributes, as `measure.scores_of` returns it.
    """

    key: Key
    p_values: Mapping[str, float]
    scores: Mapping[str, NDArray[Any]]


def ranked(
    embeddings: Sequence[Scored],
    groups: NDArray[np.intp],
    headline: str,
    statistics: StatisticsOptions,
) -> RankedMethods:
    """Return embeddings of the same samples, to be ranked by one metric.

    Args:
        embeddings: what is known of each.
        groups: (N,) number of each sample's source group.
        headline: the metric that ranks; as for `rank_methods`.
        statistics: how uncertainty is estimated.
    """
    tables = [one.scores for one in embeddings]
    for metric in headlines(headline):
        columns = _scores(tables, metric, len(groups))
        if not np.isnan(columns).all():
            break
    by_k = _by_k(tables, metric, len(groups))
    scored = ~np.isnan(columns).all(axis=1)
    if scored.any():  # samples without a label say nothing of the methods
        columns, groups = columns[scored], np.unique(groups[scored], return_inverse=True)[1]
        by_k = {k: found[scored] for k, found in by_k.items()}
    keys, p_values = [one.key for one in embeddings], [one.p_values for one in embeddings]
    return RankedMethods(metric, keys, columns, p_values, groups, statistics, by_k)


def p_values_of(metrics: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """Return the p-value of every metric that has one, from what `measure.describe` says of all."""
    found = {name: entry["p_value"] for name, entry in metrics.items()}
    return {name: p_value for name, p_value in found.items() if p_value is not None}


def _read_p_values(path: Path | str) -> dict[str, float]:
    with reading(path, "a file of metrics"):
        return p_values_of(read_json(path)["metrics"])


def _read_scores(path: Path | str, ids: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Read the scores of one embedding."""
    table = read_parquet(path)
    with reading(path, "a file of scores"):
        found = table["id"].to_pylist()
    check_ids(path, found, ids)
    return {name: matrix(table[name]) for name in table.column_names if name != "id"}


def _scores(
    tables: Sequence[Mapping[str, NDArray[Any]]], metric: str, count: int
) -> NDArray[np.float64]:
    """Return one metric's scores, (N, embeddings); NaN where the metric is not defined."""
    undefined = np.full(count, np.nan)
    columns = [table.get(metric, undefined).astype(np.float64) for table in tables]
    return np.stack(columns, axis=1)


def _by_k(
    tables: Sequence[Mapping[str, NDArray[Any]]], metric: str, count: int
) -> dict[int, NDArray[np.float64]]:
    """Return a metric's scores for the numbers of neighbors that some embedding has them for."""
    start = at_k(metric, "")
    names = {name for table in tables for name in table if name.startswith(start)}
    found = sorted(int(name.removeprefix(start)) for name in names)
    return {k: _scores(tables, at_k(metric, k), count) for k in found}


@dataclass(frozen=True)
class RankedMethods:
    """The scores of several embeddings on the same samples.

    Attributes:
        metric: whose scores these are.
        keys: (encoder, variant, method) of each embedding.
        scores: (N, embeddings); NaN where a sample has none.
        p_values: by metric, of each embedding.
        groups: (N,) number of each sample's source group.
        statistics: how uncertainty is estimated.
        by_k: scores for other numbers of neighbors, by their number.
    """

    metric: str
    keys: Sequence[Key]
    scores: NDArray[np.float64]
    p_values: Sequence[Mapping[str, float]]
    groups: NDArray[np.intp]
    statistics: StatisticsOptions
    by_k: Mapping[int, NDArray[np.float64]] = field(default_factory=dict)

    def describe(self, baselines: Collection[str]) -> dict[str, Any]:
        """Return the ranking, and how sure it is, as plain values.

        Args:
            baselines: encoders without learning.

        Returns:
            `metric`, which ranks; `note`, why nothing is sure of the order, if so; `scopes`, first
            the whole run, then every encoder and variant, with the `ranking`, what a `fresh` sample
            would make of it and what would tell the best from the `next`; `variants`, boxes minus
            plain of every method that has both; `baselines`, in every variant each model's best
            method minus the best baseline; and `by_k`, of every encoder and variant the `best`
            method for each number of neighbors `k`, and `apart`, two numbers for which no method
            may be best for both, None if there are none.

            Of each row of a ranking: `p_best`, the p-value of its being the best or one of equal
            ones (`simultaneous.p_best`), and `may_be_best`, whether it is above 0.05. All
            intervals of a ranking, all of `variants`, and all of `baselines` hold at once in 95 %
            of samples, whichever is looked at; the p-values of `variants` are adjusted for their
            number. `p_adjusted` are p-values against chance, adjusted by Holm's method over the
            embeddings of the scope.
        """
        pairs = sorted({key[:2] for key in self.keys})
        inside = [[i for i, key in enumerate(self.keys) if key[:2] == pair] for pair in pairs]
        everything = list(range(len(self.keys)))
        scopes = [((None, None), everything), *zip(pairs, inside, strict=True)]
        return {
            "metric": self.metric,
            "source_groups": self._group_count,
            "note": self._note,
            "bootstrap": {"resamples": self.statistics.resamples, "seed": self.statistics.seed},
            "scopes": [
                {"encoder": encoder, "variant": variant, **self._scope(members)}
                for (encoder, variant), members in scopes
            ],
            "by_k": [
                {"encoder": encoder, "variant": variant, **found}
                for (encoder, variant), members in scopes[1:]
                if (found := self._best_by_k(members)) is not None
            ],
            "variants": self._variants(),
            "baselines": self._against_baselines(baselines),
        }

    @cached_property
    def _group_count(self) -> int:
        return len(np.unique(self.groups))

    @property
    def _note(self) -> str | None:
        if not self._order(range(len(self.keys))):
            return f"{self.metric} is not defined for any embedding."
        if self._group_count < FEWEST_GROUPS:
            return f"{too_few(self._group_count)} for intervals."
        return None

    @cached_property
    def _sums(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return group_sums(self.scores, self.groups)

    @cached_property
    def _values(self) -> NDArray[np.float64]:
        sums, counts = (part.sum(axis=0) for part in self._sums)
        return np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)

    @cached_property
    def _means(self) -> GroupMeans:
        defined = np.where(np.isnan(self._values), 0.0, self.scores)
        return GroupMeans.of(defined, self.groups, self.statistics.resamples, self.statistics.seed)

    def _order(self, members: Iterable[int]) -> list[int]:
        """Return the embeddings whose metric is defined, best first."""
        defined = [i for i in members if not np.isnan(self._values[i])]
        return sorted(defined, key=lambda i: (-self._values[i], self.keys[i]))

    def _scope(self, members: Sequence[int]) -> dict[str, Any]:
        """Return the ranking of some embeddings, and what other samples would make of it."""
        order, adjusted = self._order(members), self._adjusted(members)
        rows = [
            {
                **self.keys[i]._asdict(),
                "value": _rounded(self._values[i]),
                "interval": None,
                "p_adjusted": adjusted[i],
                "p_best": None,
                "may_be_best": None,
            }
            for i in order
        ]
        if not order or self._note:
            return {"ranking": rows, "fresh": None, "next": None}
        p_values = p_best(self._means, order).tolist()
        intervals = self._band(order)
        for row, interval, p_value in zip(rows, intervals, p_values, strict=True):
            row |= {"interval": interval, "p_best": p_value, "may_be_best": p_value > LEVEL}
        left = [i for i, p_value in zip(order, p_values, strict=True) if p_value > LEVEL]
        return {"ranking": rows, "fresh": self._fresh(order), "next": self._next(order, left)}

    def _band(self, members: Sequence[int]) -> list[list[float]]:
        """Return intervals of the values that all hold at once, inside the metric's bounds."""
        means = self._means.means(members)
        column = known_metrics().get(self.metric)
        reach, bounds = means.reach(), column.bounds if column else None
        spreads = [Spread(error, means.groups - 1) for error in means.errors.tolist()]
        return [
            _ends(*interval_within(value, spread, reach, bounds))
            for value, spread in zip(means.values.tolist(), spreads, strict=True)
        ]

    def _adjusted(self, members: Sequence[int]) -> dict[int, dict[str, float]]:
        """Return each member's p-values, by metric, adjusted for the number of members."""
        adjusted: dict[int, dict[str, float]] = {i: {} for i in members}
        for metric in sorted({name for i in members for name in self.p_values[i]}):
            found = holm(np.array([self.p_values[i].get(metric, np.nan) for i in members]))
            for i, p_value in zip(members, found, strict=True):
                if not np.isnan(p_value):
                    adjusted[i][metric] = float(p_value)
        return adjusted

    def _fresh(self, order: Sequence[int]) -> dict[str, Any] | None:
        """Return what a fresh sample of as many source groups would make of a ranking."""
        if len(order) < 2:
            return None
        fresh = fresh_sample(self._means, order)
        kendall = fresh.kendall and dict(
            zip(("mean", "lowest", "highest"), map(_rounded, fresh.kendall), strict=True)
        )
        return {"keeps_best": _rounded(fresh.keeps_best), "kendall": kendall}

    def _next(self, order: Sequence[int], left: Sequence[int]) -> dict[str, Any]:
        """Return who comes next to the best, and how many source groups would tell them apart.

        Those with the scores of the best are `identical`: no number of source groups tells them
        from it. `method` is the first other that cannot be excluded as best, None if all can;
        `source_groups` is None where more than `limit` would be needed.

        Args:
            order: embeddings, best first.
            left: those that cannot be excluded as best, in the same order.
        """
        means, (best, *others) = self._means, order
        identical = same(means, best, others)
        rivals = [i for i in left if i not in {best, *identical}]
        limit = FURTHEST * means.groups
        needed = None
        if rivals:
            found = groups_needed(means, best, rivals[0], left)
            needed = math.ceil(float(f"{found:.2g}")) if found <= limit else None
        return {
            "identical": [self.keys[i] for i in identical],
            "method": self.keys[rivals[0]] if rivals else None,
            "source_groups": needed,
            "limit": limit,
        }

    def _best_by_k(self, members: Sequence[int]) -> dict[str, Any] | None:
        """Return which methods are best for how many neighbors; None where that is not known."""
        columns = [
            i
            for i in self._order(members)
            if not any(np.isnan(scores[:, i]).any() for scores in self.by_k.values())
        ]
        if self._note or not self.by_k or not columns:
            return None
        scores = {k: found[:, columns] for k, found in self.by_k.items()}
        found = best_by_k(scores, self.groups, self.statistics)
        ends = apart(found)
        return {
            "best": [{"k": at.k, "method": self.keys[columns[at.best]].method} for at in found],
            "apart": ends and [at.k for at in ends],
        }

    def _variants(self) -> list[dict[str, Any]]:
        """Return boxes minus plain of every method that has both."""
        places = {self.keys[i]: i for i in self._order(range(len(self.keys)))}
        pairs = [
            (drawn, plain)
            for key, drawn in sorted(places.items())
            if key.variant == "boxes"
            and (plain := places.get(key._replace(variant="plain"))) is not None
        ]
        intervals: Sequence[list[float] | None] = [None] * len(pairs)
        p_values: Sequence[float | None] = [None] * len(pairs)
        if pairs and not self._note:
            changes = joined([self._means.differences(a, [b]) for a, b in pairs])
            intervals = [_ends(low, high) for low, high in zip(*changes.band(), strict=True)]
            p_values = p_different(self._means, pairs).tolist()
        return [
            {
                "encoder": self.keys[drawn].encoder,
                "method": self.keys[drawn].method,
                "difference": _rounded(self._values[drawn] - self._values[plain]),
                "interval": interval,
                "p_value": p_value,
            }
            for (drawn, plain), interval, p_value in zip(pairs, intervals, p_values, strict=True)
        ]

    def _against_baselines(self, baselines: Collection[str]) -> list[dict[str, Any]]:
        """Return each model's best method minus the best baseline in the same variant."""
        found = []
        for encoder, variant in sorted({key[:2] for key in self.keys}):
            here = [i for i, key in enumerate(self.keys) if key.variant == variant]
            own = self._order(i for i in here if self.keys[i].encoder == encoder)
            rivals = self._order(i for i in here if self.keys[i].encoder in baselines)
            if encoder not in baselines and own and rivals:
                found.append((own, rivals))
        return [
            {
                **self.keys[own[0]]._asdict(),
                "baseline": self.keys[rivals[0]]._asdict(),
                "difference": _rounded(self._values[own[0]] - self._values[rivals[0]]),
                # All of them hold at once (Bonferroni).
                "interval": None
                if self._note
                else _ends(*best_minus_best(self._means, own, rivals, LEVEL / len(found))),
            }
            for own, rivals in found
        ]


def _ends(low: float, high: float) -> list[float]:
    return [_rounded(low), _rounded(high)]


def _rounded(value: float | np.floating[Any]) -> float:
    """Return six digits, as many as scores of single precision give."""
    return float(f"{value:.6g}")


def tested_p_values(ranking: Mapping[str, Any]) -> list[float]:
    """Return the p-values of all embeddings that were tested, adjusted for all of the run.

    Args:
        ranking: as `ranked` returns it.
    """
    rows = ranking["scopes"][0]["ranking"]
    p_values = (row["p_adjusted"].get(ranking["metric"]) for row in rows)
    return [p_value for p_value in p_values if p_value is not None]
