"""Latents and embeddings in other tools' formats: what is read back is what there was."""

from __future__ import annotations

import base64
import csv
import io
import json

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from PIL import Image
from safetensors.numpy import load_file

from latentmap.encode.encoder import ENCODERS
from latentmap.errors import LatentmapError
from latentmap.export import arrays
from latentmap.export.arrays import FORMATS
from latentmap.export.caches import cache_metadata, is_cache_of
from latentmap.export.columns import SampleColumns, write_csv
from latentmap.export.latents import export_cache, export_embedding, export_latents
from latentmap.export.options import ExportOptions
from latentmap.samples.ingest import ingest
from latentmap.samples.source import SOURCES
from latentmap.store.latents import write_latents
from latentmap.store.samples import SCHEMA
from latentmap.store.tables import write_arrow, write_embedding


def jpeg(shade):
    data = io.BytesIO()
    Image.new("L", (9, 6), shade).save(data, "JPEG")
    return data.getvalue()


def sample(row, **extra):
    core = {
        "id": f"s{row}",
        "source": "made",
        "label": ("left", "right")[row % 2],
        "label_group": "Horizontal",
        "source_group": f"g{row // 2}",
        "text": f'say "{row}", twice\nthen stop ä',
        "boxes": [[0.0, 1.0, 2.0, 3.5]],
        "width": 9,
        "height": 6,
        "image": jpeg(row),
        "digest": "d",
    }
    return core | extra


def write_shards(folder, shards, extra=()):
    paths = []
    for number, rows in enumerate(shards):
        paths.append(folder / f"{number}.arrow")
        fields = [*SCHEMA, *(extra[number] if extra else ())]
        write_arrow(paths[-1], pa.Table.from_pylist(rows, schema=pa.schema(fields)))
    return paths


@pytest.fixture
def run(tmp_path):
    """Five samples in two shards of different extra columns, with pictures and latents."""
    shards = [
        [sample(0, score=0.5), sample(1, score=None), sample(2, score=2.0)],
        [sample(3, score="high", shape="round"), sample(4, score="low", shape=None)],
    ]
    score, text, shape = (
        pa.field("score", pa.float64()),
        pa.field("score", pa.string()),
        pa.field("shape", pa.string()),
    )
    samples = write_shards(tmp_path, shards, ([score], [text, shape]))
    latents, thumbnails = [], []
    values = np.random.default_rng(0).normal(size=(5, 3, 4, 2)).astype(np.float32)
    for number, rows in enumerate((slice(0, 3), slice(3, 5))):
        ids = [row["id"] for row in shards[number]]
        latents.append(tmp_path / f"latents{number}.arrow")
        write_latents(latents[-1], ids, values[rows], {})
        thumbnails.append(tmp_path / f"thumbnails{number}.arrow")
        pictures = [jpeg(int(name[1:])) for name in ids]
        write_arrow(thumbnails[-1], pa.table({"id": ids, "jpeg": pa.array(pictures, pa.binary())}))
    return samples, latents, thumbnails, values


@pytest.fixture
def exported(run, tmp_path, monkeypatch):
    samples, latents, thumbnails, values = run
    monkeypatch.setattr(arrays, "VALUES_AT_ONCE", 50)  # two rows at a time
    outputs = {name: tmp_path / f"latents.{name}" for name in FORMATS}
    export_latents(latents, samples, thumbnails, outputs)
    return outputs, values


def test_the_npz_is_read_back_by_the_sources_of_a_run(exported):
    outputs, values = exported
    source = SOURCES.create("npz", {"input": str(outputs["npz"])})
    made = ingest(source, range(5), {}, {}, source.box_format(source.index()))
    assert made.quarantine.num_rows == 0
    table = made.samples.to_pylist()
    assert [row["id"] for row in table] == [f"s{row}" for row in range(5)]
    assert [row["label"] for row in table] == ["left", "right", "left", "right", "left"]
    assert [row["image"] for row in table] == [jpeg(row) for row in range(5)]
    assert [row["source_group"] for row in table] == ["g0", "g0", "g1", "g1", "g2"]
    assert table[2]["text"] == sample(2)["text"]
    assert table[2]["boxes"] == [pytest.approx([0.0, 1.0, 2.0, 3.5], abs=1e-7)]
    assert table[2]["label_group"] == "Horizontal"
    encoder = ENCODERS.create("cached", {"input": str(outputs["npz"])})
    encoder.load()
    rows = [encoder.prepare(row, None) for row in table]
    np.testing.assert_array_equal(encoder.encode(rows), values)


