"""Figures for publications: a chart of a page as SVG, PNG and PDF, and its data as CSV."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from latentmap.report.assets import read_samples_asset, referred
from latentmap.report.embedded import unpacked
from latentmap.report.labels import UNLABELLED
from latentmap.report.maps import COLORING, GROUP
from latentmap.report.plates import rows_of
from latentmap.store.files import atomic, write_text
from latentmap.store.results import SHOWN_SAMPLES
from latentmap.store.stamp import read_stamped_text

FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
PIXELS = 3
"""Pixels of a PNG for each of the chart's: 288 to the inch."""

NOTHING = "None of the figures that this chart shows is defined for these samples."
Spec = dict[str, Any]


def write_figure(
    page: Path | str,
    chart: str,
    *,
    svg: Path | str,
    png: Path | str,
    pdf: Path | str,
    csv: Path | str,
) -> None:
    """Write a chart as it stands in a page.

    Args:
        page: a page of the report.
        chart: id of the chart in it; where the page has none of this name, the figures say that
            nothing it shows is defined.
        svg: output.
        png: output, with a white background.
        pdf: output.
        csv: output; the rows of all parts of the chart, with the title of their part where there
            are several.
    """
    import vl_convert

    spec = read_chart(page, chart)
    write_text(csv, _table(spec).write_csv())
    shown = printed(spec)
    write_text(svg, vl_convert.vegalite_to_svg(shown))
    for path, content in (
        (png, vl_convert.vegalite_to_png(shown, scale=PIXELS)),
        (pdf, _in_order(vl_convert.vegalite_to_pdf(shown))),
    ):
        with atomic(path) as temporary:
            temporary.write_bytes(content)


def read_chart(page: Path | str, chart: str) -> Spec:
    """Return the specification of a chart in a page, with the rows that the page adds to it."""
    scripts = _Scripts(read_stamped_text(page))
    if chart not in scripts.charts:
        return {"mark": "text", "data": {"values": []}, "title": NOTHING}
    embedded = unpacked(scripts.charts[chart])
    spec: Spec = embedded["spec"]
    spec["datasets"] = {name: rows_of(table) for name, table in spec["datasets"].items()}
    if "points" in embedded:
        samples = _samples_of(Path(page), scripts)
        rows = _rows(embedded["points"], samples)
        spec["datasets"] |= {embedded["data"]: rows}
        _name_colors(spec, rows, samples["colorings"])
    return spec


def charts_in(page: str) -> dict[str, Any]:
    """Return what a page carries of each of its charts, by their ids."""
    return {name: unpacked(text) for name, text in _Scripts(page).charts.items()}


def _samples_of(page: Path, scripts: _Scripts) -> dict[str, Any]:
    """Return the samples of a page: its own, or all or some of those that pages share."""
    own: dict[str, Any] = json.loads(scripts.samples)
    if "id" in own:
        return own
    shared = read_samples_asset(referred(page, scripts.shared))
    if "rows" not in own:
        return shared
    columns = ("id", "label", "group", "text")
    return {name: [shared[name][row] for row in own["rows"]] for name in columns} | own


def _name_colors(spec: Spec, rows: list[dict[str, Any]], colorings: Mapping[str, Spec]) -> None:
    """Let the colours of a map be those of `group`: on paper nobody chooses, and codes say nothing.

    Args:
        spec: of a chart, which is changed.
        rows: of its data set, which are changed.
        colorings: values, colours and codes of the columns that may colour a map.
    """
    params = {param["name"]: param for param in spec.get("params", ())}
    column = colorings.get(params.get(COLORING, {}).get("value", GROUP))
    if column is not None:
        params[COLORING]["value"] = GROUP
        for row, code in zip(rows, column["codes"], strict=True):
            row["group"] = column["values"][code]
    for node in _nodes(spec):
        color = node.get("encoding", {}).get("color", {})
        if color.get("field") != "group":
            continue
        if column is not None:
            color["scale"] = {"domain": column["values"], "range": column["colors"]}
        domain = color["scale"]["domain"]
        color["scale"]["domain"] = [group or UNLABELLED for group in domain]
    for row in rows:
        row["group"] = row["group"] or UNLABELLED


