"""Files of rows, of every kind."""

import codecs
import gzip
import json
import uuid
import zipfile
from datetime import timedelta
from decimal import Decimal

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from PIL import Image

from latentmap.errors import LatentmapError
from latentmap.samples.ingest import ingest
from latentmap.samples.source import SOURCES
from latentmap.samples.tables.file import BROKEN, HIDDEN
from latentmap.samples.tables.rows import Rows

ROWS = [
    {"text": "Ünïcode, and a comma", "label": "007"},
    {"text": "two\nlines", "label": "a"},
    {"text": 'a "quote"', "label": "b; c"},
]


def delimited(delimiter):
    cells = [[f'"{cell.replace(chr(34), 2 * chr(34))}"' for cell in row.values()] for row in ROWS]
    lines = [delimiter.join(row) for row in [["text", "label"], *cells]]
    return ("\n".join(lines) + "\n").encode()


def json_lines():
    return b"".join(json.dumps(row).encode() + b"\n" for row in ROWS)


def arrow(make, table=None):
    sink = pa.BufferOutputStream()
    table = pa.Table.from_pylist(ROWS) if table is None else table
    with make(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def parquet(table=None):
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(ROWS) if table is None else table, sink)
    return sink.getvalue().to_pybytes()


KINDS = {
    "t.csv": delimited(","),
    "t.tsv": delimited("\t"),
    "semicolons.csv": delimited(";"),
    "mislabelled.tsv": delimited(","),
    "t.txt": delimited("|"),
    "t.jsonl": json_lines(),
    "lines.json": json_lines(),
    "array.json": json.dumps(ROWS).encode(),
    "indented.json": json.dumps(ROWS, indent=1).encode(),
    "array.jsonl": json.dumps(ROWS).encode(),
    "t.parquet": parquet(),
    "t.arrow": arrow(pa.ipc.new_file),
    "t.arrows": arrow(pa.ipc.new_stream),
    "no_suffix": parquet(),
    "bom.csv": codecs.BOM_UTF8 + delimited(","),
    "wide.csv": delimited(",").decode().encode("utf-16"),
    "big_endian.csv": codecs.BOM_UTF16_BE + delimited(",").decode().encode("utf-16-be"),
    "wide.jsonl": "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in ROWS).encode("utf-16"),
}


@pytest.mark.parametrize("pack", [None, "gzip", "zstd"])
@pytest.mark.parametrize("name", KINDS)
def test_a_table_reads_the_same_from_every_kind_of_file(tmp_path, name, pack):
    path = tmp_path / (name + {None: "", "gzip": ".gz", "zstd": ".zst"}[pack])
    data = KINDS[name]
    path.write_bytes(data if pack is None else pa.compress(data, codec=pack, asbytes=True))
    rows = Rows([path])
    assert [{n: r[n] for n in ("text", "label")} for r in rows.table().to_pylist()] == ROWS
    assert set(rows.table().column_names) - HIDDEN == {"text", "label"}
    assert rows.take([2, 0])["text"].to_pylist() == [ROWS[2]["text"], ROWS[0]["text"]]
    with pytest.raises(IndexError):
        rows.take([3])
    source = SOURCES.create("table", {"input": str(path), "name": "t"})
    index = source.index()
    made = ingest(source, [2, 1, 0], {}, {})
    assert [made.samples["text"].to_pylist()[n] for n in (2, 1, 0)] == [r["text"] for r in ROWS]
    # What is digested when a row is read is what was digested when it was listed.
    assert made.digests == index["digest"].to_list()[::-1]
    assert len(set(made.digests)) == 3


FAR = np.datetime64("20240-01-05", "us")
"""A date that Python cannot hold: somebody wrote a digit too many."""

