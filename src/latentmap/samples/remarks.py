"""Remarks on a whole source: what it passes over, and how it is read where that was judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

PASSED_OVER = "passed over"
"""Action of a remark on what is not taken."""

NOTED = "noted"
"""Action of a remark on how data is read that is taken."""

NOT_USED = "not used"
"""Action of a remark on what the configuration leaves out."""

NAMED = 3
"""Names that a remark gives as examples."""


@dataclass(frozen=True)
class Remark:
    """What the owner of the data should know, of many rows or files at once.

    Attributes:
        what: what it is about, in the plural, such as `.txt files`.
        count: how many of them there are.
        reason: why they are not taken, or how they are read.
        remedy: what to do if that is not meant.
        names: of some of them.
        action: `PASSED_OVER`, `NOTED` or `NOT_USED`.
    """

    what: str
    count: int
    reason: str
    remedy: str
    names: tuple[str, ...] = ()
    action: str = PASSED_OVER

    def row(self, source: str, file: str) -> dict[str, Any]:
        """Return it as a row of the quarantine table."""
        return {
            "source": source,
            "file": file,
            "row": None,
            "id": None,
            "digest": "",
            "action": self.action,
            "count": self.count,
            "code": "remark",
            "reason": f"{self.what}{self._examples()}: {self.reason}",
            "remedy": self.remedy,
        }

    def in_short(self) -> str:
        """Return what is passed over, how many and which; anything else in full."""
        if self.action == PASSED_OVER:
            return f"{self.what}: {self.count:,}{self._examples()}"
        return f"{self.what}{self._examples()}: {self.reason}. {self.remedy}".rstrip()

    def _examples(self) -> str:
        more = ["…"] if self.names and len(self.names) < self.count else []
        return f" ({', '.join([*self.names, *more])})" if self.names else ""


def passed_over(what: str, names: Sequence[str], reason: str, remedy: str) -> Remark:
    """Remark on named things that are not taken."""
    return Remark(what, len(names), reason, remedy, tuple(sorted(names)[:NAMED]))


def remark_lines(remarks: Sequence[tuple[str, Remark]], table: str) -> list[str]:
    """Return what to say on the terminal: one line for all that is passed over.

    Args:
        remarks: each with the name of what it is about.
        table: where the reasons and remedies are.
    """
    lines = [f"{name}: {r.in_short()}" for name, r in remarks if r.action != PASSED_OVER]
    missed: dict[str, list[str]] = {}
    for name, remark in remarks:
        if remark.action == PASSED_OVER:
            missed.setdefault(name, []).append(remark.in_short())
    if missed:
        parts = [f"{name} passes over {'; '.join(found)}" for name, found in missed.items()]
        lines.append(f"{'. '.join(parts)}. Reasons and remedies will be in {table}.")
    return lines
