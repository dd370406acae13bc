"""Every source that maps columns takes data without labels."""

import io
import json

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from latentmap.samples.ingest import ingest
from latentmap.samples.plan import SEALED, Limit, list_rows, plan_shards
from latentmap.samples.source import SOURCES

VECTORS = np.arange(20, dtype=np.float32).reshape(5, 4)


def png():
    picture = io.BytesIO()
    Image.new("RGB", (40, 30)).save(picture, "PNG")
    return picture.getvalue()


def write_folder(path):
    path.mkdir()
    (path / "a.png").write_bytes(png())


def write_hub(path):
    pq.write_table(pa.table({"image": [png()], "id": ["a"], "q": ["?"]}), path)


def write_npz(path):
    metadata = json.dumps([{"id": f"s{row}", "qa_category": "x"} for row in range(5)])
    with path.open("wb") as file:
        np.savez(file, latents=np.zeros((5, 4, 8, 8), np.float32), metadata=metadata)


def write_vectors(path):
    with path.open("wb") as file:
        np.savez(file, embeddings=VECTORS, labels=np.arange(5))


WRITERS = {
    "folder": write_folder,
    "hub": write_hub,
    "jsonl": lambda path: path.write_text('{"prompt": "one", "src": "a"}\n{"prompt": "two"}\n'),
    "npz": write_npz,
    "table": lambda path: path.write_text("text,label\none,a\ntwo,\n"),
    "vectors": write_vectors,
}


def take_in(kind, path, columns):
    source = SOURCES.create(kind, {"input": str(path), "columns": {**columns, "label": None}})
    listing = list_rows({kind: source}, Limit())
    (shard,) = plan_shards(listing, 100, pl.DataFrame(schema=SEALED))
    return ingest(source, shard.rows, shard.duplicates, {})


@pytest.mark.parametrize("kind", WRITERS)
def test_rows_are_taken_without_labels(tmp_path, kind):
    path = tmp_path / (f"{kind}.npz" if kind == "vectors" else kind)
    WRITERS[kind](path)
    columns = {"text": "q", "boxes": None, "source_group": None, "id": "id", "image": "image"}
    made = take_in(kind, path, columns if kind == "hub" else {})
    assert len(made.samples) and not len(made.quarantine)
    for name in ("label", "label_group"):
        assert made.samples[name].null_count == len(made.samples)


def test_caches_are_taken_without_labels(tmp_path, make_cache):
    folder = make_cache(tmp_path / "m_d/test/seed0", VECTORS, [0, 1, 0, 1, 0])
    made = take_in("embedding_cache", folder, {})
    assert made.samples["label"].null_count == made.samples["label_group"].null_count == 5
