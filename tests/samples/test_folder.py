import os
import unicodedata
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from latentmap.errors import LatentmapError
from latentmap.samples.ingest import ingest
from latentmap.samples.source import SOURCES
from latentmap.store.tables import read_parquet, write_parquet

CASES = Path(__file__).parents[3] / "shared" / "cases"


@pytest.fixture
def folder(tmp_path):
    for number, name in enumerate(("dog/b.png", "cat/deep/a.JPG", "cat/z.png", "loose.png")):
        path = tmp_path / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8 + number, 8)).save(path)
    (tmp_path / "images" / "cat" / "notes.txt").write_text("no image")
    (tmp_path / "images" / ".hidden").mkdir()
    (tmp_path / "images" / ".hidden" / "h.png").write_bytes(b"")
    return tmp_path / "images"


def make(folder, **options):
    return SOURCES.create("folder", {"input": str(folder), **options})


def said(source):
    """What a source passes over: how many of each, and which are named."""
    source.index()
    return {remark.what: (remark.count, remark.names) for remark in source.remarks()}


def test_class_folders(folder):
    source = make(folder)
    index = source.index()
    assert index["id"].to_list() == ["cat/deep/a.JPG", "cat/z.png", "dog/b.png", "loose.png"]
    assert index["label"].to_list() == ["cat", "cat", "dog", None]
    made = ingest(source, [3, 2, 0], {}, {})
    assert made.samples["id"].to_pylist() == ["dog/b.png", "cat/deep/a.JPG"]
    assert made.samples["source_group"].to_pylist() == ["dog/b.png", "cat/deep/a.JPG"]
    assert made.samples["width"].to_pylist() == [8, 9]
    assert made.samples["image"][0].as_py() == (folder / "dog/b.png").read_bytes()
    assert made.quarantine["reason"].to_pylist() == ["empty label"]


def test_a_folder_that_cannot_be_read_is_named(folder, monkeypatch):
    scandir = os.scandir

    def refuse(path):
        if Path(path).name == "dog":
            raise PermissionError(13, "Permission denied", os.fspath(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(LatentmapError, match=r"images/dog: Permission denied\. Make it readable"):
        make(folder).index()


def test_every_kind_of_picture_is_taken_and_the_rest_is_counted_and_named(folder):
    for suffix in (".jfif", ".jpe", ".avif", ".JPEG", ".tga"):
        Image.new("RGB", (8, 8)).save(folder / "dog" / f"x{suffix}")
    for number in range(4):
        (folder / "cat" / f"{number}.heic").write_bytes(b"")
    (folder / "page.eps").write_text("%!PS-Adobe-3.0 EPSF-3.0")
    (folder / "LICENSE").write_text("")
    (folder / "cat" / ".DS_Store").write_text("")
    source = make(folder)
    assert source.index().filter(label="dog").height == 6
    assert said(source) == {
        "files without suffix": (1, ("LICENSE",)),
        ".eps files": (1, ("page.eps",)),
        ".heic files": (4, ("cat/0.heic", "cat/1.heic", "cat/2.heic")),
        ".txt files": (1, ("cat/notes.txt",)),
        "hidden files and folders": (2, (".hidden", "cat/.DS_Store")),
    }
    [heic] = [remark for remark in source.remarks() if remark.what == ".heic files"]
    assert heic.row("mine", "images")["reason"] == (
        ".heic files (cat/0.heic, cat/1.heic, cat/2.heic, …): no images that Pillow can open here"
    )
    assert heic.remedy.startswith("Convert")


def pictures(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8)).save(folder / name)
    return folder


def test_folders_of_splits_with_class_folders_in_them(tmp_path):
    folder = pictures(tmp_path, "train/cat/0.png", "Valid/dog/1.png", "test/cat/deep/2.png")
    source = make(folder)
    index = source.index()
    assert index["label"].to_list() == ["dog", "cat", "cat"]
    [remark] = source.remarks()
    assert remark.action == "noted" and remark.in_short() == (
        "images: in the splits Valid, test, train, labelled by the folders inside them. Set "
        "'split_folders' to false if the splits are the labels."
    )
    told = source.with_places(dict(enumerate(index["place"].to_list())))
    for reader in (source, told):
        made = ingest(reader, [0, 1, 2], {}, {})
        assert made.samples["split"].to_pylist() == ["Valid", "test", "train"]
    assert made.samples["label"].to_pylist() == ["dog", "cat", "cat"]
    labelled = make(folder, split_folders=False)
    assert labelled.index()["label"].to_list() == ["Valid", "test", "train"]
    assert labelled.remarks() == []
    said = make(pictures(tmp_path / "deep", "a/cat/0.png", "b/1.png"), split_folders=True)
    assert said.index()["label"].to_list() == ["cat", None]


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["train/0.png", "test/1.png"], r"test, train may be .*with images such as test/1\.png"),
        (["train/cat/0.png", "train/1.png"], r"train may be .*with images such as train/1\.png"),
        (["train/cat/0.png", "test/cat/1.png", "misc/2.png"], "beside the folder misc"),
    ],
)
def test_folders_that_may_be_splits_or_labels_are_asked_about(tmp_path, names, words):
    folder = pictures(tmp_path, *names)
    with pytest.raises(LatentmapError, match=f"{words}.*Set 'split_folders' to true"):
        make(folder).index()
    assert len(make(folder, split_folders=False).index()) == len(names)


