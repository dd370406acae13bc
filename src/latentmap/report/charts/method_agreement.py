"""Heatmaps of how far pooling methods agree: common neighbors, CKA, and maps laid over maps."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from latentmap.report.agreements import AgreementTable
from latentmap.report.chart import Chart, Comparison
from latentmap.report.lazy import alt
from latentmap.report.matrix import label_axis, matrix

TITLES = {
    "jaccard": "neighbors in common (mean Jaccard index)",
    "cka": "linear CKA of the embeddings",
}
CELL = 22
# Up to this many methods two heatmaps fit beside each other.
BESIDE = 16


class MethodAgreementChart(Chart):
    """One method × method heatmap for each way of agreeing; similar methods side by side."""

    needs_labels = False
    title = "Agreement between methods"
    look_for = (
        "Dark blocks are methods with the same view of the samples. Numbers are percent of full "
        "agreement; an empty cell does not exceed the 95 % limit of permuted samples. The "
        "tooltip of a cell gives its chance level."
    )
    rivals = "methods"

    def build(self, data: Comparison) -> alt.TopLevelMixin | None:
        """Return the heatmaps of two or more methods."""
        if data.agreement is None:
            return None
        tables = {
            name: table for name, table in data.agreement.tables.items() if len(table.methods) > 1
        }
        if not tables:
            return None
        order = _similar_together(data.agreement.tables["cka"])
        return alt.concat(
            *(
                _heatmap(table, [method for method in order if method in table.methods]).properties(
                    title=TITLES.get(name, f"{name} maps laid over each other (Procrustes)")
                )
                for name, table in tables.items()
            ),
            columns=2 if len(order) <= BESIDE else 1,
            spacing=28,
            description="Matrices of pooling methods: how far each pair of them agrees.",
        ).resolve_scale(x="independent", y="independent")

    def note(self, data: Comparison) -> str:
        """Name the methods that are the same, and how many samples were compared."""
        if data.agreement is None:
            return ""
        found = data.agreement
        parts = [
            f"{' = '.join(methods)}: the same embedding up to the order (or a rotation) of its "
            "dimensions, one finding and not several."
            for methods in found.duplicates
        ]
        if found.samples < found.of:
            parts.append(f"Compared on {found.samples:,} of {found.of:,} samples.")
        if found.recall is not None:
            parts.append(f"Neighbors are approximate: recall of {found.recall:.3f} or more.")
        return " ".join(parts)


def _similar_together(table: AgreementTable) -> list[str]:
    """Return the methods in the order of a clustering, so that similar ones are neighbors."""
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    apart = 1 - np.nan_to_num(np.array(table.values))
    np.fill_diagonal(apart, 0)
    apart = np.clip((apart + apart.T) / 2, 0, None)
    tree = linkage(squareform(apart, checks=False), "average", optimal_ordering=True)
    return [table.methods[leaf] for leaf in leaves_list(tree)]


def _heatmap(table: AgreementTable, order: list[str]) -> alt.LayerChart | alt.FacetChart:
    scale = alt.Scale(domain=order)
    axis = alt.Axis(orient="top", labelAngle=-45, domain=False, ticks=False)
    return matrix(
        _rows(table),
        x=alt.X("method:N", scale=scale, title=None, axis=axis),
        y=label_axis("other", order),
        color=alt.Color(
            "value:Q",
            title="agreement",
            scale=alt.Scale(scheme="blues", domain=[0, 1]),
            legend=alt.Legend(format=".1f", orient="bottom", gradientLength=200),
        ),
        tooltip=[
            alt.Tooltip("method:N"),
            alt.Tooltip("other:N"),
            *(alt.Tooltip(f"{name}:Q", format=".3f") for name in ("value", "chance", "limit")),
        ],
        text=alt.Text("percent:Q", format=".0f"),
        light="datum.value > 0.6",
        cell=(CELL, CELL),
    )


def _rows(table: AgreementTable) -> list[dict[str, Any]]:
    rows = []
    for i, method in enumerate(table.methods):
        for j, other in enumerate(table.methods):
            value, limit = table.values[i][j], table.limit[i][j]
            if i == j or math.isnan(value):
                continue
            rows.append(
                {
                    "method": method,
                    "other": other,
                    "value": value,
                    "chance": table.chance[i][j],
                    "limit": limit,
                    "percent": 100 * value if value > limit else None,
                }
            )
    return rows
