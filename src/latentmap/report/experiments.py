"""What was measured: the metrics of every encoder, variant and pooling method."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from latentmap.config import unknown
from latentmap.errors import LatentmapError
from latentmap.metrics.metric import GROUPED, HEADLINE, MACRO, Measurement, headlines, known_metrics
from latentmap.metrics.metric import Key as Key
from latentmap.neighbors.rows import DistanceMetric
from latentmap.store.files import read_json, reading
from latentmap.store.results import METRICS, Artifact, Results

UNIFORM = {"knn_category_": "random_baseline_category", "knn_group_": "random_baseline_group"}
"""Metrics with uniform chance, one over the number of classes, by what their names begin with."""

_UNDEFINED = Measurement(math.nan)

SMALLEST_P = 0.001
"""Of smaller p-values nobody needs to know more than that they are smaller."""


@dataclass(frozen=True)
class LabelRate:
    """How often the neighbors of one label's samples have that label.

    Attributes:
        share: mean same-label share of the nearest neighbors; NaN where it is not defined.
        chance: its mean under permuted labels.
        deviation: from it, in standard deviations under permutations; NaN where it has none.
        interval: 95 % interval, which holds for all labels at once; None in too few source groups.
    """

    share: float
    chance: float
    deviation: float = math.nan
    interval: tuple[float, float] | None = None

    @property
    def ratio(self) -> float:
        """The share over its chance level."""
        return self.share / self.chance if self.chance else math.nan


@dataclass(frozen=True)
class LabelRates:
    """How often the neighbors of one label's samples have that label, on both neighbor lists.

    Attributes:
        n: samples of the label.
        every: among all neighbors.
        grouped: among neighbors of other source groups.
    """

    n: int
    every: LabelRate
    grouped: LabelRate

    def on(self, metric: str) -> LabelRate:
        """Return what holds on the neighbors of one of the metrics that rank."""
        return self.grouped if metric.endswith(GROUPED) else self.every


@dataclass(frozen=True)
class Experiment:
    """All metrics of one embedding.

    Attributes:
        key: its encoder, variant and pooling method.
        metrics: measurements by metric name.
        labels: neighbor rates by label.
        recall: audited recall of an approximate neighbor graph; None where the graph is exact.
        distance: by which samples are compared.
        zero_rows: how many have no direction where directions are compared.
        headline: the metric by which the methods of the run are ranked.
    """

    key: Key
    metrics: Mapping[str, Measurement]
    labels: Mapping[str, LabelRates]
    recall: float | None = None
    distance: DistanceMetric = "euclidean"
    zero_rows: int = 0
    headline: str = HEADLINE

    def __getitem__(self, metric: str) -> Measurement:
        """Return a measurement; one that is not defined where the metric was not measured.

        A metric need not have every average, nor a twin among other source groups.

        Raises:
            LatentmapError: no metric has this name.
        """
        if metric in self.metrics:
            return self.metrics[metric]
        if metric.removesuffix(GROUPED).removesuffix(MACRO) not in known_metrics():
            raise LatentmapError(unknown("metric", metric, known_metrics()))
        return _UNDEFINED

    def value(self, metric: str) -> float:
        """Return a metric's value; NaN where it was not measured or is not defined."""
        return self[metric].value


def read_experiments(
    keys: Iterable[Sequence[str]], paths: Iterable[Path | str], headline: str = HEADLINE
) -> list[Experiment]:
    """Read the metrics of several embeddings.

    Args:
        keys: (encoder, variant, method) of each file.
        paths: the files `metrics/{encoder}/{variant}/{method}.json`, in the same order.
        headline: the metric by which methods are ranked.
    """
    return [_read(Key(*key), path, headline) for key, path in zip(keys, paths, strict=True)]


def experiments_of(
    results: Results, metrics: Artifact[Any] = METRICS, **where: str
) -> list[Experiment]:
    """Read the metrics of a run's embeddings, or of those that `where` says.

    A page that does needs the option `headline`.
    """
    keys, paths = results.keys(metrics, **where), results.paths(metrics, **where)
    return read_experiments(keys, paths, results.option("headline"))


