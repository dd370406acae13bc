"""Options of the report."""

from __future__ import annotations

from pydantic import Field, field_validator

from latentmap.config import Options
from latentmap.errors import LatentmapError
from latentmap.report.picture_host import picture_host


class ReportOptions(Options):
    """What the report shows.

    Attributes:
        side_by_side: also write, for each encoder and variant, one page with all its maps.
        max_points: at most this many samples per map; of more, evenly spaced ones are shown and
            the page says so.
        color_by: what colours maps at first: `group` (of labels), `label`, `trust`, or a column of
            the samples or annotations that has colours.
        pictures: longer side, in pixels, of the pictures that a click on a point opens; larger ones
            are made smaller, and null leaves them out. Where the explorer has whole pictures, pages
            show those, and keep none of their own.
        image_url: where the pictures are already: a URL or a folder, followed by the sample's id;
            `{column}` in it stands for another column.
    """

    side_by_side: bool = False
    max_points: int = Field(default=5000, ge=1)
    color_by: str = "group"
    pictures: int | None = Field(default=1024, ge=16)
    image_url: str | None = None

    @field_validator("image_url")
    @classmethod
    def _name_a_host(cls, given: str | None) -> str | None:
        try:
            picture_host(given)
        except LatentmapError as error:
            raise ValueError(str(error)) from None
        return given
