"""Planted structure is found, and metrics agree with scikit-learn."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from sklearn.decomposition import PCA
from sklearn.feature_selection import f_classif
from sklearn.metrics import silhouette_score
from sklearn.neighbors import NearestNeighbors

from latentmap.errors import LatentmapError
from latentmap.inspect import channels
from latentmap.inspect.channels import InspectOptions, inspect_latents
from latentmap.inspect.inspection import ranked, read_channel_maps, read_inspection
from latentmap.pool import embed
from latentmap.store.latents import write_latents
from latentmap.store.tables import write_arrow

COUNT, SHAPE = 60, (4, 6, 10)
LABELS = np.array(["left", "right", "above"])[np.arange(COUNT) % 3]
GROUPS = {"left": "Horizontal", "right": "Horizontal", "above": "Vertical"}
CODES = np.unique(LABELS, return_inverse=True)[1]
FILES = {"metrics": "channels.json", "positions": "positions.parquet", "maps": "maps.parquet"}


@pytest.fixture
def values():
    """Noise, but for what tells the labels apart: all of channel 2, one position of channel 1."""
    values = np.random.default_rng(0).normal(size=(COUNT, *SHAPE)) + 3
    values[:, 2] += CODES[:, None, None]
    values[:, 1, 4, 7] += 5 * CODES
    return values.astype(np.float32)


def write(folder, values, labels=LABELS, sources=None, shards=(25, COUNT)):
    """Write shards of latents and of samples; return the arguments of `inspect_latents`."""
    sources = np.arange(len(values)) // 2 if sources is None else sources
    ids = [f"s{row}" for row in range(len(values))]
    latents, samples = [], []
    for start, stop in zip((0, *shards), shards, strict=False):
        latents.append(folder / f"latents{start}.arrow")
        samples.append(folder / f"samples{start}.arrow")
        write_latents(latents[-1], ids[start:stop], values[start:stop], {})
        table = {
            "id": ids[start:stop],
            "label": list(labels[start:stop]),
            "label_group": [label and GROUPS.get(label, label) for label in labels[start:stop]],
            "source_group": [str(source) for source in sources[start:stop]],
        }
        write_arrow(samples[-1], pa.table(table))
    return latents, samples


def run(folder, values, options=None, metric="euclidean", **changes):
    """Inspect latents; return what was found, and its maps."""
    outputs = {name: folder / file for name, file in FILES.items()}
    files = write(folder, values, **changes)
    inspect_latents(*files, options or InspectOptions(), metric, **outputs)
    found = read_inspection(outputs["metrics"], outputs["positions"])
    return found, read_channel_maps(outputs["maps"])


def axes(maps):
    """Return the first two principal components of the mapped channels, (n, m) each."""
    return np.moveaxis(maps.places["pca"], -1, 0)


def test_the_planted_channel_and_position_come_first(tmp_path, values):
    found, _ = run(tmp_path, values)
    for metric in ("f", "silhouette", "knn", "knn_grouped"):
        assert np.argmax([getattr(channel, metric) for channel in found.channels]) == 2
    assert found.channels[2].knn_grouped > 0.9
    assert found.channels[0].knn_grouped == pytest.approx(1 / 3, abs=0.1)
    strongest = np.argmax(np.delete(found.channel_positions, 2, axis=0).ravel())
    assert np.unravel_index(strongest, (3, 6, 10)) == (1, 4, 7)


def test_f_statistics_are_those_of_scikit_learn(tmp_path, values):
    found, _ = run(tmp_path, values)
    expected = f_classif(values.reshape(COUNT, -1).astype(np.float64), LABELS)[0]
    np.testing.assert_allclose(found.channel_positions.ravel(), expected, rtol=1e-4)
    means = values.mean(axis=(2, 3), dtype=np.float64)
    of_means = [channel.f for channel in found.channels]
    np.testing.assert_allclose(of_means, f_classif(means, LABELS)[0], rtol=1e-4)
    silhouettes = [silhouette_score(means[:, [c]], LABELS) for c in range(SHAPE[0])]
    np.testing.assert_allclose([c.silhouette for c in found.channels], silhouettes, atol=1e-5)


def test_the_silhouette_is_that_of_the_means_where_planes_are_wider_than_there_are_samples(
    tmp_path, values
):
    few, labels = values[:40], LABELS[:40]
    found, _ = run(tmp_path, few, labels=labels, shards=(40,))
    means = few.mean(axis=(2, 3), dtype=np.float64)
    expected = [silhouette_score(means[:, [c]], labels) for c in range(SHAPE[0])]
    np.testing.assert_allclose([c.silhouette for c in found.channels], expected, atol=1e-5)


def test_neighbors_of_a_channel_alone_are_those_of_all_its_positions(tmp_path, values):
    """The first analysis' accuracy of a channel: of its 10 nearest by all positions, the share."""
    found, _ = run(tmp_path, values)
    for channel, metrics in enumerate(found.channels):
        plane = values[:, channel].reshape(COUNT, -1).astype(np.float64)
        nearest = NearestNeighbors(n_neighbors=11).fit(plane).kneighbors(plane)[1][:, 1:]
        for measured, classes in (
            (metrics, CODES),
            (found.group_channels[channel], LABELS == "above"),
        ):
            expected = (classes[nearest] == classes[:, None]).mean()
            assert measured.knn == pytest.approx(expected, rel=1e-5)


