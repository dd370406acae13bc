"""Whether the answer to a question of yes or no is yes."""

from __future__ import annotations

import re

from latentmap.targets.answers import Answer, UnreadableError

YES = re.compile(r"(?:yes|yeah|yep|correct|indeed|(?:that(?: is|'s|’s) )?true)\b", re.I)

# "No idea" says neither; "Actually, A is above B" is how SpatialRGPT denies that it is below.
NO = re.compile(
    r"(?:(?:no|nope)(?=$|\s*[.,;:!–—-]|\s+(?:it|they|he|she|this|that|region)\b)"
    r"|incorrect\b|(?:that(?: is|'s|’s) )?false\b|(?:in fact|actually)\b)",
    re.I,
)
TURN = re.compile(r"(?:in fact|actually)[\s,]*", re.I)
BOTH = re.compile(r"(?:yes|no)\s*(?:and|or|/)\s*(?:yes|no)\b", re.I)


class YesNo(Answer):
    """True where an answer begins with yes or its like, False where it begins with no.

    `Indeed`, `Correct` and `True` are yes; `Incorrect`, `False`, and `In fact` or `Actually`, with
    which SpatialRGPT contradicts, are no.
    """

    title = "the answer is yes"
    target_kind = "binary"

    def read(self, answer: str) -> bool:
        """See `Answer.read`."""
        turn = TURN.match(answer)
        said = answer[turn.end() :] if turn else answer
        if BOTH.match(said):
            raise UnreadableError("is both yes and no")
        if YES.match(said):
            return True
        if NO.match(said) or turn:
            return False
        raise UnreadableError("is neither yes nor no")
