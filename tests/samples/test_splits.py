"""A split of a local data set is found by its name, and what is beside it is named."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from latentmap.errors import LatentmapError
from latentmap.samples.source import SOURCES
from latentmap.samples.splits import find_split, split_of

CASES = Path(__file__).parents[3] / "shared" / "cases"


@pytest.mark.parametrize(
    ("path", "split"),
    [
        ("data/train-00000-of-00002.parquet", "train"),
        ("data/train_sft-00000-of-00001.parquet", "train_sft"),
        ("validation-00000-of-00001-0123abc.parquet", "validation"),
        ("default/test/0000.parquet", "test"),
        ("default/train_prefs/0003.parquet", "train_prefs"),
        ("default/partial-train/0000.parquet", "train"),
        ("train.parquet", "train"),
        ("dev.csv.gz", "validation"),
        ("my_valid.jsonl", "validation"),
        ("val-0.parquet", "validation"),
        ("helpful-base/test.jsonl.gz", "test"),
        ("eval/a.parquet", "test"),
        ("questions.parquet", None),
        ("trainer.parquet", None),
        ("0000.parquet", None),
    ],
)
def test_the_name_of_a_file_says_its_split(path, split):
    assert split_of(path) == split


@pytest.fixture
def folder(tmp_path):
    def write(*names):
        for name in names:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes(b"")
        return tmp_path

    return write


def found(path, *given):
    split = find_split(path, *given)
    names = [file.relative_to(path).as_posix() for file in split.files]
    return names, {remark.what: (remark.count, remark.names) for remark in split.remarks}


def test_one_split_is_taken_and_the_others_are_named(folder):
    path = folder(
        *("data/train-00000-of-00002.parquet", "data/train-00001-of-00002.parquet"),
        *("data/validation-00000-of-00001.parquet", "README.md", ".gitattributes"),
    )
    names, beside = found(path, "val")
    assert names == ["data/validation-00000-of-00001.parquet"]
    assert beside == {
        ".md files": (1, ("README.md",)),
        "hidden files and folders": (1, (".gitattributes",)),
        "files of the split train": (
            *(2, ("data/train-00000-of-00002.parquet", "data/train-00001-of-00002.parquet")),
        ),
    }
    assert found(path, "train")[0] == names[:0] + sorted(beside["files of the split train"][1])
    for given in ("validation", "valid", "dev"):
        assert found(path, given)[0] == names
    with pytest.raises(LatentmapError, match=r"has the splits train, validation\. Set 'split'"):
        find_split(path, None)
    with pytest.raises(LatentmapError, match=r"Unknown split 'trian'\. Did you mean 'train'\?"):
        find_split(path, "trian")


def test_files_that_name_no_split_are_all_taken_unless_one_is_wanted(folder):
    path = folder("a.parquet", "sub/b.parquet")
    assert found(path, None) == (["a.parquet", "sub/b.parquet"], {})
    with pytest.raises(LatentmapError, match="no file is named after a split, as 'train' is"):
        find_split(path, "train")
    folder("test.parquet")
    with pytest.raises(LatentmapError, match=r"and files of none \(a\.parquet, sub/b\.parquet\)"):
        find_split(path, None)
    names, beside = found(path, "test")
    assert names == ["test.parquet"]
    assert beside == {"files of no split": (2, ("a.parquet", "sub/b.parquet"))}


def test_of_several_configurations_one_is_asked_for(folder):
    path = folder("a/train/0000.parquet", "a/test/0000.parquet", "b/train/0000.parquet")
    with pytest.raises(LatentmapError, match=r"has the configurations a, b\. Set 'config' to one"):
        find_split(path, "train")
    names, beside = found(path, "train", "b")
    assert names == ["b/train/0000.parquet"]
    assert beside["files of the configuration a"][0] == 2
    with pytest.raises(LatentmapError, match=r"Unknown config 'c'.*Allowed: a, b"):
        find_split(path, "train", "c")


def test_a_file_that_is_known_to_be_another_split_is_refused(folder):
    path = folder("train.parquet", "q.parquet")
    assert find_split(path / "q.parquet", "val").files == [path / "q.parquet"]
    with pytest.raises(LatentmapError, match="Unknown split 'val'"):
        find_split(path / "train.parquet", "val")


def test_tables_of_one_kind_are_taken(folder):
    path = folder("train.jsonl.gz", "test.jsonl.gz", "notes.csv", "old.tar.gz")
    names, beside = found(path, "test")
    assert names == ["test.jsonl.gz"]
    assert beside == {
        ".csv files": (1, ("notes.csv",)),
        ".tar.gz files": (1, ("old.tar.gz",)),
        "files of the split train": (1, ("train.jsonl.gz",)),
    }


def test_links_out_of_the_folder_need_the_option(folder, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "train.parquet"
    elsewhere.write_bytes(b"")
    path = folder("test.parquet")
    (path / "train.parquet").symlink_to(elsewhere)
    names, beside = found(path, None)
    assert names == ["test.parquet"]
    assert beside == {"links that lead out of the folder": (1, ("train.parquet",))}
    assert found(path, "train", None, True)[0] == ["train.parquet"]


def test_pictures_that_rows_name_are_not_passed_over(tmp_path):
    for name in ("a.png", "b.png", "c.png"):
        Image.new("RGB", (8, 8)).save(tmp_path / name)
    rows = [{"id": 1, "label": "x", "file": "a.png"}, {"id": 2, "label": "y", "file": "./b.png"}]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "q.parquet")
    mapping = dict.fromkeys(("source_group", "text", "boxes"))
    columns = {"id": "id", "label": "label", "image": "file", **mapping}
    source = SOURCES.create("hub", {"input": str(tmp_path), "columns": columns})
    assert [remark.in_short() for remark in source.remarks()] == ["images: 1 (c.png)"]


@pytest.mark.skipif(not CASES.is_dir(), reason="needs the cases beside the project")
@pytest.mark.parametrize(
    ("case", "split", "rows"),
    [
        ("refs_convert_layout", "train", 6),
        ("refs_convert_layout", "test", 4),
        ("split_names", "val", 4),
        ("split_names", "train", 6),
    ],
)
def test_cases_of_splits(case, split, rows):
    source = SOURCES.create("hub", {"input": str(CASES / case), "split": split})
    assert len(source.index()) == rows
    assert len(source.remarks()) == 1
