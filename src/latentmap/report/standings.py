"""What is sure of the ranking: sentences, and two columns of the table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

from latentmap.metrics.metric import title_of
from latentmap.metrics.ranking import tested_p_values
from latentmap.report.experiments import Key, counted, format_difference, format_value, say_p
from latentmap.report.findings import SIGNIFICANT, Finding, are
from latentmap.store.files import read_json, reading

NAMED = 3
UNKNOWN = "–"
BEST, MAY_BE_BEST, LOWER = "best", "may be best", "lower"
STANDS = {
    1: "significantly above",
    0: "not significantly different from",
    -1: "significantly below",
    None: "compared without a test with",
}
STANDING_COLUMNS = {
    "p (Holm)": "permutation p-value, adjusted for all methods of the encoder and variant",
    "in its encoder": "among the methods of the encoder and variant: lower than the best "
    "(p ≤ 0.05, adjusted for all of them), or not significantly different (may be best)",
}
"""What two columns of the table say, by their heading."""


@dataclass(frozen=True)
class Standing:
    """Where one embedding stands among the methods of its encoder and variant.

    Attributes:
        p_adjusted: p-value of the metric that ranks, adjusted by Holm's method; None if untested.
        against_best: `best`, `may be best`, `lower`, or `–` where differences are not tested.
    """

    p_adjusted: float | None = None
    against_best: str = UNKNOWN


@dataclass(frozen=True)
class Standings:
    """What `metrics/ranking.json` says.

    Attributes:
        content: of the file.
        joined: of variants that are the same, the key under which they are told of once
            (`joined_variants`).
    """

    content: Mapping[str, Any]
    joined: Mapping[Key, Key] = field(default_factory=dict)

    def name(self, key: Key) -> str:
        """Return what an embedding is called."""
        return self.joined.get(key, key).name

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

    @cached_property
    def _distinct(self) -> dict[str, Mapping[str, Any]]:
        """The ranking of the whole run by name, variants that are the same once."""
        rows: dict[str, Mapping[str, Any]] = {}
        for row in self._whole:
            rows.setdefault(self.name(_key(row)), row)
        return rows

    @property
    def _parts(self) -> list[Mapping[str, Any]]:
        """The scopes of one encoder and variant each."""
        return list(self.content["scopes"][1:])

    def findings(self) -> list[Finding]:
        """Return what the ranking says, in sentences."""
        if not self._whole:
            return []
        return [
            *self._above_chance(),
            *self._boxes(),
            *self._fresh(),
            *self._next(),
            *self._by_k(),
        ]

    def facts(self) -> Iterator[tuple[str, str]]:
        """Yield which other embeddings may be the best: what is asked, and the answer."""
        if len(self._distinct) < 2:
            return
        (_, best), *others = self._distinct.items()
        left = [name for name, row in others if row["may_be_best"]]
        adjusted = f"adjusted p {'>' if left else '≤'} {SIGNIFICANT}"
        if self.content["note"]:
            text = f"not known: {self.content['note']}"
        elif left:
            share = f"{counted(len(left), len(others), 'other')}: " if others[1:] else ""
            text = f"{share}{_listed(left)} ({adjusted})"
        else:
            name, following = others[0]
            ahead = format_difference(best["value"] - following["value"])
            none = f"none of the {len(others)} others" if others[1:] else "not the other"
            text = f"{none} ({adjusted}); {ahead} over the next, {name}"
        yield "May be best too", text

    def interval_of_best(self) -> str:
        """Return the interval of the best embedding, which was chosen as such; else nothing."""
        interval = self._whole[0]["interval"] if self._whole else None
        if interval is None:
            return ""
        low, high = map(format_value, interval)
        corrected = ", corrected for selecting the best" if self._whole[1:] else ""
        return f" (95 % interval {low} to {high}{corrected})"

    def p_of_best(self) -> float | None:
        """Return the p-value of the best embedding, adjusted for all of the run."""
        if not self._whole:
            return None
        p_value: float | None = self._whole[0]["p_adjusted"].get(self.content["metric"])
        return p_value

    def none_above_chance(self) -> bool:
        """Return whether embeddings were tested and none of the run is significantly above."""
        tested = tested_p_values(self.content)
        return bool(tested) and min(tested) > SIGNIFICANT

    def against_baselines(self) -> dict[tuple[str, str], str]:
        """Return how the best method of every model stands to the best baseline."""
        return {
            (entry["encoder"], entry["variant"]): (
                f"{STANDS[sign]} the best baseline, {entry['baseline']['encoder']} / "
                f"{entry['baseline']['method']}: {change}"
            )
            for entry in self.content["baselines"]
            for sign, change in [self._against_baseline(entry)]
        }

    def _against_baseline(self, entry: Mapping[str, Any]) -> tuple[int | None, str]:
        """Return the sign of a difference and how large it is.

        Where one of the two is the best of the run and the other is excluded as such, that test has
        the say: it is sharper than the interval of the difference, and both must not disagree.
        """
        own, baseline = (
            Key(found["encoder"], found.get("variant", entry["variant"]), found["method"])
            for found in (entry, entry["baseline"])
        )
        rows = {_key(row): row for row in self._whole}
        first = next(iter(rows), None)
        for sign, best, other in ((1, own, baseline), (-1, baseline, own)):
            if best == first and other in rows and rows[other]["may_be_best"] is False:
                p_value = say_p(rows[other]["p_best"])
                return sign, f"{format_difference(entry['difference'])} ({p_value})"
        return _sign(entry), _change(entry)

    def _by_k(self) -> Iterator[Finding]:
        """Say where the number of neighbors decides which method is best."""
        for scope in self.content["by_k"]:
            if scope["apart"]:
                best = {at["k"]: at["method"] for at in scope["best"]}
                few, many = scope["apart"]
                yield Finding(
                    f"Which method of {scope['encoder']} ({scope['variant']}) is best depends on "
                    f"k: {best[few]} with k = {few}, {best[many]} with k = {many} (p ≤ "
                    f"{SIGNIFICANT}, adjusted for all methods and all k on the chart)."
                )

    def _above_chance(self) -> Iterator[Finding]:
        tested = tested_p_values(self.content)
        above = sum(p_value <= SIGNIFICANT for p_value in tested)
        if tested:
            are_few = 2 * above < len(tested)
            only = "only " if are_few and above else ""
            text = f"{only}{counted(above, len(tested), 'embedding')} {are(above)} above chance"
            yield Finding(
                f"{text[0].upper()}{text[1:]} in {title_of(self.content['metric'])}: permutation "
                f"p ≤ {SIGNIFICANT}, adjusted by Holm's method over all embeddings.",
                warning=are_few,
            )

    def _boxes(self) -> Iterator[Finding]:
        entries = [entry for entry in self.content["variants"] if _may_differ(entry)]
        for encoder in sorted({entry["encoder"] for entry in entries}):
            signs = [_change_sign(entry) for entry in entries if entry["encoder"] == encoder]
            yield Finding(
                f"Methods of {encoder} with boxes drawn, against without: {signs.count(1)} "
                f"significantly higher, {signs.count(-1)} lower, {signs.count(0)} not "
                f"significantly different (p > {SIGNIFICANT}, adjusted for all methods)."
            )

    def _fresh(self) -> Iterator[Finding]:
        scopes = [scope for scope in self._parts if scope["fresh"]]
        if scopes:
            keeps = " and ".join(
                f"{scope['fresh']['keeps_best']:.2f} for {_place(scope)}" for scope in scopes
            )
            orders = ", ".join(filter(None, map(_kendall, scopes)))
            yield Finding(
                f"If the study were repeated with {self.content['source_groups']:,} other source "
                f"groups, the best method would be best again with a probability of {keeps}."
                + (f" Kendall's τ to expect between both rankings: {orders}." if orders else "")
                + " The metric draws nothing at random: another seed gives the same ranking."
            )

    def _next(self) -> Iterator[Finding]:
        following = self.content["scopes"][0]["next"]
        if not following:
            return
        best = self.name(_key(self._whole[0]))
        twins = [name for key in following["identical"] if (name := self.name(Key(*key))) != best]
        if twins:
            yield Finding(
                f"{best} has exactly the scores of {_listed(twins)}: no number of source groups "
                "tells them apart."
            )
        if following["method"]:
            groups, limit = following["source_groups"], following["limit"]
            needed = f"about {groups:,}" if groups else f"more than {limit:,}"
            other = self.name(Key(*following["method"]))
            yield Finding(
                f"To tell {best} from {other}, {needed} source groups would be needed (power 80 %) "
                f"instead of {self.content['source_groups']:,}, if the difference is as large as "
                "it was found to be."
            )


def read_standings(path: Path | str, joined: Mapping[Key, Key] = MappingProxyType({})) -> Standings:
    """Read the ranking of a run.

    Args:
        path: of the file.
        joined: keys of variants that are the same (`joined_variants`).

    Raises:
        LatentmapError: the file is damaged.
    """
    with reading(path, "a ranking"):
        standings = Standings(read_json(path), joined)
        standings.findings()
    return standings


def _key(row: Mapping[str, Any]) -> Key:
    return Key(row["encoder"], row["variant"], row["method"])


def _against_best(place: int, row: Mapping[str, Any]) -> str:
    if place == 0:
        return BEST
    if row["may_be_best"] is None:
        return UNKNOWN
    return MAY_BE_BEST if row["may_be_best"] else LOWER


def _place(scope: Mapping[str, Any]) -> str:
    return f"{scope['encoder']} ({scope['variant']})"


def _kendall(scope: Mapping[str, Any]) -> str:
    """Return what to expect of the order of one encoder and variant; nothing of one method."""
    tau = scope["fresh"]["kendall"]
    if tau is None:
        return ""
    mean, low, high = (
        f"{tau[name]:z.2f}".replace("-", "−") for name in ("mean", "lowest", "highest")
    )
    return f"{mean} ({low} to {high}) for {_place(scope)}"


def _sign(entry: Mapping[str, Any]) -> int | None:
    """Return 1 or -1 if the interval of a difference is on one side of 0; None without one."""
    if entry["interval"] is None:
        return None
    low, high = entry["interval"]
    return int(low > 0) - int(high < 0)


def _may_differ(entry: Mapping[str, Any]) -> bool:
    """Return whether a difference was tested, of embeddings that are not the same."""
    return entry["p_value"] is not None and entry["interval"] != [0, 0]


def _change_sign(entry: Mapping[str, Any]) -> int:
    """Return 1 or -1 if a difference is significant, 0 if it is not."""
    if entry["p_value"] > SIGNIFICANT:
        return 0
    return 1 if entry["difference"] > 0 else -1


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
