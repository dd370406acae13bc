"""Answers to questions, read as what they say; what cannot be read with certainty is told.

The wording is that of SpatialRGPT (Cheng et al. 2024) and of its successors: `Yes, Region [0] is
below Region [1].`, `With more height is Region [0].`, `Region [0] is 6.91 feet tall.`, `Region [0]
will find Region [1] around the 10 o'clock direction.`
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Sequence
from typing import ClassVar

import pyarrow as pa

from latentmap.samples.cells import cells, is_blank, split_path
from latentmap.samples.columns import OR
from latentmap.samples.conversations import last_said
from latentmap.targets.derivation import Derivation, DerivationOptions, Derived, Kind, column_there

SHOWN = 60
"""Characters of an answer that a note quotes."""


class UnreadableError(ValueError):
    """An answer does not say what was asked; says why."""


class AnswerOptions(DerivationOptions):
    """Options of targets that are read from answers.

    Attributes:
        answer: the column of the answer; of `answer | conversations` the first that is there. A
            conversation's answer is what is said last by another than `human` or `user`.
    """

    answer: str = f"answer{OR}conversations"


class Answer(Derivation[AnswerOptions]):
    """What an answer says, as one target.

    Attributes:
        title: what pages call it.
        target_kind: of its values.
        unit: of its numbers, as people write it.
    """

    Options = AnswerOptions
    family = "answers"
    names = ("",)
    title: ClassVar[str]
    target_kind: ClassVar[Kind]
    unit: ClassVar[str] = ""

    @abstractmethod
    def read(self, answer: str) -> float | str | bool:
        """Return what an answer says.

        Raises:
            UnreadableError: it does not say so, or more than one thing.
        """

    def columns(self, there: Collection[str]) -> tuple[str, ...]:
        """See `Derivation.columns`."""
        tried = self.options.answer.split(OR)
        for path in map(str.strip, tried):
            column, _ = split_path(path, there)
            if column in there:
                return (column,)
        return (column_there(tried[0].strip(), there),)

    def derive(self, samples: pa.Table) -> Sequence[Derived]:
        """See `Derivation.derive`."""
        values: list[float | str | bool | None] = []
        unreadable: dict[int, str] = {}
        for row, answer in enumerate(self._answers(samples)):
            values.append(None)
            if answer is None or is_blank(answer):
                continue
            try:
                values[row] = self.read(answer.strip())
            except UnreadableError as error:
                shown = answer if len(answer) <= SHOWN else f"{answer[: SHOWN - 1]}…"
                unreadable[row] = f"the answer {error} (it is {shown!r})"
        return (Derived("", self.title, self.target_kind, values, self.unit, unreadable),)

    def _answers(self, samples: pa.Table) -> list[str | None]:
        """Return the answer of each sample as text, (N,)."""
        for path in map(str.strip, self.options.answer.split(OR)):
            column, _ = split_path(path, samples.column_names)
            if column in samples.column_names:
                return [last_said(value) for value in cells(samples, path)]
        return [None] * len(samples)
