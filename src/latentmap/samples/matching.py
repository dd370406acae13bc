"""Which rows of a table belong to which samples: by value, else by file name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Matches:
    """Which row belongs to which sample.

    Attributes:
        rows: for each sample the position of its row, None without one.
        unmatched: rows that no sample asks for.
        ambiguous: rows whose file name several rows or samples share, without the same full value.
        repeated: rows that come after another one of the same sample.
    """

    rows: list[int | None]
    unmatched: list[int]
    ambiguous: list[int]
    repeated: list[int]


def match_rows(wanted: Sequence[str | None], keys: Sequence[str | None]) -> Matches:
    """Match rows to samples by value, else by the file name at the end of the value.

    Args:
        wanted: (N,) values of the samples; several samples may share one.
        keys: (n,) values of the rows.
    """
    known = {value for value in wanted if value is not None}
    given = {key for key in keys if key is not None}
    renamed, ambiguous = _match_names(known - given, given - known)
    first: dict[str, int] = {}
    matches = Matches([], [], [], [])
    for row, key in enumerate(keys):
        value = renamed.get(key, key) if key is not None else None
        if key in ambiguous:
            matches.ambiguous.append(row)
        elif value is None or value not in known:
            matches.unmatched.append(row)
        elif value in first:
            matches.repeated.append(row)
        else:
            first[value] = row
    matches.rows.extend(None if value is None else first.get(value) for value in wanted)
    return matches


def _match_names(known: set[str], given: set[str]) -> tuple[dict[str, str], set[str]]:
    """Return the value for each key that alone shares a file name with it; and who is not alone."""
    values, keys = _by_file_name(known), _by_file_name(given)
    renamed: dict[str, str] = {}
    ambiguous: set[str] = set()
    for name in values.keys() & keys.keys():
        if len(values[name]) == len(keys[name]) == 1:
            renamed[keys[name][0]] = values[name][0]
        else:
            ambiguous.update(keys[name])
    return renamed, ambiguous


def _by_file_name(paths: Iterable[str]) -> dict[str, list[str]]:
    names = defaultdict(list)
    for path in paths:
        if name := path.replace("\\", "/").rpartition("/")[2]:
            names[name].append(path)
    return names
