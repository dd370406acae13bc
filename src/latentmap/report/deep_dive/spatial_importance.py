"""Heatmaps of the positions at which latents differ between labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from latentmap.report.channel_chart import MOST_MAPS, ChannelChart, DeepDive, cells, channel_name

if TYPE_CHECKING:
    import altair as alt

COLUMNS = 4
LARGE, SMALL = 420, 200
MOST, MOST_SMALL = 32, 16


class SpatialImportance(ChannelChart):
    """F statistic of the labels at each position, over all channels and in each channel."""

    title: ClassVar[str] = "Positions that separate labels"
    look_for: ClassVar[str] = (
        "At bright positions latents differ more between labels than within them. Dark blue is an "
        "F statistic of 1 or less, which is chance; an even plane means that no position matters "
        "more than others."
    )

    def build(self, data: DeepDive) -> alt.TopLevelMixin | None:
        """Return the plane over all channels above those of each channel."""
        import altair as alt

        found = data.inspection
        height, width = found.positions.shape
        shown = data.shown(MOST_MAPS)
        every = cells(found.positions, MOST)
        single = [
            {"channel": channel_name(channel), **cell}
            for channel in shown
            for cell in cells(found.channel_positions[channel], MOST_SMALL)
        ]
        if not every:
            return None
        large = _plane(every, (height, width), LARGE, "F, all channels").properties(
            title="all channels"
        )
        small = _plane(single, (height, width), SMALL, "F, one channel").facet(
            facet=alt.Facet(
                "channel:N", sort=[channel_name(channel) for channel in shown], title=None
            ),
            columns=COLUMNS,
            spacing=12,
        )
        return alt.vconcat(
            large,
            small,
            spacing=24,
            description=(
                "Heatmaps of the height and width of the latents: F statistic of the labels at "
                "each position, over all channels and in each channel."
            ),
        ).resolve_scale(color="independent")

    def note(self, data: DeepDive) -> str:
        """Return what is averaged or left out."""
        height, width = data.inspection.positions.shape
        parts = [
            f"{height} × {width} positions, averaged to at most {MOST} to a side for all channels "
            f"and {MOST_SMALL} for one."
            if max(height, width) > MOST_SMALL
            else "",
            data.note(MOST_MAPS),
        ]
        return " ".join(filter(None, parts))


def _plane(rows: list[dict[str, Any]], size: tuple[int, int], side: int, title: str) -> alt.Chart:
    import altair as alt

    height, width = size
    highest = max((float(np.max(row["f"])) for row in rows), default=1.0)
    axis = alt.Axis(grid=False, tickCount=4)
    tooltip = ["channel:N"] if "channel" in rows[0] else []
    return (
        alt.Chart(
            alt.InlineData(values=rows),
            width=side * width / max(size),
            height=side * height / max(size),
        )
        .mark_rect()
        .encode(
            x=alt.X(
                "column:Q", scale=alt.Scale(domain=[0, width], nice=False), axis=axis, title=None
            ),
            x2="column_end:Q",
            y=alt.Y(
                "row:Q",
                scale=alt.Scale(domain=[height, 0], nice=False),
                axis=axis,
                title=None,
            ),
            y2="row_end:Q",
            color=alt.Color(
                "f:Q",
                title=title,
                scale=alt.Scale(scheme="cividis", domain=[1, max(highest, 1.5)], clamp=True),
                legend=alt.Legend(gradientLength=160),
            ),
            tooltip=[*tooltip, "row:Q", "column:Q", alt.Tooltip("f:Q", format=".3~g")],
        )
    )
