"""The verdict: what a run found in a few lines, before everything else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from latentmap.metrics.metric import title_of
from latentmap.report.agreements import in_order
from latentmap.report.experiments import (
    Experiment,
    experiments_of,
    format_chance,
    format_value,
    headline,
    is_ranked,
    joined_variants,
    say_p,
)
from latentmap.report.standings import Standings, read_standings
from latentmap.store.results import AGREEMENT, RANKING, Results


@dataclass(frozen=True)
class Verdict:
    """What a run found.

    Attributes:
        count: embeddings that were compared.
        best: name of the best one.
        is_baseline: whether its encoder has learned nothing.
        opening: what to say before the best one's name.
        facts: (what, how it is).
    """

    count: int
    best: str
    is_baseline: bool
    opening: str
    facts: Sequence[tuple[str, str]]


def verdict(
    experiments: Sequence[Experiment],
    standings: Standings,
    baselines: Sequence[str],
    lacks_map: Callable[[str, str, str], str | None] = lambda *key: None,
) -> Verdict | None:
    """Return the verdict; none where nothing is ranked.

    Args:
        experiments: best first.
        standings: what is sure of their order.
        baselines: encoders that have learned nothing.
        lacks_map: says of an embedding that it has no map, if so (`Results.lacks_map`).
    """
    if not is_ranked(experiments):
        return None
    best = experiments[0]
    joined = joined_variants(experiments)
    lacking = lacks_map(*best.key)
    return Verdict(
        len(set(joined.values())),
        joined[best.key].name,
        best.key.encoder in baselines,
        _opening(experiments, standings),
        [
            *_measured(best, standings),
            *standings.facts(),
            *([("Map", lacking)] if lacking else []),
            *_encoders(experiments, standings),
        ],
    )


def verdict_of(results: Results) -> Verdict | None:
    """Return the verdict of a finished run; none where nothing is ranked."""
    agreements = {
        (encoder, variant): results.path(AGREEMENT, encoder, variant)
        for encoder, variant in results.latents
    }
    experiments = in_order(experiments_of(results), agreements)
    if not is_ranked(experiments):
        return None
    standings = read_standings(results.path(RANKING), joined_variants(experiments))
    return verdict(experiments, standings, results.baselines, results.lacks_map)


def _opening(experiments: Sequence[Experiment], standings: Standings) -> str:
    if not standings.none_above_chance():
        return "Best"
    metric = title_of(headline(experiments))
    return f"Nothing is significantly above chance in {metric}. Highest"


def _measured(best: Experiment, standings: Standings) -> Iterator[tuple[str, str]]:
    metric = headline([best])
    found = best[metric]
    yield title_of(metric), f"{format_value(found.value)}{standings.interval_of_best()}"
    if found.chance is None:
        return
    parts = [format_chance(found)]
    p_value = standings.p_of_best()
    if p_value is not None:
        parts.append(f"adjusted {say_p(p_value)}")
    if found.effect is not None:
        parts.append(f"chance-corrected {format_value(found.effect)} (0 is chance, 1 is perfect)")
    yield "Chance level", "; ".join(parts)


def _encoders(experiments: Sequence[Experiment], standings: Standings) -> Iterator[tuple[str, str]]:
    """Yield the best method of every encoder and variant, and how it stands to the baselines.

    Variants in which an encoder gives the same are said once.
    """
    metric = headline(experiments)
    joined = joined_variants(experiments)
    best: dict[tuple[str, str], Experiment] = {}
    for experiment in experiments:
        best.setdefault((experiment.key.encoder, experiment.key.variant), experiment)
    against = standings.against_baselines()
    facts = {}
    for place, one in best.items():
        shown = joined[one.key]
        text = f"{one.key.method} {format_value(one.value(metric))}"
        parts = (text, against.get(place, ""))
        facts[f"{shown.encoder} ({shown.variant})"] = "; ".join(filter(None, parts))
    yield from facts.items()
