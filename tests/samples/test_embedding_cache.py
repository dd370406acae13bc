import json
import re

import numpy as np
import polars as pl
import pyarrow.compute as pc
import pytest
import torch
from PIL import Image

from latentmap.encode.encoder import ENCODERS
from latentmap.errors import LatentmapError
from latentmap.planning import check_all
from latentmap.run import load_run
from latentmap.samples.caches import cache_remarks, find_caches
from latentmap.samples.ingest import ingest
from latentmap.samples.plan import SEALED, Limit, list_rows, plan_shards
from latentmap.samples.source import SOURCES

LABELS = [0, 1, 2, 0, 1, 2]


def vectors(seed: int = 0, rows: int = 6) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(rows, 4)).astype(np.float32)


def open_source(path, **options):
    return SOURCES.create("embedding_cache", {"input": str(path), **options})


def ingested(source):
    return ingest(source, range(len(source.index())), {}, {})


def planned(source):
    (shard,) = plan_shards(list_rows({"caches": source}, Limit()), 100, pl.DataFrame(schema=SEALED))
    return ingest(source, shard.rows, shard.duplicates, {})


def test_rows_of_a_cache(make_cache, tmp_path):
    folder = make_cache(tmp_path / "m_d" / "test" / "seed1", vectors(), LABELS)
    made = ingested(open_source(folder))
    assert made.quarantine.num_rows == 0
    rows = made.samples.to_pylist()
    assert [row["id"] for row in rows] == [f"{row:03}.jpg" for row in range(6)]
    assert [row["label"] for row in rows] == [f"class {label}" for label in LABELS]
    assert [row["label_group"] for row in rows] == ["L2 0", "L2 0", "L2 1"] * 2
    assert [row["ground_truth_num_label"] for row in rows] == [str(label) for label in LABELS]
    assert [row["cache_row"] for row in rows] == list(range(6))
    assert {row["cache"] for row in rows} == {str(folder)}
    assert {"fault", "source_note"}.isdisjoint(rows[0])


def test_metadata_without_coarser_labels_has_each_label_in_a_group_of_its_own(make_cache, tmp_path):
    folder = make_cache(tmp_path / "seed1", vectors(), LABELS)
    lines = (folder / "metadata.csv").read_text().splitlines()
    (folder / "metadata.csv").write_text("\n".join(line.rsplit(",", 1)[0] for line in lines))
    samples = planned(open_source(folder)).samples
    for column in ("label", "label_group"):
        assert samples[column].to_pylist() == [f"class {label}" for label in LABELS]
    named = open_source(folder, columns={"label_group": "ground_truth_L2_num_label"})
    with pytest.raises(LatentmapError, match="Unknown column 'ground_truth_L2_num_label'"):
        named.index()


def test_columns_of_the_metadata_do_not_say_where_a_sample_comes_from(make_cache, tmp_path):
    folder = make_cache(tmp_path / "seed1", vectors(), LABELS)
    lines = (folder / "metadata.csv").read_text().splitlines()
    found = [f"{line},{extra}" for line, extra in zip(lines, ["cache", *"abcdef"], strict=True)]
    (folder / "metadata.csv").write_text("\n".join(found))
    samples = ingested(open_source(folder)).samples
    assert set(samples["cache"].to_pylist()) == {str(folder)}
    assert samples["original_cache"].to_pylist() == list("abcdef")


def test_caches_are_found_and_named_by_their_paths(make_cache, tmp_path):
    for model in ("hf-hub_timm_ViT_cs", "a b"):
        for seed in (10, 2):
            make_cache(tmp_path / "caches" / model / "test" / f"seed{seed}", vectors(), LABELS)
    names = list(find_caches(str(tmp_path / "caches")))
    assert names == [
        "a_b-test-seed2",
        "a_b-test-seed10",
        "hf-hub_timm_ViT_cs-test-seed2",
        "hf-hub_timm_ViT_cs-test-seed10",
    ]
    assert list(find_caches(f"{tmp_path}/caches/hf*/test/seed2")) == [names[2]]
    assert list(find_caches(f"{tmp_path}/caches/a b/test/seed2")) == [names[0]]
    with pytest.raises(LatentmapError, match=r"no folder there holds an embeddings\.pt"):
        find_caches(str(tmp_path / "elsewhere"))


