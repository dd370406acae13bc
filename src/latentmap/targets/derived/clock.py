"""The direction that an answer gives as an hour of the clock, as an angle."""

from __future__ import annotations

import re

from latentmap.targets.answers import Answer, UnreadableError

WORDS = (
    *("one", "two", "three", "four", "five", "six"),
    *("seven", "eight", "nine", "ten", "eleven", "twelve"),
)
HOUR = rf"\d+|{'|'.join(WORDS)}"
CLOCK = re.compile(rf"\b(?P<hour>{HOUR})(?::(?P<minute>\d\d))?[\s-]*o\s?['’‘`]?\s?clock\b", re.I)
RANGE = re.compile(rf"\b(?:{HOUR})\s*(?:-|–|—|to|or|and|/)\s*(?:{HOUR})[\s-]*o\s?['’‘`]?\s?c", re.I)


class Clock(Answer):
    """The hour in an answer as degrees clockwise: 12 o'clock, straight ahead, is 0 and 3 is 90."""

    title = "the direction in the answer"
    target_kind = "circular"
    unit = "degrees"

    def read(self, answer: str) -> float:
        """See `Answer.read`."""
        if RANGE.search(answer):
            raise UnreadableError("gives a range of hours")
        angles = {_angle(found) for found in CLOCK.finditer(answer)}
        if not angles:
            raise UnreadableError("gives no hour of the clock")
        if len(angles) > 1:
            raise UnreadableError("gives several hours")
        return angles.pop()


def _angle(found: re.Match[str]) -> float:
    said, minute = found["hour"].lower(), int(found["minute"] or 0)
    hour = WORDS.index(said) + 1 if said in WORDS else int(said)
    if not (1 <= hour <= 12 and minute < 60):
        raise UnreadableError("gives an hour that no clock has")
    return hour % 12 * 30 + minute / 2
