"""Plain files of vectors: source and encoder."""

import base64
import json
from io import BytesIO

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from PIL import Image
from safetensors.numpy import save_file

from latentmap.draw.boxes import DrawOptions
from latentmap.encode.encoder import ENCODERS
from latentmap.encode.shard import encode_shard
from latentmap.errors import LatentmapError
from latentmap.export.arrays import FORMATS, Rows
from latentmap.export.columns import write_csv
from latentmap.samples.ingest import ingest
from latentmap.samples.source import SOURCES
from latentmap.samples.sources import vectors as vectors_source
from latentmap.samples.vectors import read_vectors
from latentmap.store.latents import read_latents
from latentmap.store.samples import SCHEMA
from latentmap.store.tables import write_arrow

VALUES = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
LABELS = ["a", "b", "a", "b", "a"]
IDS = ["p", "q", "r", "s", "t"]
X = {f"x{n}": VALUES[:, n].astype(float) for n in range(4)}


def npy(path, values=VALUES):
    np.save(path, values)
    pl.DataFrame({"label": LABELS}).write_csv(path.parent / "labels.csv")
    return {"labels": "labels.csv"}


def npz(path):
    np.savez(
        path,
        embeddings=VALUES.astype(np.float16).astype(np.float64),
        labels=np.array(LABELS),
        ids=np.array(IDS),
    )
    return {}


def columns_of_csv(path):
    pl.DataFrame({"id": IDS, "label": LABELS, **X}).write_csv(path)
    return {}


def headerless(path):
    frame = pl.DataFrame({"label": LABELS, **X})
    frame.write_csv(path, include_header=False)
    return {"header": False, "columns": {"label": "column_1"}, "vectors": "column_"}


def lists(path):
    frame = pl.DataFrame({"id": IDS, "label": LABELS, "v": VALUES.tolist()})
    getattr(frame, {".parquet": "write_parquet", ".jsonl": "write_ndjson"}[path.suffix])(path)
    return {}


def texts(path):
    cells = [str(row.tolist()) for row in VALUES]
    cells[1] = str(VALUES[1].astype(float))  # as NumPy prints it, without commas
    pl.DataFrame({"id": IDS, "label": LABELS, "v": cells, "note": ["[x]"] * 5}).write_csv(path)
    return {}


def by_name(path):
    frame = pl.DataFrame({"id": IDS, "label": LABELS, **dict(zip("wxyz", VALUES.T, strict=True))})
    frame.write_parquet(path)
    return {"vectors": list("wxyz")}


FILES = {
    "v.npy": npy,
    "v.npz": npz,
    "v.csv": columns_of_csv,
    "headerless.csv": headerless,
    "v.parquet": lists,
    "v.jsonl": lists,
    "texts.csv": texts,
    "names.parquet": by_name,
}


def make(path, **options):
    return SOURCES.create("vectors", {"input": str(path), "name": "v", **options})


def encode(folder, samples, **options):
    write_arrow(folder / "samples.arrow", samples)
    encoder = ENCODERS.create("vectors", options)
    encode_shard(folder / "samples.arrow", folder / "l.arrow", encoder, "plain", DrawOptions())
    return read_latents(folder / "l.arrow").values


@pytest.mark.parametrize("name", FILES)
def test_vectors_are_found_in_every_kind_of_file(tmp_path, name):
    options = FILES[name](tmp_path / name)
    source = make(tmp_path / name, **options)
    index = source.index()
    ids = (
        IDS
        if name in ("v.npz", "v.csv", "v.parquet", "v.jsonl", "texts.csv", "names.parquet")
        else None
    )
    assert index["id"].to_list() == (ids or [f"v:{row}" for row in range(5)])
    assert index["label"].to_list() == LABELS
    made = ingest(source, [3, 0, 4], {}, {})
    assert made.digests == index["digest"].gather([3, 0, 4]).to_list()
    assert sorted(set(made.samples.column_names) - {"cache", "cache_row"}) == sorted(
        set(made.samples.column_names[:11]) | ({"note"} if name == "texts.csv" else set())
    )
    how = {key: options[key] for key in ("vectors", "header") if key in options}
    expected = VALUES.astype(np.float16) if name == "v.npz" else VALUES
    for given in (None, f"{tmp_path}/./{name}"):
        found = encode(tmp_path, made.samples, input=given, **how)
        np.testing.assert_allclose(found, expected[[3, 0, 4]], rtol=1e-6)


