"""Dose and response: what is kept as the signal is destroyed step by step."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from latentmap.report.kept.table import WhatIsKept
from latentmap.report.lazy import alt
from latentmap.report.palette import CHANCE, line_colors

DOSES = ("noise", "blur", "occlusion")
"""Options of encoders that destroy what they see, from 0, nothing, to 1, all of it."""

PANEL = (240, 170)


@dataclass(frozen=True)
class Dose:
    """One encoder of several that differ only in how much of the signal is destroyed.

    Attributes:
        option: by which.
        model: name of the one that sees the signal as it is.
        share: of the signal that is destroyed.
    """

    option: str
    model: str
    share: float


def doses(encoders: Sequence[Mapping[str, Any]]) -> dict[str, Dose]:
    """Return the dose of every encoder that is one of several doses.

    Args:
        encoders: of the configuration.
    """
    found = {}
    for option in DOSES:
        series: dict[str, list[Mapping[str, Any]]] = {}
        for entry in encoders:
            if option in entry:
                same = {key: entry[key] for key in entry if key not in ("name", option)}
                series.setdefault(json.dumps(same, sort_keys=True), []).append(entry)
        for entries in series.values():
            ordered = sorted(entries, key=lambda entry: float(entry[option]))
            if ordered[0][option] < ordered[-1][option]:
                for entry in ordered:
                    model = str(ordered[0]["name"])
                    found[str(entry["name"])] = Dose(option, model, float(entry[option]))
    return found


def dose_chart(kept: WhatIsKept, encoders: Sequence[Mapping[str, Any]]) -> alt.TopLevelMixin | None:
    """Return one panel for each family: what methods keep of it, by dose; none without doses."""
    dosed = doses(encoders)
    rows: list[dict[str, Any]] = [
        {
            "family": family,
            "dose": dose.share,
            "kept": mean,
            "method": one.methods,
            "model": dose.model if len(kept.variants) < 2 else f"{dose.model}, {one.variants}",
            "line": f"{dose.model} {one.methods} {one.variants}",
        }
        for one in kept.embeddings
        if (dose := dosed.get(one.encoder))
        for family, targets in kept.families.items()
        if not math.isnan(mean := one.mean_of(targets))
    ]
    if not rows:
        return None
    models = list(dict.fromkeys(row["model"] for row in rows))
    low = min(0.0, *(row["kept"] for row in rows)) - 0.03
    options = " or ".join(dict.fromkeys(dose.option for dose in dosed.values()))
    few = alt.Axis(tickCount=5, format=".1f")
    panels = []
    for family in kept.families:
        own = [row for row in rows if row["family"] == family]
        base = alt.Chart(alt.InlineData(values=own)).encode(
            x=alt.X(
                "dose:Q", title=f"share that is {options}", scale=alt.Scale(domain=[0, 1]), axis=few
            ),
            y=alt.Y("kept:Q", title="kept", scale=alt.Scale(domain=[low, 1], nice=False), axis=few),
            color=alt.Color(
                "model:N",
                title=None,
                scale=alt.Scale(domain=models, range=line_colors(len(models))),
                legend=alt.Legend(orient="top", symbolType="circle") if models[1:] else None,
            ),
            detail="line:N",
        )
        zero = alt.Chart(alt.InlineData(values=[{"kept": 0}]))
        panels.append(
            alt.layer(
                zero.mark_rule(color=CHANCE, strokeDash=[4, 3]).encode(y="kept:Q"),
                base.mark_line(strokeWidth=1.5, opacity=0.7),
                base.mark_point(filled=True, size=36, opacity=1).encode(
                    tooltip=[
                        *(alt.Tooltip(f"{name}:N") for name in ("model", "method", "family")),
                        *(alt.Tooltip(f"{name}:Q", format=".2f") for name in ("dose", "kept")),
                    ]
                ),
                title=family,
                width=PANEL[0],
                height=PANEL[1],
            )
        )
    description = "Lines, one panel for each family: what is kept as the signal is destroyed."
    return alt.concat(*panels, columns=3, description=description)