def test_one_class_may_be_called_like_a_split(tmp_path):
    folder = pictures(tmp_path, "train/0.png", "bus/old/1.png", "car/2.png", "loose.png")
    assert make(folder).index()["label"].to_list() == ["bus", "car", None, "train"]


def test_images_without_a_row_in_the_table_of_labels_are_passed_over(folder):
    stored, given = (unicodedata.normalize(form, "dog/é.png") for form in ("NFC", "NFD"))
    Image.new("RGB", (8, 8)).save(folder / stored)
    (folder / "labels.csv").write_text(f"file_name,label\n./cat/z.png,cat\n{given},dog\n")
    source = make(folder, labels="labels.csv")
    assert said(source) == {
        ".txt files": (1, ("cat/notes.txt",)),
        "hidden files and folders": (1, (".hidden",)),
        "images": (3, ("cat/deep/a.JPG", "dog/b.png", "loose.png")),
    }
    made = ingest(source, [0, 1], {}, {})
    assert made.samples["id"].to_pylist() == ["./cat/z.png", given]


@pytest.mark.skipif(not CASES.is_dir(), reason="needs the cases beside the project")
def test_cases_of_folders():
    source = make(CASES / "jfif_avif_skipped" / "images")
    assert source.index()["label"].value_counts(sort=True).rows() == [
        *(("cat", 5), ("dog", 4), ("owl", 4))
    ]
    assert source.remarks() == []
    source = make(CASES / "split_folders")
    assert source.index()["label"].to_list() == ["cat", "cat", "dog", "dog"] * 3
    source = make(CASES / "nfd_names", labels="l.csv")
    made = ingest(source, range(3), {}, {})
    assert made.samples.num_rows == 3 and source.remarks() == []


def test_a_snapshot_of_the_hub_is_made_of_links_to_the_files_beside_it(folder, tmp_path):
    blobs = tmp_path / "datasets--a--b" / "blobs"
    blobs.mkdir(parents=True)
    Image.new("RGB", (8, 8)).save(blobs / "0123.png")
    data = blobs.parent / "snapshots" / "4567" / "train"
    (data / "cat").mkdir(parents=True)
    (data / "cat" / "a.png").symlink_to("../../../../blobs/0123.png")
    (data / "cat" / "b.png").symlink_to(folder / "cat" / "z.png")
    assert make(data).index()["id"].to_list() == ["cat/a.png"]


