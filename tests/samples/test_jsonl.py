import json

import polars as pl
import pyarrow as pa
import pytest

from latentmap.errors import LatentmapError
from latentmap.samples.ingest import ingest
from latentmap.samples.plan import SEALED, Limit, list_rows, plan_shards
from latentmap.samples.source import FAULT, SOURCES

PAIR = {"prompt": "Why is the sky blue?", "chosen": "Air.", "rejected": "Sea.", "src": "hh"}
TALK = [
    {"role": "system", "content": ""},
    {"role": "user", "content": "Grüße\n😀"},
    {"role": "assistant", "content": "  "},
    {"role": "user", "content": "And then?"},
]


def written(tmp_path, *lines, name="pairs.jsonl"):
    path = tmp_path / name
    data = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
    path.write_bytes(b"\n".join(data) + b"\n")
    return path


def make(path, **options):
    return SOURCES.create("jsonl", {"name": "pairs", "input": str(path), **options})


def taken_in(source):
    return ingest(source, range(len(source.index())), {}, {})


def test_pairs_and_conversations(tmp_path):
    conversation = {"prefix": {"messages": TALK}, "src": "se", "score": 0.5, "chosen": TALK[1]}
    made = taken_in(make(written(tmp_path, PAIR, conversation))).samples.to_pylist()
    assert [row["id"] for row in made] == ["pairs:1", "pairs:2"]
    assert [row["source_group"] for row in made] == ["pairs:1", "pairs:2"]
    assert [row["label"] for row in made] == ["hh", "se"]
    assert made[0]["text"] == "Why is the sky blue?"
    assert made[1]["text"] == "user: Grüße\n😀\nuser: And then?"
    assert (made[0]["chosen"], made[0]["rejected"], made[0]["score"]) == ("Air.", "Sea.", None)
    assert json.loads(made[1]["chosen"]) == TALK[1]
    assert made[1]["score"] == "0.5"
    assert "prompt" not in made[0]
    assert FAULT not in made[0]


def test_the_first_mapped_key_with_text_is_taken(tmp_path):
    both = {"prompt": " ", "prefix": {"messages": TALK[3:]}, "src": "a"}
    listed = {"prompt": TALK[3:], "src": "a"}
    made = taken_in(make(written(tmp_path, both, listed)))
    assert made.samples["text"].to_pylist() == ["user: And then?"] * 2


def test_lines_that_cannot_be_used_are_set_aside_with_number_and_reason(tmp_path):
    path = written(
        tmp_path,
        b"\xef\xbb\xbf" + json.dumps(PAIR).encode(),
        b"{'prompt': 'single quotes'}",
        b"   ",
        b"[1, 2]",
        b'{"prompt": "\xff", "src": "hh"}',
        {"prompt": "", "prefix": {"messages": []}, "src": "hh"},
        b'{"prompt": "half \\ud800 pair", "src": "hh"}',
        b'{"prompt": "whole \\ud83d\\ude00 pair", "src": "hh"}\r',
        b"[" * 100_000,
        {"prompt": "unlabelled"},
        b'{"prompt": "cut", "src": ',
    )
    made = taken_in(make(path))
    assert made.samples["id"].to_pylist() == ["pairs:1", "pairs:8", "pairs:10"]
    assert made.samples["label"].to_pylist() == ["hh", "hh", "unknown"]
    assert made.samples["text"].to_pylist()[1] == "whole 😀 pair"
    aside = dict(pl.DataFrame(made.quarantine.to_pylist()).select("id", "reason").iter_rows())
    column = "property name enclosed in double quotes at column 2"
    assert aside == {
        "pairs:2": f"line 2: not JSON (Expecting {column})",
        "pairs:4": "line 4: not a JSON object",
        "pairs:5": "line 5: not UTF-8 (byte 13)",
        "pairs:6": "line 6: no text at prefix.messages or prompt",
        "pairs:7": "line 7: half of a surrogate pair, which is no character",
        "pairs:9": "line 9: not JSON that can be read (nested too deeply)",
        "pairs:11": "line 11: not JSON (Expecting value at column 26)",
    }


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ({"id": "a", "prompt": "one", "src": " "}, "empty label"),
        ({"id": "a", "prompt": " ", "src": "x"}, "line 1: no text at "),
    ],
)
def test_the_good_one_of_two_lines_of_an_id_is_kept(tmp_path, bad, reason):
    good = {"id": "a", "prompt": "two", "src": "x"}
    source = make(written(tmp_path, bad, good), columns={"id": "id"})
    (shard,) = plan_shards(list_rows({"pairs": source}, Limit()), 9, pl.DataFrame(schema=SEALED))
    made = ingest(source, shard.rows, shard.duplicates, {})
    assert made.samples["text"].to_pylist() == ["two"]
    assert [found.startswith(reason) for found in made.quarantine["reason"].to_pylist()] == [True]