def test_names_are_as_long_as_it_takes(make_cache, tmp_path):
    for run in ("one", "two"):
        make_cache(tmp_path / run / "m_d" / "test" / "seed1", vectors(), LABELS)
    assert list(find_caches(str(tmp_path))) == ["one-m_d-test-seed1", "two-m_d-test-seed1"]


def test_a_sample_that_a_cache_lacks_or_cannot_use_is_set_aside(make_cache, tmp_path):
    first, second = vectors(0), vectors(1, 5)
    first[1, 2] = np.nan
    make_cache(tmp_path / "m" / "test" / "seed1", first, LABELS)
    # The second has other rows in another order, and one that the first has not.
    order, labels = [5, 4, 0, 1], [2, 1, 0, 1, 9]
    names = [f"{row:03}.jpg" for row in order] + ["new.jpg"]
    second[1] = np.inf
    make_cache(tmp_path / "m" / "test" / "seed2", second, labels, names)
    made = ingested(open_source(tmp_path))
    assert made.samples["id"].to_pylist() == ["000.jpg", "005.jpg"]
    aside = made.quarantine.to_pylist()
    reasons = {row["id"]: row["reason"] for row in aside}
    assert reasons == {
        "001.jpg": "its embedding in the cache m-test-seed1 is not finite",
        "002.jpg": "not in the cache m-test-seed2",
        "003.jpg": "not in the cache m-test-seed2",
        "004.jpg": "its embedding in the cache m-test-seed2 is not finite",
        "new.jpg": "not in the cache m-test-seed1",
    }
    assert {row["action"] for row in aside} == {"quarantined"}


def test_labels_that_disagree_are_noted_and_kept(make_cache, tmp_path):
    folder = make_cache(tmp_path / "seed1", vectors(), LABELS)
    torch.save(torch.tensor([0, 1, 7, 0, 8, 2]), folder / "labels.pt")
    made = ingested(open_source(folder))
    assert len(made.samples) == 6
    assert made.quarantine.select(["id", "action", "reason"]).to_pylist() == [
        {
            "id": f"00{row}.jpg",
            "action": "noted",
            "reason": f"labels.pt of {name} says {label}, metadata.csv {LABELS[row]}",
        }
        for name in find_caches(str(folder))
        for row, label in ((2, 7), (4, 8))
    ]


def test_labels_that_differ_between_caches_are_noted_and_those_of_the_first_kept(
    make_cache, tmp_path
):
    names = [f"{row:03}.jpg" for row in range(6)]
    make_cache(tmp_path / "m" / "test" / "seed1", vectors(), LABELS)
    make_cache(
        tmp_path / "m" / "test" / "seed2",
        vectors(1),
        [7, *LABELS[:0:-1]],
        [names[0], *names[:0:-1]],
    )
    made = ingested(open_source(tmp_path))
    assert made.samples["label"].to_pylist() == [f"class {label}" for label in LABELS]
    assert made.quarantine.select(["id", "action", "reason"]).to_pylist() == [
        {
            "id": "000.jpg",
            "action": "noted",
            "reason": "metadata.csv of m-test-seed1 says class 0, of m-test-seed2 class 7",
        }
    ]
    # What has no labels contradicts none.
    path = tmp_path / "m" / "test" / "seed2" / "metadata.csv"
    path.write_text("\n".join(["file_name", *names]))
    assert ingested(open_source(tmp_path)).quarantine.num_rows == 0


@pytest.mark.parametrize("seed", [1, 2])
def test_a_name_that_only_one_of_two_caches_repeats_is_set_aside(make_cache, tmp_path, seed):
    names = [f"{row:03}.jpg" for row in range(6)]
    for one in (1, 2):
        repeated = [names[0], *names[:5]] if one == seed else names
        make_cache(tmp_path / "m" / "test" / f"seed{one}", vectors(one), LABELS, repeated)
    made = planned(open_source(tmp_path))
    assert sorted(made.samples["id"].to_pylist()) == names[:5]
    aside = made.quarantine.filter(pc.equal(made.quarantine["action"], "quarantined"))
    assert {row["id"]: row["reason"] for row in aside.to_pylist()} == {
        "000.jpg#2": f"not in the cache m-test-seed{3 - seed}",
        "005.jpg": f"not in the cache m-test-seed{seed}",
    }
    assert len(aside) == 2