def test_label_groups_have_the_metrics_of_labels_of_their_names(tmp_path, values):
    """Left and right are one group: what is measured of it is measured of a label of both."""
    found, _ = run(tmp_path, values)
    coarse, _ = run(tmp_path, values, labels=np.array([GROUPS[label] for label in LABELS]))
    assert found.group_channels == coarse.channels != found.channels
    means = values.mean(axis=(2, 3), dtype=np.float64)
    expected = f_classif(means, LABELS == "above")[0]
    np.testing.assert_allclose([one.f for one in found.group_channels], expected, rtol=1e-4)


def test_the_spread_over_the_images_of_a_label_is_another_than_that_over_positions(tmp_path):
    """Planted: means of label left lie 2 apart in channel 0, positions vary in channel 1 alone."""
    labels, offset = np.repeat(["left", "right"], 20), np.tile([-1.0, 1.0], 20)
    values = np.zeros((40, 2, 6, 10), np.float32)
    values[:, 0] = np.where(labels == "left", offset, 0)[:, None, None]
    values[:, 1, :3], values[:, 1, 3:] = -5, 5
    found, _ = run(tmp_path, values, labels=labels, shards=(40,))
    np.testing.assert_allclose(found.label_spreads, [[1, 0], [0, 0]], atol=1e-6)
    np.testing.assert_allclose(found.label_stds, [[0, 5], [0, 5]], atol=1e-6)
    alone = np.array(["once", *labels[1:]])
    once, _ = run(tmp_path, values, labels=alone, shards=(40,))
    assert np.isnan(once.label_spreads[once.labels.index("once")]).all()


def test_planes_are_compared_as_they_are_where_that_is_affordable(tmp_path, values, monkeypatch):
    assert run(tmp_path, values)[0].grid == SHAPE[1:]
    assert run(tmp_path, values, InspectOptions(grid=3))[0].grid == (3, 3)
    monkeypatch.setattr(channels, "COARSE", 5)
    monkeypatch.setattr(channels, "MOST_PRODUCTS", values.size * COUNT - 1)
    assert run(tmp_path, values)[0].grid == (5, 5)
    monkeypatch.setattr(channels, "MOST_PRODUCTS", values.size * COUNT)
    assert run(tmp_path, values)[0].grid == SHAPE[1:]


def test_the_position_over_all_channels_adds_their_sums_of_squares(tmp_path, values):
    found, _ = run(tmp_path, values)
    at = values[:, :, 4, 7].astype(np.float64)
    centroids = np.stack([at[code == CODES].mean(axis=0) for code in range(3)])[CODES]
    between, within = ((centroids - at.mean(axis=0)) ** 2).sum(), ((at - centroids) ** 2).sum()
    expected = between / 2 / (within / (COUNT - 3))
    assert found.positions[4, 7] == pytest.approx(expected, rel=1e-4)


def test_moments_are_those_of_numpy(tmp_path, values):
    found, _ = run(tmp_path, values)
    means, stds = values.mean(axis=(2, 3)), values.std(axis=(2, 3))
    assert found.labels == ["above", "left", "right"]
    assert found.groups == ["Vertical", "Horizontal", "Horizontal"]
    assert found.counts == [20, 20, 20]
    np.testing.assert_allclose(found.label_means[1], means[LABELS == "left"].mean(0), rtol=1e-4)
    np.testing.assert_allclose(found.label_stds[1], stds[LABELS == "left"].mean(0), rtol=1e-4)
    np.testing.assert_allclose(found.label_spreads[1], means[LABELS == "left"].std(0), rtol=1e-4)
    np.testing.assert_allclose(found.means, [means.mean(0), means.std(0)], rtol=1e-4)
    np.testing.assert_allclose(found.stds, [stds.mean(0), stds.std(0)], rtol=1e-3)
    flat = np.moveaxis(values, 1, 0).reshape(SHAPE[0], -1)
    np.testing.assert_allclose(found.covariance, np.cov(flat, ddof=0), atol=1e-4)
    np.testing.assert_allclose(found.covariance_of_means, np.cov(means.T, ddof=0), atol=1e-5)


