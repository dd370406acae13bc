import csv
import gzip
import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from latentmap.errors import LatentmapError
from latentmap.samples.ingest import ingest
from latentmap.samples.source import RAW_SCHEMA, SOURCES

RELATIONS = Path(__file__).parents[2] / ".." / "shared" / "data" / "coco-relations"
needs_relations = pytest.mark.skipif(not RELATIONS.exists(), reason="no shared data")
ID = "a8cheng/SpatialRGPT-Bench"


def make(path, **options):
    return SOURCES.create("hub", {"input": str(path), **options})


def rows(count, first=0):
    """Rows in the layout of SpatialRGPT-Bench."""
    numbers = range(first, first + count)
    return pa.table(
        {
            "id": [f"q{i}" for i in numbers],
            "qa_info": [str({"type": "t", "category": f"c{i % 2}"}) for i in numbers],
            "image_info": [str({"file_path": f"images/{i}.jpg"}) for i in numbers],
            "text_q": [f"question {i}" for i in numbers],
            "bbox": [f"[[0, 0, 1, {i + 1}.5]]" for i in numbers],
            "image": [{"bytes": b"image %d" % i, "path": f"{i}.jpg"} for i in numbers],
        }
    )


def stream(table, path):
    with pa.ipc.new_stream(str(path), table.schema) as writer:
        writer.write_table(table)


def ipc(table, path):
    with pa.ipc.new_file(str(path), table.schema) as writer:
        writer.write_table(table, max_chunksize=3)


def parquet(table, path):
    pq.write_table(table, path, row_group_size=3)


def saved(table, path):
    from datasets import Dataset, disable_progress_bars

    disable_progress_bars()
    Dataset(table).save_to_disk(path, num_shards=2)


def saved_splits(table, path):
    from datasets import Dataset, DatasetDict, disable_progress_bars

    disable_progress_bars()
    splits = {"train": Dataset(table.slice(0, 1)), "val": Dataset(table)}
    DatasetDict(splits).save_to_disk(path)


def folder_of_parquet(table, path):
    path.mkdir()
    pq.write_table(table.slice(0, 4), path / "a.parquet")
    pq.write_table(table.slice(4), path / "b.parquet")


def snapshot(table, path):
    (path / "data").mkdir(parents=True)
    pq.write_table(table.slice(2, 3), path / "data" / "train-00000-of-00001.parquet")
    pq.write_table(table.slice(0, 5), path / "data" / "val-00000-of-00002.parquet")
    pq.write_table(table.slice(5), path / "data" / "val-00001-of-00002.parquet")


@pytest.mark.parametrize(
    "write", [parquet, ipc, stream, saved, saved_splits, folder_of_parquet, snapshot]
)
def test_every_local_form_reads_the_same(tmp_path, write):
    table, path = rows(8), tmp_path / "data"
    write(table, path)
    source = make(path, split="val" if write in (saved_splits, snapshot) else None)
    assert not source.is_remote
    index = source.index()
    assert index["id"].to_list() == [f"q{i}" for i in range(8)]
    assert index["label"].to_list() == ["c0", "c1"] * 4
    parquet(table, tmp_path / "plain.parquet")
    assert index.equals(make(tmp_path / "plain.parquet").index())
    order = [6, 0, 7, 3, 1]
    read = source.read(order)
    assert read["id"].to_pylist() == [f"q{i}" for i in order]
    assert read["image"].to_pylist() == [b"image %d" % i for i in order]
    assert read["text"].to_pylist() == [f"question {i}" for i in order]
    assert read["source_group"].to_pylist() == [f"images/{i}.jpg" for i in order]
    assert read["boxes"].to_pylist() == [[[0, 0, 1, i + 1.5]] for i in order]
    assert read.schema.names[len(RAW_SCHEMA) :] == ["qa_info", "image_info"]


def test_raw_bytes_as_image_column(tmp_path):
    pq.write_table(pa.table({"n": [1], "c": ["x"], "img": [b"bytes"]}), tmp_path / "a.parquet")
    mapping = dict.fromkeys(("source_group", "text", "boxes"))
    columns = {"id": "n", "label": "c", "image": "img", **mapping}
    row = make(tmp_path / "a.parquet", columns=columns).read([0]).to_pylist()[0]
    assert (row["id"], row["image"]) == ("1", b"bytes")


