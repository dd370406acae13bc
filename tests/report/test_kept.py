"""What is kept of targets: its table, its heatmap, and what is said of it."""

import math

import pytest

from latentmap.report.kept.charts import TARGET, ranking_chart
from latentmap.report.kept.findings import family_findings
from latentmap.report.kept.heatmap import heatmap, two_places
from latentmap.report.kept.table import what_is_kept
from latentmap.targets.facts import TargetFacts

POSITION = "position of a box"
X, Y = (
    TargetFacts(f"boxes.{axis}", f"Centre, {axis}", "continuous", POSITION, "boxes", 90)
    for axis in "xy"
)
COLOR = TargetFacts("color", "Colour", "categorical", "colour", "color", 90)


def row(method, target, kept, p=None, **changes):
    """A row of the table: kept, with an interval of 0.05 to both sides."""
    return {
        "encoder": "vae",
        "variant": "plain",
        "method": method,
        "baseline": False,
        "target": target.name,
        "metric": "ridge_r2",
        "value": kept,
        "chance": 0.0,
        "low": kept - 0.05,
        "high": kept + 0.05,
        "p_adjusted": (0.001 if kept > 0.1 else 0.8) if p is None else p,
        "samples": 90,
        "kept": kept,
        "kept_low": kept - 0.05,
        "kept_high": kept + 0.05,
        "headline": True,
        "place_low": 1,
        "place_high": 2,
        "may_be_best": kept > 0.5,
        "note": None,
    } | changes


def methods(targets=(X, Y), **kept):
    """Rows of methods that keep as much of every target."""
    return [row(name, target, value) for name, value in kept.items() for target in targets]


def said(rows, targets=(X, Y)):
    return dict(family_findings(what_is_kept(targets, rows)))


def test_a_family_is_kept_by_some_methods_and_lost_by_others():
    rows = methods(region=0.83, pyramid=0.8, patch4=0.71, mean=0.04, min=0.0, max=-0.02)
    assert said(rows) == {
        POSITION: "kept by region, pyramid and patch4 (0.71–0.83); lost by max, min and mean "
        "(≤ 0.04)."
    }


def test_of_many_methods_the_first_are_named():
    rows = methods(a=0.8, b=0.7, c=0.6, d=0.5, e=0.4, f=0.01)
    assert said(rows)[POSITION] == "kept by a, b, c and 2 more (0.40–0.80); lost by f (≤ 0.01)."


def test_all_and_none_and_the_only_one_are_said_as_such():
    assert said(methods(a=0.8, b=0.7, c=0.6, d=0.5))[POSITION] == (
        "kept by a, b, c and d (0.50–0.80)."
    )
    assert said(methods(a=0.8, b=0.7, c=0.6, d=0.5, e=0.4))[POSITION] == (
        "kept by all 5 embeddings, most by a (0.40–0.80)."
    )
    assert said(methods(a=0.0, b=0.01, c=0.02, d=-0.1, e=-0.2))[POSITION] == (
        "not significantly above chance in any of the 5 embeddings (≤ 0.02)."
    )
    assert said(methods(a=0.8))[POSITION] == "kept by vae (0.80)."


def test_a_family_is_kept_in_part_where_some_of_its_targets_are_at_chance():
    rows = [row("a", X, 0.6), row("a", Y, 0.02), row("b", X, 0.7), row("b", Y, 0.5)]
    assert said(rows)[POSITION] == "kept by b (0.60); half of its targets or more kept by a (0.31)."
    third = TargetFacts("boxes.z", "Depth", "continuous", POSITION, "boxes", 90)
    rows += [row("a", third, 0.01), row("b", third, 0.6)]
    assert said(rows, (X, Y, third))[POSITION] == (
        "kept by b (0.60); fewer than half kept by a (0.21)."
    )


def test_what_nothing_keeps_is_told_by_itself():
    rows = [row("a", X, 0.6), row("a", Y, 0.02), row("b", X, 0.0), row("b", Y, -0.01)]
    assert said(rows)[POSITION] == (
        "kept by a (0.60); lost by b (≤ 0.00); nothing keeps Centre, y."
    )
    base = [one | {"encoder": "metadata", "baseline": True} for one in methods([Y], flatten=0.9)]
    assert "nothing keeps" not in said(rows + base)[POSITION]


def test_what_may_well_be_there_is_not_called_lost():
    # The upper end of its interval is more than half of what the other keeps.
    rows = [row("a", X, 0.3), row("b", X, 0.12, p=0.2)]
    assert said(rows)[POSITION] == "kept by a (0.30); not significantly above chance in b (≤ 0.12)."
    rows[1] |= {"kept_high": 0.14}
    assert said(rows)[POSITION] == "kept by a (0.30); lost by b (≤ 0.12)."


def test_the_best_baseline_is_beside_it():
    model = methods(a=0.8, b=0.7)
    base = [one | {"encoder": "metadata", "baseline": True} for one in methods(flatten=0.95)]
    assert said(model + base)[POSITION] == (
        "kept by a and b (0.70–0.80); the best baseline, metadata, keeps 0.95."
    )
    lost = [one | {"encoder": "metadata", "baseline": True} for one in methods(flatten=0.0)]
    assert said(model + lost)[POSITION].endswith("; no baseline keeps it.")


def test_nothing_is_claimed_that_was_not_tested():
    rows = [one | {"p_adjusted": None} for one in methods(a=0.9, b=0.1)]
    assert said(rows)[POSITION] == "not tested: there are too few source groups (0.10–0.90)."
    assert not any(cell.tone for cell in heatmap(what_is_kept([X], rows)).parts[0].rows[0].cells)


