"""A run made of arrays in this process, and what a run gives when it is opened."""

import html
import re
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import latentmap as lm
from latentmap.api import runs
from latentmap.errors import LatentmapError
from latentmap.explorer.built import INDEX, SCRIPT, STYLE
from latentmap.store.results import Results

COUNT = 36
OPTIONS = {"projections": {"tsne": None}, "statistics": {"permutations": 50}}
PAGE = f"""<meta http-equiv="Content-Security-Policy" content="">
<link rel="stylesheet" href="{STYLE}"><script src="{SCRIPT}" defer></script><!-- data -->"""


@pytest.fixture(scope="module")
def given():
    rng = np.random.default_rng(0)
    labels = np.array(["cat", "dog", "owl"], object)[np.arange(COUNT) % 3]
    latents = rng.normal(size=(COUNT, 4, 6, 6)).astype(np.float32)
    latents[labels == "dog", 0] += 1
    return latents, labels, np.arange(COUNT) // 2


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """A page in the place of the explorer's, which is built of packages from a network."""
    folder = tmp_path_factory.mktemp("page")
    for name, text in ((INDEX, PAGE), (SCRIPT, "1"), (STYLE, "")):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs, "built_page", lambda: folder)
        yield


@pytest.fixture(scope="module")
def explored(given, page):
    latents, labels, groups = given
    images = [np.full((8, 12, 3), row, np.uint8) for row in range(COUNT)]
    columns = pl.DataFrame({"<b>": np.arange(COUNT) / 7, "tall": latents[:, 1].mean(axis=(1, 2))})
    options = {**OPTIONS, "methods": ["mean", "minmax"], "targets": ["tall"]}
    return lm.explore(latents, labels, groups, images=images, columns=columns, **options)


@pytest.fixture(scope="module")
def run(explored):
    return lm.open(explored.folder)


def test_the_explorer_is_shown_in_a_frame_that_holds_all_of_it(explored):
    shown = explored._repr_html_()
    (text,) = re.findall(r'<iframe srcdoc="([^"]*)"', shown)
    assert html.unescape(text) == explored.path.read_text()
    assert 'id="file:manifest.json"' in html.unescape(text)
    assert "allow-same-origin" not in shown


def test_what_a_run_holds_is_what_the_functions_give(given, run):
    latents, labels, groups = given
    pooled = lm.pool(latents, ["mean", "minmax"])
    assert [key[2] for key in run.embeddings] == list(pooled)
    np.testing.assert_array_equal(run.latents(), latents)
    for name, vectors in pooled.items():
        np.testing.assert_array_equal(run.embedding(method=name), vectors)
        found = lm.neighbors(vectors, k=90, groups=groups)
        np.testing.assert_array_equal(
            run.neighbors(method=name, grouped=True).indices, found.indices
        )
        for kind in ("pca", "umap"):
            mapped, own = run.map(method=name, name=kind), lm.project(vectors, kind)
            np.testing.assert_array_equal(mapped.coordinates, own.coordinates)
            np.testing.assert_array_equal(mapped.trust, own.trust)
    tall = {"tall": latents[:, 1].mean(axis=(1, 2))}
    ranking = lm.compare(pooled, labels, groups, permutations=50, targets=tall)
    for name, own in ranking.measures.items():
        measured = run.measures(method=name).to_polars().filter(pl.col("metric") != "n_tokens")
        assert measured.equals(own.to_polars().filter(pl.col("metric") != "n_tokens"))
        kept = run.measures(method=name).kept.filter(pl.col("target") == "tall")
        assert kept.equals(own.kept)
    assert {"label", "tall"} == {*run.kept["target"]}
    columns = ["value", "interval", "p_best", "may_be_best"]
    for theirs, own in zip(run.ranking._rows, ranking._rows, strict=True):
        assert theirs["method"] == own["method"]
        assert [theirs[name] for name in columns] == [own[name] for name in columns]
    assert run.ranking.best == f"latents / plain / {ranking.best}"


