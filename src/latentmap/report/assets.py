"""What the pages of a report share: scripts, style and samples, in a folder beside them."""

from __future__ import annotations

import html
import os
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

from latentmap.errors import LatentmapError
from latentmap.report.details import read_details
from latentmap.report.embedded import packed, unpacked
from latentmap.report.lazy import alt
from latentmap.report.points import read_shown_samples
from latentmap.report.target_columns import with_targets
from latentmap.store.files import write_stamped_text
from latentmap.store.results import (
    ANNOTATIONS,
    DETAILS,
    PAGE_SCRIPT,
    PAGE_STYLE,
    SAMPLES,
    SHOWN_SAMPLES,
    THUMBNAILS,
    VEGA,
    Results,
)
from latentmap.store.stamp import read_stamped_text

SAMPLES_START, END = 'window.latentmapSamples = "', '";\n'

SHARED = re.compile(
    r'<link rel="stylesheet" href="(?P<style>[^"]+)">'
    r'|<script(?P<how> nonce="[^"]+"[^>]*?) src="(?P<script>[^"]+)"></script>'
)
LINK = re.compile(r'<a [^>]*?href="(?!#)[^"]*"[^>]*>(?P<text>.*?)</a>', re.DOTALL)
STAMP = re.compile(r"\n<!-- latentmap file, .*? -->\n$|(?:// |/\* )latentmap file, [^\n]*\n$")


def write_assets(results: Results) -> None:
    """Write what all pages of a run share.

    Raises:
        LatentmapError: thumbnails or annotations do not belong to the samples.
    """
    write_vega(results.address(VEGA))
    write_page_files(results)


def write_vega(output: Path) -> None:
    """Write the JavaScript that draws charts."""
    import vl_convert

    version = ".".join(alt.SCHEMA_VERSION.split(".")[:2])
    vega = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", version)
    write_stamped_text(output, f"{vega}\n// ", "\n")


def write_page_files(results: Results) -> None:
    """Write what all pages of a run share but for what draws charts."""
    script, style = (
        "\n".join(map(_resource, names))
        for names in (("panel.js", "assets.js"), ("assets.css", "panel.css"))
    )
    write_stamped_text(results.address(PAGE_SCRIPT), f"{script}\n// ", "\n")
    write_stamped_text(results.address(PAGE_STYLE), f"{style}\n/* ", " */\n")
    samples = results.paths(SAMPLES)
    annotations = next(iter(results.paths(ANNOTATIONS)), None)
    most = results.option("report.max_points")
    shown = read_shown_samples(samples, results.paths(THUMBNAILS), most, annotations)
    shown = with_targets(shown, results)
    text = f"{SAMPLES_START}{packed(shown.everything)}{END}"
    write_stamped_text(results.address(SHOWN_SAMPLES), f"{text}// ", "\n")
    details = packed(read_details(samples, shown.rows, annotations))
    text = f'window.latentmapDetails = "{details}{END}'
    write_stamped_text(results.address(DETAILS), f"{text}// ", "\n")


def read_samples_asset(path: Path | str) -> dict[str, Any]:
    """Read the samples that the pages of a run share."""
    text = read_stamped_text(path)
    content: dict[str, Any] = unpacked(text[len(SAMPLES_START) : text.rindex(END)])
    return content


def _resource(name: str) -> str:
    return files("latentmap.report").joinpath(name).read_text("utf-8")


def referred(page: Path | str, address: str) -> Path:
    """Return the file that a page refers to."""
    return Path(os.path.normpath(Path(page).parent / address))


def bundle(page: Path | str) -> str:
    """Return a page as one text that needs no other file; links to other pages become text.

    Raises:
        LatentmapError: the page, or a file that it needs, is missing or not what was written.
    """

    def inlined(found: re.Match[str]) -> str:
        source = html.unescape(found["style"] or found["script"])
        content = STAMP.sub("\n", read_stamped_text(referred(page, source)))
        if found["style"]:
            return f"<style>{content}</style>"
        return f"<script{found['how']}>{content}</script>"

    text = STAMP.sub("\n", read_stamped_text(page))
    if not SHARED.search(text):
        raise LatentmapError(f"{page} is no page of a report.")
    return SHARED.sub(inlined, LINK.sub(lambda found: found["text"], text))
