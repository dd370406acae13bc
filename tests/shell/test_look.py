"""Data is taken for what it is, and the ready configuration for it plans; or one line says why not.

Data that people have is made here; of the folders `shared/data` and `shared/cases`, where they are,
every file is tried.
"""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from latentmap.errors import LatentmapError
from latentmap.planning import check_all
from latentmap.run import load_run
from latentmap.shell.launch import Asked, configure

SHARED = Path(__file__).parents[2].parent / "shared"
TEXTS = [f"{animal} {number} sleep all day" for animal in ("cats", "dogs") for number in range(6)]
LABELS = [text.split()[0] for text in TEXTS]


def plan_of(data, **asked):
    """Return the plan of a run on data, and what is said of it."""
    config, said = configure(Asked(str(data), **asked))
    return check_all(load_run(config)), said


def pictures(folder: Path, names: list[str]) -> Path:
    for number, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 255, (32, 48, 3), np.uint8)
        Image.fromarray(pixels).save(path)
    return folder


def labels_of(plan) -> set[str]:
    return set(plan.listing.rows["label"])


def test_class_folders(tmp_path):
    plan, said = plan_of(pictures(tmp_path / "set #2 'x'", ["cat/0.png", "cat/1.png", "dog/0.png"]))
    assert said.endswith("3 pictures in 2 folders. Ready configuration: config/folder.yaml.")
    assert labels_of(plan) == {"cat", "dog"} and plan.run.run == "set_2_x"


def test_pictures_without_labels_and_with_a_table_of_them(tmp_path):
    folder = pictures(tmp_path / "flat", ["a.png", "b.png", "c.png"])
    plan, said = plan_of(folder)
    assert "3 pictures without labels" in said and labels_of(plan) == {""}
    table = pl.DataFrame({"number": [1, 2, 3], "picture": ["a.png", "b.png", "c.png"]})
    table.with_columns(category=pl.lit("x")).write_csv(folder / "about.csv")
    for data in (folder, folder / "about.csv"):
        plan, said = plan_of(data)
        assert "pictures that about.csv names, labels in category" in said
        assert labels_of(plan) == {"x"} and len(plan.listing.rows) == 3


@pytest.mark.parametrize("name", ["t.csv", "t.parquet", "t.jsonl", "t.arrow"])
def test_tables_of_texts(tmp_path, name):
    table = pl.DataFrame({"number": range(12), "prompt": TEXTS, "topic": LABELS})
    write = {"csv": "csv", "parquet": "parquet", "jsonl": "ndjson", "arrow": "ipc"}
    getattr(table, f"write_{write[name.partition('.')[2]]}")(tmp_path / name)
    plan, said = plan_of(tmp_path / name)
    assert "12 rows of texts in prompt, labels in topic. " in said
    assert labels_of(plan) == {"cats", "dogs"}


def test_columns_that_nobody_could_know(tmp_path):
    path = tmp_path / "t.csv"
    pl.DataFrame({"x": TEXTS, "y": LABELS}).write_csv(path)
    plan, said = plan_of(path)  # the only long texts
    assert "12 rows of texts in x, without labels" in said and labels_of(plan) == {""}
    plan, said = plan_of(path, columns=["text=x", "label=y"])
    assert "texts in x, labels in y" in said and labels_of(plan) == {"cats", "dogs"}
    pl.DataFrame({"x": [1, 2], "y": [3, 4]}).write_csv(path)
    with pytest.raises(LatentmapError, match=r"--columns text=x\. There are: x, y\.$"):
        plan_of(path)


def test_lines_of_text(tmp_path):
    (tmp_path / "prompts.txt").write_text("\n".join(TEXTS))
    plan, said = plan_of(tmp_path / "prompts.txt")
    assert "lines of text" in said and len(plan.listing.rows) == 12


