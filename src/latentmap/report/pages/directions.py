"""The page of counterfactual pairs: which changes are directions of which embeddings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from operator import attrgetter

from latentmap.report.kept.heatmap import heatmap
from latentmap.report.kept.pairs import (
    ANSWER,
    TITLE,
    directions,
    pairs_chart,
    read_pairs,
    sentences,
)
from latentmap.report.page import Content, Page, Scope
from latentmap.report.plates import chart_plate
from latentmap.store.results import PAIRS, Key, Results, page_file


class Directions(Page):
    """Whether what differs between paired samples is a direction of an embedding."""

    title = TITLE
    category = "Comparisons"
    file = page_file("comparisons/directions.html", attrgetter("paired"))
    scope = Scope.RUN
    reads = (PAIRS,)

    def build(self, results: Results, keys: Sequence[Key]) -> Iterator[Content]:
        """Yield the page."""
        rows = read_pairs(results)
        found = directions(rows)
        yield Content(
            TITLE,
            {
                "heatmap": heatmap(found, TITLE, ANSWER, "pairs"),
                "families": list(sentences(rows)),
                "chooses": False,
                "plates": [
                    chart_plate(
                        "directions",
                        pairs_chart(rows, found),
                        "How large a change is, and how far it is a direction",
                        "embeddings high up move the same way whenever the change is made, those "
                        "far right move far. A change that is large and has no direction moves "
                        "every pair another way.",
                    )
                ],
            },
        )

    def charts(self, results: Results, key: Key) -> Mapping[str, str]:
        """Return the chart of the first change."""
        return {"directions": "directions"}