def test_rows_that_repeat_a_name_or_have_no_label_are_samples(make_cache, tmp_path):
    names = ["a.jpg", "a.jpg", "a.jpg#2", "a.jpg", "e", ""]
    folder = make_cache(tmp_path / "m" / "test" / "seed1", vectors(), LABELS, names)
    metadata = (folder / "metadata.csv").read_text()
    (folder / "metadata.csv").write_text(metadata.replace("a.jpg,0,class 0,0", "a.jpg,0,,0", 1))
    source = open_source(folder)
    made = planned(source)
    ids = ["a.jpg", "a.jpg#3", "a.jpg#2", "a.jpg#4", "e"]
    assert made.samples["id"].to_pylist() == ids
    assert made.samples["source_group"].to_pylist() == ["a.jpg", "a.jpg", "a.jpg#2", "a.jpg", "e"]
    assert made.samples["label"].to_pylist() == [None, "class 1", "class 2", "class 0", "class 1"]
    assert made.samples["label_group"][0].as_py() is None
    said = made.quarantine.select(["id", "action", "reason"]).to_pylist()
    assert [tuple(row.values()) for row in said] == [
        ("a.jpg", "noted", "no label"),
        ("a.jpg#3", "noted", "an earlier row has its name 'a.jpg' too"),
        ("a.jpg#4", "noted", "an earlier row has its name 'a.jpg' too"),
        (None, "quarantined", "no id"),
    ]
    # Each has the vector of its own row, wherever the vectors are taken from.
    for options in ({}, {"input": str(folder)}):
        encoder = ENCODERS.create("embedding_cache", options)
        encoder.load()
        found = [encoder.prepare(row, None) for row in made.samples.to_pylist()]
        np.testing.assert_array_equal(found, vectors()[:5])


def test_a_cache_whose_rows_have_no_label_at_all_is_told_so(make_cache, tmp_path):
    folder = make_cache(tmp_path / "seed1", vectors(), LABELS)
    metadata = re.sub(r"class \d", "", (folder / "metadata.csv").read_text())
    (folder / "metadata.csv").write_text(metadata)
    source = {"kind": "embedding_cache", "input": str(folder)}
    config = {"run": "a", "samples": {"sources": [source]}, "encoders": [{**source}]}
    with pytest.raises(LatentmapError, match=r"No row of embedding_cache .* has a label"):
        check_all(load_run(config))


def test_one_file_in_two_sources_is_two_samples_of_one_source_group(make_cache, tmp_path):
    for name in ("before", "after"):
        make_cache(tmp_path / name, vectors(), LABELS)
    made = [
        ingested(open_source(tmp_path / name, prefix=f"{name} ")).samples
        for name in ("before", "after")
    ]
    assert [table["id"][3].as_py() for table in made] == ["before 003.jpg", "after 003.jpg"]
    assert made[0]["source_group"].to_pylist() == made[1]["source_group"].to_pylist()
    assert made[0]["source_group"][3].as_py() == "003.jpg"


def test_a_folder_with_parts_of_a_cache_is_passed_over(make_cache, tmp_path):
    make_cache(tmp_path / "seed1", vectors(), LABELS)
    make_cache(tmp_path / "seed2", vectors(), LABELS)
    assert not open_source(tmp_path).remarks()
    (tmp_path / "seed2" / "embeddings.pt").unlink()
    [remark] = open_source(tmp_path).remarks()
    assert remark.in_short() == f"folders: 1 ({tmp_path / 'seed2'})"