def test_lines_without_a_source_are_unknown_and_conversations_come_before_prompts(tmp_path):
    both = {"prompt": "short", "prefix": {"messages": TALK[3:]}, "src": ""}
    source = make(written(tmp_path, PAIR, both, {"prompt": "no source"}))
    made = taken_in(source).samples
    assert made["label"].to_pylist() == ["hh", "unknown", "unknown"]
    assert made["text"].to_pylist() == ["Why is the sky blue?", "user: And then?", "no source"]
    assert source.index()["label"].to_list() == made["label"].to_pylist()


def test_one_text_a_line_is_not_looked_into(tmp_path):
    path = tmp_path / "outputs.txt"
    path.write_bytes(b'\xef\xbb\xbfone, two\r\n\n {"prompt": "x"}\n\xff\n"quoted\nlast')
    options = {"input": str(path), "name": "after"}
    made = taken_in(SOURCES.create("lines", options))
    assert made.samples["text"].to_pylist() == ["one, two", ' {"prompt": "x"}', '"quoted', "last"]
    assert made.samples["id"].to_pylist() == [f"after:{line}" for line in (1, 3, 5, 6)]
    assert made.samples["label"].to_pylist() == [None] * 4
    assert made.quarantine["reason"].to_pylist() == ["line 4: not UTF-8 (byte 1)"]
    labelled = SOURCES.create("lines", {**options, "columns": {"label": "'after training'"}})
    assert set(taken_in(labelled).samples["label"].to_pylist()) == {"after training"}
    path.write_bytes(b"%PDF-1.4 ...")
    with pytest.raises(LatentmapError, match="a PDF document"):
        SOURCES.create("lines", options).index()


@pytest.mark.parametrize("codec", ["gzip", "zstd"])
def test_packed_lines_without_labels(tmp_path, codec):
    lines = [{"chosen": f"Human: text {n}"} for n in range(5)]
    plain = written(tmp_path, *lines).read_bytes()
    (tmp_path / "pairs.gz").write_bytes(pa.compress(plain, codec=codec, asbytes=True))
    columns = {"text": "chosen", "label": None}
    source = make(tmp_path / "pairs.gz", columns=columns)
    index = source.index()
    assert "place" not in index.columns  # a packed file is read from its beginning
    made = ingest(source, [4, 1], {}, {})
    assert made.samples["text"].to_pylist() == ["Human: text 4", "Human: text 1"]
    assert made.samples["id"].to_pylist() == ["pairs:5", "pairs:2"]
    assert made.digests == index["digest"].gather([4, 1]).to_list()
    assert make(tmp_path / "pairs.jsonl", columns=columns).index()["digest"].equals(index["digest"])


def test_lines_of_sharegpt(tmp_path):
    talk = [{"from": "human", "value": "Hello"}, {"from": "gpt", "value": "Hi"}]
    path = written(tmp_path, {"id": 7, "src": "a", "conversations": talk})
    source = make(path, columns={"text": "conversations", "id": "id"})
    assert taken_in(source).samples["text"].to_pylist() == ["human: Hello\ngpt: Hi"]


def test_a_shard_of_bad_lines_only(tmp_path):
    made = ingest(make(written(tmp_path, PAIR, b"x", b"y")), [1, 2], {}, {})
    assert len(made.samples) == 0
    assert len(made.quarantine) == 2


def test_columns_are_mapped_by_config(tmp_path):
    lines = [
        {"body": f"text {n}", "key": n, "meta": {"lang": "en"}, "thread": "t", "fault": "yes"}
        for n in (7, 8)
    ]
    columns = {"text": "body", "id": "key", "label": "meta.lang", "source_group": "thread"}
    made = taken_in(make(written(tmp_path, *lines), columns=columns)).samples.to_pylist()
    assert [(r["id"], r["label"], r["source_group"], r["text"]) for r in made] == [
        ("7", "en", "t", "text 7"),
        ("8", "en", "t", "text 8"),
    ]
    assert made[0]["original_fault"] == "yes"
    with pytest.raises(LatentmapError, match=r"Unknown column 'bdy'\. Did you mean 'body'\?"):
        make(written(tmp_path, *lines), columns={**columns, "text": "bdy"}).index()