TYPED = {
    "string_view": (pa.array(["a", None, "long enough to be outside"], pa.string_view()), None),
    "binary_view": (pa.array([b"a", None, b"\xff"], pa.binary_view()), None),
    "fixed_binary": (pa.array([b"ab", None, b"cd"], pa.binary(2)), None),
    "list_view": (pa.array([[1, 2], None, [3]], pa.list_view(pa.int32())), None),
    "nested_view": (pa.array([["a"], None, []], pa.large_list_view(pa.string_view())), None),
    "fixed_list": (pa.array([[1, 2], None, [3, 4]], pa.list_(pa.int8(), 2)), None),
    "struct": (
        pa.array([{"v": "x"}, None, {"v": None}], pa.struct([("v", pa.string_view())])),
        None,
    ),
    "dictionary": (pa.array(["a", None, "b"]).dictionary_encode(), None),
    "dictionary_of_views": (
        pa.DictionaryArray.from_arrays(
            pa.array([1, None, 0], pa.int8()), pa.array(["a", "b"], pa.string_view())
        ),
        ["b", None, "a"],
    ),
    "half": (pa.array([0.5, None, -2.0], pa.float16()), None),
    "runs": (pc.run_end_encode(pa.array(["a", "a", None])), None),
    "runs_of_views": (
        pa.RunEndEncodedArray.from_arrays(
            pa.array([2, 3], pa.int32()), pa.array(["a", "b"], pa.string_view())
        ),
        ["a", "a", "b"],
    ),
    "union": (
        pa.UnionArray.from_dense(
            pa.array([0, 1, 0], pa.int8()),
            pa.array([0, 0, 1], pa.int32()),
            [pa.array([1, 2]), pa.array(["x"])],
        ),
        ["1", "x", "2"],
    ),
    "map": (
        pa.array([[("k", 1)], None, []], pa.map_(pa.string(), pa.int32())),
        ['{"k": 1}', None, "{}"],
    ),
    "decimal": (
        pa.array([Decimal("1.10"), None, Decimal("-2.00")], pa.decimal256(40, 2)),
        ["1.10", None, "-2.00"],
    ),
    "date": (
        pa.array([0, None, int(FAR.astype("datetime64[D]").astype(int))], pa.int32()).cast(
            pa.date32()
        ),
        ["1970-01-01", None, "20240-01-05"],
    ),
    "timestamp": (
        pa.array([0, 1_500_000, int(FAR.astype(int))], pa.timestamp("us")),
        ["1970-01-01 00:00:00", "1970-01-01 00:00:01.500000", "20240-01-05 00:00:00"],
    ),
    "beyond_any_calendar": (
        pa.array([0, 2**62, None], pa.timestamp("s")),
        ["1970-01-01 00:00:00", "<value out of range: 4611686018427387904>", None],
    ),
    "nanoseconds": (
        pa.array([1, None, 1_000_000_000], pa.time64("ns")),
        ["00:00:00.000000001", None, "00:00:01"],
    ),
    "zone": (
        pa.array([0, None, 0], pa.timestamp("s", "Nowhere/Known")),
        ["1970-01-01 00:00:00", None, "1970-01-01 00:00:00"],
    ),
    "duration": (
        pa.array([timedelta(hours=25), None, timedelta(0)], pa.duration("ms")),
        ["1 day, 1:00:00", None, "0:00:00"],
    ),
    "endless_duration": (
        pa.array([2**62, None, 0], pa.duration("s")),
        [f"{2**62} s", None, "0:00:00"],
    ),
    "interval": (
        pa.array([(1, 2, 3), None, (0, 0, 0)], pa.month_day_nano_interval()),
        [
            "MonthDayNano(months=1, days=2, nanoseconds=3)",
            None,
            "MonthDayNano(months=0, days=0, nanoseconds=0)",
        ],
    ),
    "uuid": (
        pa.array([uuid.UUID(int=5).bytes, None, uuid.UUID(int=6).bytes], pa.uuid()),
        [str(uuid.UUID(int=5)), None, str(uuid.UUID(int=6))],
    ),
    "json": (pa.array(["{}", None, "[1]"], pa.json_()), ["{}", None, "[1]"]),
    "empty_struct": (pa.array([{}, {}, {}], pa.struct([])), ["{}", "{}", "{}"]),
    "nothing": (pa.nulls(3), [None, None, None]),
}


@pytest.mark.parametrize("name", TYPED)
@pytest.mark.parametrize("write", [pa.ipc.new_file, pa.ipc.new_stream])
def test_every_arrow_type_can_be_read_and_ingested(tmp_path, name, write):
    column, expected = TYPED[name]
    expected = column.to_pylist() if expected is None else expected
    table = pa.table({"text": ["x", "y", "z"], "label": ["a", "b", "a"], "extra": column})
    # Twice the rows, of which a slice is written: offsets that are not zero are right as well.
    doubled = pa.concat_tables([table, table]).combine_chunks() if name != "map" else table
    path = tmp_path / "t.arrow"
    path.write_bytes(arrow(write, doubled.slice(len(doubled) - 3)))
    rows = Rows([path])
    assert rows.table()["extra"].to_pylist() == expected
    assert rows.take([2, 1])["extra"].to_pylist() == [expected[2], expected[1]]
    source = SOURCES.create("table", {"input": str(path), "name": "t"})
    assert len(source.index()) == 3
    assert ingest(source, range(3), {}, {}).samples["extra"].to_pylist() == expected