def test_one_changed_vector_is_one_changed_row(tmp_path):
    npz(tmp_path / "v.npz")
    before = make(tmp_path / "v.npz").index()["digest"].to_list()
    changed = VALUES.copy()
    changed[2, 1] += 1e-3
    np.savez(tmp_path / "v.npz", embeddings=changed, labels=LABELS, ids=IDS)
    np.savez(tmp_path / "w.npz", embeddings=VALUES, labels=LABELS, ids=IDS)
    after = make(tmp_path / "v.npz").index()["digest"].to_list()
    same = make(tmp_path / "w.npz").index()["digest"].to_list()
    assert before != after
    np.savez(tmp_path / "v.npz", embeddings=VALUES, labels=LABELS, ids=IDS)
    whole = make(tmp_path / "v.npz").index()["digest"].to_list()
    assert [a == b for a, b in zip(after, whole, strict=True)] == [True, True, False, True, True]
    assert not set(same) & set(whole)  # where a vector is belongs to its sample


def test_a_shard_digests_no_vector_of_another(tmp_path, monkeypatch):
    path = tmp_path / "v.npz"
    np.savez(path, embeddings=np.eye(9, dtype=np.float32), labels=np.arange(9))
    digested = []
    monkeypatch.setattr(vectors_source, "digest", lambda *parts: digested.append(parts) or "d")
    rows = SOURCES.create("vectors", {"input": str(path)}).read((7, 2))
    assert rows["label"].to_pylist() == ["7", "2"]
    assert [np.frombuffer(parts[-1], np.float32).argmax() for parts in digested] == [7, 2]


def test_vectors_that_cannot_be_used_are_set_aside_and_named(tmp_path):
    rows = [[1.0, 2.0], [1.0, None], [float("inf"), 0.0], None, [1.0, 2.0, 3.0], [3.0, 4.0]]
    frame = pl.DataFrame({"id": list("abcdef"), "label": ["x"] * 6, "v": rows})
    frame.write_parquet(tmp_path / "v.parquet")
    source = make(tmp_path / "v.parquet")
    assert source.index()["label"].to_list() == ["x", None, None, None, None, "x"]
    made = ingest(source, range(6), {}, {})
    assert made.samples["id"].to_pylist() == ["a", "f"]
    assert made.quarantine["reason"].to_pylist() == [
        "its vector has values that are not finite",
        "its vector has values that are not finite",
        "no vector",
        "its vector has 3 numbers, others have 2",
    ]
    np.testing.assert_array_equal(encode(tmp_path, made.samples), [[1, 2], [3, 4]])


def test_a_damaged_row_of_a_table_leaves_the_others_their_vectors(tmp_path):
    (tmp_path / "v.csv").write_text("label,x0,x1\na,1,2\nb,3\na,5,6\nb,,8\n")
    made = ingest(make(tmp_path / "v.csv"), range(4), {}, {})
    assert made.quarantine["reason"].to_pylist() == [
        "line 3: 2 cells where the header has 3",
        "no vector",
    ]
    np.testing.assert_array_equal(encode(tmp_path, made.samples), [[1, 2], [5, 6]])


