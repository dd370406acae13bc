"""Rationales of a language model in the layout of the viewer that shows them."""

from __future__ import annotations

import csv
import json

import numpy as np
import pyarrow as pa
import pytest

from latentmap.report.details import read_details
from latentmap.samples.annotations import AnnotationOptions, join_annotations
from latentmap.store.samples import SCHEMA
from latentmap.store.tables import facts_of, read_parquet, write_arrow

# `mis_….csv` has a row for every misclassified sample, `correct_….csv` for every other. Columns are
# `file_name`, labels and predictions, and `rationale`, the text of a JSON object with `score` and
# `rationale`. A rationale that is no such object is passed over there; a sample in neither file is
# "unknown (not found)".
COLUMNS = (
    *("file_name", "ground_truth_num_label", "ground_truth_word_label"),
    *("predicted_label", "predicted_word_label", "top3_prob_1", "image_path", "rationale"),
)
LONG = "Because of the reed, which grows where the ground is wet. " * 30


def row(name, rationale, predicted="Fen"):
    return [name, "3", "Fen", "7", predicted, "0.61", f"plots/{name}", rationale]


def written(path, rows, *more):
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([COLUMNS, *rows])
        file.write("".join(more))
    return path


@pytest.fixture
def joined(tmp_path):
    names = [f"{n}.png" for n in range(8)]
    columns = {field.name: pa.nulls(8, field.type) for field in SCHEMA}
    write_arrow(tmp_path / "s.arrow", pa.table(columns | {"id": names, "text": names}))
    said = [json.dumps({"score": n, "rationale": f'{n}: "{LONG}"\nä'}) for n in range(5)]
    mis = [
        row("0.png", said[0], "Bog"),
        row("1.png", "I would say: Bog", "Bog"),
        row("2.png", '["a", "list"]', "Bog"),
        row("", said[2], "Bog"),
        row("gone.png", said[3], "Bog"),
    ]
    correct = [
        row("3.png", said[3]),
        row("4.png", said[4]),
        row("4.png", said[1]),
        row("0.png", ""),
    ]
    files = [
        (written(tmp_path / "mis_Qwen.csv", mis, "5.png,cut off\n"), "misclassification"),
        (written(tmp_path / "correct_Qwen.csv", correct), "correct classification"),
    ]
    options = [AnnotationOptions(path=str(p), name=name, key="file_name") for p, name in files]
    join_annotations(options, [tmp_path / "s.arrow"], tmp_path / "a.parquet")
    return tmp_path / "a.parquet", tmp_path / "s.arrow"


def test_rationales_come_out_as_they_went_in_and_broken_ones_stay_text(joined):
    table = read_parquet(joined[0])
    found = {name: table[name].to_pylist() for name in table.column_names}
    whole = [f'{n}: "{LONG}"\nä' for n in range(5)]
    assert found["rationale.rationale"] == [whole[0], None, None, *whole[3:], *[None] * 3]
    assert found["rationale.score"] == ["0", None, None, "3", "4", None, None, None]
    assert found["rationale"][1:3] == ["I would say: Bog", '["a", "list"]']
    assert found["predicted_word_label"][:5] == ["Bog", "Bog", "Bog", "Fen", "Fen"]
    assert found["annotation_file"] == [
        "misclassification, correct classification",
        *["misclassification"] * 2,
        *["correct classification"] * 2,
        *["unknown (not found)"] * 3,
    ]


def test_what_is_wrong_with_them_is_counted(joined):
    mis, correct = facts_of(read_parquet(joined[0]))["files"]
    assert (mis["rows"], mis["samples"], mis["unmatched"], mis["malformed"]) == (6, 3, 2, 1)
    assert (mis["unparsed"], mis["malformed_lines"]) == (2, [7])
    assert (correct["samples"], correct["repeated"], correct["differing"]) == (3, 1, 1)


def test_an_opened_sample_shows_a_rationale_uncut(joined):
    details = read_details([joined[1]], np.arange(8), joined[0])
    assert details["columns"]["rationale.rationale"][3] == f'3: "{LONG}"\nä'
    assert details["columns"]["annotation_file"][7] == "unknown (not found)"
