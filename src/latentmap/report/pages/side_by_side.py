"""The page with all maps of one encoder and variant side by side, one row for each method."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from latentmap.report.page import Content, Page, Scope
from latentmap.report.plates import MAP_OPTIONS, MAP_READS, SMALL, MapPlates
from latentmap.store.results import Key, Results, page_file


def _asked_for(results: Results) -> list[Key]:
    return results.latents if results.config["report"]["side_by_side"] else []


class SideBySide(Page):
    """All maps of one encoder and variant."""

    title = "Maps side by side"
    category = "Maps"
    file = page_file("{encoder}/{variant}/maps.html", _asked_for)
    scope = Scope.LATENTS
    reads = MAP_READS
    configured_by = MAP_OPTIONS

    def build(self, results: Results, keys: Sequence[Key]) -> Iterator[Content]:
        """Yield the maps in reading order."""
        ((encoder, variant),) = keys
        maps = MapPlates(results)
        shown = [key for key in results.maps if key[:2] == (encoder, variant)]
        plates = [
            maps.plate(key, f"map-{number}", f"{key[2]}: {key[3]}", SMALL)
            for number, key in enumerate(shown)
        ]
        title = f"{self.title} ({encoder}, {variant})"
        yield Content(title, {"plates": plates}, maps.shown, maps.colors, maps.measures())