def test_images_in_a_folder_beside_or_elsewhere(tmp_path):
    table = rows(2).drop_columns(["image"])
    (tmp_path / "data" / "images").mkdir(parents=True)
    (tmp_path / "data" / "images" / "0.jpg").write_bytes(b"beside")
    (tmp_path / "else" / "images").mkdir(parents=True)
    (tmp_path / "else" / "images" / "1.jpg").write_bytes(b"elsewhere")
    parquet(table, tmp_path / "data" / "qa.parquet")
    beside = make(tmp_path / "data" / "qa.parquet")
    assert beside.read([0, 1])["image"].to_pylist() == [b"beside", None]
    elsewhere = make(tmp_path / "data" / "qa.parquet", image_root=str(tmp_path / "else"))
    assert elsewhere.read([0, 1])["image"].to_pylist() == [None, b"elsewhere"]
    assert set(beside.index()["digest"]).isdisjoint(elsewhere.index()["digest"])


def test_appended_rows_leave_the_digests_of_others(tmp_path):
    parquet(rows(5), tmp_path / "a.parquet")
    parquet(rows(9), tmp_path / "b.parquet")
    before, after = (make(tmp_path / name).index() for name in ("a.parquet", "b.parquet"))
    assert before.equals(after.head(5))


@needs_relations
@pytest.mark.parametrize(("name", "count"), [("qa", 1406), ("embedded", 160)])
def test_real_photographs_with_the_default_options(name, count):
    source = make(RELATIONS / f"{name}.parquet")
    source.index()
    start = time.perf_counter()
    index = make(RELATIONS / f"{name}.parquet").index()
    assert time.perf_counter() - start < 2  # 0.3 s on a busy machine
    assert len(index) == count
    assert index["digest"].n_unique() == count
    made = ingest(source, range(0, count, 20), {}, {})
    assert made.quarantine.num_rows == 0
    first = made.samples.slice(0, 1).to_pylist()[0]
    assert first["id"] == "qualitative_00907"
    assert first["label"] == "behind_predicate"
    assert first["source_group"] == "images/train2017_000000000542.jpg"
    assert first["boxes"] == [[2.61, 3.48, 512.0, 260.03], [361.97, 156.54, 394.16, 284.38]]
    assert (first["width"], first["height"]) == (512, 387)
    assert not {"bbox", "text_q"} & set(made.samples.schema.names)


@needs_relations
def test_embedded_and_separate_images_are_the_same_samples():
    whole, embedded = (make(RELATIONS / f"{name}.parquet") for name in ("qa", "embedded"))
    wanted = embedded.index()["id"].to_list()[:40]
    ids = whole.index()["id"].to_list()
    core = ["id", "label", "source_group", "text", "boxes", "image"]
    separate = whole.read([ids.index(name) for name in wanted]).select(core)
    assert separate.equals(embedded.read(range(40)).select(core))


@pytest.mark.parametrize(
    ("given", "remote"),
    [
        (ID, True),
        ("squad", True),
        ("gone.parquet", False),
        ("./gone", False),
        ("/gone", False),
        ("~/gone", False),
        ("a/b/c", False),
    ],
)
def test_a_path_is_never_looked_up_on_the_hub(given, remote):
    assert make(given).is_remote is remote
    words = "not downloaded yet" if remote else "no such file"
    with pytest.raises(LatentmapError, match=words):
        make(given).index()


def test_what_is_wrong_with_local_data_is_said_in_one_line(tmp_path):
    parquet(rows(3), tmp_path / "whole.parquet")
    half = (tmp_path / "whole.parquet").read_bytes()[:-200]
    (tmp_path / "half.parquet").write_bytes(half)
    (tmp_path / "text.arrow").write_text("hello, this is no Arrow file at all")
    (tmp_path / "empty").mkdir()
    parquet(rows(3).drop_columns(["bbox"]), tmp_path / "unboxed.parquet")
    folder_of_parquet(rows(6), tmp_path / "mixed")
    parquet(rows(3).drop_columns(["bbox"]), tmp_path / "mixed" / "c.parquet")
    saved_splits(rows(2), tmp_path / "splits")
    saved(rows(2), tmp_path / "state")
    (tmp_path / "state" / "state.json").write_text("{}")
    for source, words in (
        (make(tmp_path / "half.parquet"), "not a complete Parquet or Arrow file"),
        (make(tmp_path / "text.arrow"), "not a complete Parquet or Arrow file"),
        (
            make(tmp_path / "empty"),
            "saved by 'save_to_disk'. What is there: nothing.",
        ),
        (make(tmp_path / "unboxed.parquet"), "Unknown column 'bbox'"),
        (make(tmp_path / "mixed"), "other columns than"),
        (make(tmp_path / "splits", split="vla"), "Unknown split 'vla'. Did you mean 'val'?"),
        (make(tmp_path / "splits"), "splits has the splits train, val. Set 'split' to one."),
        (make(tmp_path / "state"), "state.json is damaged"),
        (SOURCES.create("hub"), "set 'input'"),
    ):
        with pytest.raises(LatentmapError) as caught:
            source.index()
        assert words in str(caught.value)
        assert "\n" not in str(caught.value)


