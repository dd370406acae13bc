"""Which of several regions the answer to a choice names."""

from __future__ import annotations

import re

from latentmap.targets.answers import Answer, UnreadableError

REGION = re.compile(r"\bregion\s*\[?\s*(\d+)", re.I)


class Choice(Answer):
    """The region that an answer names, as `Region [0]`; it must name one alone."""

    title = "the region that is chosen"
    target_kind = "categorical"

    def read(self, answer: str) -> str:
        """See `Answer.read`."""
        named = set(map(int, REGION.findall(answer)))
        if not named:
            raise UnreadableError("names no region")
        if len(named) > 1:
            raise UnreadableError("names several regions")
        return f"Region [{named.pop()}]"