def test_a_map_of_a_channel_shows_its_largest_variance(tmp_path, values):
    _, maps = run(tmp_path, values)
    assert maps.ids == [f"s{row}" for row in range(COUNT)]
    x, y = axes(maps)
    assert x.shape == y.shape == (COUNT, SHAPE[0])
    assert abs(np.corrcoef(x[:, 2], CODES)[0, 1]) > 0.95
    assert (x.var(axis=0) >= y.var(axis=0)).all()


@pytest.mark.parametrize("kind", ["umap", "tsne"])
def test_maps_of_a_channel_keep_what_its_neighbors_say(tmp_path, values, kind):
    """Channel 2 knows the labels, channels 0 and 3 are noise."""
    values[:, 2] += 3 * CODES[:, None, None]
    _, maps = run(tmp_path, values, InspectOptions(maps=(kind,)))
    assert list(maps.places) == [kind] and maps.channels == [0, 1, 2, 3]
    apart = [silhouette_score(maps.places[kind][:, channel], LABELS) for channel in range(4)]
    assert apart[2] > 0.8 > 0.2 > max(apart[0], apart[3])


def test_of_many_channels_the_best_have_maps(tmp_path, values, monkeypatch):
    monkeypatch.setattr(channels, "MAPPED", 2)
    by_umap = InspectOptions(maps=("umap",))
    found, maps = run(tmp_path, values, by_umap)
    assert maps.channels == sorted(ranked(found.channels)[:2]) and 2 in maps.channels
    every = run(tmp_path, values[:, maps.channels], by_umap)[1]
    np.testing.assert_array_equal(maps.places["umap"], every.places["umap"])


def test_passes_over_fewer_channels_give_the_same_bytes(tmp_path, values, monkeypatch):
    run(tmp_path, values)
    before = [(tmp_path / file).read_bytes() for file in FILES.values()]
    monkeypatch.setattr(channels, "PASS_BYTES", 1)
    run(tmp_path, values)
    assert [(tmp_path / file).read_bytes() for file in FILES.values()] == before


def test_half_precision_is_read_as_it_is(tmp_path, values):
    half = values.astype(np.float16)
    found, _ = run(tmp_path, half)
    expected = f_classif(half.reshape(COUNT, -1).astype(np.float64), LABELS)[0]
    np.testing.assert_allclose(found.channel_positions.ravel(), expected, rtol=1e-4)


def test_many_samples_are_compared_by_a_random_subset(tmp_path, values, monkeypatch):
    # One row a block, of which half hold no sample that is compared.
    monkeypatch.setattr(embed, "BLOCK_BYTES", 1)
    found, maps = run(tmp_path, values, InspectOptions(max_samples=30, k=3))
    assert (found.samples, found.compared, found.k) == (60, 30, 3)
    rows = [int(name[1:]) for name in maps.ids]
    assert rows == sorted(set(rows)) and len(rows) == 30 and rows != list(range(30))
    assert found.channels[2].knn > 0.9
    assert found.channels[2].f == pytest.approx(
        f_classif(values.mean(axis=(2, 3))[:, [2]], LABELS)[0][0], rel=1e-3
    )
    expected = f_classif(values.reshape(COUNT, -1).astype(np.float64), LABELS)[0]
    np.testing.assert_allclose(found.channel_positions.ravel(), expected, rtol=1e-4)
    # A map of some samples is that of these samples alone.
    alone = PCA(2).fit_transform(values[rows, 2].reshape(30, -1).astype(np.float64))
    np.testing.assert_allclose(np.abs(axes(maps)[0][:, 2]), np.abs(alone[:, 0]), atol=1e-4)


def test_a_latent_that_its_source_group_shares_does_not_count_as_honest(tmp_path):
    rng = np.random.default_rng(1)
    pictures = rng.normal(size=(30, *SHAPE)).astype(np.float32)
    values = np.repeat(pictures, 2, axis=0)
    labels = np.repeat(rng.choice(["left", "right", "above"], 30), 2)
    found, _ = run(tmp_path, values, InspectOptions(k=1), labels=labels)
    assert [channel.knn for channel in found.channels] == [1] * SHAPE[0]
    assert max(channel.knn_grouped for channel in found.channels) < 0.7


@pytest.mark.parametrize("base", [2.3, 1e-3, 70.7])
def test_rounding_is_no_spread(tmp_path, values, base):
    # No power of two: neither squares nor means of these are exact.
    values[:, 0] = base
    values[:, 1] = base * (1 + CODES[:, None, None] / 3)
    found, _ = run(tmp_path, values)
    assert np.isnan([found.channels[0].f, found.channels[1].f]).all()
    assert np.isnan(found.channel_positions[:2]).all()
    assert found.means[1, 0] == found.stds[1, 0] == found.stds[1, 1] == 0
    assert not found.covariance[0].any() and not found.covariance_of_means[0].any()
    assert found.means[1, 1] == pytest.approx(base / 3 * np.sqrt(2 / 3), rel=1e-4)
    assert found.covariance[1, 1] == pytest.approx(base**2 / 9 * 2 / 3, rel=1e-4)