def test_several_encoders_take_the_vectors_of_one_sample_by_its_id(tmp_path):
    pl.DataFrame({"id": IDS, "label": LABELS, "text": IDS}).write_csv(tmp_path / "texts.csv")
    options = {"input": str(tmp_path / "texts.csv"), "columns": {"id": "id"}}
    samples = ingest(SOURCES.create("table", options), range(5), {}, {}).samples
    np.savez(tmp_path / "one.npz", embeddings=VALUES[::-1], id=np.array(IDS[::-1]))
    pl.DataFrame({"key": IDS, "v": (-VALUES).tolist()}).write_parquet(tmp_path / "two.parquet")
    np.testing.assert_array_equal(
        encode(tmp_path, samples, input=str(tmp_path / "one.npz")), VALUES
    )
    two = {"input": str(tmp_path / "two.parquet"), "id": "key"}
    np.testing.assert_array_equal(encode(tmp_path, samples, **two), -VALUES)
    np.savez(tmp_path / "few.npz", embeddings=VALUES[:2], id=np.array(IDS[:2]))
    with pytest.raises(LatentmapError, match=r"few\.npz has no row 'r' in its column 'id'"):
        encode(tmp_path, samples, input=str(tmp_path / "few.npz"))
    with pytest.raises(LatentmapError, match="Unknown column 'name'"):
        encode(tmp_path, samples, input=str(tmp_path / "one.npz"), id="name")
    with pytest.raises(LatentmapError, match="'p' comes from no cache"):
        encode(tmp_path, samples)


def test_arrays_beside_the_vectors_are_columns_or_told(tmp_path):
    np.savez(
        tmp_path / "v.npz",
        embeddings=VALUES,
        labels=np.array([b"\xc3\xa9", b"b", b"b", b"a", b"a"]),
        score=np.arange(5) / 2,
        when=np.array(["2024-01-05"] * 5, "datetime64[D]"),
        probabilities=np.ones((5, 2)),
        cache=np.arange(5),
        model=np.array("ViT"),
        mean=np.zeros(4),
    )
    source = make(tmp_path / "v.npz")
    made = ingest(source, [0], {}, {}).samples.to_pylist()[0]
    assert (made["label"], made["score"], made["when"]) == ("é", 0.0, "2024-01-05")
    assert made["probabilities"] == [1.0, 1.0]
    assert (made["original_cache"], made["cache_row"]) == (0, 0)
    assert source.remarks()[0].names == ("mean", "model")
    unlabelled = make(tmp_path / "v.npz", columns={"label": None})
    assert ingest(unlabelled, range(5), {}, {}).samples["label"].to_pylist() == [None] * 5


def test_labels_beside_an_array(tmp_path):
    np.save(tmp_path / "v.npy", np.asfortranarray(VALUES))
    np.save(tmp_path / "labels.npy", np.array([0, 1, 0, 1, 2]))
    source = make(tmp_path / "v.npy", labels="labels.npy")
    assert source.index()["label"].to_list() == ["0", "1", "0", "1", "2"]
    np.testing.assert_array_equal(
        encode(tmp_path, ingest(source, range(5), {}, {}).samples), VALUES
    )
    np.save(tmp_path / "tall.npy", np.array([[0], [1], [0], [1], [2]]))
    tall = make(tmp_path / "v.npy", labels="tall.npy")
    assert tall.index()["label"].to_list() == ["0", "1", "0", "1", "2"]
    pl.DataFrame({"ids": IDS, "kind": LABELS}).write_ndjson(tmp_path / "meta.jsonl")
    options = {"labels": str(tmp_path / "meta.jsonl"), "columns": {"label": "kind"}}
    assert make(tmp_path / "v.npy", **options).index()["id"].to_list() == IDS


def test_a_folder_of_arrays_with_what_was_embedded(tmp_path):
    """`embeddings.npy`, `density_weights.npy` and `ids.json` beside the lines they were made of."""
    folder = tmp_path / "embeddings_offline"
    folder.mkdir()
    np.save(folder / "embeddings.npy", VALUES)
    np.save(folder / "density_weights.npy", np.array([0.1, 0.2, 0.3, 0.2, 0.2], np.float32))
    np.save(folder / "others.npy", np.ones((5, 3)))
    (folder / "ids.json").write_text(json.dumps(IDS))
    (folder / "embeddings_metadata.json").write_text('{"k": 10}')
    said = [{"prefix": {"messages": [{"role": "user", "content": f"{n}?"}]}} for n in IDS]
    lines = [one | ({"src": "hh-rlhf"} if n else {}) for n, one in enumerate(said)]
    prefixes = tmp_path / "prefixes_all.jsonl"
    prefixes.write_text("\n".join(map(json.dumps, lines)))
    columns = {"label": 'src | "unknown"', "text": "prefix.messages"}
    source = make(folder, labels=str(prefixes), columns=columns)
    assert source.index()["id"].to_list() == IDS
    made = ingest(source, range(5), {}, {}).samples
    assert made["label"].to_pylist() == ["unknown", *["hh-rlhf"] * 4]
    assert made["text"].to_pylist()[4] == "user: t?"
    assert made["density_weights"].to_pylist() == pytest.approx([0.1, 0.2, 0.3, 0.2, 0.2])
    assert source.remarks()[0].names == ("embeddings_metadata.json", "others.npy")
    for given in (None, str(folder)):
        np.testing.assert_array_equal(encode(tmp_path, made, input=given), VALUES)
    texts = SOURCES.create("table", {"input": str(prefixes), "columns": columns})
    by_id = ingest(texts, range(5), {}, {}).samples.set_column(0, "id", [IDS])
    np.testing.assert_array_equal(encode(tmp_path, by_id, input=str(folder), id="ids"), VALUES)
    with pytest.raises(LatentmapError, match="Unknown array 'vectors'"):
        make(folder, vectors="vectors").index()