def test_a_figure_that_is_not_defined_has_no_dot():
    rows = [*methods(a=0.9, b=0.7), row("c", X, math.nan, 0.9), row("c", Y, 0.6)]
    spec = ranking_chart(what_is_kept((X, Y), rows)).to_dict()
    dots = [one for table in spec["datasets"].values() for one in table if "embedding" in one]
    assert sorted((one["t"], one["embedding"]) for one in dots) == [
        *((0, name) for name in ("a", "b")),
        *((1, name) for name in ("a", "b", "c")),
    ]


def test_each_family_has_a_sentence_in_the_order_of_the_targets():
    rows = methods((X, COLOR, Y), a=0.8)
    assert list(said(rows, (X, COLOR, Y))) == [POSITION, "colour"]


def test_several_encoders_and_variants_are_named():
    rows = methods([X], a=0.8, b=0.0)
    other = [one | {"encoder": "dino", "kept": one["kept"] / 2} for one in rows]
    assert said(rows + other)[POSITION].startswith("kept by vae / a and dino / a (0.40–0.80)")
    drawn = [one | {"variant": "boxes"} for one in methods([X], a=0.6, b=0.1)]
    assert "a (plain) and a (boxes)" in said(rows + drawn)[POSITION]


def test_methods_that_give_the_same_are_one_row():
    rows = methods([X], flatten=0.8, channel=0.8, mean=0.1)
    (part,) = heatmap(what_is_kept([X], rows)).parts
    assert [one.name for one in part.rows] == ["flatten = channel", "mean"]
    assert said(rows)[POSITION].startswith("kept by flatten = channel (0.80)")


def test_an_encoder_that_looks_at_no_picture_is_told_of_once():
    rows = methods([X], flatten=0.8)
    rows += [one | {"variant": "boxes"} for one in rows]
    (part,) = heatmap(what_is_kept([X], rows)).parts
    assert (part.title, len(part.rows)) == ("vae", 1)


def test_cells_are_as_dark_as_what_is_kept_and_grey_where_it_may_be_chance():
    rows = methods([X], a=0.8, b=0.3, c=0.05, d=-0.1)
    rows[0] |= {"value": 0.82, "chance": 0.1, "low": 0.775, "high": 0.865}
    (part,) = heatmap(what_is_kept([X], rows)).parts
    cells = [one.cells[0] for one in part.rows]
    assert [(cell.text, cell.tone, cell.is_faint) for cell in cells] == [
        ("0.80", 80, False),
        ("0.30", 30, False),
        ("0.05", 0, True),
        ("−0.10", 0, True),
    ]
    assert [cell.may_be_best for cell in cells] == [True, False, False, False]
    assert cells[0].details == (
        "linear R² 0.820; chance 0.100; 95 % interval 0.775 to 0.865; kept 0.80 (0.75 to "
        "0.85); adjusted p = 0.001; rank 1 to 2; 90 samples"
    )


def test_a_target_that_is_not_defined_says_why():
    nothing = dict.fromkeys(("value", "kept", "kept_low", "kept_high", "p_adjusted"))
    rows = [row("a", X, 0.5), row("a", Y, 0.5) | nothing | {"note": "All values are the same."}]
    cells = heatmap(what_is_kept([X, Y], rows)).parts[0].rows[0].cells
    assert [(cell.text, cell.sort) for cell in cells] == [("0.50", "0.5000"), ("–", "")]
    assert cells[1].details == "All values are the same."


def test_targets_stand_by_family_and_baselines_below():
    rows = methods((X, COLOR, Y), a=0.5)
    base = [one | {"encoder": "dct", "baseline": True} for one in rows]
    table = heatmap(what_is_kept([X, COLOR, Y], base + rows))
    assert table.families == {POSITION: 2, "colour": 1}
    assert [column.title for column in table.columns] == ["Centre, x", "Centre, y", "Colour"]
    assert [column.is_first for column in table.columns] == [True, False, True]
    assert [(part.title, part.is_baseline) for part in table.parts] == [
        ("vae, plain", False),
        ("dct, plain", True),
    ]


def test_only_the_figure_of_the_headline_is_shown():
    rows = [row("a", X, 0.9, headline=False, metric="knn_r2"), row("a", X, 0.5)]
    assert heatmap(what_is_kept([X], rows)).parts[0].rows[0].cells[0].text == "0.50"


@pytest.mark.parametrize(
    ("value", "text"), [(0.714, "0.71"), (-0.001, "0.00"), (-0.02, "−0.02"), (1, "1.00")]
)
def test_shares_have_two_places(value, text):
    assert two_places(value) == text


def test_means_leave_out_what_is_not_defined():
    rows = [row("a", X, 0.5), row("a", Y, 0.5) | {"kept": None}]
    (one,) = what_is_kept([X, Y], rows).embeddings
    assert one.mean_of([X, Y]) == 0.5
    assert math.isnan(one.mean_of([Y]))


def test_the_ranking_begins_with_the_target_that_tells_embeddings_apart_by_most():
    label = TargetFacts("label", "label", "categorical", "labels", "label", 90)
    rows = [row("a", label, 1.0), row("b", label, 0.0), row("a", X, 0.9), row("b", X, 0.8)]
    rows += [row("a", Y, 0.6), row("b", Y, 0.1)]
    chart = ranking_chart(what_is_kept([label, X, Y], rows)).to_dict()
    (chosen,) = (param["value"] for param in chart["params"] if param["name"] == TARGET)
    assert chosen == 2
    only = ranking_chart(what_is_kept([label], rows[:2])).to_dict()
    assert [param["value"] for param in only["params"] if param["name"] == TARGET] == [0]
