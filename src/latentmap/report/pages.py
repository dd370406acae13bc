"""Pages: one self-contained HTML file each, which opens from disk and asks the network nothing."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latentmap.project.quality import DOUBTFUL
from latentmap.report.chart import Chart, Comparison
from latentmap.report.density import PERCENTILE
from latentmap.report.labels import NO_LABEL
from latentmap.report.maps import (
    DATA,
    GROUP,
    LOOK_FOR,
    LOOK_FOR_WITHOUT_LABELS,
    TRUST,
    map_chart,
)
from latentmap.report.points import Points, ShownSamples
from latentmap.report.trust import MapTrust, trust_legend
from latentmap.store.files import json_text, write_stamped_text
from latentmap.store.stamp import read_stamped_text

if TYPE_CHECKING:
    import altair as alt

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"
CONFIG = {
    "font": FONT,
    "background": None,
    "view": {"stroke": "#d0d0d0", "continuousWidth": 300, "continuousHeight": 300},
    "axis": {
        "labelFontSize": 11,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "labelLimit": 260,
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
    },
}


@dataclass(frozen=True)
class Plate:
    """A chart as a page shows it.

    Attributes:
        id: of its HTML element.
        title: heading.
        look_for: one line that says what to look for.
        embedded: JSON of the specification and, of a map, its points.
        note: what else the reader must know.
        link: address of the chart's own page.
    """

    id: str
    title: str
    look_for: str
    embedded: str
    note: str = ""
    link: str = ""


def write_vega_bundle(output: Path | str) -> None:
    """Write the JavaScript that draws charts, as every page contains it."""
    import altair as alt
    import vl_convert

    version = ".".join(alt.SCHEMA_VERSION.split(".")[:2])
    bundle = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", version)
    write_stamped_text(output, f"{bundle}\n// ", "\n")


def chart_plate(
    name: str,
    chart: alt.TopLevelMixin,
    title: str,
    look_for: str,
    link: str = "",
    note: str = "",
) -> Plate:
    """Return a chart, ready for a page; it carries its own data."""
    embedded = {"spec": specification(chart), "renderer": "svg"}
    return Plate(name, title, look_for, embedded_json(embedded), note, link)


def chart_plates(name: str, plugin: Chart, data: Comparison) -> list[Plate]:
    """Return a chart with its note, ready for a page; none if nothing it shows was measured."""
    chart = plugin.build(data)
    if chart is None:
        return []
    return [chart_plate(name, chart, plugin.title, plugin.look_for, note=plugin.note(data))]


def map_plate(
    name: str,
    points: Points,
    trust: MapTrust,
    density: Sequence[float],
    shown: ShownSamples,
    colors: Mapping[str, str],
    *,
    title: str,
    size: tuple[int, int] = (860, 560),
    link: str = "",
) -> Plate:
    """Return a map, ready for a page that also contains the samples."""
    count, total = len(shown.rows), len(shown.ids)
    description = f"Scatter plot {title}: {count} samples; {trust.caption}."
    chart = map_chart(
        points, colors, description, size, trust.caption, _first_coloring(shown, colors)
    )
    embedded = {
        "spec": specification(chart),
        "renderer": "canvas",
        "data": DATA,
        "points": {**points, "trust": trust.values, PERCENTILE: density},
    }
    notes = [
        "The three panels are the pairs of axes of a 3D map." if "z" in points else "",
        f"{count:,} of {total:,} samples, evenly spaced." if count < total else "",
        trust.note,
    ]
    return Plate(
        name,
        title,
        LOOK_FOR if _has_groups(colors) else LOOK_FOR_WITHOUT_LABELS,
        embedded_json(embedded),
        note=" ".join(filter(None, notes)),
        link=link,
    )


def specification(chart: alt.TopLevelMixin) -> dict[str, Any]:
    """Return a chart's Vega-Lite specification in the report's look."""
    spec: dict[str, Any] = chart.to_dict()
    return spec | {"config": CONFIG}


def embedded_json(value: Any) -> str:
    """Return JSON that no value can break out of when it stands in a `<script>` element."""
    text = json_text(value, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def write_page(
    output: Path | str,
    template: str,
    *,
    bundle: Path | str,
    home: Path | str,
    title: str,
    samples: ShownSamples | None = None,
    colors: Mapping[str, str] | None = None,
    **content: Any,
) -> None:
    """Fill a template and write the page.

    Args:
        output: the HTML file.
        template: its name.
        bundle: the file that `write_vega_bundle` wrote.
        home: the page that this one links back to.
        title: of the page.
        samples: what maps on the page show.
        colors: colour of every label group, for pages with maps.
        content: everything else that the template names.
    """
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("latentmap.report", "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["link"] = lambda path: relative(path, output)
    scripts = [read_stamped_text(bundle), _resource("page.js")]
    text = environment.get_template(template).render(
        title=title,
        home=relative(home, output),
        style=_resource("page.css"),
        scripts=scripts,
        hashes=[_script_hash(script) for script in scripts],
        samples=None if samples is None else embedded_json(_page_samples(samples)),
        legend=[] if samples is None else _legend(samples, colors or {}),
        colorings=[] if samples is None else samples.colorings,
        coloring=None if samples is None else _first_coloring(samples, colors or {})[0],
        of_texts=samples is not None and not samples.content["images"],
        trust_legend=trust_legend(),
        doubtful=DOUBTFUL,
        **content,
    )
    write_stamped_text(output, f"{text}\n<!-- ", " -->\n")


def relative(path: Path | str, page: Path | str) -> str:
    """Return the address of a file as seen from a page."""
    return Path(os.path.relpath(path, Path(page).parent)).as_posix()


def _resource(name: str) -> str:
    return files("latentmap.report").joinpath(name).read_text("utf-8")


def _script_hash(script: str) -> str:
    """Return the hash by which a browser knows the page's own scripts from injected ones."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _has_groups(colors: Mapping[str, str]) -> bool:
    """Whether any sample has a label group."""
    return any(group != NO_LABEL for group in colors)


def _first_coloring(samples: ShownSamples, colors: Mapping[str, str]) -> tuple[str, Sequence[str]]:
    """Return what colours a map at first: the label group, else a column with its palette."""
    if _has_groups(colors):
        return GROUP, ()
    return next(((c.key, c.colors) for c in samples.colorings), (TRUST, ()))


def _page_samples(samples: ShownSamples) -> dict[str, Any]:
    codes = {
        c.key: {"values": c.values, "colors": c.colors, "codes": c.codes} for c in samples.colorings
    }
    return {**samples.content, "further": samples.further, "colorings": codes}


def _legend(samples: ShownSamples, colors: Mapping[str, str]) -> Sequence[tuple[str, str, int]]:
    if not _has_groups(colors):
        return []
    counts = dict.fromkeys(colors, 0)
    for group in samples.content["group"]:
        counts[group] += 1
    return [(group, colors[group], count) for group, count in counts.items() if count]