def test_arrays_of_vectors_with_and_without_labels(tmp_path):
    values = np.random.default_rng(0).normal(size=(12, 5)).astype(np.float32)
    np.save(tmp_path / "v.npy", values)
    plan, said = plan_of(tmp_path / "v.npy")
    assert "12 vectors of 5 numbers, without labels" in said and labels_of(plan) == {""}
    pl.DataFrame({"topic": LABELS}).write_csv(tmp_path / "v_labels.csv")
    plan, said = plan_of(tmp_path / "v.npy")
    assert "with labels in v_labels.csv" in said and labels_of(plan) == {"cats", "dogs"}
    np.savez(tmp_path / "z.npz", embeddings=values, labels=LABELS)
    plan, said = plan_of(tmp_path / "z.npz")
    assert "with labels" in said and labels_of(plan) == {"cats", "dogs"}
    table = pl.DataFrame({"text": TEXTS, "label": LABELS, "embedding": values.tolist()})
    table.write_parquet(tmp_path / "t.parquet")
    plan, said = plan_of(tmp_path / "t.parquet")
    assert "12 rows with vectors in embedding, labels in label" in said
    assert labels_of(plan) == {"cats", "dogs"}


def test_latents(tmp_path):
    values = np.zeros((12, 4, 8, 8), np.float32)
    about = json.dumps([{"id": str(n), "label": label} for n, label in enumerate(LABELS)])
    np.savez(tmp_path / "l.npz", latents=values, metadata=about)
    plan, said = plan_of(tmp_path / "l.npz")
    assert "latents that are encoded already" in said and labels_of(plan) == {"cats", "dogs"}
    np.save(tmp_path / "l.npy", values)
    with pytest.raises(LatentmapError, match=r"holds latents \(12, 4, 8, 8\).*np\.savez"):
        plan_of(tmp_path / "l.npy")


def test_caches_of_embeddings_and_of_coordinates(tmp_path, make_cache):
    values = np.random.default_rng(0).normal(size=(12, 5)).astype(np.float32)
    for seed in (0, 1):
        make_cache(tmp_path / f"caches/m_d/test/seed{seed}", values, [n % 2 for n in range(12)])
    plan, said = plan_of(tmp_path / "caches")
    assert "2 caches of embeddings" in said and len(plan.run.encoders) == 2
    folder = tmp_path / "caches/m_d/test/seed0"
    (folder / "embeddings.pt").unlink()
    np.save(folder / "vis_tsne_coords.npy", values[:, :2])
    plan, said = plan_of(folder)
    assert "a cache of coordinates, vis_tsne_coords.npy" in said
    assert plan.run.map_names == ["umap"]


def test_pictures_inside_a_table(tmp_path):
    folder = pictures(tmp_path, ["0.png", "1.png"])
    cells = [{"bytes": (folder / f"{n}.png").read_bytes(), "path": None} for n in (0, 1)]
    table = pl.DataFrame({"img": cells, "label": [0, 1]})
    table.write_parquet(tmp_path / "cifar.parquet")
    plan, said = plan_of(tmp_path / "cifar.parquet")
    assert "2 rows of pictures in img, labels in label" in said and labels_of(plan) == {"0", "1"}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("gone.csv", r"gone\.csv: no such file or folder\.$"),
        ("empty", r"empty holds no files\."),
        ("scans", r"scans holds 2 files \.pdf and others, which .* pictures of their pages"),
        ("m.pt", "Give the folder of a cache of embeddings"),
        ("bad.npz", "no .npz file that can be read"),
        ("cube.npy", r"has the shape \(2, 2, 2\); vectors are"),
    ],
)
def test_what_cannot_be_told_is_one_line(tmp_path, name, said):
    (tmp_path / "empty").mkdir()
    (tmp_path / "scans").mkdir()
    for file in ("1.pdf", "2.PDF", "notes.md"):
        (tmp_path / "scans" / file).write_bytes(b"x")
    (tmp_path / "m.pt").write_bytes(b"x")
    (tmp_path / "bad.npz").write_bytes(b"x")
    np.save(tmp_path / "cube.npy", np.zeros((2, 2, 2)))
    with pytest.raises(LatentmapError, match=said) as refused:
        plan_of(tmp_path / name)
    assert "\n" not in str(refused.value)