@pytest.mark.parametrize("labels", [["one"] * COUNT, [f"l{row}" for row in range(COUNT)]])
def test_metrics_without_meaning_are_nan(tmp_path, values, labels):
    found, _ = run(tmp_path, values, labels=np.array(labels))
    assert np.isnan(found.positions).all()
    assert all(np.isnan(value) for one in found.channels for value in vars(one).values())


def test_constant_channels_one_source_group_and_few_samples(tmp_path, values):
    values[:, 0] = 2.5
    found, maps = run(tmp_path, values, sources=np.zeros(COUNT, int))
    assert np.isnan(found.channels[0].f) and np.isnan(found.channel_positions[0]).all()
    assert np.isnan(found.channels[2].knn_grouped) and found.channels[2].knn > 0.9
    assert not axes(maps)[0][:, 0].any()
    few, _ = run(tmp_path, values[:6], labels=LABELS[:6], shards=(6,))
    assert np.isnan(few.channels[2].knn) and few.channels[2].f > 1


def test_what_cannot_be_inspected_is_named(tmp_path, values):
    values[31, 1, 0, 0] = np.nan
    with pytest.raises(LatentmapError, match=r"'s31' \(row 31\) is not finite"):
        run(tmp_path, values)
    with pytest.raises(LatentmapError, match=r"latents0.arrow has latents of \(240,\)"):
        run(tmp_path, values.reshape(COUNT, -1))
    latents, samples = write(tmp_path, values)
    outputs = {name: Path(tmp_path / file) for name, file in FILES.items()}
    with pytest.raises(LatentmapError, match=r"latents0.arrow has 25 rows where 35"):
        inspect_latents(latents, samples[::-1], InspectOptions(), **outputs)


def test_metrics_of_labels_are_those_of_the_labelled_samples(tmp_path, values):
    has_label = np.arange(COUNT) % 4 > 0
    some = np.where(has_label, LABELS, None)
    (tmp_path / "mixed").mkdir()
    found, maps = run(tmp_path / "mixed", values, labels=some)
    alone, _ = run(
        tmp_path,
        values[has_label],
        labels=LABELS[has_label],
        sources=(np.arange(COUNT) // 2)[has_label],
        shards=(20, int(has_label.sum())),
    )
    assert (found.samples, found.compared, len(maps.ids)) == (COUNT, COUNT, COUNT)
    assert found.counts == alone.counts
    for ours, theirs in zip(found.channels, alone.channels, strict=True):
        np.testing.assert_allclose(
            list(vars(ours).values()), list(vars(theirs).values()), rtol=1e-5
        )
    np.testing.assert_allclose(found.channel_positions, alone.channel_positions, rtol=1e-5)
    np.testing.assert_allclose(found.label_means, alone.label_means, rtol=1e-5)
    every, _ = run(tmp_path, values)
    np.testing.assert_array_equal(found.covariance, every.covariance)
    np.testing.assert_array_equal(found.means, every.means)


def test_without_labels_channels_have_moments_and_maps(tmp_path, values):
    found, maps = run(tmp_path, values, labels=[None] * COUNT)
    every, expected = run(tmp_path, values)
    assert (found.labels, found.counts) == ([], [])
    assert np.isnan([list(vars(channel).values()) for channel in found.channels]).all()
    assert np.isnan(found.positions).all()
    np.testing.assert_array_equal(found.covariance, every.covariance)
    np.testing.assert_array_equal(axes(maps), axes(expected))


def test_by_cosine_the_planes_of_a_channel_are_compared_by_their_direction(tmp_path, values):
    """Planes of random lengths are those of length one, which Euclidean distances are not."""
    lengths = np.random.default_rng(1).lognormal(size=(COUNT, SHAPE[0], 1, 1))
    norms = np.linalg.norm(values.reshape(COUNT, SHAPE[0], -1), axis=2)[..., None, None]
    grid = InspectOptions(grid=max(SHAPE))
    longer, units = (values * lengths).astype(np.float32), (values / norms).astype(np.float32)
    found, maps = run(tmp_path / "a", longer, grid, "cosine")
    expected, expected_maps = run(tmp_path / "b", units, grid)
    assert (found.metric, expected.metric) == ("cosine", "euclidean")
    for one, other in zip(found.channels, expected.channels, strict=True):
        assert (one.knn, one.knn_grouped) == (other.knn, other.knn_grouped)
    np.testing.assert_allclose(axes(maps), axes(expected_maps), atol=1e-5)
