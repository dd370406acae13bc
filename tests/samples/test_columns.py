import json
import unicodedata
from datetime import date
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from latentmap.errors import LatentmapError
from latentmap.samples.cells import as_boxes, as_text, cells, parse_literal
from latentmap.samples.clean import Cleaner
from latentmap.samples.columns import ColumnMap
from latentmap.samples.faults import FaultError
from latentmap.samples.images import Images
from latentmap.samples.indexing import index_rows
from latentmap.samples.raw import raw_samples
from latentmap.samples.source import RAW_SCHEMA

QA = {"type": "qualitative", "category": "left_predicate"}
BOXES = [[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.5, 8.0]]


@pytest.mark.parametrize("write", [lambda v: v, json.dumps, repr], ids=["arrow", "json", "python"])
def test_nested_values_read_the_same_in_every_form(write, tmp_path):
    table = pa.table({"key": ["a"], "qa": [write(QA)], "where": [write(BOXES)]})
    columns = ColumnMap(id="key", label="qa.category", boxes="where")
    columns.check(table, "data")
    row = raw_samples(table, columns, Images(tmp_path), [0]).to_pylist()[0]
    assert row["label"] == "left_predicate"
    assert row["boxes"] == BOXES


def test_two_levels_and_a_column_with_a_dot():
    table = pa.table({"a": [repr({"b": {"c": 1}})], "a.b": ["whole"]})
    assert cells(table, "a.b.c") == [1]
    assert cells(table, "a.b") == ["whole"]


def test_text_is_parsed_and_never_evaluated(tmp_path):
    mark = tmp_path / "mark"
    attack = f"__import__('pathlib').Path({str(mark)!r}).touch()"
    with pytest.raises(ValueError, match="literal"):
        parse_literal(attack)
    table = pa.table({"qa": [attack, "(" * 10_000, "{'category': 'x'}"]})
    assert cells(table, "qa.category") == [None, None, "x"]
    assert as_boxes(attack) == [None]
    assert not mark.exists()


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (None, []),
        ("", []),
        ("None", []),
        ("[]", []),
        ([1, 2, 3, 4], [[1.0, 2.0, 3.0, 4.0]]),
        ("[(1, 2, 3, 4)]", [[1.0, 2.0, 3.0, 4.0]]),
        ([[1, 2, 3]], [None]),
        ([[1, 2, 3, None], [1, 2, 3, 4]], [None, [1.0, 2.0, 3.0, 4.0]]),
        ("[[True, 2, 3, 4]]", [None]),
        ("[[1" + 400 * "0" + ", 2, 3, 4]]", [None]),
        ("nonsense", [None]),
        (7, [None]),
    ],
)
def test_boxes(cell, expected):
    assert as_boxes(cell) == expected


def test_text():
    values = (None, float("nan"), "", "007", 7, True, {"b": 1, "a": "é"})
    assert [as_text(v) for v in values] == [
        None,
        None,
        "",
        "007",
        "7",
        "true",
        '{"a": "é", "b": 1}',
    ]


def test_values_that_json_does_not_know_read_as_they_are_written():
    values = (date(2020, 1, 31), Decimal("1.50"), "é".encode(), b"\xff\x00")
    assert [as_text(v) for v in values] == ["2020-01-31", "1.50", "é", "ff00"]
    nested = {"b": [float("inf"), {"c": float("nan")}], "a": Decimal("1.50")}
    assert as_text(nested) == '{"a": "1.50", "b": [null, {"c": null}]}'


def test_missing_column_names_what_exists_and_the_nearest():
    table = pa.table({"id": ["a"], "labels": ["x"], "qa": [repr(QA)]})
    with pytest.raises(LatentmapError) as caught:
        ColumnMap(id="id", label="label").check(table, "x.parquet")
    message = str(caught.value)
    assert message.startswith("x.parquet: Unknown column 'label'. Did you mean 'labels'?")
    assert "columns.label" in message
    assert "\n" not in message
    with pytest.raises(LatentmapError, match=r"Did you mean 'qa\.category'\?"):
        ColumnMap(label="qa.categori").check(table, "x.parquet")
    with pytest.raises(LatentmapError, match=r"columns\.image"):
        ColumnMap(image=("image", "info.path")).check(table, "x.parquet")
    ColumnMap(id="id", label="qa.category").check(table, "x.parquet")


def test_extra_columns_keep_their_type_and_mapped_ones_go(tmp_path):
    extra = pa.array([{"kind": "q", "n": [1, 2]}])
    table = pa.table({"name": ["a"], "qa": extra, "label": [3], "original_label": ["o"]})
    columns = ColumnMap(id="name", text="qa.kind")
    raw = raw_samples(table, columns, Images(tmp_path), [0])
    assert raw.schema.names[: len(RAW_SCHEMA)] == RAW_SCHEMA.names
    assert raw.schema.names[len(RAW_SCHEMA) :] == [
        "qa",
        "original_label",
        "original_original_label",
    ]
    assert raw["qa"].type == extra.type
    assert raw["original_label"].to_pylist() == [3]
    assert raw["original_original_label"].to_pylist() == ["o"]
    assert raw["id"].to_pylist() == ["a"]
    assert raw["image"].to_pylist() == [None]