def test_a_data_set_on_the_hub_is_told_from_a_path():
    with pytest.raises(LatentmapError, match="A data set on the hub is named in a configuration"):
        plan_of("a8cheng/SpatialRGPT-Bench")


# What each of the cases is, by the name of the configuration, and rows; or what the line says.
CASES = {
    "cases/bmp_edit_unseen/images": ("folder", 2),
    "cases/boxes_normalised/q.parquet": ("relations", 6),
    "cases/boxes_xywh_coco/q.parquet": ("relations", 6),
    "cases/conversation_literal_not_read/lit.parquet": ("jsonl", 6),
    "cases/conversation_literal_not_read/m.csv": ("jsonl", 6),
    "cases/conversation_literal_not_read/m.parquet": ("jsonl", 6),
    "cases/date_typo_year/q.parquet": ("jsonl", 4),
    "cases/float_and_int32_tiff_go_black/images": ("folder", 4),
    "cases/hash_in_config/set #2": ("folder", 2),
    "cases/hh_rlhf_no_label/train.jsonl": ("jsonl", 6),
    "cases/hh_rlhf_no_label/train.jsonl.gz": ("jsonl", 6),
    "cases/hub_csv/q.csv": ("relations", 6),
    "cases/jfif_avif_skipped/images": ("folder", 13),
    "cases/json_array/a.json": ("jsonl", 6),
    "cases/json_array/b.json": ("jsonl", 6),
    "cases/labels_variants/images": ("folder", 6),
    "cases/nfd_names": ("folder", 3),
    "cases/nfd_names/l.csv": ("folder", 3),
    "cases/npz_empty_struct/c.npz": ("npz", 8),
    "cases/npz_fortran/c.npz": ("npz", 8),
    "cases/npz_nan_in_json/c.npz": ("npz", 8),
    "cases/npz_nhwc/c.npz": ("npz", 8),
    "cases/npz_one_inf/c.npz": ("npz", 8),
    "cases/npz_thumbs/c.npz": ("npz", 8),
    "cases/numpy2_repr_some/q.parquet": ("relations", 6),
    "cases/other_tables_x_csv_gz/x.csv.gz": "is a damaged gzip file",
    "cases/polars_ipc/q.arrow": ("jsonl", 4),
    "cases/polars_ipc/q.csv": ("jsonl", 4),
    "cases/polars_ipc/q.parquet": ("jsonl", 4),
    "cases/polars_ipc/s.arrow": ("jsonl", 4),
    "cases/proto_labels/n.jsonl": ("jsonl", 80),
    "cases/refs_convert_layout": "--source split=NAME",
    "cases/sharegpt_read_as_json/s.jsonl": ("jsonl", 6),
    "cases/shard_null_type": ("relations", 6),
    "cases/split_folders": ("folder", 12),
    "cases/split_names": "--source split=NAME",
    "cases/types_string_view/s.arrow": ("jsonl", 4),
    "data/coco-relations": "Give files of one layout",
    "data/coco-relations/embedded.parquet": ("relations", 160),
    "data/coco-relations/images": ("folder", 250),
    "data/coco-relations/qa.parquet": ("relations", 1406),
}


@pytest.mark.parametrize("name", CASES)
def test_data_that_people_have(name):
    data, right = SHARED / name, CASES[name]
    if not data.exists():
        pytest.skip(f"there is no {data}")
    if isinstance(right, str):
        with pytest.raises(LatentmapError, match=right):
            plan_of(data)
        return
    plan, said = plan_of(data)
    assert said.endswith(f"config/{right[0]}.yaml.")
    assert len(plan.listing.rows) == right[1]


def test_every_case_there_is_is_tried():
    if not SHARED.exists():
        pytest.skip(f"there is no {SHARED}")
    tried = {SHARED / name for name in CASES}
    for case in [*SHARED.glob("cases/*/"), *SHARED.glob("data/*/")]:
        assert any(path == case or case in path.parents for path in tried), case


def test_one_picture_is_refused_before_anything_runs(tmp_path):
    with pytest.raises(LatentmapError, match="There is one sample only"):
        plan_of(pictures(tmp_path / "one", ["cat/0.png"]))
