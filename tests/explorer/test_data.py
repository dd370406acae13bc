"""The data of an explorer, read by other code than what wrote it."""

from __future__ import annotations

import gzip
import io
import json
import sys
import zlib
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image
from scipy.spatial import procrustes
from scipy.spatial.distance import pdist
from scipy.stats import rankdata
from sklearn.neighbors import NearestNeighbors

from latentmap.errors import LatentmapError
from latentmap.explorer.write import write_explorer
from latentmap.store import results as book
from latentmap.store.maps import write_map
from latentmap.store.tables import read_parquet

sys.path.insert(0, str(Path(__file__).parent))

from planted import OUTLYING, Planted, texts_of

HOSTILE = [
    "../../x",
    "__proto__",
    "</script><script>alert(1)</script>",
    "\u202egnp.exe",
    "javascript:alert(1)",
    "",
    "a\0b",
    "y" * 1_000_000,
]


class Site:
    """What a reader finds who knows docs/explorer-format.md and nothing of latentmap."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifest = json.loads((folder / "manifest.json").read_text("utf-8"))

    def read(self, file: str) -> pa.Table:
        return pa.ipc.open_file(pa.OSFile(str(self.folder / file))).read_all()

    def chunks(self, entry: dict) -> pa.Table:
        numbers = range(len(entry["bytes"]))
        tables = [self.read(entry["file"].replace("{}", str(number))) for number in numbers]
        assert np.cumsum([0, *map(len, tables)]).tolist() == entry["starts"]
        return pa.concat_tables(tables)

    def places(self, name: str) -> np.ndarray:
        entry = next(entry for entry in self.manifest["maps"] if entry["id"] == name)
        table = self.read(entry["file"])
        axes = [np.asarray(table[axis], float) for axis in "xyz"[: entry["dims"]]]
        return np.stack(axes, axis=1) * entry["scale"] + entry["offset"]

    def column(self, name: str) -> tuple[dict, pa.Table]:
        entry = next(entry for entry in self.manifest["columns"] if entry["id"] == name)
        return entry, self.read(entry["file"])

    @property
    def listed(self) -> dict[str, tuple[int, int]]:
        """Length and checksum of every table that the manifest names."""
        manifest = self.manifest
        whole = [*manifest["maps"], *manifest["columns"]]
        whole += [entry["before"] for entry in manifest["maps"] if entry["before"]]
        found = {entry["file"]: (entry["bytes"], entry["crc32"]) for entry in whole}
        chunked = [manifest[name] for name in ("ids", "samples", "thumbnails")]
        chunked += [method["neighbors"] for method in manifest["methods"]]
        for entry in filter(None, chunked):
            for number, facts in enumerate(zip(entry["bytes"], entry["crc32"], strict=True)):
                found[entry["file"].replace("{}", str(number))] = facts
        return found


@pytest.fixture(scope="module")
def planted(tmp_path_factory) -> Planted:
    planted = Planted(tmp_path_factory.mktemp("runs") / "planted", count=700)
    write_explorer(planted.write())
    return planted


@pytest.fixture(scope="module")
def site(planted) -> Site:
    return Site(planted.folder / "explorer")


@pytest.fixture
def write(tmp_path):
    """Write a run and its explorer; return the site."""

    def written(**run: object) -> Site:
        planted = Planted(tmp_path / "run", **{"count": 40, **run})
        write_explorer(planted.write())
        return Site(planted.folder / "explorer")

    return written


def test_the_reader_of_the_docs_reads_the_first_view(planted, monkeypatch):
    text = (Path(__file__).parents[2] / "docs" / "explorer-format.md").read_text()
    code = text.split("```python\n")[1].split("```")[0]
    assert len([line for line in code.splitlines() if line]) <= 12
    monkeypatch.chdir(planted.folder.parent)
    found: dict = {}
    exec(code.replace("results/demo", "planted"), found)
    first = read_parquet(planted.results.path(book.PROJECTION, "tower", "plain", "mean", "umap"))
    assert np.allclose(found["x"], first["x"].to_numpy(), atol=found["entry"]["scale"])
    assert found["labels"] == [f"label {label}" for label in planted.labels]


def test_every_file_is_as_long_as_the_manifest_says_and_of_these_samples(site):
    assert len(site.listed) > 20
    for file, (length, checksum) in site.listed.items():
        content = (site.folder / file).read_bytes()
        assert (len(content), zlib.crc32(content)) == (length, checksum)
        assert pa.ipc.open_file(content).schema.metadata[b"key"].decode() == site.manifest["key"]
        assert pa.ipc.open_file(content).num_record_batches == 1
    there = {
        str(path.relative_to(site.folder))
        for path in site.folder.rglob("*")
        if path.is_file() and path.suffix not in (".br", ".gz")
    }
    assert there == {*site.listed, "manifest.json"}
    assert site.manifest["bytes"] == sum(length for length, _ in site.listed.values())


def test_compressed_copies_hold_the_same_and_save_a_tenth(site):
    copies = [path for path in site.folder.rglob("*") if path.suffix in (".br", ".gz")]
    assert {path.suffix for path in copies} == {".br", ".gz"}
    for path in copies:
        plain = path.with_suffix("").read_bytes()
        compressed = path.read_bytes()
        assert len(compressed) <= 0.9 * len(plain)
        if path.suffix == ".gz":
            assert gzip.decompress(compressed) == plain
        else:
            assert pa.Codec("brotli").decompress(compressed, len(plain)).to_pybytes() == plain


def test_rows_are_the_samples_in_their_order(planted, site):
    assert site.chunks(site.manifest["ids"])["id"].to_pylist() == planted.ids
    samples = site.chunks(site.manifest["samples"])
    assert samples["id"].to_pylist() == planted.ids
    assert all(len(text.split()) == planted.words for text in samples["text"].to_pylist())


def test_methods_are_best_first_and_maps_of_baselines_last(site):
    assert [method["id"] for method in site.manifest["methods"]] == [
        "tower/plain/mean",
        "tower/plain/max",
        "dct/plain/mean",
    ]
    best = site.manifest["methods"][0]
    assert (best["rank"], best["dims"], best["baseline"]) == (1, 8, False)
    assert (best["value"], best["chance"], best["interval"]) == (1, 0.1, [0.9, 1.1])
    methods = [entry["method"] for entry in site.manifest["maps"]]
    assert methods[-3:] == ["dct/plain/mean"] * 3
    assert site.manifest["first"]["map"].startswith("tower/plain/mean/")
    assert site.manifest["first"]["column"] == "label"


def test_maps_are_laid_over_their_reference_as_scipy_does(planted, site):
    compared = 0
    for entry in site.manifest["maps"]:
        read = read_parquet(planted.results.path(book.PROJECTION, *entry["id"].split("/")))
        original = np.stack([read[axis].to_numpy() for axis in "xyz"[: entry["dims"]]], axis=1)
        name = entry["alignment"]["reference"]
        reference = site.places(name)
        ours = site.places(entry["id"])
        assert len(name.split("/")) == 4
        if name == entry["id"]:
            assert entry["alignment"]["residual"] == 0
            assert np.abs(ours - original).max() <= entry["scale"]
            continue
        _, theirs, disparity = procrustes(reference, original)
        assert entry["alignment"]["residual"] == pytest.approx(disparity, abs=1e-4)
        centred = ours - ours.mean(axis=0)
        size = np.linalg.norm(reference - reference.mean(axis=0))
        assert centred / size == pytest.approx(theirs, abs=1e-4)
        compared += 1
    assert compared == 7


def test_another_runs_samples_and_regions_move_with_a_map(tmp_path):
    dims = {"umap": 2, "umap3d": 3}
    before = Planted(tmp_path / "before", count=30, dims=dims)
    before.write()
    planted = Planted(tmp_path / "after", count=40, dims=dims, reference="before")
    write_explorer(planted.write())
    site = Site(planted.folder / "explorer")
    for entry in site.manifest["maps"]:
        axes = "xyz"[: entry["dims"]]
        key = entry["id"].split("/")
        read = [read_parquet(run.results.path(book.PROJECTION, *key)) for run in (planted, before)]
        original = np.concatenate([np.stack([table[a] for a in axes], 1) for table in read])
        there = entry["before"]
        assert (there["run"], there["count"], there["file"].split(".")[1]) == (
            "before",
            30,
            "before",
        )
        table = site.read(there["file"])
        theirs = np.stack([np.asarray(table[a], float) for a in axes], 1)
        theirs = theirs * there["scale"] + there["offset"]
        ours = np.concatenate([site.places(entry["id"]), theirs])
        if entry["dims"] == 2:
            original = np.concatenate([original, [[0, 1], [2, 3]]])
            ours = np.concatenate([ours, entry["regions"]["centres"]])
            assert entry["regions"]["shares"] == [[0.5, 0.25], [0.5, 0.75]]
            assert entry["regions"]["sources"] == ["before (reference)", "planted"]
        else:
            assert entry["regions"] is None
        ratios = pdist(ours) / pdist(original)
        assert ratios == pytest.approx(np.median(ratios), rel=5e-3)


def test_a_map_in_one_point_is_written(tmp_path):
    planted = Planted(tmp_path / "run", count=30)
    results = planted.write()
    path = results.path(book.PROJECTION, "tower", "plain", "max", "umap")
    write_map(path, planted.ids, np.zeros((30, 2), np.float32), {})
    write_explorer(results)
    places = Site(planted.folder / "explorer").places("tower/plain/max/umap")
    assert np.isfinite(places).all()
    assert len(np.unique(places, axis=0)) == 1


def test_outliers_do_not_take_the_places_of_the_others(tmp_path):
    planted = Planted(tmp_path / "run", count=400, dims={"umap": 2})
    results = planted.write()
    path = results.path(book.PROJECTION, "tower", "plain", "mean", "umap")
    places = np.random.default_rng(0).normal(size=(400, 2)).astype(np.float32)
    places[0] = 1e6
    places[1] = np.nan
    write_map(path, planted.ids, places, {})
    write_explorer(results)
    site = Site(planted.folder / "explorer")
    entry = next(entry for entry in site.manifest["maps"] if entry["id"] == "tower/plain/mean/umap")
    assert (entry["type"], entry["unplaced"]) == ("float32", 1)
    np.testing.assert_array_equal(site.places(entry["id"]), places)
    other = next(entry for entry in site.manifest["maps"] if entry["id"] == "tower/plain/max/umap")
    assert other["type"] == "uint16"


def test_neighbors_are_those_of_the_embedding(planted, site):
    entry = site.manifest["methods"][0]["neighbors"]
    table = site.chunks(entry)
    assert (entry["k"], entry["metric"]) == (15, "euclidean")
    found = np.array(table["neighbor"].to_pylist())
    distances = np.array(table["distance"].to_pylist())
    search = NearestNeighbors(n_neighbors=16, algorithm="brute").fit(planted.values)
    expected, rows = search.kneighbors(planted.values)
    assert distances == pytest.approx(expected[:, 1:], rel=1e-4)
    assert (np.sort(found) == np.sort(rows[:, 1:])).mean() > 0.999
    same = np.array(table["same_source"].to_pylist())
    assert (same == (found // 3 == np.arange(700)[:, np.newaxis] // 3)).all()
    assert 0 < same.sum() < same.size


def test_purity_and_distance_are_those_of_other_source_groups(planted, site):
    columns = site.manifest["methods"][0]["columns"]
    _, purity = site.column(columns["purity"])
    _, other = site.column(columns["nearest_other"])
    groups = np.arange(700) // 3
    for row in range(0, 700, 50):
        gaps = np.linalg.norm(planted.values - planted.values[row], axis=1)
        gaps[groups == groups[row]] = np.inf
        nearest = np.argsort(gaps)[:15]
        share = (planted.labels[nearest] == planted.labels[row]).mean()
        assert purity["value"][row].as_py() == pytest.approx(share)
        assert other["value"][row].as_py() == pytest.approx(gaps.min(), rel=1e-4)


def test_shares_of_neighbors_say_of_how_many(site):
    columns = site.manifest["methods"][0]["columns"]
    titles = {column["id"]: column["title"] for column in site.manifest["columns"]}
    assert titles[columns["purity"]].endswith("(k = 15)")  # lists of the planted graph are as long
    assert titles[columns["neighbor_disagreement"]].endswith("(k = 10)")  # `outliers.k`


def test_scores_of_methods_and_trust_in_maps_are_columns(planted, site):
    asked = 0
    for owners, artifact, names in (
        (site.manifest["methods"], book.OUTLIERS, OUTLYING),
        (site.manifest["methods"], book.SAMPLING_WEIGHTS, ["density"]),
        (site.manifest["maps"], book.TRUST, ["trust"]),
    ):
        for owner in owners:
            file = planted.results.path(artifact, *owner["id"].split("/"))
            for name in names:
                entry, table = site.column(owner["columns"][name])
                assert entry["of"] == owner["id"]
                assert table["value"].to_pylist() == read_parquet(file)[name].to_pylist()
                asked += 1
    assert asked == 3 * 4 + 3 + 9


def test_categories_stand_by_size_and_no_value_comes_last(write):
    values = ["b", "a", None, "a", "c", "b", None, "b"] * 5
    site = write(columns={"kind": values})
    entry, table = site.column("own::kind")
    assert table["value"].to_pylist() == values
    names = table["value"].chunk(0).dictionary.to_pylist()
    assert names == ["b", "a", "c", None]
    assert table["value"].chunk(0).indices.null_count == 0
    assert (entry["kind"], entry["values"], entry["missing"]) == ("category", 3, 10)


def test_labels_have_the_colours_of_the_report(site, planted):
    entry, table = site.column("label")
    names = table["value"].chunk(0).dictionary.to_pylist()
    counts = Counter(table["value"].to_pylist())
    assert [counts[name] for name in names] == sorted(counts.values(), reverse=True)
    groups = json.loads(planted.results.path(book.LABELS).read_text())["groups"]
    assert dict(zip(names, entry["colors"], strict=True)) == {g["name"]: g["color"] for g in groups}


def test_boxes_have_the_colours_that_they_are_drawn_in(site):
    assert site.manifest["palette"]["regions"] == ["#FF0000", "#0000FF"]


def test_numbers_keep_their_digits_and_have_percentiles(write):
    numbers = [0.5, 16_777_217, None, 3, 3, -2.25, 1e300, 0] * 5
    texts = [None if value is None else str(value) for value in numbers]
    site = write(columns={"score": numbers}, annotations={"told": texts})
    for name in ("own::score", "annotation::told"):
        entry, table = site.column(name)
        values = table["value"].to_numpy()
        assert (entry["kind"], entry["low"], entry["high"]) == ("number", -2.25, 1e300)
        assert entry["missing"] == 5
        known = np.array([value is not None for value in numbers])
        assert np.isnan(values[~known]).all()
        assert values[known].tolist() == [value for value in numbers if value is not None]
        percentile = table["percentile"].to_numpy()
        assert (percentile[~known] == 65535).all()
        ranks = 10_000 * (rankdata(values[known]) - 1) / (known.sum() - 1)
        assert np.abs(percentile[known] - ranks).max() <= 0.5


def test_targets_are_columns_and_so_are_the_residuals_of_probes(write):
    far = [None if row % 5 == 0 else float(row) for row in range(40)]
    shape = [("cube", "ball", None)[row % 3] for row in range(40)]
    site = write(targets={"far": far, "shape": shape, "label": shape})
    added = [one["id"] for one in site.manifest["columns"] if one["id"].startswith("target::")]
    assert added == ["target::far", "target::shape"]
    found, table = site.column("target::far")
    assert (found["title"], found["unit"], found["missing"]) == ("The far", "metres", 8)
    assert np.array_equal(table["value"], np.array(far, float), equal_nan=True)
    assert site.column("target::shape")[1]["value"].to_pylist() == shape
    for method in site.manifest["methods"]:
        found, table = site.column(method["columns"]["residual far"])
        assert (found["about"], found["of"]) == ("method", method["id"])
        right = np.where(np.arange(40) % 5, 1, np.nan)
        assert np.array_equal(table["value"], right, equal_nan=True)


def test_what_is_no_category_is_told_of_each_sample(write):
    own = [f"words of their own {row}" for row in range(120)]
    nested = [{"a": row} for row in range(120)]
    site = write(count=120, columns={"own": own, "nested": nested}, annotations={"why": own})
    ids = {column["id"] for column in site.manifest["columns"]}
    assert not ids & {"own::own", "own::nested", "annotation::why"}
    entry = site.manifest["samples"]
    table = site.chunks(entry)
    names = {column["title"]: column["name"] for column in entry["columns"]}
    assert table[names["own"]].to_pylist() == own
    assert table[names["why"]].to_pylist() == own
    assert [json.loads(text) for text in table[names["nested"]].to_pylist()] == nested


def test_columns_of_one_name_have_titles_of_their_own(write):
    halves = [str(row % 2) + " half" for row in range(40)]
    site = write(
        columns={"score": halves, "label group": halves, "label\u00a0group": halves},
        annotations={"score": halves, "label": halves},
    )
    shown = [column for column in site.manifest["columns"] if column["of"] is None]
    titles = [column["title"] for column in shown]
    assert len(set(titles)) == len(titles)
    named = {column["id"]: column["title"] for column in site.manifest["columns"]}
    assert named["own::score"] == "score"
    assert named["annotation::score"] == "score (annotation)"
    assert named["annotation::label"] == "label (annotation)"
    told = {column["title"] for column in site.manifest["samples"]["columns"]}
    assert {"score", "score (annotation)", "label (annotation)"} <= told


def test_a_column_that_is_the_text_is_told_but_is_no_category(write):
    texts = texts_of(range(40), 20)
    turns = [json.dumps({"messages": [{"role": "user", "content": text}]}) for text in texts]
    kinds = [f"{'a kind of question that takes many words ' * 2}{row % 2}" for row in range(40)]
    site = write(words=20, columns={"prefix": turns, "kind": kinds})
    ids = {column["id"] for column in site.manifest["columns"]}
    assert "own::kind" in ids and "own::prefix" not in ids
    entry = site.manifest["samples"]
    name = next(c["name"] for c in entry["columns"] if c["title"] == "prefix")
    assert site.chunks(entry)[name].to_pylist() == turns


def test_data_can_say_anything_and_is_never_a_path(write):
    words = [HOSTILE[row % len(HOSTILE)] for row in range(40)]
    site = write(
        columns=dict.fromkeys(HOSTILE[:5], words),
        annotations={"__proto__": words, "constructor": words},
    )
    for path in site.folder.rglob("*"):
        assert path.resolve().is_relative_to(site.folder.resolve())
        assert set(path.name) <= set("abcdefghijklmnopqrstuvwxyz0123456789.")
    titles = {column["title"] for column in site.manifest["columns"]}
    assert {"__proto__", "constructor", HOSTILE[0], HOSTILE[2]} <= titles
    assert not any("\u202e" in title or "\0" in title for title in titles)
    entry = site.manifest["samples"]
    table = site.chunks(entry)
    name = next(c["name"] for c in entry["columns"] if c["title"] == "../../x")
    assert table[name].to_pylist() == words
    _, column = site.column("own::../../x")
    shown = column["value"].to_pylist()
    assert shown[:6] == words[:6]
    assert len(shown[7]) == 300


def test_chunks_are_cut_by_bytes(write):
    texts = ["x" * 10_000] * 100 + ["y" * 2_000_000] + ["z"] * 19
    site = write(count=120, columns={"long": texts})
    sizes = site.manifest["samples"]["bytes"]
    starts = site.manifest["samples"]["starts"]
    assert len(sizes) > 2
    assert starts[starts.index(100) : starts.index(100) + 2] == [100, 101]
    assert sorted(sizes)[-2] < 700_000


def test_equal_runs_have_equal_explorers_and_nothing_old_is_left(tmp_path):
    planted = Planted(tmp_path / "run", count=40, pictures=True)
    results = planted.write()
    folder = planted.folder / "explorer"

    def contents() -> dict[str, bytes]:
        return {str(p): p.read_bytes() for p in folder.rglob("*") if p.is_file()}

    write_explorer(results)
    first = contents()
    (folder / "maps" / "old").mkdir()
    (folder / "maps" / "old" / "x.arrow").write_bytes(b"old")
    (folder / "notes.txt").write_text("mine")
    write_explorer(results)
    assert contents() == {**first, str(folder / "notes.txt"): b"mine"}
    planted.options = {"pictures": False}
    write_explorer(planted.results)
    assert not (folder / "pictures").exists()
    assert not (folder / "thumbnails").exists()
    assert (folder / "notes.txt").exists()


def test_pictures_are_copied_once_and_thumbnails_are_those_of_the_run(tmp_path):
    planted = Planted(tmp_path / "run", count=40, pictures=True)
    results = planted.write()
    write_explorer(results)
    site = Site(planted.folder / "explorer")
    table = site.chunks(site.manifest["samples"])
    pictures = table["picture"].to_pylist()
    assert len(set(pictures)) == 20
    assert site.manifest["pictures"]["files"] == 20
    assert table["boxes"].to_pylist() == [[[1, 2, 30, 40]]] * 40
    for row, shard in enumerate(
        pa.ipc.open_file(results.paths(book.SAMPLES)[0]).read_all()["image"]
    ):
        assert (site.folder / "pictures" / pictures[row]).read_bytes() == shard.as_py()
    jpegs = site.chunks(site.manifest["thumbnails"])["jpeg"].to_pylist()
    assert Image.open(io.BytesIO(jpegs[0])).size == (48, 48)
    assert (
        jpegs == pa.ipc.open_file(results.paths(book.THUMBNAILS)[0]).read_all()["jpeg"].to_pylist()
    )


def test_what_is_not_to_be_shown_is_in_no_file(write):
    long = [
        f"a secret of many words, which nobody but the authors should read {row}"
        for row in range(40)
    ]
    twice = [text[:66] for text in long]
    kinds = ["kind"] * 20 + ["other"] * 20
    site = write(
        pictures=True,
        columns={"secret": long, "twice": twice, "kind": kinds},
        options={"text": False, "pictures": False},
    )
    assert site.manifest["thumbnails"] is site.manifest["pictures"] is None
    assert {entry["what"] for entry in site.manifest["missing"]} == {"pictures", "text"}
    everything = b"".join(
        path.read_bytes() for path in site.folder.rglob("*") if path.suffix in (".arrow", ".json")
    )
    assert b"a secret" not in everything
    assert b"river" not in everything
    assert b"JFIF" not in everything
    assert site.chunks(site.manifest["samples"])["text"].null_count == 40
    assert site.column("own::kind")[1]["value"].to_pylist() == kinds


def test_neighbors_are_left_out_where_there_are_more_methods(write):
    site = write(options={"neighbors": 1})
    has = [method["neighbors"] is not None for method in site.manifest["methods"]]
    assert has == [True, False, False]
    missing = next(entry for entry in site.manifest["missing"] if entry["what"] == "neighbors")
    assert "1 of 3" in missing["why"]
    assert "neighbors: 3" in missing["remedy"]


def test_samples_without_labels_are_shown_by_what_else_is_known(write):
    site = write(labelled=False, columns={"kind": ["a", "b"] * 20})
    assert site.manifest["metric"] is None
    assert site.manifest["first"]["column"] == "own::kind"
    assert "purity" not in site.manifest["methods"][0]["columns"]
    assert {method["rank"] for method in site.manifest["methods"]} == {None}
    site = write(labelled=False)
    assert site.manifest["first"]["column"] == "density::tower/plain/mean"


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_handful_of_samples_is_an_explorer(write, count):
    site = write(count=count, pictures=True)
    assert site.manifest["count"] == count
    table = site.chunks(site.manifest["methods"][0]["neighbors"])
    assert all(sum(row >= 0 for row in rows) == count - 1 for rows in table["neighbor"].to_pylist())
    assert np.isfinite(site.places(site.manifest["first"]["map"])).all()


def test_a_graph_of_other_samples_is_refused(tmp_path):
    results = Planted(tmp_path / "run", count=40).write()
    others = Planted(tmp_path / "others", count=41).write()
    there = results.path(book.NEIGHBORS, "tower", "plain", "mean")
    there.write_bytes(others.path(book.NEIGHBORS, "tower", "plain", "mean").read_bytes())
    with pytest.raises(LatentmapError, match=r"in the place of another file|41 rows"):
        write_explorer(results)
    assert not (results.folder / "explorer" / "manifest.json").exists()
