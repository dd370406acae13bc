"""Options of the report."""

from __future__ import annotations

from pydantic import Field

from latentmap.config import Options


class ReportOptions(Options):
    """What the report shows.

    Attributes:
        side_by_side: also write, for each encoder and variant, one page with all its maps.
        max_points: at most this many samples per map; of more, evenly spaced ones are shown and
            the page says so.
        color_by: what colours maps at first: `group` (of labels), `label`, `trust`, or a column of
            the samples or annotations that has colours.
    """

    side_by_side: bool = False
    max_points: int = Field(default=5000, ge=1)
    color_by: str = "group"