def test_caches_behind_links_are_found_or_named(make_cache, tmp_path):
    folder = tmp_path / "caches"
    make_cache(folder / "deep" / "seed1", vectors(), LABELS)
    (folder / "seed2").symlink_to(folder / "deep" / "seed1")
    make_cache(tmp_path / "elsewhere", vectors(), LABELS)
    (folder / "seed3").symlink_to(tmp_path / "elsewhere")

    def found(given):
        folders = [cache.folder for cache in find_caches(str(given)).values()]
        return [path.relative_to(folder).as_posix() for path in folders]

    assert found(folder) == ["deep/seed1", "seed2"]
    [remark] = cache_remarks(str(folder))
    assert remark.in_short() == f"links that lead out of the folder: 1 ({folder / 'seed3'})"
    assert found(folder / "*") == ["deep/seed1", "seed2", "seed3"]


def test_pictures_appear_where_they_are(make_cache, tmp_path):
    folder = make_cache(tmp_path / "seed1", vectors(), LABELS)
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    Image.new("RGB", (9, 7)).save(pictures / "000.jpg")
    without = ingested(open_source(folder))
    assert without.samples["image"].null_count == 6 and without.quarantine.num_rows == 0
    made = ingested(open_source(folder, image_root=str(pictures)))
    assert made.samples["width"].to_pylist() == [9] + [None] * 5
    assert made.quarantine["reason"].to_pylist() == [
        f"shown without its image: image is missing (file 00{row}.jpg)" for row in range(1, 6)
    ]


def test_the_digest_follows_rows_and_vectors(make_cache, tmp_path):
    indices = [
        open_source(make_cache(tmp_path / str(seed), vectors(seed), LABELS)).index()["digest"]
        for seed in (0, 1)
    ]
    assert indices[0].n_unique() == 6
    assert set(indices[0]).isdisjoint(indices[1])


def test_row_counts_must_agree(make_cache, tmp_path):
    folder = make_cache(tmp_path / "seed1", vectors(), LABELS)
    torch.save(torch.tensor(LABELS[:5]), folder / "labels.pt")
    line = f"{folder} has 6 embeddings, 5 labels and 6 rows in metadata.csv."
    with pytest.raises(LatentmapError, match=re.escape(line)):
        ingested(open_source(folder))


def test_a_cell_of_the_metadata_may_be_as_long_as_it_is(make_cache, tmp_path):
    folder = make_cache(tmp_path / "seed1", vectors(), LABELS)
    lines = (folder / "metadata.csv").read_text().splitlines()
    notes = ["note", *"abc", "a long,\nlong note " * 2**18, *"de"]
    found = [f'{line},"{note}"' for line, note in zip(lines, notes, strict=True)]
    (folder / "metadata.csv").write_text("\n".join(found))
    assert ingested(open_source(folder)).samples["note"].to_pylist() == notes[1:]


class Attack:
    def __reduce__(self):
        return (pytest.fail, ("unpickled",))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (Attack(), "could run code: it is not loaded"),
        ({"embeddings": torch.zeros(6, 4)}, "<class 'dict'>; it must be one tensor of 2 dims"),
        (torch.zeros(6), "a tensor (6,); it must be one tensor of 2 dims"),
        (torch.zeros(6, 4).to_sparse(), "torch.sparse_coo; it must be dense, real"),
        (torch.zeros(6, 4) + 1j, "of torch.complex64, torch.strided; it must be dense, real"),
        (torch.zeros(6, 0), "and have columns"),
        (None, "cannot be read"),
    ],
    ids=["pickle", "dictionary", "shape", "sparse", "complex", "empty", "damaged"],
)
def test_what_is_no_tensor_is_refused_in_one_line(make_cache, tmp_path, content, words):
    folder = make_cache(tmp_path / "seed1", vectors(), LABELS)
    path = folder / "embeddings.pt"
    if content is None:
        path.write_bytes(path.read_bytes()[:200])
    else:
        torch.save(content, path)
    with pytest.raises(LatentmapError) as caught:
        ingested(open_source(folder))
    assert words in str(caught.value) and str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_number_formats_and_old_files_are_read(make_cache, tmp_path, dtype):
    folder = make_cache(tmp_path / "seed1", vectors(), LABELS)
    values = torch.arange(24.0).reshape(6, 4)
    torch.save(values.to(dtype), folder / "embeddings.pt", _use_new_zipfile_serialization=False)
    (cache,) = find_caches(str(folder)).values()
    assert cache.embeddings.dtype == np.float32
    np.testing.assert_array_equal(cache.embeddings, values.numpy())