def _read(key: Key, path: Path | str, headline: str) -> Experiment:
    with reading(path, "a file of metrics"):
        content = read_json(path)
        metrics = {name: _measurement(entry) for name, entry in content["metrics"].items()}
        labels = {name: _rates(entry) for name, entry in content["labels"].items()}
        graph = content["neighbors"]
        neighbors = graph.get("recall"), graph["metric"], graph["zero_rows"]
    return Experiment(key, metrics, labels, *neighbors, headline)


def _measurement(entry: Mapping[str, Any]) -> Measurement:
    return Measurement(
        value=number_of(entry["value"]),
        chance=entry.get("chance"),
        chance_range=_range(entry.get("chance_range")),
        interval=_range(entry.get("interval")),
        p_value=entry.get("p_value"),
        effect=entry.get("effect"),
        note=entry.get("note"),
        by_k={point["k"]: _measurement(point) for point in entry.get("curve", ())},
        label_deviations=None
        if (found := entry.get("label_deviations")) is None
        else np.array(found),
    )


def _range(ends: Sequence[float | None] | None) -> tuple[float, float] | None:
    return None if ends is None else (number_of(ends[0]), number_of(ends[1]))


def _rates(entry: Mapping[str, Any]) -> LabelRates:
    return LabelRates(entry["n"], _rate(entry, ""), _rate(entry, "_grouped"))


def _rate(entry: Mapping[str, Any], suffix: str) -> LabelRate:
    share, chance, deviation, *ends = (
        number_of(entry.get(f"knn_category_{name}{suffix}"))
        for name in ("rate", "chance", "deviation", "low", "high")
    )
    low, high = ends
    return LabelRate(share, chance, deviation, None if math.isnan(low) else (low, high))


def number_of(value: float | None) -> float:
    """Return a number of a file, NaN for null."""
    return math.nan if value is None else float(value)


def metric_names(experiments: Sequence[Experiment]) -> list[str]:
    """Return the metrics that were measured: those that rank first, then as metrics list them."""
    measured = {name for experiment in experiments for name in experiment.metrics}
    order = dict.fromkeys([*twins(headline(experiments)), *known_metrics(), *sorted(measured)])
    return [name for name in order if name in measured]


def has_labels(experiments: Iterable[Experiment]) -> bool:
    """Return whether any sample of the run has a label."""
    return any(experiment.labels for experiment in experiments)


def headline(experiments: Sequence[Experiment]) -> str:
    """Return the metric that ranks these experiments.

    It is that of the run, unless that is defined nowhere because all samples share one source group
    and it is about neighbors of others.
    """
    return _defined(headlines(experiments[0].headline if experiments else HEADLINE), experiments)


def of_labels(experiments: Sequence[Experiment]) -> str:
    """Return the metric of which labels have their own rates: the headline if it is one."""
    metric = headline(experiments)
    both = twins(HEADLINE)
    return metric if metric in both else _defined(both, experiments)


def _defined(metrics: Sequence[str], experiments: Sequence[Experiment]) -> str:
    """Return the first metric that is defined for any experiment; else the last."""
    for metric in metrics:
        if any(not math.isnan(experiment.value(metric)) for experiment in experiments):
            return metric
    return metrics[-1]


def twins(metric: str) -> tuple[str, str]:
    """Return a metric on neighbors of other source groups, and the same on all neighbors."""
    every = metric.removesuffix(GROUPED)
    return f"{every}{GROUPED}", every


def averages(metric: str) -> tuple[str, str]:
    """Return a metric as a mean over samples, and as a mean over labels."""
    every = metric.removesuffix(GROUPED)
    base = every.removesuffix(MACRO)
    suffix = metric.removeprefix(every)
    return base + suffix, base + MACRO + suffix


def is_ranked(experiments: Sequence[Experiment]) -> bool:
    """Return whether the metric that ranks is defined for any of these experiments."""
    metric = headline(experiments)
    return any(not math.isnan(experiment.value(metric)) for experiment in experiments)


def distinct(metrics: Iterable[str], experiments: Sequence[Experiment]) -> list[str]:
    """Return metrics without those that are the same numbers as an earlier one.

    As they are where every sample is a source group of its own, or every label a label group.
    """
    found: dict[tuple[float | None, ...], str] = {}
    for metric in metrics:
        values = (experiment.value(metric) for experiment in experiments)
        found.setdefault(tuple(None if math.isnan(one) else one for one in values), metric)
    return list(found.values())