def test_download_embeds_images_and_reads_back(tmp_path, monkeypatch):
    import datasets

    (tmp_path / "cached.png").write_bytes(b"a cached file")
    table = rows(130).drop_columns(["image"])
    pictures = [{"bytes": b"image %d" % i, "path": None} for i in range(129)]
    pictures.append({"bytes": None, "path": str(tmp_path / "cached.png")})
    features = datasets.Features({**datasets.Dataset(table).features, "image": datasets.Image()})
    dataset = datasets.Dataset.from_dict({**table.to_pydict(), "image": pictures}, features)
    asked = {}

    def load_dataset(*arguments, **options):
        asked.update(options, arguments=arguments)
        return dataset

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    remote = make(ID, revision="abc", config="default", split="val")
    path = tmp_path / "download" / "hub.parquet"
    remote.download_to(path)
    assert asked["arguments"] == (ID, "default")
    assert (asked["split"], asked["revision"]) == ("val", "abc")
    assert asked["verification_mode"].value == "all_checks"
    assert "trust_remote_code" not in asked
    local = remote.local(path)
    assert not local.is_remote
    assert local.index()["id"].to_list() == [f"q{i}" for i in range(130)]
    assert local.read([129, 3])["image"].to_pylist() == [b"a cached file", b"image 3"]
    first = path.read_bytes()
    remote.download_to(path)
    assert path.read_bytes() == first


@pytest.mark.parametrize(
    ("given", "loaded"),
    [("01b38d2", "01b38d2" + "0" * 33), ("0000000", "0000000"), ("main", "main"), (None, None)],
)
def test_a_shortened_commit_is_loaded_at_its_full_length(monkeypatch, tmp_path, given, loaded):
    import datasets
    import huggingface_hub

    class Commit:
        commit_id = "01b38d2" + "0" * 33

    def load_dataset(*arguments, **options):
        assert options["revision"] == loaded
        raise ConnectionError("far enough")

    monkeypatch.setattr(
        huggingface_hub.HfApi, "list_repo_commits", lambda *_, **options: [Commit()]
    )
    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    with pytest.raises(LatentmapError, match="far enough"):
        make(ID, revision=given, split="val").download_to(tmp_path / "x.parquet")


def test_download_checks_the_columns_before_it_writes(tmp_path, monkeypatch):
    import datasets

    dataset = datasets.Dataset(rows(2).drop_columns(["text_q"]))
    monkeypatch.setattr(datasets, "load_dataset", lambda *_, **__: dataset)
    with pytest.raises(LatentmapError, match=f"{ID}: Unknown column 'text_q'"):
        make(ID, split="val").download_to(tmp_path / "hub.parquet")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("given", "names", "loaded"),
    [
        ("val", ["train", "validation"], "validation"),
        (None, ["test"], "test"),
        (None, ["train", "test"], "'relations/none' has the splits train, test. Set 'split'"),
        ("tset", ["train", "test"], "Unknown split 'tset'. Did you mean 'test'?"),
    ],
)
def test_a_remote_split_goes_by_any_of_its_names(tmp_path, monkeypatch, given, names, loaded):
    import datasets

    def load_dataset(*_, split, **__):
        if split not in names:
            raise ValueError(f'Unknown split "{split}". Should be one of {names}.')
        raise ConnectionError(f"loads {split}")

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    monkeypatch.setattr(datasets, "get_dataset_split_names", lambda *_, **__: names)
    with pytest.raises(LatentmapError) as caught:
        make("relations/none", split=given).download_to(tmp_path / "x.parquet")
    assert (f"(loads {loaded})" if loaded in names else loaded) in str(caught.value)


def hub_error(name, status):
    import huggingface_hub.errors
    from httpx2 import Request, Response

    response = Response(status, request=Request("GET", "https://huggingface.co"))
    return getattr(huggingface_hub.errors, name)("refused\n\nby the hub", response=response)


def datasets_error(name, message):
    import datasets.exceptions

    return getattr(datasets.exceptions, name)(message)