def test_the_npz_has_the_layout_of_the_seed(exported):
    outputs, values = exported
    with np.load(outputs["npz"], allow_pickle=False) as found:
        assert set(found.files) == {"latents", "metadata", "thumbnails"}
        np.testing.assert_array_equal(found["latents"], values)
        metadata = json.loads(str(found["metadata"]))
        thumbnails = json.loads(str(found["thumbnails"]))
    assert metadata[3]["qa_category"] == "right"
    assert metadata[3]["text"] == sample(3)["text"]
    assert [row["score"] for row in metadata] == ["0.5", None, "2.0", "high", "low"]
    assert len(thumbnails) == 5


KEYS = ("id", "qa_category", "qa_type")
"""What the scripts that first wrote such caches read of the metadata of every sample."""


def read_cache(path):
    """What the scripts that first wrote such caches read of one."""
    with np.load(path, allow_pickle=False) as found:
        return {
            "latents": found["latents"],
            "metadata": json.loads(str(found["metadata"])),
            "thumbnails": json.loads(str(found["thumbnails"])),
        }


def test_a_run_writes_the_cache_that_the_first_scripts_read(run, tmp_path):
    samples, _, thumbnails, values = run
    latents = []
    for number, rows in enumerate((slice(0, 3), slice(3, 5))):
        latents.append(tmp_path / f"half{number}.arrow")
        ids = [f"s{row}" for row in range(5)[rows]]
        write_latents(latents[-1], ids, values[rows].astype(np.float16), {})
    path = tmp_path / "elsewhere" / "cosmos.npz"
    export_cache(latents, samples, thumbnails, path, "mine")
    found = read_cache(path)
    assert found["latents"].dtype == np.float32
    np.testing.assert_array_equal(found["latents"], values.astype(np.float16))
    # What the scripts take of each sample: three texts, and a picture that a browser shows.
    assert all(type(row[key]) is str for row in found["metadata"] for key in KEYS)
    assert [row["id"] for row in found["metadata"]] == [f"s{row}" for row in range(5)]
    assert all(picture.startswith("data:image/jpeg;base64,") for picture in found["thumbnails"])
    with np.load(path, allow_pickle=False) as archive:
        assert all(archive[name].shape == () for name in ("metadata", "thumbnails"))
        assert archive["metadata"].dtype.kind == "U"
    assert is_cache_of(path, "mine")
    assert not is_cache_of(path, "other") and not is_cache_of(latents[0], "mine")


def trip(path, folder, number):
    """Read a cache as a run does, and write it again."""
    source = SOURCES.create("npz", {"input": str(path)})
    index = source.index()
    made = ingest(source, range(len(index)), {}, {}, source.box_format(index))
    assert made.quarantine.num_rows == 0
    encoder = ENCODERS.create("cached", {"input": str(path)})
    encoder.load()
    rows = [encoder.prepare(row, None) for row in made.samples.to_pylist()]
    shard, latents, drawn = (folder / f"{name}{number}.arrow" for name in ("s", "l", "d"))
    write_arrow(shard, made.samples)
    ids = made.samples["id"].to_pylist()
    write_latents(latents, ids, encoder.encode(rows), {})
    pictures = pa.array([jpeg(200)] * len(ids), pa.binary())  # thumbnails of the run, others
    write_arrow(drawn, pa.table({"id": ids, "jpeg": pictures}))
    output = folder / f"trip{number}.npz"
    export_cache([latents], [shard], [drawn], output, "mine")
    return output


def test_a_cache_that_is_read_and_written_again_and_again_stays_as_it_is(exported, tmp_path):
    outputs, _ = exported
    first = read_cache(outputs["npz"])
    path = outputs["npz"]
    for number in range(3):
        path = trip(path, tmp_path, number)
        after = read_cache(path)
        np.testing.assert_array_equal(after["latents"], first["latents"])
        assert after["metadata"] == first["metadata"]
        assert after["thumbnails"] == first["thumbnails"]
    assert first["metadata"][2]["boxes"] == [pytest.approx([0, 1 / 6, 2 / 9, 3.5 / 6])]
    decoded = [
        base64.b64decode(url.removeprefix("data:image/jpeg;base64,")) for url in first["thumbnails"]
    ]
    assert decoded == [jpeg(row) for row in range(5)]