def test_what_is_wrong_is_said_when_a_run_is_planned(make_cache, tmp_path):
    folder = make_cache(tmp_path / "m" / "test" / "seed1", vectors(), LABELS)
    make_cache(tmp_path / "m" / "train" / "seed1", vectors(), LABELS, [f"t{i}" for i in range(6)])
    with pytest.raises(LatentmapError, match="no sample is in all of the caches m-test-seed1, m-t"):
        open_source(tmp_path).index()
    with pytest.raises(LatentmapError, match="Did you mean 'file_name'"):
        open_source(folder, columns={"id": "file_nam"}).index()
    (folder / "metadata.csv").unlink()
    with pytest.raises(LatentmapError, match=r"metadata\.csv: no such file"):
        open_source(folder).index()
    with pytest.raises(LatentmapError, match="set 'input'"):
        SOURCES.create("embedding_cache").index()


def test_planning_imports_no_torch(make_cache, tmp_path):
    import subprocess
    import sys

    folder = make_cache(tmp_path / "seed1", vectors(), LABELS)
    code = (
        "import sys\nfrom latentmap.samples.source import SOURCES\n"
        f"SOURCES.create('embedding_cache', {{'input': {str(folder)!r}}}).index()\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def write_meta(folder, **said):
    (folder / "meta.json").write_text(json.dumps(said))
    return folder


def test_what_a_cache_says_of_itself_is_held_against_it(make_cache, tmp_path):
    said = {"timestamp": "2026-02-03T10:00", "num_samples": 6, "embedding_dim": 4}
    for seed in (1, 2):
        folder = make_cache(tmp_path / "m" / "test" / f"seed{seed}", vectors(seed), LABELS)
        write_meta(folder, **said, checkpoint=f"/ckpt/{seed}.pt", config={"lr": 0.1})
    assert not open_source(tmp_path).remarks()
    encoder = ENCODERS.create("embedding_cache", {"input": str(folder)})
    assert encoder.origin() == {
        "timestamp": "2026-02-03T10:00",
        "num_samples": "6",
        "embedding_dim": "4",
        "checkpoint": "/ckpt/2.pt",
        "config": '{"lr": 0.1}',
    }
    write_meta(folder, num_samples=7, dims=5, checkpoint_path="/ckpt/1.pt", epochs=3)
    short = [remark.in_short() for remark in open_source(tmp_path).remarks()]
    assert [line.partition(". ")[0] for line in short] == [
        "meta.json of m-test-seed2: num_samples is 7, and metadata.csv has 6 rows",
        "meta.json of m-test-seed2: dims is 5, and embeddings.pt has 4 dimensions",
        "caches (m-test-seed1, m-test-seed2): made by one checkpoint, /ckpt/1.pt",
    ]


@pytest.mark.parametrize("text", ["{", "[1]", "null", '{"dims": "many", "checkpoint": null}'])
def test_a_description_that_says_nothing_stops_nothing(make_cache, tmp_path, text):
    folder = make_cache(tmp_path / "m" / "test" / "seed1", vectors(), LABELS)
    (folder / "meta.json").write_text(text)
    remarks = open_source(folder).remarks()
    assert len(remarks) == (text == "{")
    assert all("is no JSON" in remark.reason for remark in remarks)
    assert ENCODERS.create("embedding_cache", {"input": str(folder)}).origin().get("dims") in (
        None,
        "many",
    )


@pytest.mark.parametrize("way", ["old format", "half", "part of a larger tensor", "parameter"])
def test_dimensions_are_read_however_the_tensor_was_saved(make_cache, tmp_path, way):
    folder = make_cache(tmp_path / "m" / "test" / "seed1", vectors(), LABELS)
    values = torch.zeros(300, 4)[:6]
    values = values.half() if way == "half" else values
    values = torch.nn.Parameter(values) if way == "parameter" else values
    is_new = way != "old format"
    torch.save(values, folder / "embeddings.pt", _use_new_zipfile_serialization=is_new)
    for dims in (4, 5):
        write_meta(folder, dims=dims)
        assert len(open_source(folder).remarks()) == (dims == 5 and is_new)
