"""What was found out about how sources differ, and the sentences that say it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from latentmap.neighbors.rows import DistanceMetric
from latentmap.report.experiments import Experiment, Key, format_value, number_of
from latentmap.report.findings import SIGNIFICANT, Finding
from latentmap.store.files import read_json, reading

SCHEMES = {
    "free": "every sample may change its source",
    "whole": "source groups change their source as a whole",
    "within": "sources change places inside the source groups that have samples of both",
    "whole and within": (
        "sources change places inside the source groups that have samples of both, and other "
        "groups change theirs as a whole"
    ),
}


@dataclass(frozen=True)
class SourcePair:
    """How two sources differ in one embedding.

    Attributes:
        first: name of a source.
        second: name of another.
        metrics: of each metric its value, what to expect of equal distributions (`expected`, and
            95 % between `low` and `high`) and its p-value; NaN where it is not defined.
        accuracy: of the classifier.
        p_adjusted: p-value of its AUC, adjusted for the number of pairs.
        scheme: which samples change their source in a permutation.
        shared: source groups with samples of both.
        in_neighborhoods: samples that all metrics but the classifier's are about.
    """

    first: str
    second: str
    metrics: Mapping[str, Mapping[str, float]]
    accuracy: float
    p_adjusted: float
    scheme: str
    shared: int
    in_neighborhoods: int

    @property
    def auc(self) -> float:
        """Area under the curve of the classifier; NaN where there is none."""
        return self.metrics["auc"]["value"]

    @property
    def differs(self) -> bool:
        """Whether the classifier tells the sources apart."""
        return self.p_adjusted <= SIGNIFICANT


@dataclass(frozen=True)
class SourceComparison:
    """How the sources of one embedding differ.

    Attributes:
        key: the embedding.
        sources: (name, samples, how many were compared) of each.
        pairs: of sources.
        regions: of each map its `centres`, the `shares` of the sources and `p_adjusted`.
        reference: name of the reference run, if there is one.
        k: own neighbors that a ball reaches to, for coverage and density.
        distance: by which samples are compared.
    """

    key: Key
    sources: Sequence[tuple[str, int, int]]
    pairs: Sequence[SourcePair]
    regions: Mapping[str, Mapping[str, Any]]
    reference: str | None
    k: int
    distance: DistanceMetric

    @property
    def widest(self) -> SourcePair:
        """The pair that the classifier tells apart best."""
        return max(self.pairs, key=lambda pair: -1.0 if math.isnan(pair.auc) else pair.auc)


def read_comparisons(
    keys: Sequence[Sequence[str]], paths: Sequence[Path | str]
) -> list[SourceComparison]:
    """Read what `compare_sources` wrote of each of these embeddings."""
    comparisons = []
    for key, path in zip(keys, paths, strict=True):
        with reading(path, "a comparison of sources"):
            comparisons.append(_read(Key(*key), read_json(path)))
    return comparisons


def _read(key: Key, content: Mapping[str, Any]) -> SourceComparison:
    def pair(entry: Mapping[str, Any]) -> SourcePair:
        metrics = {
            name: {part: number_of(value) for part, value in metric.items()}
            for name, metric in entry["metrics"].items()
        }
        numbers = {name: number_of(entry[name]) for name in ("accuracy", "p_adjusted")}
        return SourcePair(**{**entry, **numbers, "metrics": metrics})

    return SourceComparison(
        key,
        [(source["name"], source["samples"], source["compared"]) for source in content["sources"]],
        [pair(entry) for entry in content["pairs"]],
        content["maps"],
        content["reference"],
        content["options"]["k"],
        content["options"]["metric"],
    )


def source_findings(
    comparisons: Sequence[SourceComparison], ranked: Sequence[Experiment]
) -> Iterator[Finding]:
    """Say how well sources are told apart in the best embedding in which they were compared.

    Args:
        comparisons: of the sources, by embedding.
        ranked: all embeddings, best first.
    """
    by_key = {comparison.key: comparison for comparison in comparisons if comparison.pairs}
    best = next((by_key[e.key] for e in ranked if e.key in by_key), None)
    if best is None or math.isnan(best.widest.auc):
        return
    pair = best.widest
    encoder, variant, method = best.key
    sources = f"'{pair.first}' and '{pair.second}'"
    said = "differ" if pair.differs else "are not told apart"
    text = (
        f"In {method} of {encoder} ({variant}) the sources {sources} {said}: a classifier names "
        f"the source of {100 * pair.accuracy:.0f} % of unseen samples (mean of both sources), 50 % "
        f"by chance (AUC "
        f"{format_value(pair.auc)}, p = {format_value(pair.p_adjusted)})."
    )
    if len(best.pairs) > 1:
        apart = sum(one.differs for one in best.pairs)
        text += f" Of {len(best.pairs)} pairs of sources {apart} differ, these most."
    yield Finding(text)
