"""How long a text is, which word comes first, and which number is in it."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Sequence

import pyarrow as pa
from pydantic import Field

from latentmap.samples.cells import as_text, cells, is_blank
from latentmap.targets.derivation import Derivation, DerivationOptions, Derived, column_there
from latentmap.targets.texts import LENGTH_UNIT, log_length

SPEAKER = re.compile(r"\s*\w+:\s+")
"""Who speaks first, of a conversation that was read as text."""

WORD = re.compile(r"\w+(?:['’-]\w+)*")

NUMBER = re.compile(
    r"(?<![\w.,])(?<![A-Za-z]-)[-+]?\d+(?:,\d{3})*(?:\.\d+)?(?:e[-+]?\d+)?(?![\w,]|\.\d)", re.I
)
"""A number that is no part of a word, such as 1,200 or -0.5."""


class TextOptions(DerivationOptions):
    """Options of targets that are derived from a text.

    Attributes:
        column: the column of the text; a dot leads into a nested value.
        words: commonest first words that are told apart; of texts that begin otherwise the first
            word is not defined.
    """

    column: str = "text"
    words: int = Field(20, ge=2)


class Text(Derivation[TextOptions]):
    """The length of a text, its first word, and the number in it.

    Not defined for samples without a text, and the number where there is none or several. Of a
    conversation, the first word is the first that is said.
    """

    Options = TextOptions
    family = "text"
    names = ("length", "first_word", "number")

    def columns(self, there: Collection[str]) -> tuple[str, ...]:
        """See `Derivation.columns`."""
        return (column_there(self.options.column, there),)

    def derive(self, samples: pa.Table) -> Sequence[Derived]:
        """See `Derivation.derive`."""
        texts = [as_text(value) for value in cells(samples, self.options.column)]
        texts = [None if is_blank(text) else text for text in texts]
        lengths = list(map(log_length, texts))
        words = [text and _first_word(text) for text in texts]
        common = {word for word, _ in Counter(filter(None, words)).most_common(self.options.words)}
        return (
            Derived("length", "length of the text", "continuous", lengths, LENGTH_UNIT),
            Derived(
                "first_word",
                "first word of the text",
                "categorical",
                [word if word in common else None for word in words],
            ),
            Derived(
                "number",
                "number in the text",
                "continuous",
                [text and _only_number(text) for text in texts],
            ),
        )


def _first_word(text: str) -> str | None:
    spoken = SPEAKER.match(text)
    word = WORD.search(text, spoken.end() if spoken else 0)
    return word and word[0].casefold()


def _only_number(text: str) -> float | None:
    found = NUMBER.findall(text)
    if len(found) != 1:
        return None
    number = float(found[0].replace(",", ""))
    return number if math.isfinite(number) else None
