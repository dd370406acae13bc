"""Conversations and literals in the forms that people store them in."""

import json
import math

import polars as pl
import pytest

from latentmap.errors import LatentmapError
from latentmap.samples.conversations import as_prose
from latentmap.samples.ingest import ingest
from latentmap.samples.literals import parse_literal
from latentmap.samples.source import SOURCES

TURNS = [("user", "What is it?\nTell me."), ("assistant", 'It\'s a "cat".')]
LINES = 'user: What is it?\nTell me.\nassistant: It\'s a "cat".'

PARTS = [
    {"role": who, "content": [{"type": "text", "text": said, "image_url": None}]}
    for who, said in TURNS
]
FORMS = {
    "role": [{"role": who, "content": said} for who, said in TURNS],
    "from": [{"from": who, "value": said} for who, said in TURNS],
    "parts": PARTS,
    "strings_as_parts": [{"role": who, "content": [said]} for who, said in TURNS],
    "lists": {"from": [who for who, _ in TURNS], "value": [said for _, said in TURNS]},
    "messages": {"messages": [{"role": who, "content": said} for who, said in TURNS]},
    "conversations": {"id": 1, "conversations": [{"from": w, "value": s} for w, s in TURNS]},
    "author": [{"author": {"role": w}, "content": {"parts": [s]}} for w, s in TURNS],
    "no_content": [
        *({"role": who, "content": said} for who, said in TURNS),
        {"role": "assistant", "tool_calls": [{"type": "function"}]},
        {"role": "user"},
    ],
    "all_keys": [
        {"role": None, "content": None, "from": who, "value": said} for who, said in TURNS
    ],
}


@pytest.mark.parametrize("write", [lambda v: v, json.dumps, repr], ids=["values", "json", "repr"])
@pytest.mark.parametrize("form", FORMS)
def test_conversations_read_the_same_in_every_form(form, write, tmp_path):
    assert as_prose(write(FORMS[form])) == LINES
    frame = pl.DataFrame({"label": ["a"], "text": [write(FORMS[form])]})
    frame.write_parquet(tmp_path / "t.parquet")
    (tmp_path / "t.jsonl").write_text(json.dumps({"label": "a", "text": write(FORMS[form])}))
    for name in ("t.parquet", "t.jsonl"):
        source = SOURCES.create("table", {"input": str(tmp_path / name), "deduplicate": "exact"})
        assert ingest(source, [0], {}, {}).samples["text"].to_pylist() == [LINES]


def test_what_is_no_text_is_named():
    parts = [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
        {"type": "text", "text": "What is it?"},
        {"type": "input_audio", "input_audio": {"data": "AAAA"}},
        {"type": "image"},
    ]
    said = [{"role": "user", "content": parts}, {"role": "assistant", "content": None}]
    expected = "user: [image]\nWhat is it?\n[audio]\n[image]"
    assert as_prose(said) == as_prose(json.dumps(said)) == expected
    assert as_prose([{"role": "user", "content": json.dumps(parts)}]) == expected


@pytest.mark.parametrize(
    "text",
    [
        "a bare string",
        "[INST] Hello {name} [/INST]",
        "{not a literal",
        '[{"a": 1}, {"a": 2}]',
        "[1, 2]",
        '{"title": "x"}',
    ],
)
def test_other_text_stays_as_it_is(text):
    assert as_prose(text) == text
    said = [{"role": "user", "content": text}]
    assert as_prose(said) == f"user: {text}"


@pytest.mark.parametrize(
    "value", [None, [], "[]", [{"role": "user", "content": " "}], {"messages": []}]
)
def test_a_conversation_in_which_nothing_is_said(value):
    assert (as_prose(value) or "").strip() in ("", '{"messages": []}')