def test_only_a_source_of_latents_says_where_they_are(tmp_path):
    origins = {"cache": ["/elsewhere"], "cache_row": [0], "npz_row": [0]}
    table = pa.table({"id": ["a"], "label": ["x"], **origins})
    columns = ColumnMap(id="id", label="label")
    raw = raw_samples(table, columns, Images(tmp_path), [0])
    extras = raw.drop_columns(RAW_SCHEMA.names)
    assert extras.to_pydict() == {f"original_{name}": value for name, value in origins.items()}
    with pytest.raises(FaultError, match="neither image nor text"):
        Cleaner().clean(raw.to_pylist()[0])
    own = raw_samples(table, columns, Images(tmp_path), [0], origins=["npz_row"])
    assert own["npz_row"].to_pylist() == [0]
    assert "original_cache" in own.column_names


def test_ids_are_positions_where_none_is_mapped(tmp_path):
    table = pa.table({"label": ["x", "y"]})
    columns = ColumnMap(label="label")
    assert index_rows(table, columns, Images(tmp_path), 5)["id"].to_list() == ["5", "6"]
    assert raw_samples(table, columns, Images(tmp_path), [9, 2])["id"].to_pylist() == ["9", "2"]


def test_images_come_as_bytes_structs_and_files_of_the_folder_only(tmp_path):
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    (root / "sub" / "a.png").write_bytes(b"inside")
    (tmp_path / "secret.png").write_bytes(b"outside")
    images = Images(root)
    assert images.read(b"raw") == b"raw"
    assert images.read({"bytes": b"raw", "path": "sub/a.png"}) == b"raw"
    assert images.read({"bytes": None, "path": "sub/a.png"}) == b"inside"
    assert images.read(str(root / "sub" / "a.png")) == b"inside"
    (root / "link.png").symlink_to(tmp_path / "secret.png")
    (root / "out").symlink_to(tmp_path)
    (root / "empty.png").touch()
    for cell, words in (
        ("../secret.png", r"is outside the folder of images \(file \.\./secret\.png\)"),
        (str(tmp_path / "secret.png"), "is outside the folder of images"),
        ("link.png", "is behind a link that leads out of the folder"),
        ("out/secret.png", "is behind a link that leads out of the folder"),
        ("gone.png", r"image is missing \(file gone\.png\)"),
        ("a\0b", "image is missing"),
        ("sub", "cannot be read: Is a directory"),
        ("empty.png", "image is empty"),
        ("", "no image"),
        (None, "no image"),
    ):
        for _ in range(2):
            with pytest.raises(FaultError, match=words):
                images.read(cell)
    assert Images(root, required=False).read(None) is None
    assert Images(root, required=False).read("") is None
    assert Images(root, follow_links=True).read("out/secret.png") == b"outside"
    assert images.digest("sub/a.png") == images.digest(b"inside")
    assert images.digest("gone.png") == Images(root / "sub").digest("gone.png")
    assert images.digest("link.png") != Images(root, follow_links=True).digest("link.png")


@pytest.mark.parametrize("forms", [("NFC", "NFD"), ("NFD", "NFC")])
def test_names_of_files_match_in_any_unicode_form(tmp_path, forms):
    stored, given = (unicodedata.normalize(form, "schöne/Ångström é.png") for form in forms)
    assert stored != given
    (tmp_path / stored).parent.mkdir()
    (tmp_path / stored).write_bytes(b"inside")
    images = Images(tmp_path)
    assert images.read(given) == b"inside"
    assert images.digest(given) == images.digest(stored)
    with pytest.raises(FaultError, match="image is missing"):
        images.read(given.replace(".png", ".jpg"))


def test_digest_follows_every_part_of_a_row(tmp_path):
    (tmp_path / "a.png").write_bytes(b"1")
    (tmp_path / "b.png").write_bytes(b"1")

    mapped = ColumnMap(id="id", image="file")

    def digest(columns=mapped, **change):
        row = {
            "id": "a",
            "file": "a.png",
            "boxes": [[1.0, 2.0]],
            "when": 1970,
        } | change
        table = pa.table({name: [value] for name, value in row.items()})
        return index_rows(table, columns, Images(tmp_path))["digest"][0]

    before = digest()
    assert digest() == before
    others = [
        digest(id="b"),
        digest(boxes=[[1.0, 2.5]]),
        digest(file="b.png"),
        digest(file="gone.png"),
        digest(when=1971),
        digest(columns=ColumnMap(id="id", image="file", text="id")),
    ]
    (tmp_path / "a.png").write_bytes(b"2")
    assert len({before, digest(), *others}) == 8


def test_columns_are_closed_to_unknown_keys():
    with pytest.raises(ValueError, match="extra"):
        ColumnMap.model_validate({"lable": "x"})


def test_a_folder_of_images_may_be_a_link(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.png").write_bytes(b"linked")
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "images").symlink_to(Path("../real"))
    assert Images(tmp_path / "root", follow_links=True).read("images/a.png") == b"linked"


def test_a_text_in_quotes_stands_in_for_a_value_but_not_for_a_broken_one(tmp_path):
    table = pa.table({"key": list("abcd"), "info": ["{'src': 'x'}", "{}", None, "{'src':"]})
    columns = ColumnMap(id="key", label='info.src | "not known"')
    raw = raw_samples(table, columns, Images(tmp_path), [0, 1, 2, 3])
    assert raw["label"].to_pylist() == ["x", "not known", "not known", "not known"]
    faults = raw["fault"].to_pylist()
    assert faults[:3] == [None] * 3 and "'info' is" in faults[3]
    with pytest.raises(LatentmapError, match="Unknown column 'src'"):
        ColumnMap(label="src | 'unknown'").check(table, "data")
    for wrong in ({"label": '"a" | src'}, {"id": "key | 'x'"}):
        with pytest.raises(ValueError, match="a text in quotes stands last"):
            ColumnMap(**wrong)