def test_links_are_followed_and_lead_nowhere_twice(folder, tmp_path):
    (tmp_path / "else").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "else" / "w.png")
    (folder / "wolf").symlink_to(tmp_path / "else")
    (folder / "cat" / "deep" / "up").symlink_to(folder / "cat")
    (folder / "cat" / "root").symlink_to(folder.parent)
    (tmp_path / "else" / "back").symlink_to(folder)
    (folder / "dog" / "c.png").symlink_to("../cat/z.png")
    inside = ["cat/deep/a.JPG", "cat/z.png", "dog/b.png", "dog/c.png", "loose.png"]
    assert make(folder).index()["id"].to_list() == inside
    assert said(make(folder)) == {
        ".txt files": (1, ("cat/notes.txt",)),
        "hidden files and folders": (1, (".hidden",)),
        "links that lead out of the folder": (2, ("cat/root", "wolf")),
        "links to a folder above them": (1, ("cat/deep/up",)),
    }
    source = make(folder, follow_links=True)
    names = source.index()["id"].to_list()
    assert names == [
        "cat/deep/a.JPG",
        "cat/root/else/w.png",
        "cat/z.png",
        "dog/b.png",
        "dog/c.png",
        "loose.png",
        "wolf/w.png",
    ]
    made = ingest(source, range(7), {}, {})
    assert made.samples["label"].to_pylist() == ["cat", "cat", "cat", "dog", "dog", "wolf"]


def test_only_files_are_images_and_a_link_to_nothing_is_set_aside(folder):
    (folder / "cat" / "x.png").mkdir()
    Image.new("RGB", (8, 8)).save(folder / "cat" / "x.png" / "y.png")
    os.mkfifo(folder / "cat" / "pipe.png")
    (folder / "dog" / "gone.png").symlink_to("nowhere.png")
    source = make(folder)
    names = source.index()["id"].to_list()
    assert [name for name in names if name.startswith("cat/")] == [
        "cat/deep/a.JPG",
        "cat/x.png/y.png",
        "cat/z.png",
    ]
    assert said(source)["pipes, sockets and devices"] == (1, ("cat/pipe.png",))
    made = ingest(source, range(len(names)), {}, {})
    assert made.quarantine["id"].to_pylist() == ["dog/gone.png", "loose.png"]
    assert made.quarantine["reason"][0].as_py().startswith("image is missing")
    write_parquet(folder / "aside.parquet", made.quarantine)
    assert read_parquet(folder / "aside.parquet").equals(made.quarantine)


def test_a_name_that_is_not_utf8_is_named_in_one_line(folder):
    path = os.fsencode(folder / "cat") + b"/caf\xe9.png"
    try:
        os.close(os.open(path, os.O_CREAT))
    except OSError:
        pytest.skip("this file system takes no such name")
    with pytest.raises(LatentmapError) as caught:
        make(folder).index()
    line = f"{folder}: the file name 'cat/caf\\udce9.png' is not UTF-8. Rename it."
    assert str(caught.value) == line


def test_digest_follows_the_file(folder):
    before = make(folder).index()["digest"].to_list()
    Image.new("RGB", (9, 9)).save(folder / "dog" / "b.png")
    after = make(folder).index()["digest"].to_list()
    assert [a == b for a, b in zip(before, after, strict=True)] == [True, True, False, True]


def test_a_pixel_in_the_middle_of_a_bitmap_makes_another_image(folder):
    path = folder / "dog" / "b.bmp"
    Image.new("RGB", (400, 400)).save(path)
    before = make(folder).index()
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 255
    path.write_bytes(data)
    after = make(folder).index()
    assert after.filter(after["digest"] != before["digest"])["id"].to_list() == ["dog/b.bmp"]


def test_csv_of_labels_keeps_mapped_text_and_extra_columns(folder):
    (folder / "labels.csv").write_text(
        "file_name,key,class,where,score\n"
        'dog/b.png,007,01,"[[1, 2, 3, 4]]",0.5\n'
        "gone.png,008,02,,1.5\n"
        "cat/z.png,009,,,2\n"
    )
    columns = {"id": "key", "label": "class", "boxes": "where"}
    source = make(folder, labels="labels.csv", columns=columns)
    assert source.index()["id"].to_list() == ["007", "008", "009"]
    made = ingest(source, [0, 1, 2], {}, {})
    [row] = made.samples.to_pylist()
    assert (row["id"], row["label"], row["boxes"]) == ("007", "01", [[1, 2, 3, 4]])
    assert row["score"] == 0.5
    assert made.quarantine["id"].to_pylist() == ["008", "009"]
    assert made.quarantine["code"].to_pylist() == ["no_image", "no_label"]
    assert made.quarantine["reason"][0].as_py().startswith("image is missing")