def test_a_conversation_that_cannot_be_read_is_set_aside_with_the_reason(tmp_path):
    whole = repr(FORMS["role"])
    texts = [whole, whole[:-9], whole.replace("'user'", "User(1)"), "[INST] no literal"]
    pl.DataFrame({"text": texts, "label": ["a"] * 4}).write_csv(tmp_path / "t.csv")
    source = SOURCES.create("table", {"input": str(tmp_path / "t.csv")})
    made = ingest(source, range(4), {}, {})
    assert made.samples["text"].to_pylist() == [LINES, texts[3]]
    cut, called = made.quarantine["reason"].to_pylist()
    assert cut.startswith("'text' is neither JSON nor a Python literal: ")
    assert called == "'text' is neither JSON nor a Python literal: 'User(1)' is no value"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("np.float64(0.1)", 0.1),
        ("{'a': np.int64(-3), 'b': np.str_('x')}", {"a": -3, "b": "x"}),
        ("array([1., 2.5], dtype=float32)", [1.0, 2.5]),
        ("numpy.array([[1, 2], [-3, +4]])", [[1, 2], [-3, 4]]),
        ("{'v': array([], dtype=float64), 'ok': np.True_}", None),
        ("{'v': np.array([]), 'ok': np.bool_(True)}", {"v": [], "ok": True}),
        ("[nan, inf, -inf]", [math.nan, math.inf, -math.inf]),
        ("{'x': null, 'y': true}", {"x": None, "y": True}),
        ("Decimal('1.10')", "1.10"),
        ("(1, 'a', {2, 3})", [1, "a", [2, 3]]),
        ("  {'a': 1}\n", {"a": 1}),
        ("{'pattern': '\\d'}", {"pattern": "\\d"}),
        ("b'x'", b"x"),
    ],
)
def test_literals_as_numpy_and_pandas_write_them(text, value):
    if value is None:
        value = {"v": [], "ok": True}
    found = parse_literal(text)
    assert repr(found) == repr(value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("array([0., 1., ..., 9.])", "shortened with '...'"),
        ("open('/etc/passwd')", "'open('/etc/passwd')' is no value"),
        ("{**{'a': 1}}", "is no value"),
        ("[x for x in (1, 2)]", "is no value"),
        ("'a' * 10**9", "is no value"),
        ("{'a': ", "was never closed"),
        ("[" * 1000 + "]" * 1000, "too "),
        ("{[1]: 2}", "is no value"),
    ],
)
def test_what_is_no_literal_is_refused_with_the_reason(text, reason):
    with pytest.raises(ValueError, match="neither JSON nor a Python literal") as caught:
        parse_literal(text)
    assert reason in str(caught.value)
    assert len(str(caught.value)) < 150


def test_a_mapped_literal_that_cannot_be_read_is_the_reason(tmp_path):
    rows = {
        "id": ["a", "b", "c", "d", "e"],
        "meta": [
            "{'kind': 'x', 'score': np.float64(0.5)}",
            "{'kind': 'x', 'score': Score(1)}",
            "{'score': 1}",
            "",
            "{'kind': 'y'}",
        ],
        "boxes": ["array([[1, 2, 3, 4]])"] * 4 + ["[[1, 2, Box"],
        "text": ["t"] * 5,
    }
    pl.DataFrame(rows).write_parquet(tmp_path / "t.parquet")
    columns = {"id": "id", "label": "meta.kind", "boxes": "boxes"}
    source = SOURCES.create("table", {"input": str(tmp_path / "t.parquet"), "columns": columns})
    made = ingest(source, range(5), {}, {})
    assert made.samples.select(["id", "label", "boxes"]).to_pylist() == [
        {"id": "a", "label": "x", "boxes": [[1.0, 2.0, 3.0, 4.0]]}
    ]
    assert dict(
        zip(*made.quarantine.select(["id", "reason"]).to_pydict().values(), strict=True)
    ) == {
        "b": "'meta' is neither JSON nor a Python literal: 'Score(1)' is no value",
        "c": "empty label",
        "d": "empty label",
        "e": "'boxes' is neither JSON nor a Python literal: '[' was never closed",
    }


def test_several_columns_are_joined_and_the_first_of_others_is_taken(tmp_path):
    rows = {
        "title": ["T1", "T2", None, " "],
        "body": ["B1", " ", "B3", None],
        "summary": ["S1", "S2", "S3", ""],
        "label": ["a"] * 4,
    }
    pl.DataFrame(rows).write_parquet(tmp_path / "t.parquet")

    def texts(**columns):
        options = {"input": str(tmp_path / "t.parquet"), "columns": columns}
        source = SOURCES.create("table", options)
        source.index()
        return source.read(range(4))["text"].to_pylist()

    assert texts(text=["title", "body"]) == ["T1\nB1", "T2", "B3", None]
    assert texts(text="body | summary") == ["B1", "S2", "B3", ""]
    assert texts(text=["title", "body | summary"]) == ["T1\nB1", "T2\nS2", "B3", None]
    assert texts(text=["title"]) == ["T1", "T2", None, " "]
    # A misspelt one of several columns is not passed over; of alternatives one is enough.
    with pytest.raises(LatentmapError, match=r"Unknown column 'bdy'\. Did you mean 'body'\?"):
        texts(text=["title", "bdy"])
    assert texts(text="bdy | body") == rows["body"]
