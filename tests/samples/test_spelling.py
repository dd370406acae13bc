"""Names are as charts can show them, and labels that look alike are told, not merged."""

import json
import unicodedata
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from latentmap.samples.ingest import ingest
from latentmap.samples.plan import Limit, list_rows
from latentmap.samples.source import SOURCES
from latentmap.samples.spelling import look_alike_remarks, look_alikes, plain_name


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("a\nb\tc\u2028d\u2029e\x85f", "a b c d e f"),
        ("\x00a\x1bb\x7fc\x9fd", "�a�b�c�d"),
        ("left \u202etfel\u202c \u2066x\u2069", "left �tfel� �x�"),
        ("half \ud83d, none \uffff", "half �, none �"),
        (
            "Grüße, 名前, 😀, \u05d0\u200f, \u00a0, a\\b",
            "Grüße, 名前, 😀, \u05d0\u200f, \u00a0, a\\b",
        ),
        ("", ""),
    ],
)
def test_a_plain_name_has_nothing_that_cannot_be_shown(name, plain):
    assert plain_name(name) == plain
    kept = {unicodedata.category(character) for character in plain_name(name)}
    assert not kept & {"Cc", "Cs", "Zl", "Zp"}


def test_every_plain_name_is_text_that_xml_can_hold():
    # What draws metrics for print ends the whole process where a label is not.
    every = "".join(map(chr, range(0x11000)))
    plain = plain_name(every)
    assert ElementTree.fromstring(f"<text>{escape(plain)}</text>").text == plain
    assert len(plain) == len(every)


def test_look_alikes_are_told_by_the_most_frequent():
    decomposed = unicodedata.normalize("NFD", "école")
    labels = {"cat": 9, "Cat": 2, "cat ": 1, "c\u200bat": 1, "école": 3, decomposed: 5}
    labels |= {"a b": 1, "a\u00a0b": 1, "dog": 4, "do g": 1, "straße": 1, "STRASSE": 1}
    found = look_alikes(labels)
    assert [sorted(group) for group in found] == [
        *(sorted(["cat", "Cat", "cat ", "c\u200bat"]), sorted(["école", decomposed])),
        *(["a b", "a\u00a0b"], ["STRASSE", "straße"]),
    ]
    assert (found[0][0], found[1][0]) == ("cat", decomposed)
    assert look_alikes({" cat": 1, "Cat": 1, "cat": 1})[0][0] == "cat"


def test_one_remark_tells_of_all_labels_that_look_alike():
    labels = [("one", "cat", 3), ("two", "Cat ", 2), ("two", "dog", 1), ("three", "bird", 1)]
    ((names, remark),) = look_alike_remarks(labels)
    assert names == "one, two"
    said = remark.in_short()
    assert "'Cat ' beside 'cat': each is a class of its own" in said and "\n" not in said
    assert remark.row(names, "")["action"] == "noted"
    assert look_alike_remarks([("one", "cat", 1), ("one", "dog", 1)]) == []


def test_names_are_replaced_and_noted_when_rows_are_taken_in(tmp_path):
    rows = [
        {"key": "a\x01", "src": "cat\u2028one", "prompt": "x\u2028y", "odd\u2029name": 1},
        {"key": "b", "src": "cat", "prompt": "z"},
        {"key": "a\x02", "src": "cat", "prompt": "the same id once it is shown"},
    ]
    path = tmp_path / "t.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    source = SOURCES.create("jsonl", {"input": str(path), "columns": {"id": "key"}})
    listing = list_rows({"jsonl": source}, Limit())
    assert listing.rows["id"].to_list() == ["a�", "b", "a�"]
    assert listing.remarks() == []
    made = ingest(source, range(3), {}, {"cat one": "Pets"})
    first = made.samples.to_pylist()[0]
    assert (first["id"], first["label"], first["label_group"]) == ("a�", "cat one", "Pets")
    assert first["text"] == "x\u2028y" and first["odd name"] == "1"
    notes = made.quarantine.to_pylist()
    assert [(note["row"], note["action"]) for note in notes] == [(0, "noted"), (2, "noted")]
    reason = notes[0]["reason"]
    assert "id 'a\\x01' holds" in reason and "label 'cat\\u2028one' holds" in reason


def test_half_characters_in_a_nested_label_do_not_stop_a_run(tmp_path):
    literal = "{'category': 'half \\ud83d'}"
    table = pa.table({"id": ["a"], "qa_info": [literal], "text_q": ["x"]})
    pq.write_table(table, tmp_path / "q.parquet")
    columns = {"id": "id", "text": "text_q", "boxes": None, "image": None, "source_group": None}
    source = SOURCES.create("hub", {"input": str(tmp_path / "q.parquet"), "columns": columns})
    assert source.index()["label"].to_list() == ["half �"]
    made = ingest(source, [0], {}, {})
    assert made.samples["label"].to_pylist() == ["half �"]
    assert made.quarantine["action"].to_pylist() == ["noted"]
