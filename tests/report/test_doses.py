"""Dose and response."""

from latentmap.report.kept.doses import Dose, dose_chart, doses
from latentmap.report.kept.table import what_is_kept
from latentmap.report.plates import rows_of, specification
from latentmap.targets.facts import TargetFacts

DCT = {"kind": "dct", "size": 256, "noise": 0.0}
HALF = {**DCT, "name": "half", "noise": 0.5}
X = TargetFacts("x", "x", "continuous", "place", "x", 90)


def row(encoder, kept):
    return {
        **{"encoder": encoder, "variant": "plain", "method": "mean", "baseline": True},
        **{"target": "x", "metric": "ridge_r2", "value": kept, "chance": 0.0, "kept": kept},
        **dict.fromkeys(("low", "high", "kept_low", "kept_high", "place_low", "place_high")),
        **{"p_adjusted": 0.01, "samples": 90, "headline": True, "may_be_best": None, "note": None},
    }


def test_encoders_that_differ_in_nothing_else_are_doses_of_one():
    encoders = [
        {**DCT, "name": "dct"},
        HALF,
        {**DCT, "name": "small", "size": 64, "noise": 0.5},
        {"kind": "metadata", "name": "metadata"},
    ]
    assert doses(encoders) == {
        "dct": Dose("noise", "dct", 0.0),
        "half": Dose("noise", "dct", 0.5),
    }
    assert doses([{**DCT, "name": "dct"}, {**DCT, "name": "twin"}]) == {}


def test_each_family_is_a_panel_with_what_is_kept_by_dose():
    kept = what_is_kept([X], [row("dct", 0.6), row("half", 0.1), row("metadata", 0.3)])
    chart = specification(dose_chart(kept, [{**DCT, "name": "dct"}, HALF]))
    assert [panel["title"] for panel in chart["concat"]] == ["place"]
    rows = max(map(rows_of, chart["datasets"].values()), key=len)
    assert [(one["dose"], one["kept"], one["model"]) for one in rows] == [
        (0, 0.6, "dct"),
        (0.5, 0.1, "dct"),
    ]
    assert dose_chart(kept, [{**DCT, "name": "dct"}]) is None