def test_a_cache_of_the_first_scripts_comes_out_as_it_went_in(tmp_path):
    rows, random = 50, np.random.default_rng(0)
    latents = random.normal(size=(rows, 16, 4, 4)).astype(np.float32)
    # Their layout: two arrays of one text each, a JSON list with three keys and one of pictures.
    metadata = [
        {
            "id": f"{number:04}",
            "qa_category": ("left_predicate", "width_data", "behind_predicate")[number % 3],
            "qa_type": ("qualitative", "quantitative")[number % 3 == 1],
        }
        for number in range(rows)
    ]
    thumbnails = [
        f"data:image/jpeg;base64,{base64.b64encode(jpeg(number)).decode()}"
        for number in range(rows)
    ]
    path = tmp_path / "cosmos_spatial.npz"
    np.savez_compressed(
        path,
        latents=latents,
        metadata=json.dumps(metadata),
        thumbnails=json.dumps(thumbnails),
    )
    before = None
    for number in range(3):
        path = trip(path, tmp_path, number)
        found = read_cache(path)
        assert found["latents"].dtype == np.float32
        np.testing.assert_array_equal(found["latents"], latents)
        assert [{key: row[key] for key in KEYS} for row in found["metadata"]] == metadata
        assert found["thumbnails"] == thumbnails
        assert not [key for key in found["metadata"][0] if key.startswith("original_")]
        assert before in (None, found["metadata"])
        before = found["metadata"]


@pytest.mark.parametrize(
    ("extra", "kind"),
    [
        ({"qa_type": "quantitative", "question_type": "x"}, "quantitative"),
        ({"qa_info": {"type": "width"}}, "width"),
        ({"question_type": "choice"}, "choice"),
        ({}, ""),
    ],
)
def test_the_kind_of_question_is_always_there(tmp_path, extra, kind):
    table = pa.Table.from_pylist([sample(0) | extra])
    write_arrow(tmp_path / "s.arrow", table)
    (row,) = cache_metadata([tmp_path / "s.arrow"])
    assert (row["id"], row["qa_category"], row["qa_type"]) == ("s0", "left", kind)


def test_metadata_that_json_or_parquet_cannot_hold_is_exported(run, tmp_path):
    _, _, thumbnails, values = run
    fields = [
        pa.field("score", pa.float64()),
        pa.field("extra", pa.struct([])),
        pa.field("nested", pa.list_(pa.struct([pa.field("x", pa.float64())]))),
    ]
    found = [{"score": s, "extra": {}, "nested": [{"x": s}]} for s in (np.nan, np.inf, 1.5)]
    samples = write_shards(tmp_path, [[sample(n, **e) for n, e in enumerate(found)]], [fields])
    latents = [tmp_path / "some.arrow"]
    write_latents(latents[0], ["s0", "s1", "s2"], values[:3], {})
    outputs = {name: tmp_path / f"some.{name}" for name in ("npz", "parquet")}
    export_latents(latents, samples, thumbnails[:1], outputs)

    def refuse(constant):
        raise AssertionError(f"{constant} is no JSON")

    with np.load(outputs["npz"]) as archive:
        metadata = json.loads(str(archive["metadata"]), parse_constant=refuse)
    assert [row["score"] for row in metadata] == [None, None, 1.5]
    assert [row["nested"] for row in metadata] == [[{"x": None}], [{"x": None}], [{"x": 1.5}]]
    assert [row["extra"] for row in metadata] == [{}, {}, {}]
    table = pl.read_parquet(outputs["parquet"])
    assert table["extra"].to_list() == ["{}", "{}", "{}"]
    assert table["nested"].to_list()[2] == [{"x": 1.5}]


def test_npy_safetensors_and_parquet_hold_the_same_values(exported):
    outputs, values = exported
    np.testing.assert_array_equal(np.load(outputs["npy"], mmap_mode="r"), values)
    np.testing.assert_array_equal(load_file(outputs["safetensors"])["latents"], values)
    table = pl.read_parquet(outputs["parquet"])
    shape = table["shape"][0].to_list()
    assert shape == [3, 4, 2]
    np.testing.assert_array_equal(table["latents"].to_numpy().reshape(-1, *shape), values)
    assert table["original_shape"].to_list() == [None, None, None, "round", None]
    assert table["id"].to_list() == [f"s{row}" for row in range(5)]
    assert "image" not in table.columns


