import base64
import io
import json

import numpy as np
import pytest
from PIL import Image

from latentmap.errors import LatentmapError
from latentmap.samples.ingest import ingest
from latentmap.samples.source import SOURCES


def jpeg(color):
    data = io.BytesIO()
    Image.new("RGB", (15, 10), color).save(data, "JPEG")
    return data.getvalue()


METADATA = [
    {"id": f"q{i}", "qa_category": category, "qa_type": "qualitative"}
    for i, category in enumerate(("left", "right", "left"))
]
METADATA[2]["score"] = 0.5
PLAIN = base64.b64encode(jpeg("red")).decode()
THUMBNAILS = [PLAIN, f"data:image/jpeg;base64,{PLAIN}", None]
LATENTS = np.arange(3 * 2 * 4 * 4, dtype=np.float32).reshape(3, 2, 4, 4)


def write(path, save=np.savez, **arrays):
    good = {
        "latents": LATENTS,
        "metadata": json.dumps(METADATA),
        "thumbnails": json.dumps(THUMBNAILS),
    }
    save(path, **{k: v for k, v in (good | arrays).items() if v is not None})
    return SOURCES.create("npz", {"input": str(path)})


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_rows_of_a_cache(tmp_path, save):
    source = write(tmp_path / "c.npz", save)
    index = source.index()
    assert index["id"].to_list() == ["q0", "q1", "q2"]
    assert index["label"].to_list() == ["left", "right", "left"]
    made = ingest(source, [2, 0, 1], {}, {"left": "Horizontal"})
    assert made.quarantine.num_rows == 0
    samples = made.samples.to_pylist()
    assert [row["npz_row"] for row in samples] == [2, 0, 1]
    assert [row["image"] for row in samples] == [None, jpeg("red"), jpeg("red")]
    assert [row["width"] for row in samples] == [None, 15, 15]
    assert [row["source_group"] for row in samples] == ["q2", "q0", "q1"]
    assert [row["score"] for row in samples] == [0.5, None, None]
    assert samples[0]["qa_type"] == "qualitative"


@pytest.mark.parametrize("thumbnails", [None, "null", "[]", ""])
def test_a_cache_without_thumbnails(tmp_path, thumbnails):
    source = write(tmp_path / "c.npz", thumbnails=thumbnails)
    made = ingest(source, [0, 1, 2], {}, {})
    assert made.samples["image"].to_pylist() == [None, None, None]


@pytest.mark.parametrize("key", ["label", "labels"])
def test_labels_may_stand_under_the_other_usual_keys(tmp_path, key):
    metadata = json.dumps([{"id": row["id"], key: row["qa_category"]} for row in METADATA])
    source = write(tmp_path / "c.npz", metadata=metadata)
    assert source.index()["label"].to_list() == ["left", "right", "left"]


def test_without_labels_the_keys_that_are_there_are_named(tmp_path):
    metadata = json.dumps([{"id": row["id"], "topic": row["qa_category"]} for row in METADATA])
    with pytest.raises(LatentmapError, match="Allowed: id, topic"):
        write(tmp_path / "c.npz", metadata=metadata).index()


def test_a_thumbnail_may_be_written_in_lines(tmp_path):
    lines = base64.encodebytes(jpeg("red")).decode()
    assert lines.count("\n") > 1
    thumbnails = json.dumps([lines, f"data:image/jpeg;base64,\r\n{lines}", None])
    made = ingest(write(tmp_path / "c.npz", thumbnails=thumbnails), [0, 1, 2], {}, {})
    assert made.samples["image"].to_pylist() == [jpeg("red"), jpeg("red"), None]
    assert made.quarantine.num_rows == 0


def test_a_sample_whose_thumbnail_is_damaged_is_kept_without_it(tmp_path):
    metadata = json.dumps([METADATA[0] | {"id": f"q{i}"} for i in range(5)])
    thumbnails = json.dumps([PLAIN, "#", PLAIN[:200], PLAIN + "A", {"no": "text"}])
    source = write(
        tmp_path / "c.npz", latents=np.zeros((5, 1)), metadata=metadata, thumbnails=thumbnails
    )
    made = ingest(source, range(5), {}, {})
    assert made.samples["id"].to_pylist() == [f"q{i}" for i in range(5)]
    assert made.samples["image"].is_null().to_pylist() == [False, True, True, True, True]
    assert made.quarantine["id"].to_pylist() == ["q1", "q2", "q3", "q4"]
    assert set(made.quarantine["action"].to_pylist()) == {"noted"}
    words = "shown without its image: image cannot be decoded ("
    assert all(reason.startswith(words) for reason in made.quarantine["reason"].to_pylist())


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("value", [np.inf, np.nan, 1e300])
def test_a_sample_whose_latent_is_not_finite_is_set_aside(tmp_path, value, order):
    latents = np.array(LATENTS, np.float64, order=order)
    latents[1, 0, 2, 3] = value
    made = ingest(write(tmp_path / "c.npz", latents=latents), [2, 1, 0], {}, {})
    assert made.samples["id"].to_pylist() == ["q2", "q0"]
    assert made.quarantine["id"].to_pylist() == ["q1"]
    assert made.quarantine["reason"][0].as_py() == "its latent has values that are not finite"


