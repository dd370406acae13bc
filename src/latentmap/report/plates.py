"""Charts and maps, ready for a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from latentmap.config import unknown
from latentmap.errors import LatentmapError
from latentmap.report.chart import Chart, Comparison
from latentmap.report.colorings import LABEL
from latentmap.report.density import read_density
from latentmap.report.embedded import packed
from latentmap.report.labels import NO_LABEL, read_labels
from latentmap.report.lazy import alt
from latentmap.report.maps import (
    DATA,
    GROUP,
    LOOK_FOR,
    LOOK_FOR_WITHOUT_LABELS,
    map_chart,
)
from latentmap.report.maps import TRUST as BY_TRUST
from latentmap.report.measures import OF_DENSITY, OF_OUTLIERS, own_measures, read_outliers
from latentmap.report.points import (
    Points,
    ShownSamples,
    read_places,
    read_points,
    read_shown_neighbors,
    read_shown_samples,
)
from latentmap.report.target_columns import with_targets
from latentmap.report.trust import read_trust
from latentmap.store.maps import read_map
from latentmap.store.results import (
    ANNOTATIONS,
    LABELS,
    NEIGHBORS,
    OUTLIERS,
    PROJECTION,
    SAMPLES,
    SAMPLING_WEIGHTS,
    TARGET_FACTS,
    TARGETS,
    TRUST,
    Key,
    Results,
)
from latentmap.store.samples import evenly_spaced, read_samples

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"
CONFIG = {
    "font": FONT,
    "background": None,
    "numberFormat": ",.6~g",
    "view": {"stroke": "#d0d0d0", "continuousWidth": 300, "continuousHeight": 300},
    "axis": {
        "labelFontSize": 11,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "labelLimit": 260,
        "labelSeparation": 4,
        "gridColor": "#e8e8e8",
        "domainColor": "#999999",
        "tickColor": "#999999",
    },
    "header": {"labelFontSize": 12, "titleFontSize": 12},
    "legend": {"labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal"},
    "title": {"fontSize": 13, "anchor": "start", "fontWeight": "bold"},
    # What a dark page turns over: marks of these kinds give no such colour themselves.
    "text": {"color": "#222222"},
    "rule": {"color": "#222222"},
    "rect": {"stroke": "#ffffff"},
    "circle": {"stroke": "#333333"},
    "style": {
        "guide": {"color": "#dddddd"},
        "aside": {"color": "#57606a"},
        "halo": {"stroke": "#ffffff"},
        "interval": {"color": "#8b949e"},
    },
}


MAP_READS = (
    *(PROJECTION, TRUST, SAMPLING_WEIGHTS.over("mapped")),
    *(SAMPLES, ANNOTATIONS, TARGETS, TARGET_FACTS, LABELS),
    *(PROJECTION.theirs, SAMPLES.theirs),
)
"""What a page with maps reads for them."""

MAP_OPTIONS = ("report.max_points", "report.color_by", "report.image_url")
"""Options that such a page asks for."""

LARGE, SMALL = (860, 560), (320, 280)
"""Sizes of a map alone and of one among others, in pixels."""


THREE_VIEWS = "A 3D map, seen along each of its axes: axes 1 and 2, axes 1 and 3, axes 2 and 3."


@dataclass(frozen=True)
class Plate:
    """A chart as a page shows it.

    Attributes:
        id: of its HTML element.
        title: heading.
        look_for: one line that says what to look for.
        embedded: the specification and, of a map, its points, packed.
        note: what else the reader must know.
        link: address of the chart's own page.
    """

    id: str
    title: str
    look_for: str
    embedded: str
    note: str = ""
    link: str = ""


def chart_plate(
    name: str,
    chart: alt.TopLevelMixin,
    title: str,
    look_for: str,
    *,
    note: str = "",
    link: str = "",
    renderer: str = "svg",
    **beside: Any,
) -> Plate:
    """Return a chart, ready for a page.

    Args:
        name: of its HTML element.
        chart: with its own data.
        title: heading.
        look_for: one line that says what to look for.
        note: what else the reader must know.
        link: address of the chart's own page.
        renderer: `canvas` for many marks, of which a reader needs none as text.
        beside: what the page's script adds to the chart.
    """
    embedded = {"spec": specification(chart), "renderer": renderer, **beside}
    return Plate(name, title, look_for, packed(embedded), note, link)


def chart_plates(name: str, plugin: Chart, data: Comparison) -> list[Plate]:
    """Return a chart with its note, ready for a page; none if nothing it shows was measured."""
    chart = plugin.build(data)
    if chart is None:
        return []
    return [chart_plate(name, chart, plugin.title, plugin.look_for, note=plugin.note(data))]


class MapPlates:
    """The maps of a run: where they place the samples that are shown.

    Attributes:
        shown: the samples.
        colors: colour of every label group.

    Args:
        results: a run of which `MAP_READS` can be read.
    """

    def __init__(self, results: Results) -> None:
        self._results = results
        annotations = next(iter(results.paths(ANNOTATIONS)), None)
        most = results.option("report.max_points")
        first = results.option("report.color_by")
        shown = read_shown_samples(results.paths(SAMPLES), None, most, annotations, first)
        self.shown = with_targets(shown, results)
        self.colors = read_labels(results.path(LABELS)).colors
        theirs = results.paths(SAMPLES.theirs)
        self._their_ids = read_samples(theirs, ["id"])["id"].to_pylist() if theirs else []
        self._their_rows = evenly_spaced(len(self._their_ids), most)

    def measures(self, whole: bool = False) -> dict[str, str]:
        """Return the numbers that can colour, size and filter maps: key and title; see `plate`."""
        has_scores = whole and bool(self._results.keys(OUTLIERS))
        return OF_DENSITY | (OF_OUTLIERS if has_scores else {}) | own_measures(self.shown)

    def plate(
        self,
        key: Key,
        name: str,
        title: str,
        size: tuple[int, int] = LARGE,
        link: str = "",
        whole: bool = False,
        further: Mapping[str, Sequence[float | None]] = MappingProxyType({}),
    ) -> Plate:
        """Return one map, ready for a page that also contains the samples.

        Args:
            key: encoder, variant, method and projection.
            name: id in the page.
            title: heading.
            size: width and height of a 2D map in pixels.
            link: address of the map's own page.
            whole: whether it has outlier scores, and an opened sample its nearest neighbors.
            further: numbers of the shown samples that can colour it, by their keys.
        """
        shown, colors = self.shown, self.colors
        points = read_points(self._results.path(PROJECTION, *key), shown)
        trust = read_trust(self._results.path(TRUST, *key), shown)
        density = read_density(self._results.path(SAMPLING_WEIGHTS, *key[:3]), shown)
        where = dict(zip(("encoder", "variant", "method"), key, strict=False))
        scored = self._results.paths(OUTLIERS, **where) if whole else []
        scores = read_outliers(scored[0], shown) if scored else {}
        count, total = len(shown.rows), len(shown.ids)
        description = f"Scatter plot {title}: {count} samples; {trust.caption}."
        chart = map_chart(
            points,
            colors,
            description,
            size,
            trust.caption,
            first_coloring(shown, colors),
            self._behind(key),
        )
        beside = {}
        if whole:
            graph = self._results.path(NEIGHBORS, *key[:3])
            beside["neighbors"] = read_shown_neighbors(graph, shown)
        facts = read_map(self._results.path(PROJECTION, *key)).facts
        given, reference = facts.get("given"), facts.get("reference")
        notes = [
            f"Grey: samples of the run {reference}, into whose map these were placed."
            if reference
            else "",
            f"Coordinates of {given}, as they are." if given else "",
            THREE_VIEWS if "z" in points else "",
            f"{count:,} of {total:,} samples, evenly spaced." if count < total else "",
            trust.note,
        ]
        return chart_plate(
            name,
            chart,
            title,
            LOOK_FOR if has_groups(colors) else LOOK_FOR_WITHOUT_LABELS,
            note=" ".join(filter(None, notes)),
            link=link,
            renderer="canvas",
            data=DATA,
            points={**points, "trust": trust.values, **density, **scores, **further},
            **beside,
        )

    def _behind(self, key: Key) -> Points | None:
        """Return where the samples of the reference run are on a map, if there is one."""
        if not self._their_ids:
            return None
        path = self._results.path(PROJECTION.theirs, *key)
        return read_places(path, self._their_ids, self._their_rows)


def specification(chart: alt.TopLevelMixin) -> dict[str, Any]:
    """Return a chart in Vega-Lite, in the look of the report; `rows_of` reads its rows."""
    spec: dict[str, Any] = chart.to_dict()
    tables = {name: _table(rows) for name, rows in spec.get("datasets", {}).items()}
    return spec | {"config": CONFIG, "datasets": tables}


def _table(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Return the rows of a chart as columns, with seven digits of each number.

    No page shows more digits, and columns, of which most repeat their values, pack best.
    """
    fields = dict.fromkeys(name for row in rows for name in row)

    def short(value: Any) -> Any:
        return float(f"{value:.7g}") if isinstance(value, float) else value

    return {name: [short(row.get(name)) for row in rows] for name in fields}


def rows_of(table: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Return the rows of a chart from the columns that stand in a page."""
    return [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)]


def has_groups(colors: Mapping[str, str]) -> bool:
    """Whether any sample has a label group."""
    return any(group != NO_LABEL for group in colors)


def first_coloring(samples: ShownSamples, colors: Mapping[str, str]) -> tuple[str, Sequence[str]]:
    """Return what colours a map at first, with the palette of it if it is a column.

    It is what is asked for; where that is the label group and no sample has one, the first column.

    Raises:
        LatentmapError: no column of that name can colour a map.
    """
    named = {coloring.title: (coloring.key, coloring.colors) for coloring in samples.colorings}
    offered = {**named, BY_TRUST: (BY_TRUST, ()), GROUP: (GROUP, ())}
    if not has_groups(colors):
        offered[GROUP] = next(iter(offered.values()))
    asked = samples.color_by
    if asked == LABEL and asked not in offered:  # each label is its own group, or there is none
        asked = GROUP
    if asked not in offered:
        raise LatentmapError(f"report.color_by: {unknown('column', asked, offered)}")
    return offered[asked]
