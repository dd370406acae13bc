"""Pictures of opened samples, and what is told of them."""

import io
import json

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from latentmap.errors import LatentmapError
from latentmap.explorer.samples import Pictures
from latentmap.explorer.site import Site
from latentmap.report.details import read_details
from latentmap.report.options import ReportOptions
from latentmap.report.pictures import linked_pictures, write_picture_names, write_pictures
from latentmap.store.results import PICTURE_NAMES
from latentmap.store.samples import SCHEMA
from latentmap.store.tables import write_arrow


def encoded(form, size=(40, 20), mode="RGB", value=200):
    stream = io.BytesIO()
    Image.new(mode, size, value).save(stream, form)
    return stream.getvalue()


def shard(file, images, size=(40, 20), **extra):
    count = len(images)
    columns = {field.name: pa.nulls(count, field.type) for field in SCHEMA}
    columns |= {"id": [f"{file.stem}/é {n}.jpg" for n in range(count)], "image": images}
    columns |= {"width": [size[0]] * count, "height": [size[1]] * count}
    write_arrow(file, pa.table(columns | extra))
    return file


def test_pictures_are_written_once_as_they_came_or_as_browsers_show_them(tmp_path):
    png, tiff, deep = encoded("PNG"), encoded("TIFF"), encoded("PNG", mode="I;16", value=4095)
    one = shard(tmp_path / "a.arrow", [png, None, png, tiff])
    two = shard(tmp_path / "b.arrow", [deep, encoded("JPEG", (400, 200))], (400, 200))
    folder = tmp_path / "pictures"
    names = write_pictures([one, two], np.array([0, 1, 2, 3, 4, 5]), 100, folder)
    assert names[0] == names[2] and names[1] is None
    assert (folder / names[0]).read_bytes() == png
    assert len(list(folder.iterdir())) == 4
    assert names[3].endswith(".jpg"), "no browser shows TIFF"
    with Image.open(folder / names[4]) as picture:
        assert picture.convert("L").getextrema()[0] > 250, "12 bits in 16 are not black"
    with Image.open(folder / names[5]) as picture:
        assert picture.size == (100, 50)
    assert write_pictures([one, two], np.array([3]), 100, folder) == names[3:4]


def test_pictures_elsewhere_are_found_by_id_or_by_a_column(tmp_path):
    one = shard(tmp_path / "a.arrow", [None] * 2, path=["x y.png", None])
    rows = np.arange(2)
    found = linked_pictures([one], rows, "https://host:8080/images/", tmp_path)
    assert found == [
        "https://host:8080/images/a/%C3%A9%200.jpg",
        "https://host:8080/images/a/%C3%A9%201.jpg",
    ]
    assert linked_pictures([one], rows, "http://host/{path}?raw", tmp_path) == [
        "http://host/x%20y.png?raw",
        None,
    ]
    beside = tmp_path / "results" / "run"
    found = linked_pictures([one], rows, f"{tmp_path}/img #1", beside)
    assert found[0] == "../../img%20%231/a/%C3%A9%200.jpg"
    with pytest.raises(LatentmapError, match=r"no sample has all of file"):
        linked_pictures([one], rows, "http://host/{file}", tmp_path)


@pytest.mark.parametrize("wrong", ["https:///images", "javascript://x/%0aalert(1)", "http://a b/c"])
def test_pages_name_one_host_or_none(wrong):
    with pytest.raises(ValueError, match="has no host that pages could name"):
        ReportOptions(image_url=wrong)


def test_a_page_may_load_pictures_from_that_host_only(fake_run, tmp_path):
    report = fake_run.facts.config["report"]
    run = fake_run.copy(tmp_path / "run", report=report | {"image_url": "https://host:1/a/{id}"})
    page = run.write("method_maps", "tiny-vae", "plain", "mean")
    assert "img-src 'self' file: data: blob: https://host:1;" in page
    page = fake_run.copy(tmp_path / "other").write("method_maps", "tiny-vae", "plain", "mean")
    assert "img-src 'self' file: data: blob:;" in page


def test_details_are_whole_and_of_all_columns(tmp_path):
    long = "word " * 1000
    boxes = pa.array([[[4.0, 2.0, 40.0, 20.0]], None, None], SCHEMA.field("boxes").type)
    extra = {"score": [0.5, None, 1.0], "cache": ["c"] * 3, "boxes": boxes}
    one = shard(tmp_path / "a.arrow", [None] * 3, **extra)
    two = shard(tmp_path / "b.arrow", [None] * 2, info=[{"k": [1]}, None], chosen=[long, ""])
    found = read_details([one, two], np.array([0, 2, 3, 4]))
    assert found["text"] == [None] * 4
    assert found["boxes"] == [[[0.1, 0.1, 1, 1]], [], [], []]
    assert found["columns"] == {
        "width": ["40"] * 4,
        "height": ["20"] * 4,
        "score": ["0.5", "1.0", None, None],
        "info": [None, None, '{"k": [1]}', None],
        "chosen": [None, None, long, ""],
    }


def addresses(run):
    write_picture_names(run.results)
    text = run.results.read(PICTURE_NAMES)
    return json.loads(text[text.index("addresses: ") + 11 : text.rindex("};")])


def test_pages_show_the_pictures_of_the_explorer_and_keep_their_own_without(fake_run, tmp_path):
    run = fake_run.copy(tmp_path / "run", explorer={"pictures": True})
    own, site = (run.folder / name for name in ("report/assets/pictures", "explorer"))
    assert own.is_dir(), "of the run without an explorer"
    found = addresses(run)
    assert not own.exists()
    pictures = Pictures(Site(site, "key"))
    copied = [name for path in run.samples for name in pictures.of(path, 0, 70)]
    assert found == [f"../../explorer/pictures/{name}" for name in copied]
    assert all((run.report / "assets" / name).is_file() for name in found)

    for explorer in (None, {"pictures": False}):
        run = fake_run.copy(tmp_path / "run", explorer=explorer)
        found = addresses(run)
        assert all(name.startswith("pictures/") for name in found)
        assert {own / name.split("/")[1] for name in found} == set(own.iterdir())
    none = {**fake_run.facts.config["report"], "pictures": None}
    for explorer in (None, {"pictures": True}):
        run = fake_run.copy(tmp_path / "run", explorer=explorer, report=none)
        assert set(addresses(run)) == {None}
        assert not own.exists()
