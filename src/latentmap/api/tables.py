"""What all results share: they are tables, in a notebook too."""

from __future__ import annotations

import html
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

SHOWN = 60
"""Rows that a notebook shows of a table."""

PRINTED = 20
"""Rows that are printed of it."""


class Tabular(ABC):
    """A result that is a table."""

    @abstractmethod
    def to_polars(self) -> pl.DataFrame:
        """Return it as a polars data frame."""

    def to_pandas(self) -> pd.DataFrame:
        """Return it as a pandas data frame."""
        return self.to_polars().to_pandas()

    def _repr_html_(self) -> str:
        return html_table(self.to_polars(), self._caption)

    def __repr__(self) -> str:
        import polars as pl

        table = self.to_polars()
        with pl.Config(tbl_rows=PRINTED, tbl_hide_dataframe_shape=True, fmt_str_lengths=60):
            return f"{self._caption}\n{table.head(PRINTED)}{_left_out(table, PRINTED)}"

    @property
    @abstractmethod
    def _caption(self) -> str:
        """What it says in one line."""


def html_table(table: pl.DataFrame, caption: str) -> str:
    """Return a table as HTML; what it holds is text, never markup."""
    rows = table.head(SHOWN).iter_rows()
    head = "".join(f"<th>{html.escape(name)}</th>" for name in table.columns)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return (
        f"<p>{html.escape(caption)}</p><table><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table><p>{html.escape(_left_out(table, SHOWN))}</p>"
    )


def _left_out(table: pl.DataFrame, shown: int) -> str:
    """Say how many rows are not shown, if any."""
    left = len(table) - shown
    return f"\n… and {left:,} more rows: .to_polars() has all." if left > 0 else ""


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f'<td style="text-align:right">{value:.4g}</td>'
    text = "" if value is None else str(value)
    return f'<td style="text-align:left">{html.escape(text)}</td>'
