"""How long a prompt and its two answers are, and whether the longer answer is the chosen one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import pyarrow as pa

from latentmap.samples.conversations import last_said
from latentmap.targets.derivation import Derivation, DerivationOptions, Derived, column_there
from latentmap.targets.texts import LENGTH_UNIT, log_length


class PreferenceOptions(DerivationOptions):
    """Options of targets of preference pairs.

    Attributes:
        chosen: the column of the answer that was preferred; of a conversation, what is said last.
        rejected: the column of the other answer.
    """

    chosen: str = "chosen"
    rejected: str = "rejected"


class Preference(Derivation[PreferenceOptions]):
    """The lengths of a text and of the answers that were chosen and rejected, and which is longer.

    Prompts without answers have the first alone.
    """

    Options = PreferenceOptions
    family = "preference"
    names = ("length", "chosen_length", "rejected_length", "longer_is_chosen")

    def columns(self, there: Collection[str]) -> tuple[str, ...]:
        """See `Derivation.columns`; answers need not be there."""
        answers = (self.options.chosen, self.options.rejected)
        return (column_there("text", there), *(name for name in answers if name in there))

    def derive(self, samples: pa.Table) -> Sequence[Derived]:
        """See `Derivation.derive`."""
        texts = samples["text"].to_pylist()
        chosen, rejected = (
            _lengths(samples, name) for name in (self.options.chosen, self.options.rejected)
        )
        longer = [
            None if one is None or other is None or one == other else one > other
            for one, other in zip(chosen, rejected, strict=True)
        ]
        lengths = {
            "length": ("length of the prompt", list(map(log_length, texts))),
            "chosen_length": ("length of the chosen answer", chosen),
            "rejected_length": ("length of the rejected answer", rejected),
        }
        return (
            *(
                Derived(name, title, "continuous", values, LENGTH_UNIT)
                for name, (title, values) in lengths.items()
            ),
            Derived("longer_is_chosen", "the longer answer is chosen", "binary", longer),
        )


def _lengths(samples: pa.Table, name: str) -> list[float | None]:
    """Return the lengths of answers, (N,); null where there is none."""
    there = name in samples.column_names
    answers: Sequence[Any] = samples[name].to_pylist() if there else [None] * len(samples)
    return [log_length(last_said(answer)) for answer in answers]
