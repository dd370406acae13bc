import polars as pl
import pytest

from latentmap.errors import LatentmapError
from latentmap.samples.ingest import ingest
from latentmap.samples.source import SOURCES

ROWS = pl.DataFrame(
    {
        "text": ["Ünïcode, and a comma", "two\nlines", "two\nlines", ""],
        "label": ["007", "a", "b", "a"],
        "key": ["01", "02", "03", "04"],
        "thread": ["t", "t", "u", "u"],
        "note": ["x", "y", "z", "w"],
    }
)
COLUMNS = {"id": "key", "source_group": "thread"}


@pytest.fixture(params=["parquet", "csv"])
def path(tmp_path, request):
    path = tmp_path / f"texts.{request.param}"
    getattr(ROWS, f"write_{request.param}")(path)
    return path


def make(path, **options):
    return SOURCES.create("table", {"input": str(path), **options})


def test_parquet_and_csv_read_the_same(path):
    made = ingest(make(path, columns=COLUMNS), range(4), {}, {})
    core = ["id", "label", "source_group", "text", "image"]
    assert made.samples.select(core).to_pylist() == [
        dict(zip(core, ("01", "007", "t", "Ünïcode, and a comma", None), strict=True)),
        dict(zip(core, ("02", "a", "t", "two\nlines", None), strict=True)),
        dict(zip(core, ("03", "b", "u", "two\nlines", None), strict=True)),
    ]
    assert made.quarantine.to_pylist()[0]["reason"] == "neither image nor text"


def test_ids_that_are_not_mapped_name_the_source(path):
    first, second = (make(path, name=name).index()["id"].to_list() for name in ("a", "b"))
    assert first == ["a:0", "a:1", "a:2", "a:3"]
    assert not set(first) & set(second)


def test_rows_that_move_are_other_rows_unless_they_have_ids(tmp_path):
    before, after = tmp_path / "before.csv", tmp_path / "after.csv"
    ROWS[1:].write_csv(before)
    ROWS.write_csv(after)
    for columns, same in (({}, False), (COLUMNS, True)):
        digests = [make(p, columns=columns).index()["digest"].to_list() for p in (before, after)]
        assert (digests[0] == digests[1][1:]) is same


def test_contents_say_which_texts_are_the_same(path):
    first, second, third, blank = make(path, deduplicate="exact").index()["content"]
    assert second == third != first
    assert blank is None
    assert "content" not in make(path).index().columns


def test_a_conversation_in_a_nested_column(tmp_path):
    talk = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": None}]
    pl.DataFrame({"label": ["a"], "text": [talk]}).write_parquet(tmp_path / "t.parquet")
    assert make(tmp_path / "t.parquet").read([0])["text"].to_pylist() == ["user: Hello"]


def test_damaged_rows_of_a_csv_file_are_set_aside_and_cost_no_other_row(tmp_path):
    rows = ["n,label,text\n", "1,a,one\n", '2,a,"open\n', "3,a,three,more\n"]
    rows += ["\n", '4,a,"two\nlines"\n', "5,a,five\n"]
    (tmp_path / "t.csv").write_text("".join(rows))
    source = make(tmp_path / "t.csv", name="t")
    found = ingest(source, range(len(source.index())), {}, {})
    assert found.samples["text"].to_pylist() == ["one", "two\nlines", "five"]
    assert found.samples["id"].to_pylist() == ["t:0", "t:3", "t:4"]
    assert found.samples["n"].to_pylist() == [1, 4, 5]
    assert found.quarantine["reason"].to_pylist() == [
        "line 3: a quote inside a cell is not doubled, or not closed",
        "line 4: 4 cells where the header has 3",
    ]
    whole = make(tmp_path / "whole.csv", name="t")
    (tmp_path / "whole.csv").write_text("".join(rows).replace('"open', "open"))
    # A row that is corrected leaves the others in their shards.
    before, after = (s.index()["digest"].to_list() for s in (source, whole))
    assert [a == b for a, b in zip(before, after, strict=True)] == [True, False, True, True, True]


def test_a_text_may_be_as_long_as_it_is(tmp_path):
    # Longer than the blocks of 1 MiB that pyarrow reads by default.
    texts = ["short", "a long, long\ntext " * 2**18, "short again"]
    pl.DataFrame({"text": texts, "label": ["a"] * 3}).write_csv(tmp_path / "t.csv")
    made = ingest(make(tmp_path / "t.csv"), range(3), {}, {})
    assert made.samples["text"].to_pylist() == texts


def test_what_is_wrong_is_said_in_one_line(tmp_path):
    (tmp_path / "bad.csv").write_text("")
    (tmp_path / "old.csv").write_bytes("text,label\ncafé,a\n".encode("latin-1"))
    (tmp_path / "twice.csv").write_text("text,label,label\na,b,c\n")
    (tmp_path / "other.csv").write_text("words,label\na,b\n")
    for source, words in (
        (make(tmp_path / "gone.csv"), "gone.csv: no such file"),
        (make(tmp_path / "bad.csv"), "not a CSV table"),
        (make(tmp_path / "old.csv"), "not UTF-8 text (byte 14)"),
        (make(tmp_path / "twice.csv"), "several columns 'label'"),
        (make(tmp_path / "other.csv"), "Unknown column 'text'"),
        (SOURCES.create("table"), "set 'input'"),
    ):
        with pytest.raises(LatentmapError) as caught:
            source.index()
        assert words in str(caught.value)
        assert "\n" not in str(caught.value)
