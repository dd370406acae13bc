"""Sentences and columns from a ranking."""

from __future__ import annotations

import pytest

from latentmap.errors import LatentmapError
from latentmap.report.experiments import Key
from latentmap.report.standings import Standing, Standings, read_standings
from latentmap.store.files import write_json


def row(encoder, method, *, ties=(), tied=False, p=0.01, gap=0.1):
    interval = None if ties is None else [gap - 0.05, gap + 0.05]
    return {
        "encoder": encoder,
        "variant": "boxes",
        "method": method,
        "value": 0.3,
        "p_adjusted": {"f": p},
        "minus_best": {"difference": -gap, "interval": interval},
        "minus_next": {"difference": gap, "interval": interval},
        "ties_with": None if ties is None else [[encoder, "boxes", name] for name in ties],
        "ties_with_best": None if ties is None else tied,
    }


def standings(rows, *, note=None, baselines=(), variants=(), tau=None):
    stability = tau and {"kendall": dict(zip(("mean", "lowest", "highest"), tau, strict=True))}
    scopes = [
        {"encoder": None, "variant": None, "ranking": rows, "stability": None},
        {"encoder": "vae", "variant": "boxes", "ranking": rows, "stability": stability},
    ]
    content = {"metric": "f", "note": note, "scopes": scopes}
    return Standings({**content, "baselines": list(baselines), "variants": list(variants)})


def texts(found, *, warning=False):
    return [finding.text for finding in found.findings() if finding.warning or not warning]


def test_a_real_lead_and_a_tie_are_told_apart():
    found = texts(standings([row("vae", "mean"), row("vae", "max")]))
    assert found[0].startswith("The lead of mean of vae (boxes) is real: +0.100 (95 % interval ")
    names = [f"m{i}" for i in range(7)]
    rows = [row("vae", "mean", ties=names), *(row("vae", name, tied=True) for name in names)]
    found = texts(standings(rows))
    assert found[0].startswith(
        "mean of vae (boxes) ties with 7 of the 7 others, m0 of vae (boxes),"
    )
    assert "m4 of vae (boxes) and 2 more:" in found[0]


def test_the_columns_say_where_a_method_stands():
    rows = [
        row("vae", "mean", ties=["max"]),
        row("vae", "max", tied=True, p=1.0),
        row("vae", "min"),
    ]
    found = standings(rows)
    assert found.of(Key("vae", "boxes", "mean")) == Standing(0.01, "best")
    assert found.of(Key("vae", "boxes", "max")) == Standing(1.0, "ties")
    assert found.of(Key("vae", "boxes", "min")) == Standing(0.01, "lower")
    assert found.of(Key("vae", "boxes", "undefined")) == Standing(None, "–")


def test_without_intervals_nothing_is_called_real():
    rows = [row("vae", "mean", ties=None), row("vae", "max", ties=None)]
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
    [(0.2, "beats", False), (0.01, "cannot be told from", True), (-0.2, "falls behind", True)],
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


def test_boxes_and_stability_are_said():
    changes = [[0.1, 0.2], [-0.1, 0.2], [-0.2, -0.1], [0.0, 0.0]]
    entries = [
        {"encoder": "vae", "method": str(i), "difference": sum(ends) / 2, "interval": ends}
        for i, ends in enumerate(changes)
    ]
    found = texts(standings([row("vae", "m")], variants=entries, tau=(0.83, 0.7, 0.9)))
    boxes = "1 of 4 methods of vae are higher than without, 1 lower, 2 not told apart."
    assert found[-2].endswith(boxes)
    assert "Kendall's τ of 0.830 for vae (boxes; 0.700 to 0.900)" in found[-1]


def test_an_empty_ranking_says_nothing(tmp_path):
    assert texts(standings([])) == []
    write_json(tmp_path / "ranking.json", {"metric": "f"})
    with pytest.raises(LatentmapError, match=r"ranking\.json is not a ranking"):
        read_standings(tmp_path / "ranking.json")
