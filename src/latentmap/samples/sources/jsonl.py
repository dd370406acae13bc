"""Preference pairs or prompts, one JSON object a line."""

from __future__ import annotations

from latentmap.samples.columns import ColumnMap
from latentmap.samples.text_tables import TextTableOptions, TextTableSource


class JsonlColumns(ColumnMap):
    """The layout of preference pairs; see `ColumnMap`."""

    label: str | None = 'src | "unknown"'
    text: str | tuple[str, ...] | None = "prefix.messages | prompt"


class JsonlOptions(TextTableOptions):
    """Options of `jsonl`; see `TextTableOptions`."""

    columns: JsonlColumns = JsonlColumns()


class JsonlSource(TextTableSource[JsonlOptions]):
    """Rows of one file. Keys that are not mapped are columns of text, nested ones as JSON."""

    Options = JsonlOptions