def test_parquet_of_labels_anywhere(folder, tmp_path):
    path = tmp_path / "labels.parquet"
    pq.write_table(pa.table({"file_name": ["cat/z.png"], "label": ["lion"]}), path)
    made = ingest(make(folder, labels=str(path)), [0], {}, {})
    assert made.samples.select(["id", "label"]).to_pylist() == [
        {"id": "cat/z.png", "label": "lion"}
    ]


def test_what_is_wrong_is_said_in_one_line(folder, tmp_path):
    (tmp_path / "empty").mkdir()
    (folder / "bad.csv").write_text("a,b\n1,2,3\n")
    (folder / "other.csv").write_text("file,label\na,b\n")
    for source, words in (
        (make(tmp_path / "gone"), "no such folder"),
        (
            make(tmp_path / "empty"),
            "holds no images that Pillow can open here. What is there: nothing.",
        ),
        (make(folder, labels="gone.csv"), "gone.csv: no such file"),
        (make(folder, labels="bad.csv"), "not a CSV table"),
        (make(folder, labels="other.csv"), "Unknown column 'file_name'. Did you mean 'file'?"),
        (SOURCES.create("folder"), "set 'input'"),
    ):
        with pytest.raises(LatentmapError) as caught:
            source.index()
        assert words in str(caught.value)
        assert "\n" not in str(caught.value)


LABEL_FILES = {
    "l.csv": "file_name,label\ncat/z.png,a\ndog/b.png,b\n",
    "l.tsv": "file_name\tlabel\ncat/z.png\ta\ndog/b.png\tb\n",
    "semicolons.csv": "file_name;label\ncat/z.png;a\ndog/b.png;b\n",
    "trailing.csv": "file_name,label,,\ncat/z.png,a,,\ndog/b.png,b,,\n",
    "spaces.csv": "file_name, label\ncat/z.png, a\ndog/b.png, b\n",
    "index.csv": ",file_name,label\n0,cat/z.png,a\n1,dog/b.png,b\n",
    "windows.csv": "file_name,label\r\n.\\cat\\z.png,a\r\n.\\dog\\b.png,b\r\n",
    "metadata.jsonl": '{"file_name": "cat/z.png", "label": "a"}\n'
    '{"file_name": "dog/b.png", "label": "b"}\n',
    "l.json": '[{"file_name": "cat/z.png", "label": "a"},\n'
    '{"file_name": "dog/b.png", "label": "b"}]',
}


@pytest.mark.parametrize("name", LABEL_FILES)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_labels_in_every_kind_of_table(folder, name, encoding):
    (folder / name).write_bytes(LABEL_FILES[name].encode(encoding))
    made = ingest(make(folder, labels=name), [1, 0], {}, {})
    assert made.digests == make(folder, labels=name).index()["digest"].to_list()[::-1]
    assert made.quarantine.num_rows == 0
    assert made.samples["label"].to_pylist() == ["b", "a"]
    assert made.samples["width"].to_pylist() == [8, 10]


def test_labels_without_a_header_and_in_another_encoding(folder):
    (folder / "l.csv").write_text("cat/z.png,a\ndog/b.png,b\n")
    columns = {"id": "column_1", "image": "column_1", "label": "column_2"}
    source = make(folder, labels="l.csv", header=False, columns=columns)
    assert source.index()["label"].to_list() == ["a", "b"]
    with pytest.raises(LatentmapError, match="Unknown column 'file_name'"):
        make(folder, labels="l.csv").index()
    (folder / "l.csv").write_bytes("file_name,label\ncat/z.png,café\n".encode("cp1252"))
    with pytest.raises(LatentmapError, match=r"\(byte 29\): 0xE9 in line 2\. .*iconv -f WINDOWS"):
        make(folder, labels="l.csv").index()


def test_a_damaged_row_of_labels_costs_no_other_row(folder):
    (folder / "l.csv").write_text('file_name,label\ncat/z.png,a\n"dog/b.png,b\ndog/b.png,b\n')
    made = ingest(make(folder, labels="l.csv"), range(3), {}, {})
    assert made.samples["id"].to_pylist() == ["cat/z.png", "dog/b.png"]
    reason = "line 3: a quote inside a cell is not doubled, or not closed"
    assert made.quarantine["reason"].to_pylist() == [reason]
