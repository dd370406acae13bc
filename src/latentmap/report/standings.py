"""What is sure of the ranking: sentences, and two columns of the table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from latentmap.report.experiments import Key, format_difference, format_value
from latentmap.report.findings import SIGNIFICANT, Finding
from latentmap.store.files import read_json, reading

NAMED = 5
UNKNOWN = "–"
STANDING_COLUMNS = {
    "p (Holm)": "permutation p-value, adjusted for all methods of the encoder and variant",
    "against best": "whether the paired difference to the best method of the encoder and variant "
    "is real (lower) or its 95 % interval includes 0 (ties)",
}
"""What two columns of the table say, by their heading."""


@dataclass(frozen=True)
class Standing:
    """Where one embedding stands among the methods of its encoder and variant.

    Attributes:
        p_adjusted: p-value of the metric that ranks, adjusted by Holm's method; None if untested.
        against_best: `best`, `ties`, `lower`, or `–` where differences have no interval.
    """

    p_adjusted: float | None = None
    against_best: str = UNKNOWN


@dataclass(frozen=True)
class Standings:
    """What `metrics/ranking.json` says.

    Attributes:
        content: of the file.
    """

    content: Mapping[str, Any]

    def of(self, key: Key) -> Standing:
        """Return where one embedding stands; nothing is known if its metric is not defined."""
        return self._by_key.get(key, Standing())

    @cached_property
    def _by_key(self) -> dict[Key, Standing]:
        metric = self.content["metric"]
        return {
            _key(row): Standing(row["p_adjusted"].get(metric), _against_best(place, row))
            for scope in self._parts
            for place, row in enumerate(scope["ranking"])
        }

    @property
    def _whole(self) -> list[Mapping[str, Any]]:
        """The ranking of the whole run."""
        return list(self.content["scopes"][0]["ranking"])

    @property
    def _parts(self) -> list[Mapping[str, Any]]:
        """The scopes of one encoder and variant each."""
        return list(self.content["scopes"][1:])

    def findings(self) -> list[Finding]:
        """Return what the ranking says, in sentences."""
        if not self._whole:
            return []
        return [
            *self._lead(),
            *self._against_baselines(),
            *self._above_chance(),
            *self._boxes(),
            *self._stability(),
        ]

    def _lead(self) -> Iterator[Finding]:
        best, *others = self._whole
        if not others:
            return
        if self.content["note"]:
            yield Finding(
                f"Which differences between methods are real is not known: {self.content['note']}",
                warning=True,
            )
        elif best["ties_with"]:
            tied = [_name(Key(*key)) for key in best["ties_with"]]
            yield Finding(
                f"{_name(_key(best))} ties with {len(tied)} of the {len(others)} others, "
                f"{_listed(tied)}: the 95 % intervals of the paired differences include 0."
            )
        else:
            yield Finding(
                f"The lead of {_name(_key(best))} is real: {_change(best['minus_next'])} against "
                f"the next, {_name(_key(others[0]))}."
            )

    def _against_baselines(self) -> Iterator[Finding]:
        for entry in self.content["baselines"]:
            ahead = _sign(entry)
            if ahead is None:
                verb = "is above" if entry["difference"] > 0 else "is not above"
            else:
                verb = {1: "beats", 0: "cannot be told from", -1: "falls behind"}[ahead]
            yield Finding(
                f"{entry['encoder']} ({entry['variant']}) {verb} the best learning-free baseline, "
                f"{entry['baseline']['encoder']}: {_change(entry)} ({entry['method']} against "
                f"{entry['baseline']['method']}).",
                warning=entry["difference"] <= 0 or ahead == 0,
            )

    def _above_chance(self) -> Iterator[Finding]:
        tested = [p for key in self._by_key if (p := self.of(key).p_adjusted) is not None]
        above = sum(p <= SIGNIFICANT for p in tested)
        if tested:
            yield Finding(
                f"{above} of {len(tested)} embeddings are above chance: permutation "
                f"p ≤ {SIGNIFICANT}, adjusted by Holm's method over the methods of an encoder and "
                "variant.",
                warning=above < len(tested),
            )

    def _boxes(self) -> Iterator[Finding]:
        entries = [entry for entry in self.content["variants"] if entry["interval"]]
        for encoder in sorted({entry["encoder"] for entry in entries}):
            signs = [_sign(entry) for entry in entries if entry["encoder"] == encoder]
            yield Finding(
                f"With boxes drawn, {signs.count(1)} of {len(signs)} methods of {encoder} are "
                f"higher than without, {signs.count(-1)} lower, {signs.count(0)} not told apart."
            )

    def _stability(self) -> Iterator[Finding]:
        found = [(scope, s["kendall"]) for scope in self._parts if (s := scope["stability"])]
        if found:
            parts = [
                f"{format_value(tau['mean'])} for {scope['encoder']} ({scope['variant']}; "
                f"{format_value(tau['lowest'])} to {format_value(tau['highest'])})"
                for scope, tau in found
            ]
            yield Finding(
                "Between random halves of the source groups the order of the methods agrees with "
                f"a mean Kendall's τ of {', '.join(parts)}. 1 is the same order; "
                "methods that do not differ give 0 or less. The metric draws nothing at random: "
                "another seed gives the same order."
            )


def read_standings(path: Path | str) -> Standings:
    """Read the ranking of a run.

    Raises:
        LatentmapError: the file is damaged.
    """
    with reading(path, "a ranking"):
        standings = Standings(read_json(path))
        standings.findings()
    return standings


def _key(row: Mapping[str, Any]) -> Key:
    return Key(row["encoder"], row["variant"], row["method"])


def _name(key: Key) -> str:
    return f"{key.method} of {key.encoder} ({key.variant})"


def _against_best(place: int, row: Mapping[str, Any]) -> str:
    if place == 0:
        return "best"
    if row["ties_with_best"] is None:
        return UNKNOWN
    return "ties" if row["ties_with_best"] else "lower"


def _sign(entry: Mapping[str, Any]) -> int | None:
    """Return 1 or -1 if the interval of a difference is on one side of 0; None without one."""
    if entry["interval"] is None:
        return None
    low, high = entry["interval"]
    return int(low > 0) - int(high < 0)


def _change(entry: Mapping[str, Any]) -> str:
    text = format_difference(entry["difference"])
    if entry["interval"] is None:
        return text
    low, high = map(format_difference, entry["interval"])
    return f"{text} (95 % interval {low} to {high})"


def _listed(names: Sequence[str]) -> str:
    """Return the first names, and how many more there are."""
    more = len(names) - NAMED
    shown: Iterable[str] = names[:NAMED]
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")
