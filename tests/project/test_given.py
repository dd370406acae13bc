"""Coordinates of another program are shown as they are, or refused in one line."""

import shutil

import numpy as np
import pytest

from latentmap.encode.encoder import ENCODERS
from latentmap.errors import LatentmapError
from latentmap.export.coords import export_coords
from latentmap.planning import check_all
from latentmap.project.place import project_embedding
from latentmap.project.projection import PROJECTIONS
from latentmap.project.quality import TrustOptions, assess_maps
from latentmap.run import load_run
from latentmap.samples.ingest import ingest
from latentmap.samples.source import SOURCES
from latentmap.store.maps import read_map, write_map
from latentmap.store.tables import facts_of, matrix, read_parquet

ROWS = 40
LABELS = [row % 3 for row in range(ROWS)]
PLACES = np.random.default_rng(3).normal(size=(ROWS, 2)).astype(np.float32)


@pytest.fixture
def folder(make_cache, tmp_path):
    """A cache whose vectors are gone, with coordinates; its row 5 has none."""
    made = make_cache(tmp_path / "m_d" / "test" / "seed1", np.zeros((ROWS, 4)), LABELS)
    (made / "embeddings.pt").unlink()
    (made / "labels.pt").unlink()
    places = PLACES.copy()
    places[5] = np.nan
    np.save(made / "vis_umap_coords.npy", places)
    return made


def config(folder, **changes):
    file = {"file": "vis_umap_coords.npy"}
    return {
        "run": "a",
        "input": str(folder),
        "samples": {"sources": [{"kind": "embedding_cache"}]},
        "encoders": [{"kind": "coordinates", **file}],
        "projections": {"pca": None, "tsne": None, "umap": {"kind": "given", **file}},
        **changes,
    }


def test_a_folder_without_vectors_is_a_run_of_which_nothing_is_measured(folder):
    run = load_run(config(folder))
    plan = check_all(run)
    assert len(plan.listing.rows) == ROWS
    assert run.measured == {} and not run.facts.labelled
    (encoder,) = run.facts.encoders
    assert (encoder.name, encoder.mapped) == ("m_d-test-seed1", ["flatten"])


def test_samples_have_their_coordinates_whatever_their_order(folder):
    source = SOURCES.create("embedding_cache", {"input": str(folder)})
    made = ingest(source, range(ROWS - 1, -1, -1), {}, {})
    assert made.quarantine["reason"].to_pylist() == [
        "its place on a map in the cache m_d-test-seed1 is not finite"
    ]
    samples = made.samples.to_pylist()
    encoder = ENCODERS.create("coordinates", {"input": str(folder), "file": "vis_umap_coords.npy"})
    encoder.load()
    kept = [row for row in range(ROWS - 1, -1, -1) if row != 5]
    found = [encoder.prepare(sample, None) for sample in samples]
    np.testing.assert_array_equal(found, PLACES[kept])


def given(folder, **options):
    return PROJECTIONS.create("given", {"file": str(folder / "vis_umap_coords.npy"), **options})


@pytest.fixture
def named(make_cache, tmp_path):
    """A cache, its coordinates, and the graph's samples among its rows in another order."""
    made = make_cache(
        tmp_path / "cache",
        np.zeros((ROWS, 4)),
        LABELS,
        [f"s{ROWS - 1 - row}" for row in range(ROWS)],
    )
    np.save(made / "vis_umap_coords.npy", PLACES)
    return made


def test_a_map_shows_the_coordinates_as_they_are_and_how_far_to_trust_them(named, files):
    values = np.random.default_rng(0).normal(size=(ROWS - 4, 6)).astype(np.float32)
    made = files(values, k=20)
    projection = given(named)
    project_embedding(made.embedding, made.neighbors, made.samples, projection, made.output)
    found = read_map(made.output)
    np.testing.assert_array_equal(found.coordinates, PLACES[::-1][: ROWS - 4])
    assert found.facts["given"] == "vis_umap_coords.npy"
    trust = made.output.with_suffix(".trust.parquet")
    arguments = [made.embedding, made.neighbors, made.samples, [made.output], [projection]]
    for is_measured in (True, False):
        assess_maps(*arguments, TrustOptions(), [trust], is_measured)
        table = read_parquet(trust)
        assert np.isfinite(matrix(table["trust"])).all() == is_measured
        # Nobody can make it again from another seed.
        assert np.isnan(matrix(table["spread"])).all()
        assert facts_of(table)["assessed"] == (ROWS - 4) * is_measured


