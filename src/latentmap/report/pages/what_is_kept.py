"""The page of what is kept: encoders and pooling methods against everything that was looked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from operator import attrgetter

from latentmap.report.kept.charts import printed_heatmap, profile_chart, ranking_chart
from latentmap.report.kept.findings import family_findings
from latentmap.report.kept.heatmap import heatmap
from latentmap.report.kept.table import read_kept
from latentmap.report.page import Content, Page, Scope
from latentmap.report.plates import chart_plate
from latentmap.store.results import (
    TARGET_FACTS,
    TARGETS_CSV,
    TARGETS_PARQUET,
    WHAT_IS_KEPT,
    Key,
    Results,
    page_file,
)

RANKING, PROFILE, PRINTED = "ranking", "profile", "heatmap"


class WhatIsKeptPage(Page):
    """Which embedding keeps how much of which target."""

    title = "What is kept"
    category = "Comparisons"
    file = page_file("comparisons/what_is_kept.html", attrgetter("targeted"))
    scope = Scope.RUN
    reads = (WHAT_IS_KEPT, TARGET_FACTS)

    def build(self, results: Results, keys: Sequence[Key]) -> Iterator[Content]:
        """Yield the page."""
        kept = read_kept(results)
        if kept is None:
            return
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
                "printed": chart_plate(PRINTED, printed_heatmap(kept), self.title, ""),
                "tables": [results.address(table) for table in (TARGETS_CSV, TARGETS_PARQUET)],
            },
        )

    def charts(self, results: Results, key: Key) -> Mapping[str, str]:
        """Return the heatmap, and the charts at their first choice."""
        return {"what_is_kept": PRINTED, "kept_ranking": RANKING, "kept_profile": PROFILE}
