"""Matrices of coloured cells with their numbers, with labels as rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from latentmap.report.lazy import alt

# More than this no chart shows legibly: the most frequent labels are shown.
MOST_LABELS = 48


def shown_labels(
    labels: Sequence[str], groups: Sequence[str], counts: Sequence[int], colors: Mapping[str, str]
) -> list[int]:
    """Return the positions of the most frequent labels, by group and name.

    Args:
        labels: (L,) names.
        groups: (L,) the label group of each.
        counts: (L,) samples of each.
        colors: the label groups in their order.
    """
    order = {group: place for place, group in enumerate(colors)}
    frequent = sorted(range(len(labels)), key=lambda row: (-counts[row], labels[row]))
    return sorted(frequent[:MOST_LABELS], key=lambda row: (order[groups[row]], labels[row]))


def labels_note(count: int) -> str:
    """Say that labels are left out, if any are."""
    if count <= MOST_LABELS:
        return ""
    return f"The {MOST_LABELS} most frequent of {count} labels."


def label_axis(field: str, names: Sequence[str], title: str | None = None) -> alt.Y:
    """Return the rows of a matrix, from top to bottom.

    They are named by the scale's domain: from a list to sort by, Vega-Lite makes an expression that
    Vega cannot read if a name is one that every JavaScript object has, such as `constructor`.

    Args:
        field: that names a cell's row.
        names: of the rows.
        title: of the axis.
    """
    axis = alt.Axis(domain=False, ticks=False)
    return alt.Y(f"{field}:N", scale=alt.Scale(domain=list(names)), title=title, axis=axis)


def diverging(field: str, reach: float | str, title: str) -> alt.Color:
    """Return the colour of a value that may lie on either side of 0: blue below, orange above.

    Args:
        field: that has the value.
        reach: largest distance from 0, or an expression that gives it.
        title: of the legend.
    """
    ends = (
        (alt.ExprRef(f"{sign}({reach})") for sign in ("-", ""))
        if isinstance(reach, str)
        else (-reach, reach)
    )
    low, high = ends
    return alt.Color(
        f"{field}:Q",
        title=title,
        scale=alt.Scale(scheme="blueorange", domain=[low, 0, high]),
        legend=alt.Legend(format=".2~g", orient="bottom", gradientLength=240, titleLimit=420),
    )


def matrix(
    rows: Sequence[Mapping[str, Any]],
    *,
    x: alt.X,
    y: alt.Y,
    color: alt.Color,
    tooltip: Sequence[alt.Tooltip],
    text: alt.Text,
    light: str,
    cell: tuple[int, int],
    **properties: Any,
) -> alt.LayerChart | alt.FacetChart:
    """Return a matrix of coloured cells with their numbers.

    Args:
        rows: one for each cell.
        x: its column.
        y: its row.
        color: its colour.
        tooltip: what it says when pointed at.
        text: its number; a cell without one stays empty.
        light: expression that is true where the number must be light.
        cell: width and height of a cell in pixels.
        properties: of the chart: its description, its title.
    """
    base = alt.Chart(alt.InlineData(values=list(rows))).encode(x=x, y=y)
    cells = base.mark_rect().encode(color=color, tooltip=list(tooltip))
    numbers = base.mark_text(fontSize=9).encode(
        text=text, color=alt.condition(light, alt.value("#ffffff"), alt.value("#222222"))
    )
    number = str(text.shorthand).partition(":")[0]
    if any(row.get(number, 0) is None for row in rows):
        numbers = numbers.transform_filter(f"isValid(datum.{number})")
    size = {"width": alt.Step(cell[0]), "height": alt.Step(cell[1])}
    return alt.layer(cells, numbers, **size, **properties)