def test_a_key_that_only_late_lines_have_is_found(tmp_path):
    lines = [{"prompt": "a"}] * 1100 + [PAIR]
    assert make(written(tmp_path, *lines)).index()["label"].to_list() == ["unknown"] * 1100 + ["hh"]


def test_rows_are_read_alone_and_in_the_order_asked_for(tmp_path):
    path = written(tmp_path, *({**PAIR, "prompt": f"p{n}"} for n in range(9)))
    source = make(path)
    index, read = source.index(), source.read([7, 2])
    assert read["text"].to_pylist() == ["p7", "p2"]
    assert read["digest"].to_pylist() == index["digest"].gather([7, 2]).to_list()
    found = source.with_places({row: index["place"][row] for row in (7, 2)}).read([7, 2])
    assert found.equals(read)
    with pytest.raises(LatentmapError, match="no row 9, which was planned"):
        ingest(source, [9], {}, {})


def test_a_line_that_moves_is_another_row(tmp_path):
    before = make(written(tmp_path, PAIR)).index()["digest"].to_list()
    moved = written(tmp_path, {**PAIR, "prompt": "new"}, PAIR, name="moved.jsonl")
    assert make(moved).index()["digest"][1] != before[0]
    columns = {"id": "prompt", "text": "chosen"}
    before = make(written(tmp_path, PAIR), columns=columns).index()["digest"].to_list()
    assert make(moved, columns=columns).index()["digest"][1] == before[0]


@pytest.mark.parametrize(
    ("deduplicate", "repeated"),
    [
        (None, ()),
        ("exact", (3,)),
        ("normalised", (1, 2, 3, 4)),
    ],
)
def test_deduplication_counts_exactly_across_sources(tmp_path, deduplicate, repeated):
    texts = [
        "Straße ﬁne",
        "strasse  fine",
        "\nSTRASSE\tFINE ",
        "Straße ﬁne",
        "Strasse fine",
        "other",
    ]
    lines = [{"prompt": text, "src": "x"} for text in texts]
    unlabelled = {
        "prompt": texts[0],
        "src": " ",
    }  # is set aside itself: it must not stand for another
    first = written(tmp_path, unlabelled, lines[0], *lines[1:3], name="a.jsonl")
    second = written(tmp_path, *lines[3:], name="b.jsonl")
    sources = {
        name: make(path, name=name, deduplicate=deduplicate)
        for name, path in (("a", first), ("b", second))
    }
    listing = list_rows(sources, Limit())
    shards = plan_shards(listing, 100, pl.DataFrame(schema=SEALED))
    found = {
        (shard.source, row): reason for shard in shards for row, reason in shard.duplicates.items()
    }
    of_others = sum(source == "b" for source, _ in found)
    told = [
        (name, remark.count) for name, remark in listing.remarks() if "text of 'a'" in remark.reason
    ]
    assert told == ([("b", of_others)] if of_others else [])
    places = [("a", 1), ("a", 2), ("a", 3), ("b", 0), ("b", 1), ("b", 2)]
    reason = "same text as an earlier row (id a:2)"
    assert found == {places[number]: reason for number in repeated}


def test_what_is_wrong_is_said_in_one_line(tmp_path):
    for source, words in (
        (make(tmp_path / "gone.jsonl"), "gone.jsonl: no such file"),
        (SOURCES.create("jsonl"), "set 'input'"),
        (make(written(tmp_path, {"prompt": "a", "source": "b"})), "Unknown column 'src'."),
    ):
        with pytest.raises(LatentmapError) as caught:
            source.index()
        assert words in str(caught.value)
        assert "\n" not in str(caught.value)


def test_lines_without_labels(tmp_path):
    columns = {"text": "chosen", "label": None}
    path = written(tmp_path, PAIR, PAIR, b"not JSON", {"chosen": "Sea."})
    source = make(path, columns=columns, deduplicate="exact")
    (shard,) = plan_shards(list_rows({"pairs": source}, Limit()), 10, pl.DataFrame(schema=SEALED))
    assert shard.duplicates.keys() == {1}
    made = ingest(source, shard.rows, shard.duplicates, {})
    assert made.samples["text"].to_pylist() == ["Air.", "Sea."]
    assert made.samples["label"].to_pylist() == [None, None]
    assert [n["row"] for n in made.quarantine.to_pylist()] == [1, 2]
