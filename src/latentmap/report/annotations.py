"""What became of the annotation files, for the summary."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from latentmap.report.findings import Finding
from latentmap.store.tables import facts_of, read_parquet_schema

COUNTED = {
    "unmatched": ("no sample", "match no sample"),
    "ambiguous": ("ambiguous", "have a file name that several samples or rows share"),
    "repeated": ("repeated", "come after another one of the same sample"),
    "malformed": ("unreadable", "cannot be read"),
    "unparsed": ("rationale not JSON", "have a rationale that is no JSON object, kept as text"),
    "differing": ("differing", "have another value than an earlier file, which counts"),
}
"""What the summary counts of a file's rows beside those that join: heading, and what they do."""


def read_joined(path: Path | str) -> dict[str, Any]:
    """Read what `join_annotations` tells of its files."""
    return facts_of(read_parquet_schema(path)) | {"counted": COUNTED}


def annotation_warnings(joined: Mapping[str, Any] | None) -> list[Finding]:
    """Return a warning for every annotation file of which not all joins."""
    if joined is None:
        return []
    return [
        Finding(f"Annotations {file['name']}: {_problems(file)}.", warning=True)
        for file in joined["files"]
        if not file["samples"] or any(file[name] for name in COUNTED)
    ]


def _problems(file: Mapping[str, Any]) -> str:
    counts = [f"{file[name]:,} {text}" for name, (_, text) in COUNTED.items() if file[name]]
    first = [f"line {line}" for line in file["malformed_lines"]]
    first += [f"'{key}'" if key else "one without a key" for key in file["lost_keys"]]
    problems = f"of {file['rows']:,} rows, {', '.join(counts) or 'none joins'}"
    nothing = "" if file["samples"] else "; nothing is joined: check 'on' and 'key'"
    return problems + (f" (the first: {', '.join(first)})" if first else "") + nothing
