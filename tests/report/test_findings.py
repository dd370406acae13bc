import math
from dataclasses import replace

import numpy as np

from latentmap.metrics.metric import HEADLINE as HONEST
from latentmap.metrics.metric import Measurement
from latentmap.report.experiments import Experiment, Key, LabelRate, LabelRates
from latentmap.report.findings import key_findings

LENIENT = "knn_category_acc"


def experiment(encoder, variant, method, honest, lenient, *, p_value=None, labels=None):
    metrics = {
        HONEST: Measurement(honest, chance=0.05, p_value=p_value),
        LENIENT: Measurement(lenient, chance=0.06),
    }
    return Experiment(Key(encoder, variant, method), metrics, labels or {})


def texts(experiments, *, warning=False):
    return [f.text for f in key_findings(experiments, {}) if f.warning or not warning]


def test_the_configured_metric_ranks():
    metrics = {
        "knn_group_acc": Measurement(0.4, chance=0.1),
        "knn_group_acc_grouped": Measurement(0.3, chance=0.1),
    }
    one = Experiment(Key("vae", "plain", "mean"), metrics, {}, headline="knn_group_acc")
    other = replace(
        one,
        key=Key("vae", "plain", "max"),
        metrics={
            "knn_group_acc": Measurement(0.3, chance=0.1),
            "knn_group_acc_grouped": Measurement(0.5, chance=0.1),
        },
    )
    assert any(
        "Ranked without them, vae / max (plain) would come first instead of vae / mean" in text
        for text in texts([one, other])
    )
    assert not any("one source group" in text for text in texts([one, other], warning=True))


def test_the_leak_and_the_rank_it_would_change_are_said():
    found = texts(
        [experiment("vae", "plain", "mean", 0.1, 0.3), experiment("vae", "plain", "max", 0.2, 0.2)]
    )
    assert any("vae / mean (plain): 0.300 with them, 0.100 without" in text for text in found)
    assert any("vae / mean (plain) would come first" in text for text in found)


def test_a_leak_that_lowers_a_metric_is_said_too():
    found = texts(
        [experiment("vae", "plain", "mean", 0.3, 0.1), experiment("vae", "plain", "max", 0.2, 0.1)]
    )
    assert any("vae / mean (plain): 0.100 with them, 0.300 without" in text for text in found)
    assert not any("would come first" in text for text in found)


def labelled(method, value, deviations, **rates):
    """An experiment with these label rates and largest deviations under permutations."""
    labels = {name: LabelRates(10, LabelRate(0.95, 0.2), rate) for name, rate in rates.items()}
    found = experiment("vae", "plain", method, value, 0.2, labels=labels)
    measured = replace(found.metrics[HONEST], label_deviations=np.array(deviations))
    return replace(found, metrics={**found.metrics, HONEST: measured})


def test_labels_are_compared_with_their_own_chance_and_named_if_they_differ_from_it():
    rates = {
        "common": LabelRate(0.95, 0.9, 2.9),
        "rare": LabelRate(0.5, 0.1, 6.0, (0.3, 0.7)),
        "rarer": LabelRate(0.06, 0.01, 3.0),
        "missing": LabelRate(0.01, 0.1, -4.0),
        "single": LabelRate(0.0, 0.0),
    }
    low = [1.0] * 99
    (above, below) = (
        t for t in texts([labelled("mean", 0.2, low, **rates)]) if t.startswith("Under")
    )
    assert "3 of 4 labels are found among their own neighbors more often" in above
    assert "'rarer': 0.060, 6 times its chance level, 0.010." in above
    assert "1 of 4 labels is found among their own neighbors less often" in below
    assert "'missing': 0.010, 0.100 times its chance level, 0.100." in below
    # Under permutations another embedding has a label as far from chance in half of the cases.
    other = labelled("max", 0.1, [1.0, 5.0] * 49 + [1.0])
    (above,) = (t for t in texts([labelled("mean", 0.2, low, **rates), other]) if "Under" in t)
    assert "1 of 4 labels is found" in above
    assert "'rare': 0.500 (0.300 to 0.700, 95 % for all labels at once), 5 times" in above
    higher = labelled("max", 0.1, [7.0] * 99)
    (none,) = (t for t in texts([labelled("mean", 0.2, low, **rates), higher]) if "Under" in t)
    assert "no single label differs significantly from chance" in none


def test_one_source_group_is_a_warning_not_a_zero():
    experiments = [experiment("vae", "plain", "mean", math.nan, 0.2)]
    warnings = texts(experiments, warning=True)
    assert any("one source group" in text for text in warnings)


def test_duplicates_are_one_finding():
    same = ["channel", "flatten", "spatial"]
    duplicates = {("vae", "plain"): [same, ["max", "min"]], ("dct", "plain"): [same]}
    experiments = [experiment("vae", "plain", "mean", 0.2, 0.2)]
    found = [f.text for f in key_findings(experiments, duplicates)]
    assert any(
        text.startswith("channel, flatten and spatial are the same embedding")
        and "for dct (plain), vae (plain): they count once." in text
        for text in found
    )
    assert any(text.startswith("max and min are the same") for text in found)


def test_nothing_defined_is_said():
    undefined = experiment("vae", "plain", "mean", math.nan, math.nan)
    why = Measurement(math.nan, note="All samples have the same label.")
    both = [replace(undefined, metrics={HONEST: why, LENIENT: why})] * 2
    assert texts(both, warning=True) == ["Methods are not ranked: All samples have the same label."]


def test_approximate_neighbors_are_said_and_below_095_a_warning():
    exact = experiment("vae", "plain", "mean", 0.5, 0.6)
    close = replace(experiment("vae", "plain", "max", 0.4, 0.5), recall=0.99)
    far = replace(experiment("dct", "plain", "std", 0.3, 0.4), recall=0.93)
    assert not any("approximate" in text for text in texts([exact]))
    said = next(text for text in texts([exact, close]) if "approximate" in text)
    assert "1 of 2 embeddings" in said and "0.990" in said
    (warned,) = (text for text in texts([exact, close, far], warning=True) if "approxi" in text)
    assert (
        "2 of 3 embeddings" in warned
        and "0.930 of the exact ones were found, least for dct / std" in warned
    )


def test_what_could_not_be_tested_is_said():
    tested = experiment("vae", "plain", "mean", 0.2, 0.2, p_value=0.2)
    note = "No p-value: labels have too few orders for one below 0.33."
    measured = Measurement(0.3, chance=0.2, chance_range=(0.1, 0.3), note=note)
    untested = replace(tested, metrics={**tested.metrics, HONEST: measured})
    ranged = replace(tested.metrics[HONEST], chance_range=(0.0, 0.1))
    tested = replace(tested, metrics={**tested.metrics, HONEST: ranged})
    assert not any("could not be tested" in text for text in texts([tested]))
    (said,) = (text for text in texts([tested, untested], warning=True) if "tested" in text)
    assert said == (
        "Whether kNN label purity across sources is above chance could not be tested for 1 of 2 "
        f"embeddings: {note}"
    )