def printed(spec: Spec) -> Spec:
    """Return a specification as paper needs it: on white, with a legend where a page has its own.

    Args:
        spec: of a chart; not changed.
    """
    spec = json.loads(json.dumps(spec))
    spec["config"] = spec.get("config", {}) | {"background": "#ffffff", "font": FONT}
    for node in _nodes(spec):
        color = node.get("encoding", {}).get("color", {})
        groups = color.get("scale", {}).get("domain")
        is_of_groups = color.get("field") == "group" and color.get("legend", {}) is None
        if is_of_groups and groups != [UNLABELLED]:
            color["legend"] = {"title": None, "symbolOpacity": 1}
    return spec


def _in_order(pdf: bytes) -> bytes:
    """Sort the lists of resources in a PDF, which its writer leaves in a random order.

    Lines move within their list only, so that every object stays at its offset.
    """
    return re.sub(
        rb"(?<=<<\n)(?:[ ]+/[a-z]+\d+ \d+ 0 R\n)+",
        lambda lines: b"".join(sorted(lines[0].splitlines(keepends=True))),
        pdf,
    )


class _Scripts(HTMLParser):
    """What a page carries for its script: charts by id, packed, and the samples, as JSON."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.charts: dict[str, str] = {}
        self.samples = ""
        self.shared = ""
        self._attributes: dict[str, str | None] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self._attributes = dict(attributes) if tag == "script" else {}
        source = self._attributes.get("src") or ""
        if source.endswith(Path(SHOWN_SAMPLES.pattern).name):
            self.shared = source

    def handle_data(self, data: str) -> None:
        chart = self._attributes.get("data-chart")
        if chart is not None:
            self.charts[chart] = self.charts.get(chart, "") + data
        elif self._attributes.get("id") == "samples":
            self.samples += data


def _rows(points: dict[str, list[Any]], samples: dict[str, list[Any]]) -> list[dict[str, Any]]:
    """Return one row for each sample: what it is, without its image, and what the map says."""
    named = {name: samples[name] for name in ("id", "label", "group", "text")} | points
    filled = {name: values for name, values in named.items() if values}
    return [dict(zip(filled, row, strict=True)) for row in zip(*filled.values(), strict=True)]


def _nodes(value: Any) -> Iterator[Spec]:
    """Yield every object of a specification but its rows."""
    if isinstance(value, dict):
        yield value
        for key, inner in value.items():
            if key not in ("datasets", "values"):
                yield from _nodes(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _nodes(inner)


def _table(spec: Spec) -> pl.DataFrame:
    """Return what a chart shows: each data set once, under the title of its part.

    What a reader cannot point at (grids, labels) is left out, unless that is all there is.
    """
    marks = list(_marks(spec, "", None))
    shown = [mark for mark in marks if "tooltip" in mark.encoding] or marks
    titles: dict[str, str] = {}
    for mark in shown:
        titles.setdefault(mark.data, mark.title)
    titled = len(set(titles.values())) > 1
    rows = [
        ({"part": title} if titled else {}) | {name: _scalar(cell) for name, cell in row.items()}
        for data, title in titles.items()
        for row in spec["datasets"][data]
    ]
    return pl.DataFrame(rows, infer_schema_length=None, strict=False)


class _Mark(NamedTuple):
    """A layer or a chart without layers: its title, its data set and what it encodes."""

    title: str
    data: str
    encoding: Spec


def _marks(node: Any, title: str, data: str | None) -> Iterator[_Mark]:
    """Yield every mark, with the innermost title and data set around it."""
    if isinstance(node, list):
        for inner in node:
            yield from _marks(inner, title, data)
    elif isinstance(node, dict):
        own = node.get("title", title)
        title = own.get("text", title) if isinstance(own, dict) else own
        data = (node.get("data") or {}).get("name", data)
        if "mark" in node and data is not None:
            yield _Mark(title, data, node.get("encoding", {}))
        for key in ("layer", "concat", "hconcat", "vconcat", "spec"):
            yield from _marks(node.get(key), title, data)


def _scalar(cell: Any) -> Any:
    return json.dumps(cell) if isinstance(cell, dict | list) else cell