def test_what_is_asked_for_and_not_there_is_told(run, tmp_path):
    with pytest.raises(LatentmapError, match=r"Which method\? There are mean, minmax\."):
        run.embedding()
    with pytest.raises(LatentmapError, match=r"Unknown method 'men'\. Did you mean 'mean'"):
        run.map(method="men")
    with pytest.raises(LatentmapError, match=f"^{tmp_path} has no run. Give the folder of its"):
        lm.open(tmp_path)
    with pytest.raises(LatentmapError, match=f"is no folder. There are: {run.folder}"):
        lm.open(run.folder.with_name("none"))


def test_a_method_without_a_map_is_told_from_one_that_is_not_there(run):
    opened = lm.open(run.folder)
    (encoder,) = opened.results.facts.encoders
    facts = replace(
        opened.results.facts,
        config={**opened.results.config, "maps": ["mean"]},
        encoders=(replace(encoder, mapped=["mean"]),),
    )
    opened.results = Results(run.folder, facts)
    with pytest.raises(LatentmapError, match=r"minmax has no map.* --config maps=mean,minmax"):
        opened.map(method="minmax")
    assert len(opened.map(name="pca").coordinates) == COUNT


def test_samples_keep_the_columns_that_came_with_them(given, run):
    samples = run.samples
    assert samples["label"].to_list() == given[1].tolist()
    np.testing.assert_allclose(samples["<b>"], np.arange(COUNT) / 7)
    assert "image" not in samples.columns


def test_annotated_data_has_samples_maps_neighbors_and_colours(run, tmp_path):
    anndata = pytest.importorskip("anndata")
    run.to_anndata(method="mean").write_h5ad(tmp_path / "run.h5ad")
    data = anndata.read_h5ad(tmp_path / "run.h5ad")
    np.testing.assert_array_equal(data.X, run.embedding(method="mean"))
    np.testing.assert_array_equal(
        data.obsm["X_umap"], run.map(method="mean", name="umap").coordinates
    )
    assert data.obs["label"].tolist() == run.samples["label"].to_list()
    assert len(data.uns["label_group_colors"]) == 3
    found = run.neighbors(method="mean")
    assert data.obsp["distances"][0, found.indices[0, 0]] == found.distances[0, 0]
    several = run.to_anndata()
    assert {"X_latents_plain_mean", "X_latents_plain_minmax_pca"} <= {*several.obsm}
    several.write_h5ad(tmp_path / "all.h5ad")


def test_a_sample_without_a_label_is_there_and_a_second_call_replaces_the_first(given, tmp_path):
    latents, labels, _ = given
    labels = np.where(np.arange(COUNT) == 3, None, labels)
    for count in (COUNT, COUNT - 1):
        vectors = {"a": latents[:count, :, 0, 0], "b": latents[:count, :, 1, 1]}
        projections = {"tsne": None, "umap": None}
        options = {**OPTIONS, "projections": projections, "explorer": None}
        page = lm.report(vectors, labels[:count], out=tmp_path / "my report!", **options)
    run = lm.open(page.folder)
    assert run.samples["label"].null_count() == 1 and len(run.samples) == COUNT - 1
    assert [key[0] for key in run.embeddings] == ["a", "b"]
    assert "srcdoc" in page._repr_html_() and page.path.exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"labels": ["a"]}, "label has 1 values for 6 samples"),
        ({"images": [None]}, "images has 1 entries for 6 samples"),
        ({"columns": {"x": [1]}}, "columns has 1 rows for 6 samples"),
        ({"X": {"a": np.zeros((6, 2)), "b": np.zeros((5, 2))}}, "b has 5 rows and a 6"),
        ({"X": {}}, "There is nothing to show"),
        ({"X": np.zeros(6)}, r"latents has shape \(6,\)"),
        ({"methods": ["men"]}, "(?s)not valid.*Did you mean 'mean'"),
    ],
)
def test_what_cannot_be_shown_is_told(change, said, tmp_path):
    given = {"X": np.eye(6), "labels": None, "explorer": None, "out": tmp_path / "run"}
    with pytest.raises(LatentmapError, match=said):
        lm.report(**given | change)


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "config.yaml").write_text("mine: true")
    with pytest.raises(LatentmapError, match="holds something else"):
        lm.report(np.eye(6), out=tmp_path, explorer=None)
    assert (tmp_path / "config.yaml").read_text() == "mine: true"