def test_what_polars_writes_is_read(tmp_path):
    frame = pl.DataFrame({"text": ["a", "b"], "label": pl.Series(["x", "y"], dtype=pl.Categorical)})
    frame.write_ipc(tmp_path / "t.arrow")
    frame.write_ipc_stream(tmp_path / "s.arrow")
    for name in ("t.arrow", "s.arrow"):
        source = SOURCES.create("table", {"input": str(tmp_path / name)})
        made = ingest(source, [0, 1], {}, {}).samples
        assert made["label"].to_pylist() == ["x", "y"]


def test_text_that_is_no_utf8_is_written_out(tmp_path):
    bad = pa.Array.from_buffers(
        pa.string(), 1, [None, pa.py_buffer(np.array([0, 2], np.int32)), pa.py_buffer(b"a\xff")]
    )
    table = pa.table({"text": bad, "label": ["x"]})
    (tmp_path / "t.arrow").write_bytes(arrow(pa.ipc.new_file, table))
    assert Rows([tmp_path / "t.arrow"]).table()["text"].to_pylist() == ["a\\xff"]


def test_shards_whose_types_differ_in_form_only_are_one_table(tmp_path):
    first = {
        "note": pa.nulls(1),
        "n": pa.array([1], pa.int8()),
        "x": pa.array([0.5], pa.float32()),
        "kind": pa.array(["a"]).dictionary_encode(),
        "words": pa.array([[]], pa.list_(pa.null())),
    }
    second = {
        "kind": pa.array(["b"], pa.large_string()),
        "note": pa.array(["hm"]),
        "n": pa.array([2**40], pa.int64()),
        "x": pa.array([1e300], pa.float64()),
        "words": pa.array([["w"]], pa.list_(pa.string_view())),
    }
    paths = [tmp_path / "a.arrow", tmp_path / "b.arrow"]
    for path, columns in zip(paths, (first, second), strict=True):
        path.write_bytes(arrow(pa.ipc.new_file, pa.table(columns)))
    expected = [
        {"note": None, "n": 1, "x": 0.5, "kind": "a", "words": []},
        {"note": "hm", "n": 2**40, "x": 1e300, "kind": "b", "words": ["w"]},
    ]
    assert Rows(paths).table().to_pylist() == expected
    assert [row for part in Rows(paths).scan() for row in part.to_pylist()] == expected
    assert Rows(paths[::-1]).take([1, 0]).to_pylist() == expected


def test_shards_that_differ_are_refused_by_their_columns(tmp_path):
    pl.DataFrame({"id": ["a"], "n": [1], "gone": [1]}).write_parquet(tmp_path / "a.parquet")
    pl.DataFrame({"id": ["b"], "n": ["x"], "new": [1]}).write_parquet(tmp_path / "b.parquet")
    pl.DataFrame({"id": ["b"], "n": ["x"], "gone": [1]}).write_parquet(tmp_path / "c.parquet")
    with pytest.raises(LatentmapError, match=r"b\.parquet has other .* no 'gone', 'new' besides"):
        Rows([tmp_path / "a.parquet", tmp_path / "b.parquet"])
    with pytest.raises(LatentmapError, match="'n' as text, not int64"):
        Rows([tmp_path / "a.parquet", tmp_path / "c.parquet"])


def zipped(*names):
    def write(path):
        with zipfile.ZipFile(path, "w") as archive:
            for name in names:
                archive.writestr(name, "x")

    return write


