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
    "project": "projections",
    "inspect": "inspection",
    "report": "report",
    "explorer": "explorer",
    "export": "export",
}
"""The stages in their order, and the folder of results that each one fills."""

RULE = re.compile(r"^(?:rule|checkpoint) (\w+):", re.MULTILINE)


def stage_of(rule: str) -> str | None:
    """Return the stage of a rule; null of one that only names what a run is to make."""
    found = _rules().get(rule)
    # Rules of pages are made from the pages that there are.
    return found or ("report" if rule.startswith("write_") else None)


@cache
def _rules() -> dict[str, str]:
    files = [(stage, HOME / "rules" / f"{stage}.smk") for stage in FOLDERS]
    return {
        rule: stage
        for stage, file in files
        if file.exists()
        for rule in RULE.findall(file.read_text("utf-8"))
    }