def test_the_file_is_that_beside_each_encoder_s_own_vectors(named, tmp_path):
    shutil.copytree(named, tmp_path / "other")
    options = given(named).options.model_copy(update={"file": "vis_umap_coords.npy"})
    beside = options.beside(str(tmp_path / "other"))
    assert beside.file == str(tmp_path / "other" / "vis_umap_coords.npy")
    assert beside.cache == str(tmp_path / "other")
    assert options.beside(None) == options == options.beside(str(tmp_path))


def save(folder, values):
    np.save(folder / "vis_umap_coords.npy", values)


@pytest.mark.parametrize(
    ("places", "line"),
    [
        (PLACES[1:], "39 rows of coordinates, .*metadata.csv 40 rows"),
        (np.zeros((ROWS, 3), np.float32), "3 coordinates a row. Set 'dims'"),
        (np.zeros((ROWS, 5), np.float32), r"\(40, 5\), no 2 or 3 coordinates"),
        (np.zeros(ROWS, np.float32), "vis_umap_coords.npy"),
        (None, "no such file"),
    ],
    ids=["rows", "dims", "wide", "flat", "missing"],
)
def test_coordinates_that_do_not_fit_are_one_line_before_any_job(
    make_cache, tmp_path, places, line
):
    made = make_cache(tmp_path / "seed1", np.ones((ROWS, 4), np.float32), LABELS)
    if places is not None:
        save(made, places)
    encoders = [{"kind": "embedding_cache"}]
    with pytest.raises(LatentmapError, match=f"^Map umap: .*{line}") as caught:
        check_all(load_run(config(made, encoders=encoders)))
    assert "\n" not in str(caught.value)


def test_samples_without_coordinates_are_one_line(named, files):
    made = files(np.zeros((ROWS + 2, 3), np.float32), k=5)
    with pytest.raises(LatentmapError, match=r"no coordinates for 2 of 42 .*the first: 's40'"):
        project_embedding(made.embedding, made.neighbors, made.samples, given(named), made.output)


def test_vectors_that_are_gone_are_asked_for_in_one_line(folder):
    with pytest.raises(LatentmapError, match=r"has no embeddings.pt. Its coordinates can be shown"):
        check_all(load_run(config(folder, encoders=[{"kind": "embedding_cache"}])))


def test_coordinates_are_not_measured_beside_vectors(folder):
    encoders = [*config(folder)["encoders"], {"kind": "dct", "size": 64}]
    with pytest.raises(LatentmapError, match="shows coordinates, which are not measured beside"):
        load_run(config(folder, encoders=encoders))


def test_what_is_put_beside_a_cache_is_shown_as_it_was(make_cache, files, tmp_path):
    # As the script left a folder: rows in its own order, one name twice, one vector not finite.
    names = [f"s{row}" for row in (3, 1, 0, 2)] + ["s1", "lost"]
    folder = make_cache(tmp_path / "seed1", np.zeros((6, 4), np.float32), [0, 1] * 3, names)
    ids, places = ["s0", "s1", "s2", "s3"], PLACES[:4]
    write_map(tmp_path / "umap.parquet", [*ids, "s1#2"], PLACES[:5], {})
    export_coords(
        [tmp_path / "umap.parquet"], folder, "file_name", [folder / "vis_umap_coords.npy"]
    )
    coords = np.load(folder / "vis_umap_coords.npy", allow_pickle=False)
    assert (coords.shape, coords.dtype) == ((6, 2), np.float32)
    np.testing.assert_array_equal(coords, [*PLACES[[3, 1, 0, 2, 4]], [np.nan, np.nan]])
    made = files(np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32), k=3)
    project_embedding(made.embedding, made.neighbors, made.samples, given(folder), made.output)
    np.testing.assert_array_equal(read_map(made.output).coordinates, places)
