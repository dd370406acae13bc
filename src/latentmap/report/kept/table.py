"""What every embedding keeps of every target, as the pages show it."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from latentmap.metrics.metric import Key
from latentmap.report.experiments import number_of
from latentmap.report.findings import SIGNIFICANT
from latentmap.store.results import TARGET_FACTS, WHAT_IS_KEPT, Results
from latentmap.store.tables import read_parquet
from latentmap.targets.facts import TargetFacts, read_facts
from latentmap.targets.figures import FIGURES

SAME = 6
"""Embeddings whose figures agree to so many places of all targets are told of as one."""


def is_number(target: TargetFacts) -> bool:
    """Whether a target's values are numbers, with a true and a predicted one for every sample."""
    return target.kind in ("continuous", "circular")


@dataclass(frozen=True)
class Figure:
    """What one embedding keeps of one target.

    Attributes:
        metric: what it is called.
        value: of the metric; NaN where it is not defined.
        chance: its mean under permutations.
        interval: 95 %, of the metric.
        p_value: adjusted for all embeddings and targets; None where nothing was tested.
        samples: on which it was measured, or pairs of them.
        kept: (value − chance) / (1 − chance); NaN where it is not defined.
        kept_interval: 95 %, of what is kept.
        places: first and last rank that its embedding may have for the target.
        is_in_best: whether its embedding cannot be told from the best for the target.
        note: why it is not defined, or what else to say.
    """

    metric: str
    value: float
    chance: float
    interval: tuple[float, float] | None
    p_value: float | None
    samples: int
    kept: float
    kept_interval: tuple[float, float] | None
    places: tuple[int, int] | None = None
    is_in_best: bool = False
    note: str = ""

    @property
    def is_above_chance(self) -> bool:
        """Whether it is significant among all embeddings and targets."""
        return self.p_value is not None and self.p_value <= SIGNIFICANT and self.kept > 0

    @property
    def may_be_best(self) -> bool:
        """Whether its embedding is above chance and cannot be told from the best."""
        return self.is_above_chance and self.is_in_best


@dataclass(frozen=True, eq=False)
class Embedding:
    """One embedding, or several that are the same.

    Attributes:
        keys: of all of them.
        is_baseline: whether its encoder has learned nothing.
        figures: the one of each target, by its name.
    """

    keys: tuple[Key, ...]
    is_baseline: bool
    figures: Mapping[str, Figure] = field(default_factory=dict)

    @property
    def encoder(self) -> str:
        """Name of the encoder."""
        return self.keys[0].encoder

    @property
    def variants(self) -> str:
        """The variants in which it is the same."""
        return ", ".join(dict.fromkeys(key.variant for key in self.keys))

    @property
    def methods(self) -> str:
        """The pooling methods that give it."""
        return " = ".join(dict.fromkeys(key.method for key in self.keys))

    def mean_of(self, targets: Iterable[TargetFacts]) -> float:
        """Return the mean of what it keeps of some targets; NaN if it is defined for none."""
        figures = (self.figures.get(target.name) for target in targets)
        kept = [one.kept for one in figures if one is not None and not math.isnan(one.kept)]
        return sum(kept) / len(kept) if kept else math.nan


@dataclass(frozen=True)
class WhatIsKept:
    """What every embedding of a run keeps of every target.

    Attributes:
        targets: by family, in the order of the configuration.
        embeddings: those of models before baselines, encoder by encoder, best first by the mean
            over families.
    """

    targets: Sequence[TargetFacts]
    embeddings: Sequence[Embedding]

    @cached_property
    def families(self) -> dict[str, list[TargetFacts]]:
        """The targets of each family."""
        families: dict[str, list[TargetFacts]] = {}
        for target in self.targets:
            families.setdefault(target.family, []).append(target)
        return families

    @cached_property
    def methods(self) -> list[str]:
        """The pooling methods of all encoders, best first of the first."""
        return list(dict.fromkeys(one.methods for one in self.embeddings))

    @cached_property
    def variants(self) -> list[str]:
        """The variants in which models look at the samples."""
        return list(dict.fromkeys(one.variants for one in self.subjects))

    @cached_property
    def subjects(self) -> Sequence[Embedding]:
        """The embeddings of models; all if there are only baselines."""
        return [one for one in self.embeddings if not one.is_baseline] or self.embeddings

    @property
    def baselines(self) -> Sequence[Embedding]:
        """The embeddings that the others are held against."""
        return [one for one in self.embeddings if one not in self.subjects]

    def name(self, one: Embedding) -> str:
        """Return what charts and sentences call an embedding: as short as it is clear."""
        models = {other.encoder for other in self.subjects}
        methods = {other.methods for other in self.embeddings if other.encoder == one.encoder}
        is_the_model = models == {one.encoder} and len(methods) > 1
        parts = [] if is_the_model else [one.encoder]
        parts += [one.methods] if len(methods) > 1 else []
        shows_variant = len(self.variants) > 1 and "," not in one.variants
        return " / ".join(parts) + (f" ({one.variants})" if shows_variant else "")


