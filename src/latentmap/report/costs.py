"""What the jobs of a run cost, from the benchmark files that the workflow keeps of each.

Costs are the one result that differs between runs of the same configuration, so that they stand in
files of their own.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from latentmap.report.experiments import Key
from latentmap.store.results import (
    BENCHMARK,
    EMBEDDING,
    LATENTS,
    METRICS,
    NEIGHBORS,
    PROJECTION,
    Artifact,
    Results,
)

ENCODING = ""
"""The method of costs that all pooling methods of an encoder share."""

MEASURED = ("pool", "neighbors", "metrics")
"""Stages that every pooling method goes through; maps are made of some only."""

SHORTEST = 1.0
"""Seconds below which a job ends before the workflow has seen its memory and processor time."""


class Job(NamedTuple):
    """One job.

    Attributes:
        encoder: that it was about.
        variant: of the images.
        method: pooling method; `ENCODING` of a shard that was encoded.
        stage: encode, pool, neighbors, metrics or maps.
        output: the file that it made.
        benchmark: what Snakemake measured of it.
    """

    encoder: str
    variant: str
    method: str
    stage: str
    output: Path
    benchmark: Path


@dataclass(frozen=True)
class Cost:
    """What the jobs of one stage cost for one method, or for encoding.

    Attributes:
        encoder: whose.
        variant: of the images.
        method: pooling method; empty for encoding.
        stage: encode, pool, neighbors, metrics or maps.
        jobs: how many.
        seconds: wall time, summed; none if nothing was measured.
        cpu_seconds: processor time, summed over the jobs long enough to be seen.
        peak_mb: largest resident memory of a job, in 2^20 bytes.
        bytes: size of what they made.
        note: what is missing.
    """

    encoder: str
    variant: str
    method: str
    stage: str
    jobs: int
    seconds: float | None
    cpu_seconds: float | None
    peak_mb: float | None
    bytes: int
    note: str


@dataclass(frozen=True)
class MethodCost:
    """What it costs to have and to measure one embedding.

    Attributes:
        seconds: of pooling, neighbors and metrics; none where one was not measured.
        peak_mb: the largest of their jobs, in 2^20 bytes; none if no job was long enough.
        bytes: size of the embedding's file.
    """

    seconds: float | None
    peak_mb: float | None
    bytes: int


class Spent(NamedTuple):
    """One benchmark: seconds, and what can be seen of a job that is not too short."""

    seconds: float
    cpu_seconds: float | None
    peak_mb: float | None


STAGES: dict[str, tuple[Artifact[Any], str]] = {
    "encode": (LATENTS, "encode_samples"),
    "pool": (EMBEDDING, "pool_latents"),
    "neighbors": (NEIGHBORS, "find_neighbors"),
    "metrics": (METRICS, "measure_embedding"),
    "maps": (PROJECTION, "project_embedding"),
}
"""What the jobs of each stage made, and the rule that they are of."""


def jobs_of(results: Results) -> list[Job]:
    """Return the jobs of a run, stage by stage."""
    return [
        Job(
            key[0],
            key[1],
            ENCODING if stage == "encode" else key[2],
            stage,
            results.path(made, *key),
            results.address(BENCHMARK, "/".join([rule, *key])),
        )
        for stage, (made, rule) in STAGES.items()
        for key in results.keys(made)
    ]


def tabulate_costs(jobs: Iterable[Job]) -> list[Cost]:
    """Return one row for each stage of each encoder, variant and method, in the given order."""
    rows: dict[tuple[str, ...], list[Job]] = {}
    for job in jobs:
        rows.setdefault(job[:4], []).append(job)
    return [_cost(alike) for alike in rows.values()]


def _told(count: int, total: int, what: str) -> str:
    return what if total == 1 else f"{count} of {total} jobs {what}"


def _cost(jobs: Sequence[Job]) -> Cost:
    found = [spent for job in jobs if (spent := read_benchmark(job.benchmark))]
    cpu = [one.cpu_seconds for one in found if one.cpu_seconds is not None]
    peaks = [one.peak_mb for one in found if one.peak_mb is not None]
    notes = []
    if len(found) < len(jobs):
        notes.append(_told(len(jobs) - len(found), len(jobs), "without a benchmark file"))
    if len(peaks) < len(found):
        notes.append(_told(len(found) - len(peaks), len(jobs), "too short to see the memory"))
    return Cost(
        *jobs[0][:4],
        jobs=len(jobs),
        seconds=round(sum(one.seconds for one in found), 3) if found else None,
        cpu_seconds=round(sum(cpu), 3) if cpu else None,
        peak_mb=max(peaks, default=None),
        bytes=sum(job.output.stat().st_size for job in jobs),
        note="; ".join(notes),
    )


def read_benchmark(path: Path | str) -> Spent | None:
    """Read what Snakemake measured of a job; none if the file is missing or damaged."""
    try:
        with Path(path).open(newline="") as file:
            row = next(csv.DictReader(file, delimiter="\t"), {})
    except (FileNotFoundError, UnicodeDecodeError, csv.Error):
        return None
    seconds = _number(row.get("s"))
    if seconds is None:
        return None
    if seconds < SHORTEST:
        return Spent(seconds, None, None)
    return Spent(seconds, _number(row.get("cpu_time")), _number(row.get("max_rss")))


def _number(text: str | None) -> float | None:
    """Return a number; none for the NA or - that stands for what was not measured."""
    try:
        return float(text or "")
    except ValueError:
        return None


def method_costs(costs: Iterable[Cost]) -> dict[Key, MethodCost]:
    """Return what every embedding costs, from pooling to metrics."""
    stages: dict[Key, dict[str, Cost]] = {}
    for cost in costs:
        if cost.stage in MEASURED:
            stages.setdefault(Key(cost.encoder, cost.variant, cost.method), {})[cost.stage] = cost
    return {key: _method_cost(parts) for key, parts in stages.items()}


def _method_cost(parts: dict[str, Cost]) -> MethodCost:
    seconds = [cost.seconds for cost in parts.values()]
    peaks = [cost.peak_mb for cost in parts.values() if cost.peak_mb is not None]
    known = [one for one in seconds if one is not None]
    return MethodCost(
        seconds=round(sum(known), 3) if len(known) == len(seconds) else None,
        peak_mb=max(peaks, default=None),
        bytes=parts["pool"].bytes,
    )
