"""Pages of a run in a notebook or a browser."""

from __future__ import annotations

import html
import webbrowser
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from latentmap.store.results import EXPLORER_FILE, EXPLORER_PAGE, SUMMARY, Results

HEIGHT = 720
"""Pixels of a page that is shown in a notebook."""


@dataclass(frozen=True)
class Shown:
    """A page of a run; as the last value of a cell, a notebook shows it.

    Attributes:
        path: the page, which opens from disk in any browser.
        folder: of its run, for `latentmap.open`.
        kept: a temporary folder that lasts as long as this, if it is in one.
    """

    path: Path
    folder: Path
    kept: Any = field(default=None, repr=False, compare=False)

    def open(self) -> None:
        """Open it in a browser."""
        webbrowser.open(self.path.resolve().as_uri())

    def _repr_html_(self) -> str:
        # The page has a policy of its own; the frame lets it run its scripts, and nothing beside.
        return (
            f'<iframe srcdoc="{html.escape(self._text())}" title="{html.escape(self.path.name)}" '
            f'style="width:100%;height:{HEIGHT}px;border:0" '
            'sandbox="allow-scripts allow-downloads allow-popups"></iframe>'
            f"<p>{html.escape(str(self.path))}</p>"
        )

    def _text(self) -> str:
        """Return the page as one text that needs no other file."""
        return self.path.read_text("utf-8")


class ReportPage(Shown):
    """The summary of a report, whose other pages lie beside it."""

    def _text(self) -> str:
        from latentmap.report.assets import bundle

        return bundle(self.path)


def report_of(results: Results) -> ReportPage:
    """Return the report of a run."""
    return ReportPage(results.address(SUMMARY), results.folder)


def explorer_of(results: Results) -> Shown:
    """Return the explorer of a run, with its data in the page where there are few samples."""
    from latentmap.explorer.check import check_explorer

    check_explorer(results.folder)
    alone = results.address(EXPLORER_FILE)
    return Shown(alone if alone.exists() else results.address(EXPLORER_PAGE), results.folder)
