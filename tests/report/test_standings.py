"""Sentences and columns from a ranking."""

from __future__ import annotations

import pytest

from latentmap.errors import LatentmapError
from latentmap.report.experiments import Key
from latentmap.report.standings import Standing, Standings, read_standings
from latentmap.store.files import write_json


def row(encoder, method, *, left=False, p=0.01, value=0.3):
    return {
        "encoder": encoder,
        "variant": "boxes",
        "method": method,
        "value": value,
        "interval": None if left is None else [value - 0.05, value + 0.05],
        "p_adjusted": {"f": p},
        "p_best": 0.4 if left else 0.002,
        "may_be_best": left,
    }


def standings(rows, *, note=None, baselines=(), variants=(), fresh=None, following=None):
    scopes = [
        {"encoder": None, "variant": None, "ranking": rows, "fresh": fresh, "next": following},
        {"encoder": "vae", "variant": "boxes", "ranking": rows, "fresh": fresh, "next": following},
    ]
    content = {"metric": "f", "note": note, "source_groups": 236, "scopes": scopes}
    compared = {"baselines": list(baselines), "variants": list(variants), "by_k": []}
    return Standings({**content, **compared})


def texts(found, *, warning=False):
    return [finding.text for finding in found.findings() if finding.warning or not warning]


def test_the_best_has_its_own_p_value():
    assert standings([row("vae", "a", p=0.01), row("vae", "b", p=0.5)]).p_of_best() == 0.01
    assert standings([]).p_of_best() is None


def test_nothing_is_above_chance_only_if_no_test_says_so():
    assert standings([row("vae", "a", p=1.0), row("vae", "b", p=0.06)]).none_above_chance()
    assert not standings([row("vae", "a", p=1.0), row("vae", "b", p=0.05)]).none_above_chance()
    assert standings([row("vae", "a", p=None), row("vae", "b", p=0.06)]).none_above_chance()
    assert not standings([row("vae", "a", p=None)]).none_above_chance()


def test_what_may_be_best_too_is_named():
    found = standings([row("vae", "mean", left=True, value=0.4), row("vae", "max")])
    assert list(found.facts()) == [
        (
            "May be best too",
            "not the other (adjusted p ≤ 0.05); +0.100 over the next, vae / max (boxes)",
        )
    ]
    assert (
        found.interval_of_best()
        == " (95 % interval 0.350 to 0.450, corrected for selecting the best)"
    )
    assert found.p_of_best() == 0.01
    ((_, text),) = standings([row("vae", "mean"), row("vae", "max", left=True)]).facts()
    assert text == "vae / max (boxes) (adjusted p > 0.05)"
    names = ["mean", *(f"m{i}" for i in range(7))]
    rows = [*(row("vae", name, left=True) for name in names), row("vae", "worst")]
    ((_, text),) = standings(rows).facts()
    assert text == (
        "7 of 8 others: vae / m0 (boxes), vae / m1 (boxes), vae / m2 (boxes) and 4 more (adjusted "
        "p > 0.05)"
    )


def test_the_columns_say_where_a_method_stands():
    rows = [
        row("vae", "mean", left=True),
        row("vae", "max", left=True, p=1.0),
        row("vae", "min"),
    ]
    found = standings(rows)
    assert found.of(Key("vae", "boxes", "mean")) == Standing(0.01, "best")
    assert found.of(Key("vae", "boxes", "max")) == Standing(1.0, "may be best")
    assert found.of(Key("vae", "boxes", "min")) == Standing(0.01, "lower")
    assert found.of(Key("vae", "boxes", "undefined")) == Standing(None, "–")


def test_without_tests_nothing_is_called_significant():
    rows = [row("vae", "mean", left=None), row("vae", "max", left=None)]
    baseline = {
        "encoder": "vae",
        "variant": "boxes",
        "method": "mean",
        "baseline": {"encoder": "dct", "method": "mean"},
        "difference": 0.1,
        "interval": None,
    }
    found = standings(rows, note="4 source groups are too few for intervals.", baselines=[baseline])
    assert found.of(Key("vae", "boxes", "max")).against_best == "–"
    assert list(found.facts()) == [
        ("May be best too", "not known: 4 source groups are too few for intervals.")
    ]
    assert found.interval_of_best() == ""
    assert found.against_baselines() == {
        ("vae", "boxes"): "compared without a test with the best baseline, dct / mean: +0.100"
    }


@pytest.mark.parametrize(
    ("difference", "said"),
    [
        (0.2, "significantly above the best baseline, dct / mean: +0.200 (95 % interval +0.150 to"),
        (0.01, "not significantly different from the best baseline, dct / mean: +0.010"),
        (-0.2, "significantly below the best baseline, dct / mean: −0.200"),
    ],
)
def test_a_model_is_held_against_the_best_baseline(difference, said):
    entry = {
        "encoder": "vae",
        "variant": "plain",
        "method": "max",
        "baseline": {"encoder": "dct", "method": "mean"},
        "difference": difference,
        "interval": [difference - 0.05, difference + 0.05],
    }
    found = standings([row("vae", "max")], baselines=[entry])
    assert found.against_baselines()["vae", "plain"].startswith(said)