def offline_error():
    from huggingface_hub.errors import OfflineModeIsEnabled

    return OfflineModeIsEnabled("HF_HUB_OFFLINE=1")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (lambda: ConnectionError("Couldn't reach it"), "cannot be reached"),
        (offline_error, "cannot be reached"),
        (lambda: hub_error("HfHubHTTPError", 503), "cannot be reached"),
        (lambda: hub_error("GatedRepoError", 403), "is gated"),
        (lambda: datasets_error("DatasetNotFoundError", "X is a gated dataset on"), "is gated"),
        (lambda: hub_error("RepositoryNotFoundError", 404), "neither a local file nor a data set"),
        (lambda: datasets_error("DatasetNotFoundError", "doesn't exist"), "neither a local file"),
        (lambda: hub_error("RevisionNotFoundError", 404), "has no revision 'abc'"),
        (
            lambda: datasets_error("DatasetNotFoundError", "Revision 'abc' doesn't exist"),
            "has no revision 'abc'",
        ),
        (lambda: ValueError("BuilderConfig 'c' not found."), "has no configuration 'c'"),
        (lambda: RuntimeError("Dataset scripts are no longer supported"), "never run"),
        (
            lambda: datasets_error("NonMatchingSplitsSizesError", "10 rows"),
            "does not match its published sizes",
        ),
        (lambda: datasets_error("DatasetGenerationError", "broken"), "cannot be read as one table"),
        (lambda: KeyError("surprise"), "cannot be loaded (KeyError"),
    ],
)
def test_every_failure_of_the_hub_is_one_line(tmp_path, monkeypatch, error, words):
    import datasets

    def fail(*_, **__):
        raise error()

    monkeypatch.setattr(datasets, "load_dataset", fail)
    with pytest.raises(LatentmapError) as caught:
        make(ID, revision="abc", config="c", split="val").download_to(tmp_path / "hub.parquet")
    assert words in str(caught.value)
    assert f"'{ID}'" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_offline_is_one_line(tmp_path):
    script = (
        "import sys; from pathlib import Path; from latentmap.samples.source import SOURCES\n"
        f"SOURCES.create('hub', {{'input': '{ID}'}}).download_to(Path(sys.argv[1]))"
    )
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "hub.parquet")],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith(
        "latentmap.errors.LatentmapError: The Hugging Face hub cannot be reached"
    )


def test_planning_imports_nothing_heavy(tmp_path):
    parquet(rows(3), tmp_path / "a.parquet")
    script = (
        "import sys; from latentmap.samples.source import SOURCES\n"
        "source = SOURCES.create('hub', {'input': sys.argv[1]}); source.index()\n"
        "print([m for m in ('datasets', 'torch', 'huggingface_hub') if m in sys.modules])"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "a.parquet")]
    assert subprocess.check_output(command, text=True) == "[]\n"


@pytest.mark.parametrize("suffix", ["csv", "csv.gz", "jsonl", "json"])
def test_text_in_a_table_of_text_stays_text(tmp_path, suffix):
    table = rows(4).drop_columns(["image"])
    table = table.set_column(0, "id", pa.array([f"00{i}" for i in range(4)]))
    records = table.append_column("stars", pa.array(["1", "2", "3", "4"])).to_pylist()
    path = tmp_path / f"q.{suffix}"
    if suffix.startswith("csv"):
        text = io.StringIO()
        writer = csv.DictWriter(text, list(records[0]))
        writer.writeheader()
        writer.writerows(records)
        data = text.getvalue().encode()
        path.write_bytes(gzip.compress(data) if suffix == "csv.gz" else data)
    else:
        lines = [json.dumps(record) for record in records]
        path.write_text("\n".join(lines) if suffix == "jsonl" else f"[{','.join(lines)}]")
    source = make(path, image_root=str(tmp_path), columns={"image": None})
    made = ingest(source, range(len(source.index())), {}, {}).samples
    assert made["id"].to_pylist() == ["000", "001", "002", "003"]
    assert made["label"].to_pylist() == ["c0", "c1", "c0", "c1"]
    assert made["boxes"].to_pylist()[3] == [[0, 0, 1, 4.5]]
    # What is not mapped are numbers where all are, of a file that has only text.
    assert made["stars"].to_pylist() == ([1, 2, 3, 4] if suffix[0] == "c" else list("1234"))
    assert not make("q.csv.gz").is_remote and not make("q.ndjson").is_remote


def test_shards_of_which_one_has_an_empty_column(tmp_path):
    pq.write_table(rows(3).append_column("note", pa.nulls(3)), tmp_path / "val-0.parquet")
    noted = rows(3, 3).append_column("note", pa.array(["hm"] * 3))
    pq.write_table(noted, tmp_path / "val-1.parquet")
    source = make(tmp_path, columns={"image": None})
    made = ingest(source, range(len(source.index())), {}, {}).samples
    assert made["note"].to_pylist() == [None] * 3 + ["hm"] * 3
    pq.write_table(noted.drop_columns(["bbox"]), tmp_path / "val-1.parquet")
    with pytest.raises(LatentmapError, match=r"val-1\.parquet has other columns .*: no 'bbox'\."):
        make(tmp_path).index()