FOREIGN = {
    "t.xlsx": (zipped("[Content_Types].xml", "xl/workbook.xml"), "an Excel workbook. Save it"),
    "t.ods": (zipped("mimetype", "opendocument.spreadsheet"), "an OpenDocument spreadsheet"),
    "t.zip": (zipped("t.csv"), "a ZIP archive. Unpack it"),
    "x.csv": (zipped("latents.npy"), "a NumPy .npz file"),
    "v.npy": (lambda p: np.save(p, np.zeros(2)), "a NumPy array"),
    "old.xls": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\x00", "an old Excel workbook"),
    "t.csv.bz2": (b"BZh91AY&SY", "bzip2. Unpack it"),
    "t.csv": (b"<!DOCTYPE html><p>404", "a web page. Download the file itself"),
    "t.parquet": (b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer"),
    "p.csv": (b"%PDF-1.7", "a PDF document"),
    "picture.csv": (b"\x89PNG\r\n\x1a\n\0", "a PNG image"),
    "wide.csv": ("text,label\na,b\n".encode("utf-16-le"), "UTF-16 text without a byte order mark"),
    "bytes.csv": (bytes(range(256)), "no text, nor any table"),
    "nested.json": (b'{\n"data": [{"text": "a"}]}', "one JSON object, not a list of them"),
    "cut.json": (b'[{"text": "a", "label": "b"},\n {"te', "damaged or cut off"),
    "odd.json": (b'[{"text": "a"} {"text": "b"}]', "Expecting ',' or ']' in line 1, column 16"),
    "t.csv.gz": (b"\x1f\x8b\x08abcdefghijkl", "damaged gzip"),
    "cut.csv.gz": (gzip.compress(b"text,label\n" * 9)[:-9], "damaged gzip"),
    "t.csv.zst": (b"\x28\xb5\x2f\xfd" + b"abcdefgh", "damaged zstd"),
    "inner.gz": (gzip.compress(b"%PDF-1.7"), "gzip, and what it holds is a PDF document"),
    "quote.csv": (b'text,label\n"a,b\n', "not a CSV table (line 2: a quote inside a cell"),
    "latin.csv": ("text,label\na,b\ncafé,a\n".encode("latin-1"), "(byte 18): 0xE9 in line 3"),
    "none.csv": (b"", "it is empty"),
    "words.txt": (b"only words\n", "not a .csv"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_a_file_of_another_kind_is_named_for_what_it_is(tmp_path, name):
    content, words = FOREIGN[name]
    path = tmp_path / name
    if callable(content):
        content(path)
    else:
        path.write_bytes(content)
    with pytest.raises(LatentmapError) as caught:
        SOURCES.create("table", {"input": str(path)}).index()
    assert str(caught.value).startswith(str(path)) and words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("codec", ["gzip", "zstd"])
@pytest.mark.parametrize("name", ["t.csv", "t.jsonl", "t.parquet"])
def test_a_bomb_does_not_fill_the_memory(tmp_path, name, codec, monkeypatch):
    monkeypatch.setattr("latentmap.samples.tables.contents.HARMLESS", 2**20)
    start = b"PAR1" if name == "t.parquet" else b"text,label\n"
    bomb = pa.compress(start + bytes(2**24), codec=codec, asbytes=True)
    (tmp_path / name).write_bytes(bomb)
    with pytest.raises(LatentmapError, match=r"times its size|no text"):
        Rows([tmp_path / name]).table()
    # What compresses well is no bomb.
    (tmp_path / "good.csv.gz").write_bytes(gzip.compress(b"text,label\n" + b"a,b\n" * 200_000))
    assert len(Rows([tmp_path / "good.csv.gz"])) == 200_000


@pytest.mark.parametrize("name", ["t.csv", "t.tsv"])
def test_a_table_without_a_header(tmp_path, name):
    path = tmp_path / name
    path.write_text(
        "first text,a\nsecond text,b\nthird text,a\n".replace(",", "\t,"[name == "t.csv"])
    )
    columns = {"text": "column_1", "label": "column_2"}
    source = SOURCES.create("table", {"input": str(path), "header": False, "columns": columns})
    made = ingest(source, range(3), {}, {}).samples
    assert made["text"].to_pylist() == ["first text", "second text", "third text"]
    with pytest.raises(LatentmapError, match="If its first row is no header, set 'header' to fal"):
        SOURCES.create("table", {"input": str(path)}).index()


def test_names_of_columns_as_people_write_them(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(",text, label ,,note,\n0,a,x,,,\n1,b, y,,n,\n")
    assert [dict(list(row.items())[:4]) for row in Rows([path]).table().to_pylist()] == [
        {"column_1": "0", "text": "a", "label": "x", "note": ""},
        {"column_1": "1", "text": "b", "label": " y", "note": "n"},
    ]
    path.write_text('text, label\n"a, b", x\n c, y\n')
    assert Rows([path]).table()["text"].to_pylist() == ["a, b", "c"]
    assert Rows([path]).table()["label"].to_pylist() == ["x", "y"]


def test_cells_beyond_the_last_column_count_if_they_are_filled(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("text,label\na,x,\nb,y,z\nc\n  \nd,x,,,\n")
    table = Rows([path]).table()
    assert table["text"].to_pylist() == ["a", None, None, "d"]
    assert table[BROKEN].to_pylist() == [
        None,
        {"line": 3, "fault": "3 cells where the header has 2"},
        {"line": 4, "fault": "1 cell where the header has 2"},
        None,
    ]


def test_columns_that_are_called_like_the_beginning_of_other_files(tmp_path):
    path = tmp_path / "t.csv"
    for name in ("PAR1", "PARENT", "ORCA", "FEA1", "BZh", "ARROW1"):
        path.write_text(f"{name},label\na,x\n")
        assert Rows([path]).table()[name].to_pylist() == ["a"]


def test_only_what_programs_write_as_numbers_are_numbers(tmp_path):
    path = tmp_path / "t.csv"
    columns = {
        "whole": ["1", "", "-3"],
        "real": ["1", "2.5e-3", ""],
        "zeros": ["007", "008", "009"],
        "mapped": ["1", "2", "3"],
        "mixed": ["1", "NA", "3"],
        "long": ["12345678901234567890", "1", "2"],
        "none": ["", "", ""],
    }
    pl.DataFrame(columns).write_csv(path)
    table = Rows([path], ["mapped"]).table()
    assert table["whole"].to_pylist() == [1, None, -3]
    assert table["real"].to_pylist() == [1.0, 0.0025, None]
    for name in ("zeros", "mapped", "mixed", "none"):
        assert table[name].to_pylist() == columns[name]
    assert table["long"].to_pylist() == [12345678901234567890.0, 1.0, 2.0]
    assert Rows([path]).table()["whole"].to_pylist() == columns["whole"]


def test_a_corrected_cell_leaves_all_other_rows_as_they_were(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("text,label,n\na,x,1\nb,y,oops\n")
    source = {"input": str(path), "name": "t"}
    before = SOURCES.create("table", source).index()["digest"].to_list()
    for second, is_same in (("b,y,2", False), ("b", False), ("b,y,oops", True)):
        path.write_text(f"text,label,n\na,x,1\n{second}\n")
        after = SOURCES.create("table", source).index()["digest"].to_list()
        assert [a == b for a, b in zip(before, after, strict=True)] == [True, is_same]


def test_elements_of_an_array_that_are_no_objects_are_set_aside(tmp_path):
    path = tmp_path / "t.json"
    path.write_text('[{"text": "a", "label": "x"},\n 7,\n {"text": "half \\ud800", "label": "x"}]')
    source = SOURCES.create("table", {"input": str(path), "name": "t"})
    made = ingest(source, range(len(source.index())), {}, {})
    assert made.samples["id"].to_pylist() == ["t:0"]
    assert made.quarantine["reason"].to_pylist() == [
        "line 2: not a JSON object",
        "line 3: half of a surrogate pair, which is no character",
    ]


def test_pictures_are_found_in_whichever_column_has_them(tmp_path):
    for name in ("a.png", "b.png", "c.png"):
        Image.new("RGB", (8, 8)).save(tmp_path / name)
    rows = [
        {"id": "1", "label": "x", "image": {"path": "a.png", "bytes": None}, "file": None},
        {"id": "2", "label": "x", "image": None, "file": "b.png"},
        {"id": "3", "label": "x", "image": None, "file": "c.png"},
    ]
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    pl.DataFrame(rows).write_parquet(tmp_path / "t.parquet")
    literals = [{**row, "image": row["image"] and str(row["image"])} for row in rows]
    pl.DataFrame(literals).write_csv(tmp_path / "t.csv")
    columns = {"id": "id", "image": "image | file", "text": None}
    for name in ("t.jsonl", "t.parquet", "t.csv"):
        source = SOURCES.create("table", {"input": str(tmp_path / name), "columns": columns})
        index = source.index()
        for row in range(3):  # whatever other rows are read with it
            made = ingest(source, [row], {}, {})
            assert made.digests == [index["digest"][row]]
            assert made.samples["width"].to_pylist() == [8]
        (tmp_path / "c.png").write_bytes((tmp_path / "c.png").read_bytes() + b" ")
        after = SOURCES.create("table", {"input": str(tmp_path / name), "columns": columns})
        same = [a == b for a, b in zip(index["digest"], after.index()["digest"], strict=True)]
        assert same == [True, True, False]
