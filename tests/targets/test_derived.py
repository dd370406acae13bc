"""Derived targets: what is planted in boxes, texts and answers is what they say."""

import math
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from latentmap.errors import LatentmapError
from latentmap.run import load_run
from latentmap.samples.ingest import ingest
from latentmap.samples.source import SOURCES
from latentmap.store.samples import BOXES
from latentmap.targets.derivation import DERIVATIONS

BENCHMARK = Path(__file__).parents[3] / "shared" / "data" / "coco-relations" / "qa.parquet"


def derive(kind: str, samples: pa.Table, **options: object) -> dict:
    """Derive targets as a job does: from the columns that the plug-in asks for, and no other."""
    plugin = DERIVATIONS.create(kind, options)
    found = plugin.derive(samples.select(plugin.columns(samples.column_names)))
    assert tuple(target.name for target in found) == plugin.names
    assert all(len(target.values) == len(samples) for target in found)
    return {target.name: target for target in found}


def answers(kind: str, *given: str | None) -> list:
    """Read answers; what cannot be read is the reason, without the quoted answer."""
    target = derive(kind, pa.table({"answer": pa.array(given, pa.string())}))[""]
    assert all(target.values[row] is None for row in target.unreadable)
    return [
        re.sub(r"^the answer (.*) \(it is .*\)$", r"\1", target.unreadable[row])
        if row in target.unreadable
        else value
        for row, value in enumerate(target.values)
    ]


