"""How far to trust a map: the metrics printed on it, and the trust in each of its points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from latentmap.neighbors.graph import audit_of
from latentmap.project.quality import DOUBTFUL
from latentmap.report.palette import TRUST, UNKNOWN
from latentmap.report.points import ShownSamples
from latentmap.store.tables import check_ids, facts_of, matrix, read_parquet

STEPS = (0.6, 0.7, DOUBTFUL, 0.9)
"""Where the colour of trust changes."""


FEWEST = 3
"""Samples that a map must have for trust in it to be defined."""


@dataclass(frozen=True)
class MapTrust:
    """The trust in one map.

    Attributes:
        values: trust in each sample that is shown (`MapQuality.trust`); None where it was not
            assessed.
        facts: metrics of the whole map, as `write_trust` stores them.
        total: samples on the map.
    """

    values: list[float | None]
    facts: Mapping[str, Any]
    total: int

    @property
    def caption(self) -> str:
        """The metrics that are printed on the map."""
        if not self.facts["assessed"]:
            return (
                "trust is not measured"
                if self.total >= FEWEST
                else "too few samples to measure trust"
            )
        metrics = {"trustworthiness": "trustworthiness", "continuity": "continuity"}
        metrics["recall"] = "neighbor recall"
        texts = [f"{text} {self.facts[name]:.2f}" for name, text in metrics.items()]
        # Euclidean is what a reader expects.
        return ", ".join(texts + ["by cosine"] * (self.facts["metric"] == "cosine"))

    @property
    def note(self) -> str:
        """What else there is to say of the whole map."""
        assessed, seeds = self.facts["assessed"], self.facts["seeds"]
        sentences = []
        if assessed:
            share = f"{100 * self.facts['doubtful']:.0f} %"
            of = "" if assessed == self.total else f"{assessed:,} assessed "
            sentences.append(f"{share} of the {of}points are unreliable (trust < {DOUBTFUL}).")
        if self.facts["spread"]:
            again = "another seed" if seeds == 1 else f"{seeds} other seeds"
            sentences.append(
                f"With {again} the median point moves by {self.facts['spread']:.2f} of the map's "
                f"radius{self._repeated}."
            )
        audit = audit_of(self.facts.get("neighbors", {"exact": True}))
        if audit is not None:
            sentences.append(f"Made from {audit.note}")
        return " ".join(sentences)

    @property
    def _repeated(self) -> str:
        """Of which map this is said, if not of this one."""
        some = self.facts.get("repeated")
        return "" if some is None else f", on maps of {some:,} of the samples"


def read_trust(path: Path | str, shown: ShownSamples) -> MapTrust:
    """Read the trust in the shown samples, and the metrics of their map.

    Raises:
        LatentmapError: the file's ids are not the samples'.
    """
    table = read_parquet(path, ["id", "trust"])
    check_ids(path, table["id"].to_pylist(), shown.ids)
    values = [float(f"{trust:.2f}") for trust in matrix(table["trust"])[shown.rows]]
    return MapTrust(
        [None if np.isnan(value) else value for value in values],
        facts_of(table),
        len(shown.ids),
    )


def trust_legend() -> list[tuple[str, str]]:
    """Return the (text, colour) of every step of trust, lowest first, and of no trust known."""
    between = [f"{low} to {high}" for low, high in pairwise(STEPS)]
    texts = [f"below {STEPS[0]}", *between, f"{STEPS[-1]} and more", "not assessed"]
    return list(zip(texts, (*TRUST, UNKNOWN), strict=True))


def trust_color() -> str:
    """Return the Vega expression that gives a point the colour of its trust."""
    step = " + ".join(f"(datum.trust >= {value})" for value in STEPS)
    return f"isNumber(datum.trust) ? {list(TRUST)}[{step}] : '{UNKNOWN}'"
