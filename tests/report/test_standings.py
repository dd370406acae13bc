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


def test_a_lead_and_those_that_may_be_the_best_are_told_apart():
    found = texts(standings([row("vae", "mean", left=True, value=0.4), row("vae", "max")]))
    assert found[0] == (
        "A 95 % interval of f for vae / mean (boxes), corrected for its choice as the best of 2, "
        "is 0.350 to 0.450."
    )
    assert found[1] == (
        "The lead of vae / mean (boxes) is significant: +0.100 over the next, vae / max (boxes) "
        "(p = 0.002, adjusted for all comparisons)."
    )
    names = ["mean", *(f"m{i}" for i in range(7))]
    rows = [*(row("vae", name, left=True) for name in names), row("vae", "worst")]
    assert texts(standings(rows))[1] == (
        "vae / mean (boxes) is not significantly different from 7 of the 8 others, which cannot "
        "be excluded as best either (p > 0.05, adjusted for all comparisons): vae / m0 (boxes), "
        "vae / m1 (boxes), vae / m2 (boxes), vae / m3 (boxes), vae / m4 (boxes) and 2 more."
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
    (warning,) = texts(found, warning=True)
    assert warning.endswith("is not known: 4 source groups are too few for intervals.")
    said = texts(found)[1]
    assert "is above the best learning-free baseline, dct: +0.100 (mean against mean)" in said


@pytest.mark.parametrize(
    ("difference", "verb", "warning"),
    [
        (0.2, "beats", False),
        (0.01, "is not significantly different from", True),
        (-0.2, "falls behind", True),
    ],
)
def test_a_model_has_to_beat_the_best_baseline(difference, verb, warning):
    entry = {
        "encoder": "vae",
        "variant": "plain",
        "method": "max",
        "baseline": {"encoder": "dct", "method": "mean"},
        "difference": difference,
        "interval": [difference - 0.05, difference + 0.05],
    }
    found = standings([row("vae", "max")], baselines=[entry])
    said = next(finding for finding in found.findings() if "baseline" in finding.text)
    assert f"vae (plain) {verb} the best learning-free baseline, dct" in said.text
    assert said.warning == warning


def test_adjusted_p_values_are_counted():
    rows = [row("vae", "mean"), row("vae", "max", p=0.06)]
    (warning,) = texts(standings(rows), warning=True)
    assert warning.startswith("1 of 2 embeddings are above chance: permutation p ≤ 0.05, adjusted")
    assert texts(standings(rows[:1]), warning=True) == []


def test_boxes_are_said():
    changes = [[0.1, 0.2], [-0.1, 0.2], [-0.2, -0.1], [0.0, 0.0]]
    entries = [
        {"encoder": "vae", "method": str(i), "difference": sum(ends) / 2, "interval": ends}
        for i, ends in enumerate(changes)
    ]
    found = texts(standings([row("vae", "m")], variants=entries))
    boxes = (
        "1 of 4 methods of vae are significantly higher than without, 1 lower, 2 not significantly "
        "different (95 % intervals that hold for all methods at once)."
    )
    assert found[-1].endswith(boxes)


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
        "If the study were repeated with 236 other source groups, the best method would be the "
        "best again with a probability of 0.450 for vae (boxes; Kendall's τ of both orders 0.600, "
        "0.300 to 0.800)."
    )
    assert twins == (
        "The scores of vae / flatten (boxes) are also those of vae / channel (boxes): no number "
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


def test_an_empty_ranking_says_nothing(tmp_path):
    assert texts(standings([])) == []
    write_json(tmp_path / "ranking.json", {"metric": "f"})
    with pytest.raises(LatentmapError, match=r"ranking\.json is not a ranking"):
        read_standings(tmp_path / "ranking.json")
