"""What differs between two runs: configuration, samples, and metrics with their intervals."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from latentmap.config import unknown
from latentmap.errors import LatentmapError
from latentmap.metrics.metric import Measurement, title_of
from latentmap.report.experiments import (
    Experiment,
    experiments_of,
    format_value,
    headline,
    metric_names,
)
from latentmap.store.results import MANIFEST, Results

ALL = "all"
SHOWN = 12
"""Keys of the configuration that are named; of more, only how many they are."""

OVERLAP = (
    "Intervals are of each run by itself. Of two that overlap, the difference may be chance; for "
    "samples that both runs have, compare them in one run, as several sources or encoders."
)


def difference_lines(before: Results, after: Results, metric: str | None) -> Iterator[str]:
    """Yield what differs, one line each.

    Args:
        before: a finished run.
        after: another one.
        metric: of which values are compared: by default the headline of the first run; `all`.

    Raises:
        LatentmapError: no metric has this name.
    """
    yield from _configuration(before.config, after.config)
    counts = [sum(shard.rows for shard in run.read(MANIFEST)) for run in (before, after)]
    yield (
        f"samples: {counts[0]:,} → {counts[1]:,}"
        if counts[0] != counts[1]
        else (f"samples: {counts[0]:,} in both")
    )
    old, new = ({e.key: e for e in experiments_of(run)} for run in (before, after))
    shared = [key for key in old if key in new]
    for run, keys in ((before, old.keys() - new.keys()), (after, new.keys() - old.keys())):
        if keys:
            names = ", ".join(sorted(key.name for key in keys))
            yield f"only in {run.folder}: {names}"
    if not shared:
        yield "No embedding is in both runs."
        return
    pairs = [(old[key], new[key]) for key in shared]
    differing = 0
    for name in _chosen(list(old.values()), metric):
        lines = list(_values(name, pairs))
        differing += len(lines)
        if lines:
            yield f"{title_of(name)} ({name})"
            yield from lines
    if differing:
        yield OVERLAP
    else:
        count = "the embedding" if len(pairs) == 1 else f"all {len(pairs)} embeddings"
        yield f"The same in {count} that both runs have."


def _chosen(experiments: list[Experiment], metric: str | None) -> list[str]:
    if metric is None:
        return [headline(experiments)]
    measured = metric_names(experiments)
    if metric == ALL:
        return measured
    if metric not in measured:
        raise LatentmapError(unknown("metric", metric, [*measured, ALL]))
    return [metric]


def _values(metric: str, pairs: list[tuple[Experiment, Experiment]]) -> Iterator[str]:
    width = max(len(old.key.name) for old, _ in pairs)
    for old, new in pairs:
        before, after = old[metric], new[metric]
        if repr(before.value) != repr(after.value):  # NaN is NaN here
            change = after.value - before.value
            by = f"  ({change:+.3f})" if math.isfinite(change) else ""
            apart = "  intervals apart" if _are_apart(before, after) else ""
            values = f"{_with_interval(before)} → {_with_interval(after)}"
            yield f"  {old.key.name:{width}}  {values}{by}{apart}"


def _with_interval(found: Measurement) -> str:
    value = format_value(found.value)
    if found.interval is None:
        return value
    return f"{value} [{', '.join(map(format_value, found.interval))}]"


def _are_apart(one: Measurement, other: Measurement) -> bool:
    if one.interval is None or other.interval is None:
        return False
    return one.interval[1] < other.interval[0] or other.interval[1] < one.interval[0]


def _configuration(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    old, new = dict(_flat(before)), dict(_flat(after))
    changed = [key for key in {**old, **new} if old.get(key) != new.get(key) and key != "run"]
    for key in changed[:SHOWN]:
        yield f"{key}: {_said(old, key)} → {_said(new, key)}"
    if len(changed) > SHOWN:
        yield f"{len(changed) - SHOWN} more keys of the configuration differ."


def _flat(config: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the values of a configuration by the names that config/README.md gives their keys."""
    if isinstance(config, Mapping) and config:
        for key, value in config.items():
            yield from _flat(value, f"{name}.{key}" if name else key)
    elif isinstance(config, list) and config and isinstance(config[0], Mapping):
        for number, value in enumerate(config):
            yield from _flat(value, f"{name}[{value.get('name', number)}]")
    else:
        yield name, config


def _said(config: Mapping[str, Any], key: str) -> str:
    value = config.get(key, "–")
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
