"""Spelling: what ids and labels must not hold, and labels that look alike."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping

from latentmap.samples.remarks import NOTED, Remark

# Control characters that end or indent a line, and the line ends of Unicode.
SPACES = re.compile("[\t\n\v\f\r\x1c-\x1f\x85\u2028\u2029]")

# Other control characters and what is no character, which XML forbids, overrides of the writing
# direction, and halves of surrogate pairs.
HIDDEN = re.compile(
    "[\0-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

NAMED = 5
"""Of labels that look alike, so many are named."""


def plain_name(name: str) -> str:
    """Return a name that every chart, table and file can show.

    What ends a line becomes a space, what is hidden or turns the writing direction U+FFFD.
    """
    if name.isprintable():  # neither of both is, and most names are
        return name
    return HIDDEN.sub(REPLACEMENT, SPACES.sub(" ", name))


def look_alikes(labels: Mapping[str, int]) -> list[list[str]]:
    """Return sets of labels that differ in case, white space or Unicode form only.

    Args:
        labels: samples of each.

    Returns:
        Sets of two labels and more, each with the most frequent one first, of equally frequent
        ones the plainest.
    """
    alike: dict[str, list[str]] = defaultdict(list)
    for label in sorted(labels, key=lambda name: (-labels[name], name != _folded(name), name)):
        alike[_folded(label)].append(label)
    return [found for found in alike.values() if len(found) > 1]


def _folded(label: str) -> str:
    """Return what is left of a label without case, white space at its ends and Unicode form."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", label).casefold())
    shown = (character for character in folded if unicodedata.category(character) != "Cf")
    return " ".join("".join(shown).split())


def look_alike_remarks(labels: Iterable[tuple[str, str, int]]) -> list[tuple[str, Remark]]:
    """Remark on labels that look alike, which are classes of their own all the same.

    Args:
        labels: (source, label, rows) of each label of each source.

    Returns:
        At most one remark, after the names of the sources that have these labels.
    """
    counts: dict[str, int] = defaultdict(int)
    sources: dict[str, set[str]] = defaultdict(set)
    for source, label, rows in labels:
        counts[label] += rows
        sources[label].add(source)
    sets = look_alikes(counts)
    if not sets:
        return []
    shown = [f"{', '.join(map(_shown, others))} beside {_shown(most)}" for most, *others in sets]
    more = f" and {len(shown) - NAMED} more" if len(shown) > NAMED else ""
    concerned = sorted({source for found in sets for label in found for source in sources[label]})
    remark = Remark(
        "labels that look alike",
        sum(map(len, sets)),
        f"{'; '.join(shown[:NAMED])}{more}: each is a class of its own",
        "Write those alike that mean the same.",
        action=NOTED,
    )
    return [(", ".join(concerned), remark)]


def _shown(label: str) -> str:
    """Return a label in quotes, with its spaces and accents told apart where they look alike."""
    return ascii(label)