@pytest.mark.parametrize("form", FORMATS)
def test_what_was_exported_comes_in_again(tmp_path, form):
    pixel = BytesIO()
    Image.new("RGB", (2, 2), "red").save(pixel, "PNG")
    columns = {field.name: pa.nulls(5, field.type) for field in SCHEMA}
    columns |= {"id": IDS, "source": ["s"] * 5, "label": LABELS, "label_group": ["g"] * 5}
    columns |= {"source_group": list("ppqqr"), "text": [f"text {n}" for n in IDS], "digest": IDS}
    write_arrow(tmp_path / "s.arrow", pa.table(columns | {"rarity": range(5)}))
    picture = "data:image/png;base64," + base64.b64encode(pixel.getvalue()).decode()
    rows = Rows(
        "embeddings",
        np.dtype("float32"),
        (5, 4),
        lambda: [VALUES],
        [tmp_path / "s.arrow"],
        lambda: [picture, *[None] * 4],
    )
    FORMATS[form](tmp_path / f"embeddings.{form}", rows)
    write_csv(tmp_path / "metadata.csv", [tmp_path / "s.arrow"])
    beside = {"labels": "metadata.csv"} if form in ("npy", "safetensors") else {}
    source = make(tmp_path / f"embeddings.{form}", **beside)
    made = ingest(source, range(5), {}, {}).samples
    for name in ("id", "label", "label_group", "source_group", "text", "rarity"):
        assert made[name].to_pylist() == list(columns.get(name, range(5))), name
    assert (made["image"].to_pylist()[0] == pixel.getvalue()) == (form == "npz")
    assert source.remarks() == []
    np.testing.assert_array_equal(encode(tmp_path, made), VALUES)


def pickled(path):
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)


def objects(path):
    np.savez(path, embeddings=VALUES, labels=np.array([None, "a"] * 2 + [1], dtype=object))


def latin(path):
    np.savez(path, embeddings=VALUES, labels=np.array(["é".encode("latin-1")] * 5))


