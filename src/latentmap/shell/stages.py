"""Which stage the jobs of a rule belong to: the file in `rules/` that has the rule."""

from __future__ import annotations

import re
from functools import cache

from latentmap.home import HOME

FOLDERS = {
    "samples": "samples",
    "draw": "thumbnails",
    "encode": "latents",
    "pool": "embeddings",
    "neighbors": "neighbors",
    "metrics": "metrics",
    "targets": "targets",
    "project": "projections",
    "inspect": "inspection",
    "report": "report",
    "explorer": "explorer",
    "export": "export",
}
"""The stages in their order, and the folder of results that each one fills."""

RULE = re.compile(r"^(?:rule|checkpoint) (\w+):", re.MULTILINE)
SAME_WORK = re.compile(r"^use rule (\w+) as (\w+) with:", re.MULTILINE)


def stage_of(rule: str) -> str | None:
    """Return the stage of a rule; null of one that only names what a run is to make."""
    found = _rules().get(measured_as(rule))
    # Rules of pages are made from the pages that there are.
    return found or ("report" if rule.startswith("write_") else None)


def measured_as(rule: str) -> str:
    """Return the rule whose work this one does elsewhere, and which names its benchmarks."""
    return _same_work().get(rule, rule)


@cache
def _same_work() -> dict[str, str]:
    return {name: of for text in _texts().values() for of, name in SAME_WORK.findall(text)}


@cache
def _rules() -> dict[str, str]:
    return {rule: stage for stage, text in _texts().items() for rule in RULE.findall(text)}


@cache
def _texts() -> dict[str, str]:
    """Return what `rules/` says of each stage."""
    files = {stage: HOME / "rules" / f"{stage}.smk" for stage in FOLDERS}
    return {stage: file.read_text("utf-8") for stage, file in files.items() if file.exists()}
