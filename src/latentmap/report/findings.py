"""Key findings: sentences written from the metrics, never fixed prose."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from latentmap.metrics.metric import title_of
from latentmap.metrics.permutation import deviation_p
from latentmap.report.experiments import (
    Experiment,
    LabelRate,
    counted,
    distinct,
    format_value,
    headline,
    of_labels,
    ranked,
    twins,
)
from latentmap.report.labels import RunLabels

SIGNIFICANT = 0.05
"""Adjusted p-values up to this count as evidence."""

LEAST_RECALL = 0.95
"""Below this recall of approximate neighbors the metrics made from them are to be distrusted."""

DRAWN = {"boxes": "with boxes drawn", "plain": "on plain images"}
"""How sentences call the variants."""

NO_LABELS = (
    "No labels: methods are not ranked, and metrics that need labels are left out. Maps and the "
    "trust in them, density, effective dimension, the agreement of methods and the comparison of "
    "sources need none."
)


@dataclass(frozen=True)
class Finding:
    """One sentence of the report.

    Attributes:
        text: the sentence.
        warning: whether it tells the reader to distrust something.
    """

    text: str
    warning: bool = False


def key_findings(
    experiments: Sequence[Experiment],
    duplicates: Mapping[tuple[str, str], Sequence[Sequence[str]]],
) -> list[Finding]:
    """Return what the metrics of a run say.

    Args:
        experiments: of all encoders, variants and methods.
        duplicates: by encoder and variant, sets of methods whose embeddings are the same.
    """
    metric = headline(experiments)
    order = [e for e in ranked(experiments) if not math.isnan(e.value(metric))]
    if not order:
        return [
            *_not_ranked(experiments, metric),
            *_duplicates(duplicates),
            *_approximate(experiments),
        ]
    return [
        *_one_source_group(order, metric),
        *_leak(order, metric),
        *_variants(order, metric),
        *_labels(order),
        *_duplicates(duplicates),
        *_approximate(experiments),
        *_undefined(experiments, metric),
        *_untested(order, metric),
    ]


def findings_without_labels(
    experiments: Sequence[Experiment],
    duplicates: Mapping[tuple[str, str], Sequence[Sequence[str]]],
) -> list[Finding]:
    """Return what the metrics of a run without labels say; the arguments of `key_findings`."""
    return [Finding(NO_LABELS), *_duplicates(duplicates), *_approximate(experiments)]


def samples_without_labels(labels: RunLabels) -> Iterator[Finding]:
    """Say how many samples have a label, if some have none."""
    if labels.without and labels.labelled:
        total = labels.labelled + labels.without
        yield Finding(
            f"{labels.labelled:,} of {total:,} samples have a label. Metrics of labels are those "
            "of these samples alone, as if there were no others."
        )


def _not_ranked(experiments: Sequence[Experiment], metric: str) -> Iterator[Finding]:
    notes = sorted({note for e in experiments if (note := e[metric].note)})
    why = " ".join(notes) or f"{metric} is not measured."
    yield Finding(f"Methods are not ranked: {why}", warning=True)


def _one_source_group(order: Sequence[Experiment], metric: str) -> Iterator[Finding]:
    if metric != order[0].headline:
        yield Finding(
            "All samples share one source group, so neighbors of the same source cannot be left "
            "out.",
            warning=True,
        )


def _leak(order: Sequence[Experiment], metric: str) -> Iterator[Finding]:
    """Compare the metric with and without neighbors of the same source group."""
    grouped, every = twins(metric)
    both = [e for e in order if not math.isnan(e.value(grouped)) and not math.isnan(e.value(every))]
    if len(distinct([grouped, every], both)) < 2:
        return
    widest = max(both, key=lambda e: (abs(e.value(every) - e.value(grouped)), e.key))
    yield Finding(
        "Counting neighbors from the same source group changes the metric most for "
        f"{widest.key.name}: {format_value(widest.value(every))} with them, "
        f"{format_value(widest.value(grouped))} without."
    )
    other = every if metric == grouped else grouped
    first = max(both, key=lambda e: (e.value(other), e.key))
    if first.value(other) > order[0].value(other):
        yield Finding(
            f"Ranked {'with' if other == every else 'without'} them, {first.key.name} would come "
            f"first instead of {order[0].key.name}."
        )


def _variants(order: Sequence[Experiment], metric: str) -> Iterator[Finding]:
    best: dict[str, dict[str, Experiment]] = {}
    for experiment in order:
        best.setdefault(experiment.key.encoder, {}).setdefault(experiment.key.variant, experiment)
    for encoder, variants in sorted(best.items()):
        # An encoder that looks at no picture gives the same with boxes and without.
        if len({(e.key.method, e.value(metric)) for e in variants.values()}) > 1:
            parts = " and ".join(
                f"{format_value(e.value(metric))} {DRAWN[variant]} ({e.key.method})"
                for variant, e in sorted(variants.items())
            )
            yield Finding(f"The best method of {encoder} reaches {parts}.")


def _labels(order: Sequence[Experiment]) -> Iterator[Finding]:
    """Say which labels the best embedding tells from chance, and which one by most.

    The best of many embeddings looks good by luck too, and so does the best of many labels: a label
    is named only if it is farther from chance than any label of any embedding is under 95 % of the
    permutations.
    """
    best, metric = order[0], of_labels(order)
    largest = [e[metric].label_deviations for e in order]
    known = [deviations for deviations in largest if deviations is not None]
    rates = {label: found.on(metric) for label, found in sorted(best.labels.items())}
    tested = {label: rate for label, rate in rates.items() if not math.isnan(rate.deviation)}
    if not known or len(tested) < 2:
        return
    told = sorted(
        (rate.ratio, label)
        for label, rate in tested.items()
        if deviation_p(rate.deviation, known) <= SIGNIFICANT
    )
    above = [label for _, label in told if tested[label].deviation > 0]
    below = [label for _, label in told if tested[label].deviation < 0]
    adjusted = f"permutation p ≤ {SIGNIFICANT}, adjusted for all labels of all embeddings"
    if not told:
        yield Finding(
            f"Under {best.key.name} no single label differs significantly from chance ({adjusted})."
        )
    for labels, more, where, furthest in (
        (above, "more", "above", above[-1:]),
        (below, "less", "below", below[:1]),
    ):
        for label in furthest:
            yield Finding(
                f"Under {best.key.name} {counted(len(labels), len(tested), 'label')} "
                f"{are(len(labels))} found among their own neighbors {more} often than by chance "
                f"({adjusted}). "
                f"Furthest {where} it is '{label}': {_rate(tested[label])}."
            )


def are(count: int) -> str:
    """Return the verb for so many."""
    return "are" if count > 1 else "is"


def _rate(rate: LabelRate) -> str:
    text = format_value(rate.share)
    if rate.interval is not None:
        low, high = map(format_value, rate.interval)
        text += f" ({low} to {high}, 95 % for all labels at once)"
    return f"{text}, {format_value(rate.ratio)} times its chance level, {format_value(rate.chance)}"


def _duplicates(
    duplicates: Mapping[tuple[str, str], Sequence[Sequence[str]]],
) -> Iterator[Finding]:
    places: dict[tuple[str, ...], list[str]] = {}
    for (encoder, variant), sets in sorted(duplicates.items()):
        for methods in sets:
            places.setdefault(tuple(methods), []).append(f"{encoder} ({variant})")
    for methods, where in places.items():
        yield Finding(
            f"{', '.join(methods[:-1])} and {methods[-1]} are the same embedding up to the order "
            f"or rotation of dimensions, for {', '.join(where)}: they count "
            "once."
        )


def _approximate(experiments: Sequence[Experiment]) -> Iterator[Finding]:
    recalls = {e.key.name: e.recall for e in experiments if e.recall is not None}
    if recalls:
        worst = min(recalls, key=recalls.__getitem__)
        yield Finding(
            f"The neighbors of {counted(len(recalls), len(experiments), 'embedding')} are "
            "approximate. "
            f"On the rows that were checked, at least {recalls[worst]:.3f} of the exact ones were "
            f"found, least for {worst}.",
            warning=recalls[worst] < LEAST_RECALL,
        )


def _undefined(experiments: Sequence[Experiment], metric: str) -> Iterator[Finding]:
    missing = [e for e in experiments if math.isnan(e.value(metric))]
    if missing:
        notes = sorted({note.rstrip(".") for e in missing if (note := e[metric].note)})
        yield Finding(
            f"{title_of(metric)} is not defined for "
            f"{counted(len(missing), len(experiments), 'embedding')}, {missing[0].key.name} among "
            "them" + (f": {'; '.join(notes)}." if notes else "."),
            warning=True,
        )


def _untested(order: Sequence[Experiment], metric: str) -> Iterator[Finding]:
    """Name the metrics that have a chance level and no p-value, and why."""
    measured = [e for e in order if e[metric].chance_range is not None]
    without = [e for e in measured if e[metric].p_value is None]
    if without:
        notes = sorted({note for e in without if (note := e[metric].note)})
        yield Finding(
            f"Whether {title_of(metric)} is above chance could not be tested for "
            f"{counted(len(without), len(measured), 'embedding')}"
            + (f": {' '.join(notes)}" if notes else "."),
            warning=True,
        )