def times_chance(experiment: Experiment, metric: str) -> tuple[float, float]:
    """Return a share over its chance level, and over uniform chance; NaN where there is none."""
    found = experiment[metric]
    chance = math.nan if found.effect is None else found.chance
    uniforms = [name for start, name in UNIFORM.items() if metric.startswith(start)]
    uniform = experiment.value(uniforms[0]) if uniforms else math.nan
    times, times_uniform = (
        found.value / level if level else math.nan for level in (chance, uniform)
    )
    return times, times_uniform


def ranked(experiments: Sequence[Experiment]) -> list[Experiment]:
    """Return experiments best first; those whose metric is not defined come last."""
    metric = headline(experiments)

    def rank(experiment: Experiment) -> tuple[bool, float, Key]:
        value = experiment.value(metric)
        undefined = math.isnan(value)
        return undefined, 0.0 if undefined else -value, experiment.key

    return sorted(experiments, key=rank)


def best_of_each_encoder(experiments: Sequence[Experiment]) -> list[Experiment]:
    """Return the best method of every encoder, best first."""
    best: dict[str, Experiment] = {}
    for experiment in ranked(experiments):
        best.setdefault(experiment.key.encoder, experiment)
    return list(best.values())


def joined_variants(experiments: Iterable[Experiment]) -> dict[Key, Key]:
    """Return the key under which each embedding is told of, one for variants that are the same.

    As they are where an encoder looks at no picture, so that drawn boxes change nothing.
    """
    variants: dict[str, dict[str, dict[str, tuple[str, ...]]]] = {}
    for experiment in experiments:
        encoder, variant, method = experiment.key
        values = tuple(repr(found.value) for _, found in sorted(experiment.metrics.items()))
        variants.setdefault(encoder, {}).setdefault(variant, {})[method] = values
    joined = {}
    for encoder, methods in variants.items():
        first, *others = methods.values()
        shared = ", ".join(methods) if all(other == first for other in others) else None
        for variant, found in methods.items():
            for method in found:
                key = Key(encoder, variant, method)
                joined[key] = key._replace(variant=shared or variant)
    return joined


def told_once(experiments: Iterable[Experiment]) -> list[Experiment]:
    """Return experiments without those that are told of as an earlier variant."""
    experiments = list(experiments)
    joined = joined_variants(experiments)
    return list({joined[e.key]: e for e in reversed(experiments)}.values())[::-1]


def counted(count: int, total: int, noun: str) -> str:
    """Return how many of all something is: `3 of 24 labels`, `all 24 labels`, `the only label`."""
    if total == 1 == count:
        return f"the only {noun}"
    if count == total:
        return f"{'both' if total == 2 else f'all {total:,}'} {noun}s"
    if count == 0:
        return f"none of the {total:,} {noun}s"
    return f"{count:,} of {total:,} {noun}s"


def format_value(value: float | None) -> str:
    """Return a metric as readers want it: about three digits, whole numbers in full."""
    if value is None or not math.isfinite(value):
        return "–"
    size = abs(value)
    if float(value).is_integer() or size >= 1000:
        text = f"{value:,.0f}"
    elif size >= 10:
        text = f"{value:.1f}"
    elif size >= 1:
        text = f"{value:.2f}"
    else:
        text = f"{value:.3f}" if round(size, 4) >= 0.001 else f"{value:.1e}"
    return text.replace("-", "−")


def format_p(p_value: float | None) -> str:
    """Return a p-value as tables have it."""
    if p_value is not None and p_value < SMALLEST_P:
        return f"< {SMALLEST_P}"
    return format_value(p_value)


def say_p(p_value: float) -> str:
    """Return a p-value as sentences have it: `p = 0.012`, `p < 0.001`."""
    text = format_p(p_value)
    return f"p {text}" if text.startswith("<") else f"p = {text}"


def format_chance(measurement: Measurement) -> str:
    """Return a metric's chance level, with its range where it is known."""
    text = format_value(measurement.chance)
    if measurement.chance_range is None:
        return text
    low, high = map(format_value, measurement.chance_range)
    return f"{text} ({low} to {high})"


def format_difference(value: float) -> str:
    """Return a difference as readers want it: with its sign, to three places."""
    return f"{value:+.3f}".replace("-", "−")