@pytest.fixture(scope="module")
def boxed() -> pa.Table:
    boxes = [
        [[0, 0, 100, 50]],
        [[0, 0, 100, 50], [100, 50, 200, 100]],
        [[50, 0, 150, 100], [100, 0, 150, 100], [0, 0, 1, 1]],
        [],
        [[0, 0, 10, 10]],
        None,
    ]
    sizes = [200, 200, 200, 200, None, None]
    columns = {"width": sizes, "height": [size and size // 2 for size in sizes]}
    return pa.table({"boxes": pa.array(boxes, BOXES), **columns})


def test_boxes_are_fractions_of_their_picture(boxed: pa.Table) -> None:
    found = {name: target.values for name, target in derive("boxes", boxed).items()}
    assert found["count"] == [1, 2, 3, 0, None, None]
    assert found["x"] == [0.25, 0.25, 0.5, None, None, None]
    assert found["y"] == [0.25, 0.25, 0.5, None, None, None]
    assert found["width"] == [0.5, 0.5, 0.5, None, None, None]
    assert found["height"] == [0.5, 0.5, 1, None, None, None]
    assert found["area"] == [0.25, 0.25, 0.5, None, None, None]


def test_pairs_of_boxes_are_told_by_how_the_first_lies_to_the_second(boxed: pa.Table) -> None:
    found = {name: target.values for name, target in derive("box_pairs", boxed).items()}
    none = [None, None, None]
    assert found["dx"] == [None, -0.5, -0.125, *none]
    assert found["dy"] == [None, -0.5, 0, *none]
    assert found["log_area_ratio"] == [None, 0, pytest.approx(math.log(2)), *none]
    assert found["distance"] == [
        None,
        pytest.approx(0.5),
        pytest.approx(0.125 / math.sqrt(2)),
        *none,
    ]
    assert found["overlap"] == [None, 0, 0.5, *none]


def test_a_text_has_a_length_a_first_word_and_perhaps_a_number() -> None:
    texts = [
        "Don't go",
        "user: Write 1,200 words",
        "write",
        "3 or 4?",
        "v2 of GPT-4",
        "",
        None,
        "  ",
    ]
    found = derive("text", pa.table({"text": texts}), words=2)
    lengths = [value if value is None else 10**value for value in found["length"].values]
    assert lengths == [pytest.approx(n) for n in (8, 23, 5, 7, 11)] + [None] * 3
    assert found["first_word"].values[:5] == ["don't", "write", "write", None, None]
    assert found["number"].values == [None, 1200, None, None, None, None, None, None]
    assert derive("text", pa.table({"prompt": ["-0.5 °C"]}), column="prompt")["number"].values == [
        -0.5
    ]


def test_preference_pairs_tell_lengths_and_whether_the_longer_answer_is_chosen() -> None:
    chosen = [
        "a" * 10,
        '[{"role": "user", "content": "no"}, {"role": "assistant", "content": "bb"}]',
        None,
    ]
    pairs = pa.table(
        {"text": ["x" * 100, "y", "z"], "chosen": chosen, "rejected": ["c", "dddd", "e"]}
    )
    found = {name: target.values for name, target in derive("preference", pairs).items()}
    assert found["length"] == [2, 0, 0]
    assert found["chosen_length"] == [1, pytest.approx(math.log10(2)), None]
    assert found["rejected_length"] == [0, pytest.approx(math.log10(4)), 0]
    assert found["longer_is_chosen"] == [True, False, None]
    prompts = derive("preference", pa.table({"text": ["x" * 100, None]}))
    assert [prompts[name].values for name in ("length", "chosen_length")] == [[2, None], [None] * 2]


def test_answers_of_yes_or_no() -> None:
    true = [
        "Yes.",
        "yes, it is",
        "Yes",
        "Indeed, Region [0] is positioned under Region [1].",
        "Correct, Region [0] is not as tall as Region [1].",
        "That is True.",
        "true",
        "Actually, yes.",
    ]
    false = [
        "No.",
        "No",
        "No, Region [0] is not thinner than Region [1].",
        "no it is not",
        "Incorrect, Region [0]'s width is not less than Region [1]'s.",
        "That is False.",
        "false",
        "In fact, Region [0] is to the right of Region [1].",
        "Actually, Region [0] is below Region [1].",
    ]
    neither = ["n/a", "No idea", "Not sure", "Region [0].", "None", "nothing", "Northwards"]
    assert answers("yes_no", *true) == [True] * len(true)
    assert answers("yes_no", *false) == [False] * len(false)
    assert answers("yes_no", *neither) == ["is neither yes nor no"] * len(neither)
    assert answers("yes_no", "Yes and no.", "yes/no") == ["is both yes and no"] * 2
    assert answers("yes_no", None, "", "  ") == [None] * 3


def test_answers_to_a_choice() -> None:
    assert answers(
        "choice",
        "Region [0].",
        "With more height is Region [1].",
        "From the viewer's perspective, Region [12] appears more on the left side.",
        "region 1 is, Region [1] I mean",
        "<region0>",
        "Yes.",
        "Region [1] is taller than Region [0].",
        None,
    ) == [
        *("Region [0]", "Region [1]", "Region [12]", "Region [1]", "Region [0]"),
        *("names no region", "names several regions", None),
    ]


@pytest.mark.parametrize(
    ("answer", "metres"),
    [
        ("Region [0] and Region [1] are 11.4 meters apart.", 11.4),
        ("The width of Region [0] is 10.0 inches.", 0.254),
        ("It is 48.47 centimeters.", 0.4847),
        ("Region [0] is 6.91 feet tall.", 2.106168),
        ("22.32 Feet.", 6.803136),
        ("1,200 m", 1200),
        ("a 3-metre gap", 3),
        (".5 km", 500),
        ("2 yards", 1.8288),
        ("Region 1 is 1 mile from Region 0", 1609.344),
        ("5 feet 3 inches", 1.6002),
        ("5 ft. and 3 inches", 1.6002),
        ("1 m 20 cm", 1.2),
        ("1.2 meters (3.9 feet)", 1.2),
        ("7mm", 0.007),
    ],
)
def test_lengths_are_in_metres_whatever_their_unit(answer: str, metres: float) -> None:
    assert answers("metres", answer) == [pytest.approx(metres)]


def test_lengths_that_are_not_certain_are_told() -> None:
    assert (
        answers(
            "metres", "n/a", "a few feet", "3", "1,5 m", "1/2 mile", "Region [0].", "3 in a row"
        )
        == ["gives no number with a unit of length"] * 7
    )
    assert (
        answers("metres", "2-3 meters", "between 2 and 3 m", "2 to 3.5 feet", "1 or 2 inches")
        == ["gives a range"] * 4
    )
    assert (
        answers("metres", "1 meter high and 2 meters wide", "3 inches 5 feet")
        == ["gives several lengths"] * 2
    )
    assert answers("metres", "-2 meters") == ["gives a negative length"]


def test_directions_of_the_clock_are_angles() -> None:
    assert answers(
        "clock",
        "3 o'clock",
        "Region [0] will find Region [1] around the 10 o’clock direction.",
        "Region [1] is roughly at 12 o'clock from Region [0].",
        "at six o'clock",
        "1:30 oclock",
        "13 o'clock",
        "0 o'clock",
        "2 or 3 o'clock",
        "3 o'clock or 5 o'clock",
        "to the left",
        "n/a",
    ) == [
        *(90, 300, 0, 180, 45),
        *["gives an hour that no clock has"] * 2,
        *("gives a range of hours", "gives several hours"),
        *["gives no hour of the clock"] * 2,
    ]


def test_a_conversation_answers_with_what_is_said_last_but_not_by_the_user() -> None:
    said = [
        [{"from": "human", "value": "Is it?"}, {"from": "gpt", "value": "No."}],
        [{"from": "human", "value": "Is it?"}],
        [
            {"from": "human", "value": "Is it?"},
            {"from": "gpt", "value": "No."},
            {"from": "human", "value": "And this?"},
            {"from": "gpt", "value": "Yes."},
        ],
    ]
    table = pa.table({"conversations": said})
    assert derive("yes_no", table)[""].values == [False, None, True]
    literal = pa.table(
        {
            "conversations": [
                "[{'role': 'user', 'content': 'Is it?'}, {'role': 'assistant', 'content': 'Yes'}]"
            ]
        }
    )
    assert derive("yes_no", literal)[""].values == [True]
    nested = pa.table({"qa": [{"answer": "No"}, None]})
    assert derive("yes_no", nested, answer="qa.answer")[""].values == [False, None]


def test_a_long_answer_is_quoted_in_part() -> None:
    table = pa.table({"answer": ["far " * 50]})
    [reason] = derive("metres", table)[""].unreadable.values()
    assert len(reason) < 130 and "(it is 'far far" in reason


def test_a_column_that_is_not_there_is_named() -> None:
    for kind, wanted in (("yes_no", "answer"), ("boxes", "boxes"), ("text", "text")):
        with pytest.raises(LatentmapError, match=f"Unknown column of the samples '{wanted}'"):
            DERIVATIONS.create(kind).columns(["id", "label"])


@pytest.mark.skipif(not BENCHMARK.exists(), reason="needs the shared data")
def test_answers_of_real_photographs_are_read_or_told() -> None:
    source = SOURCES.create("hub", {"input": str(BENCHMARK)})
    samples = ingest(source, range(1406), {}, {}).samples
    kinds = [label.rpartition("_")[2] for label in samples["label"].to_pylist()]
    of_kind = Counter(kinds)
    said = derive("yes_no", samples)[""]
    assert {kinds[row] for row in said.unreadable} == {"data", "direction"}
    assert Counter(said.values) == {
        True: of_kind["predicate"] + of_kind["choice"],
        None: of_kind["data"] + of_kind["direction"],
    }
    for kind in ("choice", "metres", "clock"):
        found = derive(kind, samples)[""]
        assert set(found.values) == {None} and len(found.unreadable) == 1406
    geometry = derive("boxes", samples)
    assert Counter(geometry["count"].values) == {1: 266, 2: 1140}
    for name in ("x", "y", "width", "height", "area"):
        values = np.array(geometry[name].values)
        assert ((values > 0) & (values <= 1)).all()
    assert sum(value is not None for value in derive("box_pairs", samples)["dx"].values) == 1140


def test_answers_about_scenes_are_true_of_them() -> None:
    source = SOURCES.create("scenes", {"images": 48})
    samples = ingest(source, range(192), {}, {}).samples
    rows = samples.to_pylist()
    said, chosen, metres, clock = (
        derive(kind, samples)[""] for kind in ("yes_no", "choice", "metres", "clock")
    )
    seen = Counter()
    for number, row in enumerate(rows):
        label = row["label"]
        seen[label.rpartition("_")[2]] += 1
        assert said.values[number] == (True if label.endswith("_predicate") else None)
        assert chosen.values[number] == ("Region [0]" if label.endswith("_choice") else None)
        if label in ("height_data", "width_data"):
            true = row[f"first_{label.removesuffix('_data')}"]
            assert metres.values[number] == pytest.approx(true, abs=0.0051)
        if label == "direction":
            apart = [row[f"second_{axis}"] - row[f"first_{axis}"] for axis in ("across", "depth")]
            off = clock.values[number] - math.degrees(math.atan2(*apart))
            assert abs((off + 180) % 360 - 180) <= 15 + 1e-6
        if label.endswith("left_predicate"):
            assert derive("box_pairs", samples)["dx"].values[number] < 0
    assert seen["data"] > 10 and seen["direction"] > 3


def test_the_label_alone_is_an_entry_and_no_further_target() -> None:
    given = {
        "run": "small",
        "samples": {"sources": [{"kind": "scenes"}]},
        "encoders": [{"kind": "dct"}],
        "targets": ["label", {"column": "label_group"}, "answer"],
    }
    run = load_run(given)
    assert [entry["column"] for entry in run.target_entries] == ["answer"]
    with pytest.raises(LatentmapError, match="'label' is a target of every run"):
        load_run({**given, "targets": [{"column": "label", "family": "mine"}]})