def test_arrays_that_are_not_read_are_named(tmp_path):
    source = write(tmp_path / "c.npz", extra=np.zeros(3), other=np.zeros(2))
    assert [remark.in_short() for remark in source.remarks()] == ["arrays: 2 (extra, other)"]
    assert not write(tmp_path / "d.npz").remarks()


def test_digest_follows_latents_and_rows(tmp_path):
    twins = json.dumps([METADATA[0]] * 3)
    before = write(tmp_path / "a.npz", metadata=twins, thumbnails=None).index()["digest"]
    again = write(tmp_path / "b.npz", metadata=twins, thumbnails=None).index()["digest"]
    changed = LATENTS.copy()
    changed[1] += 1
    after = write(tmp_path / "c.npz", metadata=twins, thumbnails=None, latents=changed).index()
    assert before.n_unique() == 3
    assert before.to_list() == again.to_list()
    assert not set(before) & set(after["digest"])


def test_latents_are_not_read(tmp_path, monkeypatch):
    source = write(tmp_path / "c.npz")
    monkeypatch.setattr(np.lib.npyio.NpzFile, "__getitem__", refuse_latents)
    assert len(source.index()) == 3


original = np.lib.npyio.NpzFile.__getitem__


def refuse_latents(self, key):
    assert key != "latents"
    return original(self, key)


def test_values_of_different_types_become_text(tmp_path):
    metadata = [{"id": 7, "qa_category": "x", "v": [1]}, {"id": "b", "qa_category": "x", "v": "s"}]
    source = write(
        tmp_path / "c.npz", latents=LATENTS[:2], metadata=json.dumps(metadata), thumbnails=None
    )
    table = source.read([0, 1])
    assert table["id"].to_pylist() == ["7", "b"]
    assert table["v"].to_pylist() == ["[1]", "s"]


class Attack:
    def __reduce__(self):
        return (pytest.fail, ("unpickled",))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"metadata": np.array([Attack()], object)}, "not one text but object"),
        ({"latents": np.array([[Attack()]] * 3, object)}, "object (3, 1)"),
        ({"latents": np.zeros(3)}, "shape (3,)"),
        ({"latents": np.zeros((3, 2, 0, 4))}, "shape (3, 2, 0, 4)"),
        ({"metadata": None}, "metadata"),
        ({"latents": None}, "latents"),
        ({"metadata": "{"}, "not a cache of latents"),
        ({"metadata": "{}"}, "not a JSON list"),
        ({"metadata": '[{"id": "\\ud800"}, {}, {}]'}, "half of a surrogate pair"),
        ({"metadata": np.zeros(3)}, "not one text but float64"),
        ({"latents": LATENTS[:2]}, "2 latents, 3 rows of metadata and 3 thumbnails"),
        ({"thumbnails": json.dumps([PLAIN])}, "3 latents, 3 rows of metadata and 1 thumbnails"),
        ({"metadata": json.dumps([{"id": 1, "qa_cat": 2}] * 3)}, "Did you mean 'qa_cat'?"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path, change, words):
    with pytest.raises(LatentmapError) as caught:
        write(tmp_path / "c.npz", **change).index()
    assert words in str(caught.value)
    assert "c.npz" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_file_and_no_archive(tmp_path):
    (tmp_path / "c.npz").write_bytes(b"PK\x03\x04 no archive")
    (tmp_path / "d.npz").write_bytes(b"")
    np.save(tmp_path / "e.npy", LATENTS)
    (tmp_path / "folder").mkdir()
    for name, words in (
        ("gone.npz", "no such file"),
        ("folder", "is a folder. Set 'input' to a .npz file"),
        ("c.npz", "not a complete .npz"),
        ("d.npz", "not a complete .npz"),
        ("e.npy", "not a complete .npz"),
    ):
        with pytest.raises(LatentmapError, match=words):
            SOURCES.create("npz", {"input": str(tmp_path / name)}).index()
