import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from latentmap.errors import LatentmapError
from latentmap.samples.annotations import AnnotationOptions, digest_annotation, join_annotations
from latentmap.samples.matching import match_rows
from latentmap.store.samples import SCHEMA
from latentmap.store.tables import write_arrow

RATIONALE = '{"score": 4, "rationale": "it is <b>green</b>, and \\"wet\\"", "seen": ["a", 1]}'


@pytest.fixture
def samples(tmp_path):
    """Two shards; only the first has the extra column `file_name`."""
    paths = []
    for number, rows in enumerate((range(4), range(4, 6))):
        count = len(rows)
        core = {
            "id": [f"s{row}" for row in rows],
            **{name: ["x"] * count for name in ("source", "label", "label_group", "source_group")},
            "digest": ["0"] * count,
        }
        columns = [core.get(f.name, [None] * count) for f in SCHEMA]
        table = pa.table(
            [pa.array(c, f.type) for c, f in zip(columns, SCHEMA, strict=True)], schema=SCHEMA
        )
        if number == 0:
            names = [f"train/{row}.png" for row in rows]
            table = table.append_column("file_name", pa.array(names))
        paths.append(tmp_path / f"{number}.arrow")
        write_arrow(paths[-1], table)
    return paths


def join(tmp_path, samples, *annotations):
    options = [AnnotationOptions(**{**a, "path": str(tmp_path / a["path"])}) for a in annotations]
    join_annotations(options, samples, tmp_path / "joined.parquet")
    table = pq.read_table(tmp_path / "joined.parquet")
    columns = table.to_pydict()
    assert columns.pop("id") == [f"s{row}" for row in range(6)]
    return columns, json.loads(table.schema.metadata[b"latentmap"])


def quoted(text):
    return '"' + text.replace('"', '""') + '"'


def test_complementary_files_fill_the_same_columns(tmp_path, samples):
    (tmp_path / "mis.csv").write_text("file_name,prediction\n0.png,cat\ntrain/2.png,dog\n")
    (tmp_path / "correct.csv").write_text("file_name,prediction\ntrain/1.png,cow\n")
    by_name = {"on": "file_name"}
    columns, told = join(
        tmp_path,
        samples,
        {"path": "mis.csv", "name": "misclassified", **by_name},
        {"path": "correct.csv", **by_name},
    )
    assert columns == {
        "prediction": ["cat", "cow", "dog", None, None, None],
        "annotation_file": [
            *("misclassified", "correct", "misclassified"),
            *["unknown (not found)"] * 3,
        ],
    }
    assert [file["samples"] for file in told["files"]] == [2, 1]
    assert (told["samples"], told["without"]) == (6, 3)


def test_rationales_become_columns_and_broken_ones_stay_text(tmp_path, samples):
    texts = [
        RATIONALE,
        "no { JSON",
        "[1, 2]",
        '{"score": "\\ud800"}',
        "[" * 100_000,
        '{"score": NaN, "rationale": null}',
    ]
    lines = "".join(f"s{row},{quoted(text)}\n" for row, text in enumerate(texts))
    (tmp_path / "r.csv").write_text("id,rationale\n" + lines)
    columns, told = join(tmp_path, samples, {"path": "r.csv"})
    assert columns == {
        "rationale.score": ["4", *[None] * 5],
        "rationale.rationale": ['it is <b>green</b>, and "wet"', *[None] * 5],
        "rationale.seen": ['["a", 1]', *[None] * 5],
        "rationale": [None, *texts[1:5], None],
    }
    assert told["files"][0]["unparsed"] == 4


def test_what_does_not_join_is_counted(tmp_path, samples):
    (tmp_path / "p.csv").write_text(
        'id,score\ns0,1\nstranger,2\ns0,3\ns1,4,too many\n"s2"broken,5\n\ns3,\n,6\n'
    )
    columns, told = join(tmp_path, samples, {"path": "p.csv"})
    assert columns == {"score": ["1", *[None] * 5]}
    (file,) = told["files"]
    counted = ("rows", "samples", "unmatched", "repeated", "malformed", "ambiguous", "differing")
    assert [file[name] for name in counted] == [7, 2, 2, 1, 2, 0, 0]
    assert file["lost_keys"] == ["stranger", None] and file["malformed_lines"] == [5, 6]
    assert told["without"] == 4


def test_a_quote_that_nothing_closes_costs_its_own_row_only(tmp_path, samples):
    broken = 's1,"only opened\n', 's3,"{""score"": 3\n'
    rest = 's2,"two\nlines"\n', 's4,"{""score"": 4}"\n', "s5,plain\n"
    content = ["id,rationale\n", "s0,first\n", *broken, *rest, 's0,"\n']
    (tmp_path / "r.csv").write_text("".join(content))
    columns, told = join(tmp_path, samples, {"path": "r.csv"})
    assert columns["rationale"] == ["first", None, "two\nlines", None, None, "plain"]
    assert columns["rationale.score"] == [*[None] * 4, "4", None]
    (file,) = told["files"]
    assert (file["rows"], file["malformed_lines"]) == (7, [3, 4, 9])