def test_half_precision_stays_and_parquet_holds_float32(tmp_path):
    samples = write_shards(tmp_path, [[sample(0), sample(1)]])
    values = np.array([[0.1, 2.0], [3.0, 65504.0]], np.float16)
    write_latents(tmp_path / "l.arrow", ["s0", "s1"], values, {})
    outputs = {name: tmp_path / f"v.{name}" for name in FORMATS}
    export_latents([tmp_path / "l.arrow"], samples, [], outputs)
    for found in (
        np.load(outputs["npy"]),
        np.load(outputs["npz"])["latents"],
        load_file(outputs["safetensors"])["latents"],
    ):
        assert found.dtype == np.float16
        np.testing.assert_array_equal(found, values)
    table = pl.read_parquet(outputs["parquet"])
    assert table.schema["latents"] == pl.Array(pl.Float32, 2)
    assert "shape" not in table.columns
    np.testing.assert_array_equal(table["latents"].to_numpy(), values)


def test_embeddings_go_with_the_columns_of_their_samples(run, tmp_path):
    samples = run[0]
    values = np.random.default_rng(1).normal(size=(5, 7)).astype(np.float32)
    ids = [f"s{row}" for row in range(5)]
    write_embedding(tmp_path / "e.parquet", ids, values, 1)
    outputs = {name: tmp_path / f"embeddings.{name}" for name in FORMATS}
    export_embedding(tmp_path / "e.parquet", samples, outputs)
    table = pl.read_parquet(outputs["parquet"])
    np.testing.assert_array_equal(table["embeddings"].to_numpy(), values)
    assert table["label"].to_list() == ["left", "right", "left", "right", "left"]
    np.testing.assert_array_equal(np.load(outputs["npy"]), values)
    np.testing.assert_array_equal(load_file(outputs["safetensors"])["embeddings"], values)
    with np.load(outputs["npz"]) as found:
        np.testing.assert_array_equal(found["embeddings"], values)
        assert json.loads(str(found["thumbnails"])) == []

    before = {name: path.read_bytes() for name, path in outputs.items()}
    export_embedding(tmp_path / "e.parquet", samples, outputs)
    assert before == {name: path.read_bytes() for name, path in outputs.items()}

    write_embedding(tmp_path / "e.parquet", ids[::-1], values, 1)
    with pytest.raises(LatentmapError, match="has id 's4' in row 0 where 's0' is expected"):
        export_embedding(tmp_path / "e.parquet", samples, outputs)


def test_shards_of_another_shape_are_refused(run, tmp_path):
    samples, latents, thumbnails, values = run
    write_latents(latents[1], ["s3", "s4"], values[3:, :2], {})
    with pytest.raises(LatentmapError, match=r"latents1\.arrow has latents of \(2, 4, 2\) float32"):
        export_latents(latents, samples, thumbnails, {"npy": tmp_path / "l.npy"})


def test_a_run_without_samples_gives_empty_files(tmp_path):
    samples = write_shards(tmp_path, [[]])
    write_latents(tmp_path / "l.arrow", [], np.zeros((0, 1), np.float16), {})
    outputs = {name: tmp_path / f"v.{name}" for name in FORMATS}
    export_latents([tmp_path / "l.arrow"], samples, [], outputs)
    assert np.load(outputs["npy"]).shape == (0, 1)
    assert len(pl.read_parquet(outputs["parquet"])) == 0


def test_metadata_as_csv_keeps_every_text_and_row(run, tmp_path):
    write_csv(tmp_path / "metadata.csv", run[0])
    with (tmp_path / "metadata.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["text"] for row in rows] == [sample(row)["text"] for row in range(5)]
    assert json.loads(rows[0]["boxes"]) == [[0.0, 1.0, 2.0, 3.5]]
    assert [row["shape"] for row in rows] == ["", "", "", "round", ""]
    assert "image" not in rows[0]
    assert pl.read_csv(tmp_path / "metadata.csv").height == 5


def test_whole_numbers_and_fractions_stay_numbers(tmp_path):
    fields = [[pa.field("n", pa.int64())], [pa.field("n", pa.float64())]]
    samples = write_shards(tmp_path, [[sample(0, n=1)], [sample(1, n=0.5)]], fields)
    assert [row["n"] for row in SampleColumns(samples).rows()] == [1.0, 0.5]


def test_every_format_that_can_be_asked_for_is_written():
    assert ExportOptions().formats == tuple(FORMATS)
