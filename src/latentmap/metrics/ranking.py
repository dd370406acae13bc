"""The ranking of all methods of a run: which differences are real, and how firm it is."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentmap.metrics.inference import (
    FEWEST_GROUPS,
    StatisticsOptions,
    group_sums,
    holm,
    percentiles,
    resampled_means,
)
from latentmap.metrics.metric import Key, headlines
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
    names = [Key(*key) for key in keys]
    p_values = [_p_values(path) for path in metrics]
    for metric in headlines(headline):
        columns = np.stack([_scores(path, metric, ids) for path in scores], axis=1)
        if not np.isnan(columns).all():
            break
    scored = ~np.isnan(columns).all(axis=1)
    if scored.any():  # samples without a label say nothing of the methods
        columns, groups = columns[scored], np.unique(groups[scored], return_inverse=True)[1]
    methods = RankedMethods(metric, names, columns, p_values, groups, statistics)
    write_json(output, methods.describe(baselines))


def _p_values(path: Path | str) -> dict[str, float]:
    """Return the p-value of every metric that has one."""
    with reading(path, "a file of metrics"):
        found = {name: entry["p_value"] for name, entry in read_json(path)["metrics"].items()}
    return {name: p_value for name, p_value in found.items() if p_value is not None}


def _scores(path: Path | str, metric: str, ids: Sequence[str]) -> NDArray[np.float64]:
    """Return one metric's scores, (N,); NaN where the metric is not defined."""
    table = read_parquet(path)
    with reading(path, "a file of scores"):
        found = table["id"].to_pylist()
    check_ids(path, found, ids)
    if metric not in table.column_names:
        return np.full(len(ids), np.nan)
    return matrix(table[metric]).astype(np.float64)


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
    """

    metric: str
    keys: Sequence[Key]
    scores: NDArray[np.float64]
    p_values: Sequence[Mapping[str, float]]
    groups: NDArray[np.intp]
    statistics: StatisticsOptions

    def describe(self, baselines: Collection[str]) -> dict[str, Any]:
        """Return the ranking, and how sure it is, as plain values.

        Args:
            baselines: encoders without learning.

        Returns:
            `metric`, which ranks; `note`, why there are no intervals, if so; `scopes`, first the
            whole run, then every encoder and variant, with `ranking` and `stability`; `variants`,
            boxes minus plain of every method that has both; and `baselines`, in every variant each
            model's best method minus the best baseline. Differences have 95 % intervals of the
            paired group bootstrap, not adjusted for their number; p-values are adjusted by Holm's
            method over the embeddings of the scope.
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
            "splits": self.statistics.splits,
            "scopes": [
                {
                    "encoder": encoder,
                    "variant": variant,
                    "ranking": self._ranking(members),
                    "stability": self._stability(members),
                }
                for (encoder, variant), members in scopes
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
            return f"{self._group_count} source groups are too few for intervals."
        return None

    @cached_property
    def _sums(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return group_sums(self.scores, self.groups)

    @cached_property
    def _values(self) -> NDArray[np.float64]:
        sums, counts = (part.sum(axis=0) for part in self._sums)
        return np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)

    @cached_property
    def _resampled(self) -> NDArray[np.float64]:
        return resampled_means(self.scores, self.groups, self.statistics)

    def _order(self, members: Iterable[int]) -> list[int]:
        """Return the embeddings whose metric is defined, best first."""
        defined = [i for i in members if not np.isnan(self._values[i])]
        return sorted(defined, key=lambda i: (-self._values[i], self.keys[i]))

    def _ranking(self, members: Sequence[int]) -> list[dict[str, Any]]:
        order = self._order(members)
        adjusted = self._adjusted(members)
        ties = self._ties(order)
        return [
            {
                **self.keys[i]._asdict(),
                "value": _rounded(self._values[i]),
                "p_adjusted": adjusted[i],
                "minus_best": self._difference(i, order[0]),
                "minus_next": self._difference(i, order[place + 1])
                if place + 1 < len(order)
                else None,
                "ties_with": None if ties is None else [self.keys[j] for j in ties[place]],
                "ties_with_best": None if ties is None else place == 0 or order[0] in ties[place],
            }
            for place, i in enumerate(order)
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

    def _ties(self, order: Sequence[int]) -> list[list[int]] | None:
        """Return for each of these the others that it cannot be told from, best first."""
        if self._note:
            return None
        means = self._resampled[:, order]
        ties = []
        for place, own in enumerate(means.T):
            low, high = percentiles(own[:, np.newaxis] - means)
            alike = (low <= 0) & (high >= 0)
            alike[place] = False
            ties.append([i for i, tied in zip(order, alike, strict=True) if tied])
        return ties

    def _difference(self, one: int, other: int) -> dict[str, Any]:
        """Return the first embedding's value minus the second's, with its interval."""
        difference = _rounded(self._values[one] - self._values[other])
        if self._note:
            return {"difference": difference, "interval": None}
        apart = (self._resampled[:, one] - self._resampled[:, other])[:, np.newaxis]
        low, high = percentiles(apart)[:, 0]
        return {"difference": difference, "interval": [_rounded(low), _rounded(high)]}

    def _stability(self, members: Sequence[int]) -> dict[str, Any] | None:
        """Return how the ranking by one random half of the source groups agrees with the other's.

        Scores are those on all samples' neighbors. Spearman's and Kendall's rank correlation over
        the embeddings: mean and range over the splits.
        """
        order = self._order(members)
        if self._note or len(order) < 3:
            return None
        # SciPy takes longer to import than the rest to compute.
        from scipy.stats import kendalltau, spearmanr

        sums, counts = (part[:, order] for part in self._sums)
        rng = np.random.default_rng(self.statistics.seed)
        agreements = []
        for _ in range(self.statistics.splits):
            shuffled = rng.permutation(len(sums))
            cut = len(sums) // 2
            halves = [
                sums[half].sum(axis=0) / counts[half].sum(axis=0)
                for half in (shuffled[:cut], shuffled[cut:])
            ]
            if all(np.ptp(half) > 0 for half in halves):
                agreements.append((spearmanr(*halves)[0], kendalltau(*halves)[0]))
        if not agreements:
            return None
        return {
            name: {
                "mean": _rounded(np.mean(column)),
                "lowest": _rounded(np.min(column)),
                "highest": _rounded(np.max(column)),
            }
            for name, column in zip(("spearman", "kendall"), np.transpose(agreements), strict=True)
        }

    def _variants(self) -> list[dict[str, Any]]:
        """Return boxes minus plain of every method that has both."""
        places = {self.keys[i]: i for i in self._order(range(len(self.keys)))}
        return [
            {"encoder": encoder, "method": method, **self._difference(drawn, plain)}
            for (encoder, variant, method), drawn in sorted(places.items())
            if variant == "boxes"
            and (plain := places.get(Key(encoder, "plain", method))) is not None
        ]

    def _against_baselines(self, baselines: Collection[str]) -> list[dict[str, Any]]:
        """Return each model's best method minus the best baseline in the same variant."""
        found = []
        for encoder, variant in sorted({key[:2] for key in self.keys}):
            here = [i for i, key in enumerate(self.keys) if key.variant == variant]
            own = self._order(i for i in here if self.keys[i].encoder == encoder)
            rivals = self._order(i for i in here if self.keys[i].encoder in baselines)
            if encoder not in baselines and own and rivals:
                found.append(
                    {
                        **self.keys[own[0]]._asdict(),
                        "baseline": self.keys[rivals[0]]._asdict(),
                        **self._difference(own[0], rivals[0]),
                    }
                )
        return found


def _rounded(value: float | np.floating[Any]) -> float:
    """Return six digits, as many as scores of single precision give."""
    return float(f"{value:.6g}")