@pytest.mark.parametrize("name", ["a.tsv", "a.json", "a.jsonl.gz", "a.csv.zst", "plain.csv"])
def test_annotations_are_in_any_kind_of_table(tmp_path, samples, name):
    rows = [{"id": "s1", "p": "007"}, {"id": "s2", "p": ""}]
    lines = [json.dumps(row) for row in rows]
    written = {
        "a.tsv": b"id\tp\ns1\t007\ns2\t\n",
        "a.json": f"[{','.join(lines)}]".encode(),
        "a.jsonl.gz": pa.compress("\n".join(lines).encode(), codec="gzip", asbytes=True),
        "a.csv.zst": pa.compress(b"id,p\ns1,007\ns2,\n", codec="zstd", asbytes=True),
        "plain.csv": b"s1,007\ns2,\n",
    }
    (tmp_path / name).write_bytes(written[name])
    headerless = {"header": False, "key": "column_1"} if name == "plain.csv" else {}
    columns, told = join(tmp_path, samples, {"path": name, **headerless})
    assert list(columns.values()) == [[None, "007", *[None] * 4]]
    assert (told["files"][0]["rows"], told["files"][0]["samples"]) == (2, 2)


def test_two_columns_of_one_name_are_refused(tmp_path, samples):
    (tmp_path / "p.csv").write_text("id,p,p\ns0,1,2\n")
    with pytest.raises(LatentmapError, match=r"p\.csv has several columns 'p'"):
        join(tmp_path, samples, {"path": "p.csv"})


def test_file_names_match_only_where_they_are_unambiguous():
    matches = match_rows(
        ["a/1.png", "b/1.png", "a/2.png", "a/3.png", "a/3.png", None],
        ["1.png", "c\\2.png", "3.png", "d/3.png", "a/2.png", "9.png", None],
    )
    # 1.png may be either sample's, 3.png either row's; a/2.png is there in full.
    assert matches.rows == [None, None, 4, None, None, None]
    assert matches.ambiguous == [0, 2, 3] and matches.unmatched == [1, 5, 6]
    assert match_rows(["a/1.png", "a/1.png", "b"], ["x/1.png", "b"]).rows == [0, 0, 1]


def test_a_sample_in_two_files_keeps_the_first_value(tmp_path, samples):
    (tmp_path / "a.jsonl").write_text('{"id": "s0", "p": 1}\nnot JSON\n{"id": "s1", "p": 2}\n')
    (tmp_path / "b.csv").write_text("id,p,q\ns0,9,x\ns1,2,y\n")
    columns, told = join(tmp_path, samples, {"path": "a.jsonl"}, {"path": "b.csv"})
    assert columns["p"][:2] == ["1", "2"] and columns["q"][:2] == ["x", "y"]
    assert columns["annotation_file"][:2] == ["a, b", "a, b"]
    assert [file["differing"] for file in told["files"]] == [0, 1]
    assert told["files"][0]["malformed_lines"] == [2]


def test_columns_are_chosen_and_prefixed(tmp_path, samples):
    pq.write_table(
        pa.table({"name": ["s0"], "id": [7], "p": [0.5], "rationale": ['{"a": 1}'], "no": [1]}),
        tmp_path / "t.parquet",
    )
    chosen = {"path": "t.parquet", "key": "name", "columns": ("p", "rationale"), "prefix": "m."}
    columns, _ = join(tmp_path, samples, chosen)
    assert {name: values[0] for name, values in columns.items()} == {
        "m.p": "0.5",
        "m.rationale.a": "1",
    }
    columns, _ = join(tmp_path, samples, {"path": "t.parquet", "key": "name"})
    assert columns["annotation.id"][0] == "7"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"path": "gone.csv"}, r"gone\.csv: No such file"),
        ({"path": "t.csv", "key": "idd"}, r"Unknown column 'idd'\. Did you mean 'id'\?"),
        ({"path": "t.csv", "columns": ("q",)}, r"t\.csv: Unknown column 'q'"),
        ({"path": "t.csv", "on": "filename", "key": "id"}, r"Did you mean 'file_name'\?"),
        ({"path": "t.txt"}, r"t\.txt: not a \.csv"),
        ({"path": "latin.csv"}, r"latin\.csv is not UTF-8 text"),
        ({"path": "t.parquet"}, r"t\.parquet is not a complete Parquet or Arrow file"),
    ],
)
def test_what_cannot_be_joined_is_said_in_one_line(tmp_path, samples, options, message):
    (tmp_path / "t.csv").write_text("id,p\ns0,1\n")
    (tmp_path / "t.txt").write_text("id\n")
    (tmp_path / "t.parquet").write_text("PAR1 and no more")
    (tmp_path / "latin.csv").write_bytes(b"id,p\ns0,\xe9\n")
    with pytest.raises(LatentmapError, match=message) as caught:
        digest_annotation(AnnotationOptions(path=str(tmp_path / options["path"])))
        join(tmp_path, samples, options)
    assert "\n" not in str(caught.value)


def test_the_digest_is_of_the_content(tmp_path):
    options = AnnotationOptions(path=str(tmp_path / "t.csv"))
    (tmp_path / "t.csv").write_text("id\n" + "x" * 300_000)
    before = digest_annotation(options)
    (tmp_path / "t.csv").write_text("id\n" + "x" * 150_000 + "y" + "x" * 149_999)
    assert digest_annotation(options) != before
