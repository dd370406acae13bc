"""The table of embeddings and metrics, and the verdict above it."""

import math
from dataclasses import replace

from latentmap.metrics.metric import HEADLINE, Measurement
from latentmap.report.experiments import Experiment, Key
from latentmap.report.leaderboard import TONES, leaderboard
from latentmap.report.metric_rows import metric_rows
from latentmap.report.standings import Standings
from latentmap.report.verdict import verdict

NOTHING = Standings(
    {
        "metric": HEADLINE,
        "note": None,
        "source_groups": 9,
        "scopes": [{"encoder": None, "variant": None, "ranking": [], "fresh": None, "next": None}],
        "baselines": [],
        "variants": [],
        "by_k": [],
    }
)


def experiment(method, purity, p_value=0.001, **values):
    metrics = {name: Measurement(value) for name, value in values.items()}
    effect = (purity - 0.1) / (1 - 0.1)
    metrics[HEADLINE] = Measurement(purity, chance=0.1, p_value=p_value, effect=effect)
    return Experiment(Key("vae", "plain", method), metrics, {})


def cells(table, title):
    place = [column.name for column in table.columns].index(title)
    return [row.cells[place] for row in table.rows]


def test_cells_are_dark_as_far_as_they_are_above_chance():
    rows = [experiment("a", 0.5), experiment("b", 0.3), experiment("c", 0.1), experiment("d", 0.05)]
    table = leaderboard(rows, NOTHING, {})
    assert [cell.tone for cell in cells(table, "kNN label purity across sources")] == [8, 4, 0, 0]
    assert TONES == 8
    details = cells(table, "kNN label purity across sources")[0].details
    assert details == "chance 0.100; 5 times chance; effect 0.444; p = 0.001"


def test_what_may_be_chance_is_grey_and_has_no_colour():
    rows = [experiment("a", 0.5, 0.2), experiment("b", 0.3, 0.04)]
    found = cells(leaderboard(rows, NOTHING, {}), "kNN label purity across sources")
    assert [(cell.tone, cell.is_faint) for cell in found] == [(0, True), (4, False)]


def test_where_less_is_better_the_least_is_darkest():
    values = {"a": 1.0, "b": 3.0, "c": math.nan, "d": 2.0}
    rows = [experiment(name, 0.5, davies_bouldin=value) for name, value in values.items()]
    found = cells(leaderboard(rows, NOTHING, {}), "Davies–Bouldin index")
    assert [cell.tone for cell in found] == [8, 0, 0, 4]
    assert found[2].text == "–" and found[2].sort == ""


def test_a_metric_that_nobody_knows_is_a_column_that_is_shown_on_demand():
    table = leaderboard([experiment("a", 0.5, mine=2.0)], NOTHING, {})
    (column,) = (one for one in table.columns if one.name == "mine")
    assert not column.leading
    assert cells(table, "mine")[0].text == "2"


def test_cells_are_shown_where_their_columns_are():
    rows = [experiment("a", 0.5, mine=2.0), experiment("b", 0.3, mine=1.0)]
    table = leaderboard(rows, NOTHING, {})
    shown = [column.leading for column in table.columns]
    assert set(shown) == {True, False}
    assert [[cell.leading for cell in row.cells] for row in table.rows] == [shown, shown]
    # Grey are metrics that may be chance, and nothing else: here none has a p-value that says so.
    assert not any(cell.is_faint for row in table.rows for cell in row.cells)


def test_the_verdict_says_how_far_the_best_is_from_chance():
    found = verdict([experiment("a", 0.55), experiment("b", 0.3)], NOTHING, ["vae"])
    assert (found.count, found.best, found.is_baseline) == (2, "vae / a (plain)", True)
    facts = dict(found.facts)
    assert facts["kNN label purity across sources"] == "0.550"
    assert facts["Chance level"] == "0.100; chance-corrected 0.500 (0 is chance, 1 is perfect)"
    assert facts["vae (plain)"] == "a 0.550"


def test_the_page_of_a_method_shows_effects_beside_raw_values():
    rows = {row["key"]: row for row in metric_rows(experiment("a", 0.55, silhouette=0.5))}
    shown = [rows[HEADLINE][name] for name in ("value", "chance", "effect")]
    assert shown == ["0.550", "0.100", "0.500"]
    assert rows["silhouette"]["effect"] == "–"


def test_variants_that_are_the_same_are_one_line_of_the_verdict():
    boxes = [experiment("a", 0.55), experiment("b", 0.3)]
    plain = [replace(e, key=e.key._replace(variant="plain")) for e in boxes]
    boxes = [replace(e, key=e.key._replace(variant="boxes")) for e in boxes]
    found = verdict([*boxes, *plain], NOTHING, [])
    assert (found.count, found.best) == (2, "vae / a (boxes, plain)")
    assert [fact for fact in found.facts if "vae" in fact[0]] == [("vae (boxes, plain)", "a 0.550")]
    other = [plain[0], replace(plain[1], metrics=plain[0].metrics)]
    found = verdict([*boxes, *other], NOTHING, [])
    assert (found.count, found.best) == (4, "vae / a (boxes)")
    assert [what for what, _ in found.facts if "vae" in what] == ["vae (boxes)", "vae (plain)"]


def test_without_a_ranking_there_is_no_verdict():
    assert verdict([experiment("a", math.nan)], NOTHING, []) is None


def test_the_verdict_says_that_the_best_has_no_map():
    rows = [experiment("a", 0.55), experiment("b", 0.3)]
    found = verdict(rows, NOTHING, [], lambda encoder, variant, method: f"{method} has no map.")
    assert ("Map", "a has no map.") in found.facts
    assert "Map" not in dict(verdict(rows, NOTHING, []).facts)
