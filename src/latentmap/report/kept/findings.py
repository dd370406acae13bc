"""What a run keeps of its targets, in one sentence for each family."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from latentmap.report.experiments import counted
from latentmap.report.kept.heatmap import two_places
from latentmap.report.kept.table import Embedding, WhatIsKept
from latentmap.targets.facts import TargetFacts

NAMED = 3
"""So many embeddings are named, the others counted."""


@dataclass(frozen=True)
class Words:
    """How sentences say what embeddings do with a family.

    Attributes:
        kept: before those that keep it.
        mostly: before those that keep at least half of its targets.
        partly: before those that keep fewer.
        lost: before those that lose it.
        unknown: before those that are not shown to keep any of it.
        best: before the best baseline.
        no_baseline: that none keeps it.
    """

    kept: str = "kept by"
    mostly: str = "half of its targets or more kept by"
    partly: str = "fewer than half kept by"
    lost: str = "lost by"
    unknown: str = "not significantly above chance in"
    best: str = "the best baseline, {}, keeps {}"
    no_baseline: str = "no baseline keeps it"


KEPT = Words()


def family_findings(kept: WhatIsKept, words: Words = KEPT) -> Iterator[tuple[str, str]]:
    """Yield each family, and which embeddings keep it and which lose it.

    A family is kept if all its targets are above chance (max-T over embeddings and targets), and
    lost if none is; how much is the mean over its targets. Targets that nothing keeps, no baseline
    either, are told of by themselves.
    """
    for family, every in kept.families.items():
        known = [target for target in every if _is_known(kept, target)]
        targets = known or every
        measured = [one for one in kept.subjects if not math.isnan(one.mean_of(targets))]
        if measured:
            parts = [*_parts(kept, measured, targets, words), *_baseline(kept, targets, words)]
            unknown = [target.title for target in every if target not in targets]
            parts += [f"nothing keeps {_listed(unknown)}"] if unknown else []
            yield family, "; ".join(parts) + "."


def _is_known(kept: WhatIsKept, target: TargetFacts) -> bool:
    """Whether any embedding keeps a target."""
    figures = (one.figures.get(target.name) for one in kept.embeddings)
    return any(figure is not None and figure.is_above_chance for figure in figures)


def _parts(
    kept: WhatIsKept,
    measured: Sequence[Embedding],
    targets: Sequence[TargetFacts],
    words: Words,
) -> Iterator[str]:
    """Yield by which embeddings a family is kept, kept in part, and lost."""
    ranked = sorted(measured, key=lambda one: -one.mean_of(targets))
    if all(_is_untested(one, targets) for one in ranked):
        yield f"not tested: there are too few source groups ({_range_of(ranked, targets)})"
        return
    shares = {one: _share_above(one, targets) for one in ranked}
    whole = [one for one in ranked if shares[one] == 1]
    most = [one for one in ranked if 0.5 <= shares[one] < 1]
    few = [one for one in ranked if 0 < shares[one] < 0.5]
    none = [one for one in ranked if shares[one] == 0]
    for word, some in ((words.kept, whole), (words.mostly, most), (words.partly, few)):
        if some:
            yield f"{word} {_named(kept, some, ranked)} ({_range_of(some, targets)})"
    if none:
        highest = max(0.0, *(one.mean_of(targets) for one in none))
        yield f"{_lost(kept, none, whole or most, targets, words)} (≤ {two_places(highest)})"


def _lost(
    kept: WhatIsKept,
    none: Sequence[Embedding],
    whole: Sequence[Embedding],
    targets: Sequence[TargetFacts],
    words: Words,
) -> str:
    """Say which embeddings lose a family, or only are not shown to keep any of it."""
    if len(none) == len(kept.subjects) > NAMED + 1:
        return f"{words.unknown} any of the {len(none)} embeddings"
    is_lost = whole and _are_lost(none, whole, targets)
    return f"{words.lost if is_lost else words.unknown} {_named(kept, none[::-1], [])}"


def _are_lost(
    none: Sequence[Embedding], whole: Sequence[Embedding], targets: Sequence[TargetFacts]
) -> bool:
    """Whether even the upper ends of the intervals are below half of what the others keep."""
    least = min(one.mean_of(targets) for one in whole)
    ends = [
        figure.kept_interval[1]
        for one in none
        for target in targets
        if (figure := one.figures.get(target.name)) and figure.kept_interval
    ]
    return bool(ends) and max(ends) < least / 2


def _share_above(one: Embedding, targets: Sequence[TargetFacts]) -> float:
    figures = [figure for target in targets if (figure := one.figures.get(target.name))]
    defined = [figure for figure in figures if not math.isnan(figure.kept)]
    return sum(figure.is_above_chance for figure in defined) / len(defined)


def _is_untested(one: Embedding, targets: Sequence[TargetFacts]) -> bool:
    figures = (one.figures.get(target.name) for target in targets)
    return all(figure is None or figure.p_value is None for figure in figures)


def _named(kept: WhatIsKept, some: Sequence[Embedding], every: Sequence[Embedding]) -> str:
    """Name the first of some embeddings, and count the others."""
    if len(some) == len(every) > NAMED + 1:
        return f"{counted(len(some), len(every), 'embedding')}, most by {kept.name(some[0])}"
    names = [kept.name(one) for one in some]
    if len(names) > NAMED + 1:
        names = [*names[:NAMED], f"{len(some) - NAMED} more"]
    return _listed(names)


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _range_of(some: Sequence[Embedding], targets: Sequence[TargetFacts]) -> str:
    means = [one.mean_of(targets) for one in some]
    low, high = two_places(min(means)), two_places(max(means))
    return low if low == high else f"{low}–{high}"


def _baseline(kept: WhatIsKept, targets: Sequence[TargetFacts], words: Words) -> Iterator[str]:
    """Yield how much the best baseline keeps."""
    known = [one for one in kept.baselines if not math.isnan(one.mean_of(targets))]
    if not known:
        return
    best = max(known, key=lambda one: one.mean_of(targets))
    if _share_above(best, targets) > 0:
        yield words.best.format(kept.name(best), two_places(best.mean_of(targets)))
    elif not _is_untested(best, targets):
        yield words.no_baseline