@pytest.mark.parametrize(
    ("order", "said"),
    [
        (("dct", "vae"), "significantly below the best baseline, dct / m: −0.020 (p = 0.002)"),
        (("vae", "dct"), "significantly above the best baseline, dct / m: +0.020 (p = 0.002)"),
    ],
)
def test_what_is_excluded_as_best_is_not_called_equal_to_the_best(order, said):
    difference = 0.02 if order[0] == "vae" else -0.02
    entry = {
        "encoder": "vae",
        "variant": "boxes",
        "method": "m",
        "baseline": {"encoder": "dct", "variant": "boxes", "method": "m"},
        "difference": difference,
        "interval": [difference - 0.03, difference + 0.03],
    }
    rows = [row(order[0], "m", left=True, value=0.4), row(order[1], "m", value=0.38)]
    assert standings(rows, baselines=[entry]).against_baselines()["vae", "boxes"] == said


def test_adjusted_p_values_are_counted():
    rows = [row("vae", "mean"), row("vae", "max", p=0.06)]
    assert texts(standings(rows))[0].startswith(
        "1 of 2 embeddings is above chance in f: permutation p ≤ 0.05, adjusted"
    )


def test_few_above_chance_are_a_warning_and_many_are_none():
    many = [row("vae", f"m{i}", p=0.06 if i == 0 else 0.01) for i in range(24)]
    assert texts(standings(many), warning=True) == []
    few = [row("vae", f"m{i}", p=0.01 if i < 3 else 0.06) for i in range(24)]
    (warning,) = texts(standings(few), warning=True)
    assert warning.startswith("Only 3 of 24 embeddings are above chance")


def test_boxes_are_said():
    changes = [(0.15, 0.001), (0.05, 0.2), (-0.15, 0.05), (0.01, 1.0)]
    entries = [
        {"encoder": "vae", "method": str(i), "difference": change, "p_value": p_value}
        for i, (change, p_value) in enumerate(changes)
    ]
    entries = [{**entry, "interval": [-1, 1]} for entry in entries]
    same = {"encoder": "metadata", "method": "flatten", "difference": 0.0, "p_value": 1.0}
    entries.append({**same, "interval": [0.0, 0.0]})
    found = texts(standings([row("vae", "m")], variants=entries))
    assert found[-1] == (
        "Methods of vae with boxes drawn, against without: 1 significantly higher, 1 lower, 2 not "
        "significantly different (p > 0.05, adjusted for all methods)."
    )
    assert not any("metadata" in text for text in found)


def test_other_samples_are_said():
    fresh = {"keeps_best": 0.45, "kendall": {"mean": 0.6, "lowest": 0.3, "highest": 0.8}}
    following = {
        "identical": [["vae", "boxes", "channel"]],
        "method": ["vae", "boxes", "max"],
        "source_groups": 1900,
        "limit": 23600,
    }
    rows = [row("vae", "flatten", left=True), row("vae", "max", left=True)]
    *_, again, twins, needed = texts(standings(rows, fresh=fresh, following=following))
    assert again.startswith(
        "If the study were repeated with 236 other source groups, the best method would be best "
        "again with a probability of 0.45 for vae (boxes). Kendall's τ to expect between both "
        "rankings: 0.60 (0.30 to 0.80) for vae (boxes)."
    )
    assert twins == (
        "vae / flatten (boxes) has exactly the scores of vae / channel (boxes): no number "
        "of source groups tells them apart."
    )
    assert needed == (
        "To tell vae / flatten (boxes) from vae / max (boxes), about 1,900 source groups would "
        "be needed (power 80 %) instead of 236, if the difference is as large as it was found to "
        "be."
    )
    far = {**following, "identical": [], "source_groups": None}
    *_, needed = texts(standings(rows, fresh={**fresh, "kendall": None}, following=far))
    assert "(boxes), more than 23,600 source groups would be needed" in needed


def test_variants_that_are_the_same_are_told_of_once():
    """As of an encoder that looks at no picture, whatever is drawn into it."""
    plain = {**row("meta", "a"), "variant": "plain"}
    rows = [row("meta", "a", left=True), plain, row("vae", "b", left=True), row("vae", "c")]
    pair = (Key("meta", "boxes", "a"), Key("meta", "plain", "a"))
    told = dict.fromkeys(pair, Key("meta", "boxes, plain", "a"))
    following = {"identical": [list(pair[1])], "method": None, "source_groups": None, "limit": 9}
    found = Standings(standings(rows, following=following).content, told)
    assert list(found.facts()) == [
        ("May be best too", "1 of 2 others: vae / b (boxes) (adjusted p > 0.05)")
    ]
    assert not any("has exactly the scores" in text for text in texts(found))


def test_an_empty_ranking_says_nothing(tmp_path):
    assert texts(standings([])) == []
    write_json(tmp_path / "ranking.json", {"metric": "f"})
    with pytest.raises(LatentmapError, match=r"ranking\.json is not a ranking"):
        read_standings(tmp_path / "ranking.json")
