"""The heatmap of embeddings and targets: how much of each target each embedding keeps."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from latentmap.report.cells import TonedCell
from latentmap.report.experiments import format_value, say_p
from latentmap.report.kept.table import Embedding, Figure, WhatIsKept, is_number
from latentmap.targets.facts import TargetFacts

VARIANTS = {"boxes": "boxes drawn", "plain": "plain"}
"""How headings call the variants."""


@dataclass(frozen=True)
class Column:
    """One target.

    Attributes:
        title: its heading.
        meaning: what it is, on hover.
        is_first: whether it is the first of its family.
        number: its place among the targets.
        is_number: whether its true and predicted values are numbers.
    """

    title: str
    meaning: str
    is_first: bool
    number: int
    is_number: bool


@dataclass(frozen=True)
class Cell(TonedCell):
    """What one embedding keeps of one target; the tone is a percentage, 0 if not above chance.

    Attributes:
        may_be_best: whether it cannot be told from the best of its column.
        is_first: whether its column is the first of its family.
    """

    may_be_best: bool = False
    is_first: bool = False


@dataclass(frozen=True)
class Row:
    """One embedding.

    Attributes:
        name: its pooling methods.
        number: their place among those of all encoders.
        cells: one for each column.
    """

    name: str
    number: int
    cells: Sequence[Cell]


@dataclass(frozen=True)
class Part:
    """The embeddings of one encoder and variant.

    Attributes:
        title: encoder and variant.
        is_baseline: whether the encoder has learned nothing.
        rows: best first, by the mean over families.
    """

    title: str
    is_baseline: bool
    rows: Sequence[Row]


@dataclass(frozen=True)
class Heatmap:
    """The table.

    Attributes:
        title: what it is called.
        answer: what the sentences above it say.
        families: with how many columns each has.
        columns: the targets, by family.
        parts: of the rows, those of baselines last.
    """

    title: str
    answer: str
    families: Mapping[str, int]
    columns: Sequence[Column]
    parts: Sequence[Part]

    @property
    def has_families(self) -> bool:
        """Whether any family says more than the heading of its only column."""
        return any(count > 1 for count in self.families.values()) or (
            [*self.families] != [column.title for column in self.columns]
        )


TITLE, ANSWER = "What is kept", "What is kept, from 0 (chance) to 1 (all that can be known)"


def heatmap(
    kept: WhatIsKept, title: str = TITLE, answer: str = ANSWER, unit: str = "samples"
) -> Heatmap:
    """Return the heatmap of a run.

    Args:
        kept: what is kept.
        title: what it is called.
        answer: what the sentences above it say.
        unit: of which its figures are counted.
    """
    starts = {targets[0].name for targets in kept.families.values()}
    parts: dict[tuple[str, str], list[Embedding]] = {}
    for one in kept.embeddings:
        parts.setdefault((one.encoder, one.variants), []).append(one)
    return Heatmap(
        title,
        answer,
        {family: len(targets) for family, targets in kept.families.items()},
        [
            Column(
                target.title.replace("_", " "),
                _meaning(target),
                target.name in starts,
                place,
                is_number(target),
            )
            for place, target in enumerate(kept.targets)
        ],
        [
            Part(
                _place(encoder, variants),
                found[0].is_baseline,
                [_row(one, kept, starts, unit) for one in found],
            )
            for (encoder, variants), found in parts.items()
        ],
    )


def _row(one: Embedding, kept: WhatIsKept, starts: set[str], unit: str) -> Row:
    cells = list(_cells(one, kept.targets, starts, unit))
    return Row(one.methods, kept.methods.index(one.methods), cells)


def _place(encoder: str, variants: str) -> str:
    if "," in variants:  # it looks at no picture
        return encoder
    return f"{encoder}, {VARIANTS.get(variants, variants)}"


def _meaning(target: TargetFacts) -> str:
    unit = f" ({target.unit})" if target.unit else ""
    return f"{target.name}: {target.kind}{unit}, defined for {target.count:,} samples"


def _cells(
    one: Embedding, targets: Sequence[TargetFacts], starts: set[str], unit: str
) -> Iterator[Cell]:
    for target in targets:
        figure = one.figures.get(target.name)
        is_first = target.name in starts
        if figure is None or math.isnan(figure.kept):
            yield Cell("–", details=figure.note if figure else "", is_first=is_first)
            continue
        is_above = figure.is_above_chance
        yield Cell(
            two_places(figure.kept),
            f"{figure.kept:.4f}",
            details(figure, unit),
            round(100 * min(figure.kept, 1)) if is_above else 0,
            not is_above,
            figure.may_be_best,
            is_first,
        )


def two_places(value: float) -> str:
    """Return a share of what can be known as readers want it: two places, and a true minus."""
    text = f"{value:.2f}"
    return "0.00" if text == "-0.00" else text.replace("-", "−")


def details(figure: Figure, unit: str = "samples") -> str:
    """Return what stands behind a cell: metric, chance, interval, p and samples."""
    parts = [f"{figure.metric} {format_value(figure.value)}"]
    parts.append(f"chance {format_value(figure.chance)}")
    if figure.interval is not None:
        parts.append(f"95 % interval {' to '.join(map(format_value, figure.interval))}")
    if figure.kept_interval not in (None, figure.interval):
        low, high = map(two_places, figure.kept_interval)
        parts.append(f"kept {two_places(figure.kept)} ({low} to {high})")
    if figure.p_value is not None:
        parts.append(f"adjusted {say_p(figure.p_value)}")
    if figure.places is not None:
        parts.append(_rank(*figure.places))
    parts.append(f"{figure.samples:,} {unit}")
    return "; ".join([*parts, *filter(None, [figure.note])])


def _rank(first: int, last: int) -> str:
    return f"rank {first}" if first == last else f"rank {first} to {last}"