@pytest.mark.parametrize(
    ("name", "write", "options", "words"),
    [
        ("l.npz", latin, {}, "cannot be read as vectors ('utf-8' codec can't decode byte 0xe9"),
        ("gone.npy", lambda p: None, {}, "no such file"),
        ("p.npy", pickled, {}, "cannot be read as vectors (Array can't be"),
        ("o.npz", objects, {}, "cannot be read as vectors (Object arrays cannot be loaded"),
        ("o.npz", objects, {}, "with arrays of numbers and of text in UTF-8, none of Python"),
        (
            "cut.npy",
            lambda p: p.write_bytes(b"\x93NUMPY\x01\x00v\x00{'descr'"),
            {},
            "cannot be read",
        ),
        (
            "t.safetensors",
            lambda p: save_file({"v": VALUES}, p),
            {},
            "Unknown tensor 'embeddings'.",
        ),
        ("cut.safetensors", lambda p: p.write_bytes(b"cut"), {}, "cannot be read as vectors"),
        ("cut.npz", lambda p: p.write_bytes(b"PK\x03\x04cut"), {}, "cannot be read as vectors"),
        ("flat.npy", lambda p: np.save(p, VALUES[0]), {}, "holds an array (4,) of float32"),
        ("maps.npy", lambda p: np.save(p, VALUES[None, None]), {}, "Read feature maps with 'npz'"),
        ("none.npy", lambda p: np.save(p, VALUES[:0]), {}, "holds an array (0, 4)"),
        ("words.npy", lambda p: np.save(p, np.array([["a"]])), {}, "of <U1 where vectors"),
        ("z.npz", lambda p: np.savez(p, vectors=VALUES), {}, "Unknown array 'embeddings'."),
        ("v.npy", npy, {"columns": {"label": "kind"}}, "Unknown column 'kind'"),
        ("u.npy", npy, {"labels": "labels.tsv"}, "labels.tsv: no such file. Check 'labels'"),
        ("t.csv", lambda p: p.write_text("label,text\na,b\n"), {}, "neither a column of lists"),
        ("x.csv", columns_of_csv, {"vectors": "y"}, "Unknown column 'y'"),
        ("n.csv", columns_of_csv, {"vectors": ["x0", "x9"]}, "Unknown column 'x9'"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path, name, write, options, words):
    write(tmp_path / name)
    with pytest.raises(LatentmapError) as caught:
        make(tmp_path / name, **options).index()
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_an_archive_that_would_fill_the_memory_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("latentmap.store.arrays.HARMLESS", 2**20)
    zeros = np.zeros((5, 2**20), np.float32)
    np.savez_compressed(tmp_path / "v.npz", embeddings=VALUES, labels=LABELS, more=zeros)
    with pytest.raises(LatentmapError, match=r"'more\.npy' would grow to 20,971,648 bytes"):
        make(tmp_path / "v.npz").index()


def test_every_damage_to_an_archive_is_seen(tmp_path):
    np.savez(tmp_path / "v.npz", embeddings=VALUES, labels=LABELS)
    whole = (tmp_path / "v.npz").read_bytes()
    start = whole.index(VALUES.tobytes())
    for place in range(start, start + VALUES.nbytes, 7):
        damaged = bytearray(whole)
        damaged[place] ^= 4
        (tmp_path / "v.npz").write_bytes(damaged)
        with pytest.raises(LatentmapError, match="cannot be read as vectors"):
            make(tmp_path / "v.npz").index()


def test_labels_must_be_as_many_as_vectors(tmp_path):
    np.save(tmp_path / "v.npy", VALUES)
    np.save(tmp_path / "labels.npy", np.arange(4))
    with pytest.raises(LatentmapError, match=r"labels\.npy has 4 rows for the 5 vectors of"):
        make(tmp_path / "v.npy", labels="labels.npy").index()


def test_two_columns_of_lists_are_a_question(tmp_path):
    lists = VALUES.tolist()
    pl.DataFrame({"label": LABELS, "v": lists, "w": lists}).write_parquet(tmp_path / "v.parquet")
    with pytest.raises(LatentmapError, match=r"several columns of lists\. Set 'vectors' .*: v, w"):
        make(tmp_path / "v.parquet").index()
    made = ingest(make(tmp_path / "v.parquet", vectors="w"), [1], {}, {})
    assert made.samples["v"].to_pylist() == [pytest.approx(lists[1])]


def test_float64_that_float32_cannot_hold_is_not_finite(tmp_path):
    np.save(tmp_path / "v.npy", np.array([[1e300, 0], [1, 2], [3, 4]]))
    made = ingest(make(tmp_path / "v.npy", columns={"label": None}), range(3), {}, {})
    assert made.samples["id"].to_pylist() == ["v:1", "v:2"]
    assert made.quarantine["reason"].to_pylist() == ["its vector has values that are not finite"]
    assert isinstance(made.samples, pa.Table)


def test_a_column_of_empty_lists_holds_no_vectors(tmp_path):
    path = tmp_path / "v.parquet"
    pl.DataFrame({"rle": [[], []]}, schema={"rle": pl.List(pl.Int64)}).write_parquet(path)
    with pytest.raises(LatentmapError, match=r"vectors \(N, D\) of numbers are needed"):
        read_vectors(path)
