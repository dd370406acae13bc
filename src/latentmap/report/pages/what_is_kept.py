"""The page of what is kept: encoders and pooling methods against everything that was looked for."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any

from latentmap.report.kept.charts import (
    calibration_chart,
    printed_heatmap,
    profile_chart,
    ranking_chart,
)
from latentmap.report.kept.doses import dose_chart
from latentmap.report.kept.findings import family_findings
from latentmap.report.kept.heatmap import heatmap, two_places
from latentmap.report.kept.predictions import Predicted, best_predictions
from latentmap.report.kept.table import WhatIsKept, read_kept
from latentmap.report.page import PAGES, Content, Page, Scope
from latentmap.report.plates import chart_plate
from latentmap.store.results import (
    PREDICTIONS,
    TARGET_FACTS,
    TARGETS,
    TARGETS_CSV,
    TARGETS_PARQUET,
    WHAT_IS_KEPT,
    Key,
    Results,
    page_file,
)

RANKING, PROFILE, CALIBRATION, PRINTED = "ranking", "profile", "calibration", "heatmap"
DOSES = "doses"


class WhatIsKeptPage(Page):
    """Which embedding keeps how much of which target."""

    title = "What is kept"
    category = "Comparisons"
    file = page_file("comparisons/what_is_kept.html", attrgetter("targeted"))
    scope = Scope.RUN
    reads = (WHAT_IS_KEPT, TARGET_FACTS, TARGETS, PREDICTIONS)
    configured_by = ("encoders",)

    def build(self, results: Results, keys: Sequence[Key]) -> Iterator[Content]:
        """Yield the page."""
        kept = read_kept(results)
        if kept is None:
            return
        found = list(best_predictions(results, kept))
        yield Content(
            "What is kept",
            {
                "heatmap": heatmap(kept),
                "chooses": True,
                "families": list(family_findings(kept)),
                "ranking": chart_plate(
                    RANKING,
                    ranking_chart(kept),
                    "One target, all embeddings",
                    "dots are what an embedding keeps, lines their 95 % intervals; dark dots "
                    "cannot be told from the best, grey ones may be chance.",
                ),
                "profile": chart_plate(
                    PROFILE,
                    profile_chart(kept),
                    "One pooling method, all targets",
                    "a method whose dots lie far right for one family and at 0 for another keeps "
                    "the one and loses the other; where encoders differ, the encoder decides.",
                ),
                "doses": [
                    chart_plate(
                        DOSES,
                        chart,
                        "As the signal is destroyed",
                        "each line is a pooling method. What is kept must fall to chance, the "
                        "dashed line, as nothing is left to see; a line that does not shows that "
                        "the figure comes from something else than the pictures.",
                    )
                    for chart in [dose_chart(kept, results.option("encoders"))]
                    if chart is not None
                ],
                "calibration": found
                and chart_plate(
                    CALIBRATION,
                    calibration_chart(found),
                    "Predicted and true values",
                    "each dot is a sample whose value the linear probe of the best embedding "
                    "predicts without having seen its source group; on the dashed line predictions "
                    "are right. A flat cloud is a target that is hardly kept.",
                ),
                "predicted": [_predicted(results, kept, one) for one in found],
                "printed": chart_plate(PRINTED, printed_heatmap(kept), self.title, ""),
                "tables": [results.address(table) for table in (TARGETS_CSV, TARGETS_PARQUET)],
            },
        )

    def charts(self, results: Results, key: Key) -> Mapping[str, str]:
        """Return the heatmap, and the charts at their first choice."""
        return {
            "what_is_kept": PRINTED,
            **{f"kept_{name}": name for name in (RANKING, PROFILE, CALIBRATION)},
        }


def _predicted(results: Results, kept: WhatIsKept, one: Predicted) -> dict[str, Any]:
    """Return what the page says of the predictions of one target."""
    figure = one.figure
    low, high = map(two_places, figure.kept_interval or (math.nan, math.nan))
    maps = [key for key in results.maps if key[:3] in one.by.keys]
    page = PAGES["method_maps"].file
    return {
        "target": one.target.title,
        "by": kept.name(one.by),
        "kept": two_places(figure.kept),
        "interval": f"{low} to {high}" if figure.kept_interval else "–",
        "error": f"{one.typical_error:.3g} {one.target.unit}".strip(),
        "maps": {key[3]: results.address(page, *key) for key in maps},
    }
