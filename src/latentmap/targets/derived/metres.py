"""The length that an answer gives, in metres."""

from __future__ import annotations

import re

from latentmap.targets.answers import Answer, UnreadableError

UNITS = {
    r"kilomet(?:er|re)s?|km": 1000.0,
    r"met(?:er|re)s?|m": 1.0,
    r"centimet(?:er|re)s?|cm": 0.01,
    r"millimet(?:er|re)s?|mm": 0.001,
    r"inch(?:es)?": 0.0254,
    r"foot|feet|ft": 0.3048,
    r"yards?|yd": 0.9144,
    r"miles?": 1609.344,
}
"""Metres of each unit (NIST SP 811). `in` is left out: it is a word."""

NUMBER = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|\.\d+"
LENGTH = re.compile(rf"(?<![\w.,/])(?P<number>{NUMBER})[\s-]*(?P<unit>{'|'.join(UNITS)})\b", re.I)
SMALLER = re.compile(r"[\s.,]*(?:and\s+)?")
"""What stands between the parts of one length, such as `5 feet 3 inches`."""

RANGE = re.compile(rf"\d\s*(?:-|–|—|to|or|and)\s*(?:{NUMBER})[\s-]*(?:{'|'.join(UNITS)})\b", re.I)
NEGATIVE = re.compile(rf"(?:^|\s)[-−](?:{NUMBER})")

SAME = 0.02
"""Lengths that differ by less are one, told in two units."""


class Metres(Answer):
    """The length that an answer gives in metres, feet, inches or other units, in metres.

    `5 feet 3 inches` is one length, `1.2 meters (3.9 feet)` as well; a range is none.
    """

    title = "the length in the answer"
    target_kind = "continuous"
    unit = "metres"

    def read(self, answer: str) -> float:
        """See `Answer.read`."""
        if RANGE.search(answer):
            raise UnreadableError("gives a range")
        if NEGATIVE.search(answer):
            raise UnreadableError("gives a negative length")
        lengths = _lengths(answer)
        if not lengths:
            raise UnreadableError("gives no number with a unit of length")
        if max(lengths) - min(lengths) > SAME * max(lengths):
            raise UnreadableError("gives several lengths")
        return lengths[0]


def _lengths(answer: str) -> list[float]:
    """Return the lengths that an answer gives, in metres; of one in parts the sum."""
    lengths: list[float] = []
    end, smallest = 0, 0.0
    for found in LENGTH.finditer(answer):
        unit = next(
            metres for words, metres in UNITS.items() if re.fullmatch(words, found["unit"], re.I)
        )
        length = float(found["number"].replace(",", "")) * unit
        follows = bool(lengths) and SMALLER.fullmatch(answer, end, found.start()) is not None
        if follows and length < smallest:
            lengths[-1] += length
        else:
            lengths.append(length)
        end, smallest = found.end(), unit
    return lengths
