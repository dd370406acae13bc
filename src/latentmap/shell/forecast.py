"""How long a run will take, and how much disk, judged by the runs that there are."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from latentmap.errors import LatentmapError
from latentmap.report.costs import read_benchmark
from latentmap.shell.stages import FOLDERS, measured_as, stage_of
from latentmap.store.results import MANIFEST, SUMMARY

SHARD = re.compile(r"\d{4,}-[0-9a-f]{16}")
"""The id of a shard, by which a job is known that is about some samples and not all."""


@dataclass(frozen=True)
class Past:
    """What a run has cost.

    Attributes:
        folder: of its results.
        samples: how many it has.
        shards: in how many shards.
        seconds: mean of a job, by rule.
        by_shard: rules whose jobs are about one shard each.
        jobs: how many were measured, by stage.
        bytes: of its files, by stage.
    """

    folder: Path
    samples: int
    shards: int
    seconds: Mapping[str, float]
    by_shard: frozenset[str]
    jobs: Mapping[str, int]
    bytes: Mapping[str, int]


class Expected(NamedTuple):
    """What is expected of a stage: seconds of all its jobs, one after another, and bytes."""

    jobs: int
    seconds: float | None
    bytes: float | None


def past_seconds(runs: Path, run: str) -> Mapping[str, float]:
    """Return the mean seconds of a job by rule: of this run where it has any, else of others.

    Args:
        runs: the folder of all runs.
        run: name of the run.
    """
    folders = sorted(runs.glob("*/benchmarks"), key=lambda path: path.stat().st_mtime)
    folders.sort(key=lambda path: path.parent.name == run)
    known: dict[str, float] = {}
    for folder in folders:
        known |= _means(folder)[0]
    return known


def nearest_past(runs: Path, samples: int) -> Past | None:
    """Return the run whose number of samples is nearest; none if none is finished."""
    found = [past for folder in sorted(runs.glob("*/")) if (past := read_past(folder))]
    return min(
        found,
        key=lambda past: abs(past.samples - samples) / max(past.samples, samples, 1),
        default=None,
    )


def read_past(folder: Path) -> Past | None:
    """Read what a run has cost; none if it has never come to its summary, or has no benchmarks."""
    if not SUMMARY.below(folder).exists():
        return None
    try:
        shards = MANIFEST.read(MANIFEST.below(folder))
    except LatentmapError:
        return None
    seconds, by_shard, jobs = _means(folder / "benchmarks")
    if not shards or not seconds:
        return None
    sizes = {stage: _size(folder / name) for stage, name in FOLDERS.items()}
    return Past(folder, sum(s.rows for s in shards), len(shards), seconds, by_shard, jobs, sizes)


def expect(
    counts: Mapping[str, int], samples: int, shards: int, past: Past | None
) -> dict[str, Expected]:
    """Return what is expected of each stage that has jobs, in the order of the stages.

    A job takes as long as the past run's of its rule, times how many samples more it is about.

    Args:
        counts: jobs to run, by rule.
        samples: of the run.
        shards: of the run.
        past: the run to judge by.
    """
    rules: dict[str, Counter[str]] = defaultdict(Counter)
    for rule, count in counts.items():
        if (stage := stage_of(rule)) is not None:
            rules[stage][measured_as(rule)] += count
    return {
        stage: _expected(stage, rules[stage], samples, shards, past)
        for stage in FOLDERS
        if stage in rules
    }


def _expected(
    stage: str, counts: Mapping[str, int], samples: int, shards: int, past: Past | None
) -> Expected:
    jobs = sum(counts.values())
    if past is None:
        return Expected(jobs, None, None)
    larger = samples / past.samples
    split = shards / past.shards
    known = [
        count * past.seconds[rule] * larger / (split if rule in past.by_shard else 1)
        for rule, count in counts.items()
        if rule in past.seconds
    ]
    then = past.jobs.get(stage, 0)
    # A stage of shards has more jobs where there are more of them, and is no larger for it.
    whole = then * (split if past.by_shard & counts.keys() else 1)
    more = larger * jobs / whole if then else 0
    return Expected(jobs, sum(known) if known else None, past.bytes[stage] * more if then else None)


def _means(folder: Path) -> tuple[dict[str, float], frozenset[str], dict[str, int]]:
    """Return the mean seconds of a job by rule, the rules of shards, and the jobs by stage."""
    measured: dict[str, list[float]] = defaultdict(list)
    by_shard: set[str] = set()
    jobs: Counter[str] = Counter()
    for path in folder.rglob("*.tsv"):
        spent = read_benchmark(path)
        rule = path.relative_to(folder).parts[0].removesuffix(".tsv")
        if spent is None or (stage := stage_of(rule)) is None:
            continue
        measured[rule].append(spent.seconds)
        jobs[stage] += 1
        if SHARD.fullmatch(path.stem):
            by_shard.add(rule)
    return {rule: fmean(found) for rule, found in measured.items()}, frozenset(by_shard), jobs


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