def read_kept(results: Results) -> WhatIsKept | None:
    """Read what a run keeps of its targets; None if it has none.

    Raises:
        LatentmapError: a file is missing or damaged.
    """
    for path in results.paths(WHAT_IS_KEPT):
        targets = read_facts(results.path(TARGET_FACTS))
        return what_is_kept(targets, read_parquet(path).to_pylist())
    return None


def what_is_kept(targets: Sequence[TargetFacts], rows: Sequence[Mapping[str, Any]]) -> WhatIsKept:
    """Return what pages show of a table.

    Args:
        targets: in the order of the configuration.
        rows: of `targets/what_is_kept.parquet`.
    """
    figures: dict[Key, dict[str, Figure]] = {}
    for row in rows:
        found = figures.setdefault(key_of(row), {})
        if row["headline"]:
            found[row["target"]] = _figure(row)
    baselines = {key_of(row) for row in rows if row["baseline"]}
    return table_of(targets, figures, baselines)


def key_of(row: Mapping[str, Any]) -> Key:
    """Return the embedding that a row of a table is about."""
    return Key(row["encoder"], row["variant"], row["method"])


def table_of(
    targets: Sequence[TargetFacts],
    figures: Mapping[Key, Mapping[str, Figure]],
    baselines: Collection[Key],
) -> WhatIsKept:
    """Return figures of every embedding, by the names of targets, in the order of pages."""
    families = list(dict.fromkeys(target.family for target in targets))
    ordered = sorted(targets, key=lambda target: families.index(target.family))
    known = {name for found in figures.values() for name in found}
    shown = [target for target in ordered if target.name in known]
    joined = [
        Embedding(tuple(keys), keys[0] in baselines, figures[keys[0]])
        for keys in _alike(figures, shown)
    ]
    return WhatIsKept(shown, _in_order(joined, WhatIsKept(shown, joined).families))


def _alike(
    figures: Mapping[Key, Mapping[str, Figure]], targets: Sequence[TargetFacts]
) -> list[list[Key]]:
    """Return the embeddings, those together that are the same.

    They are where methods of one encoder and variant have the same figures, or where all methods
    of an encoder have the same in several variants, because it looks at no picture.
    """

    def told(key: Key) -> tuple[str, ...]:
        found = (figures[key].get(target.name) for target in targets)
        return tuple("" if one is None else f"{one.value:.{SAME}f}" for one in found)

    places: dict[tuple[str, str], dict[tuple[str, ...], list[Key]]] = {}
    for key in figures:
        places.setdefault(key[:2], {}).setdefault(told(key), []).append(key)
    whole: dict[tuple[str, tuple[Any, ...]], list[list[Key]]] = {}
    for (encoder, _), found in places.items():
        same = tuple((values, tuple(key.method for key in keys)) for values, keys in found.items())
        before = whole.setdefault((encoder, same), [[] for _ in found])
        for together, keys in zip(before, found.values(), strict=True):
            together += keys
    return [keys for sets in whole.values() for keys in sets]


def _in_order(
    embeddings: Sequence[Embedding], families: Mapping[str, Sequence[TargetFacts]]
) -> list[Embedding]:
    encoders = list(dict.fromkeys((one.encoder, one.variants) for one in embeddings))

    def rank(one: Embedding) -> tuple[bool, int, float]:
        means = [one.mean_of(targets) for targets in families.values()]
        there = [max(mean, 0) for mean in means if not math.isnan(mean)]
        overall = sum(there) / len(there) if there else -1.0
        return one.is_baseline, encoders.index((one.encoder, one.variants)), -overall

    return sorted(embeddings, key=rank)


def _figure(row: Mapping[str, Any]) -> Figure:
    return Figure(
        metric=FIGURES[row["metric"]].title,
        value=number_of(row["value"]),
        chance=number_of(row["chance"]),
        interval=range_of(row["low"], row["high"]),
        p_value=row["p_adjusted"],
        samples=row["samples"],
        kept=number_of(row["kept"]),
        kept_interval=range_of(row["kept_low"], row["kept_high"]),
        places=range_of(row["place_low"], row["place_high"]),
        is_in_best=bool(row["may_be_best"]),
        note=row["note"] or "",
    )


def range_of(low: Any, high: Any) -> tuple[Any, Any] | None:
    """Return two ends of a table, None where they are not known."""
    return None if low is None or high is None or math.isnan(low) else (low, high)
