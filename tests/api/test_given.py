"""Anything with one sample per row comes in, and what does not is told in one line."""

import numpy as np
import polars as pl
import pytest

import latentmap as lm
from latentmap.api.given import latents_of, names_of, rows_of
from latentmap.errors import LatentmapError

VALUES = np.arange(12, dtype=np.float32).reshape(4, 3)


def torch_tensor(tmp_path):
    torch = pytest.importorskip("torch")
    return torch.tensor(VALUES, requires_grad=True)


def bfloat16(tmp_path):
    torch = pytest.importorskip("torch")
    return torch.tensor(VALUES, dtype=torch.bfloat16)


def memory_mapped(tmp_path):
    np.save(tmp_path / "x.npy", VALUES)
    return np.load(tmp_path / "x.npy", mmap_mode="r")


def polars_frame(tmp_path):
    return pl.DataFrame(VALUES, schema=["a", "b", "c"])


def polars_lists(tmp_path):
    return pl.DataFrame({"vector": VALUES.tolist()})


def polars_series(tmp_path):
    return pl.Series(VALUES.tolist())


def pandas_frame(tmp_path):
    return pytest.importorskip("pandas").DataFrame(VALUES, columns=["a", "b", "c"])


def pandas_lists(tmp_path):
    return pytest.importorskip("pandas").Series(list(VALUES), name="vector")


def sparse(tmp_path):
    return pytest.importorskip("scipy.sparse").csr_matrix(VALUES)


def ann_data(tmp_path):
    anndata = pytest.importorskip("anndata")
    return anndata.AnnData(pytest.importorskip("scipy.sparse").csr_matrix(VALUES))


def dataset(tmp_path):
    datasets = pytest.importorskip("datasets")
    return datasets.Dataset.from_dict({"label": list("aabb"), "vector": VALUES.tolist()})


FORMS = [
    lambda tmp_path: VALUES,
    lambda tmp_path: VALUES.tolist(),
    lambda tmp_path: VALUES.astype(np.int64),
    *(torch_tensor, bfloat16, memory_mapped, polars_frame, polars_lists, polars_series),
    *(pandas_frame, pandas_lists, sparse, ann_data, dataset),
]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_rows(form, tmp_path):
    rows = rows_of(form(tmp_path))
    assert rows.dtype == np.float32
    np.testing.assert_array_equal(rows, VALUES)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["a", None, " ", float("nan")], ["a", "", "", ""]),
        (np.array([3, 1, 2, 3]), ["3", "1", "2", "3"]),
        (np.array([3.0, np.nan, 2.0, 3.0]), ["3", "", "2", "3"]),
        (pl.Series([True, False, None, True]), ["true", "false", "", "true"]),
    ],
)
def test_labels_are_names_and_what_is_missing_has_none(given, expected):
    assert names_of(given, None, 4, "labels").tolist() == expected


def test_labels_that_pandas_has_with_gaps_are_whole_numbers():
    pd = pytest.importorskip("pandas")
    for kind in ("Int64", "float64", "category"):
        given = pd.Series([3, None, 2, 3]).astype(kind)
        assert names_of(given, None, 4, "labels").tolist() == ["3", "", "2", "3"]


def test_a_column_is_found_by_its_name_and_is_no_part_of_the_vectors():
    frame = pl.DataFrame(VALUES, schema=["a", "b", "c"]).with_columns(kind=pl.Series(list("xxyy")))
    assert rows_of(frame, without=["kind"]).shape == (4, 3)
    assert names_of("kind", frame, 4, "labels").tolist() == list("xxyy")
    with pytest.raises(LatentmapError, match=r"Unknown column 'kin'\. Did you mean 'kind'\?"):
        names_of("kin", frame, 4, "labels")


def test_labels_of_annotated_data_are_columns_of_its_observations():
    anndata = pytest.importorskip("anndata")
    pd = pytest.importorskip("pandas")
    obs = pd.DataFrame({"cell": list("xxyy")}, index=list("1234"))
    data = anndata.AnnData(VALUES, obs=obs)
    assert names_of("cell", data, 4, "labels").tolist() == list("xxyy")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            np.zeros((4, 2, 3, 3)),
            r'one feature map per sample\. Pool it first: lm\.pool\(X, "mean"',
        ),
        (np.zeros(4), r"X has shape \(4,\), and one row per sample is needed"),
        (np.zeros((0, 3)), r"X has shape \(0, 3\)"),
        ([[1.0, np.nan]], r"Row 0 of X has nan in column 1"),
        ([[1.0, 2.0], [1e39, 0.0]], r"Row 1 of X has 1e\+39 in column 0"),
        ([["a"]], r"X holds <U1 where numbers are needed"),
        ([[1.0], [1.0, 2.0]], r"X cannot be read as an array"),
        (pl.DataFrame({"a": [1.0], "kind": ["x"]}), r"its column 'kind' holds String"),
        (pl.DataFrame({"v": [[1.0], None]}), r"row 1 is empty"),
    ],
)
def test_what_cannot_be_measured_is_told_in_one_line(given, said):
    with pytest.raises(LatentmapError, match=said) as error:
        rows_of(given)
    assert "\n" not in str(error.value)


def test_lengths_that_differ_are_told():
    with pytest.raises(LatentmapError, match="labels has 3 values for 4 samples"):
        lm.measure(VALUES, ["a"] * 3)
    with pytest.raises(LatentmapError, match="groups has 3 values for 4 samples"):
        lm.neighbors(VALUES, groups=["a"] * 3)
    with pytest.raises(LatentmapError, match="boxes has 1 entries for 2 latents"):
        lm.pool(np.zeros((2, 3, 4, 4)), "region", boxes=[[0, 0, 1, 1]])


def test_latents_keep_their_number_format_and_stay_on_disk(tmp_path):
    np.save(tmp_path / "latents.npy", np.zeros((2, 3, 4, 4), np.float16))
    mapped = np.load(tmp_path / "latents.npy", mmap_mode="r")
    assert isinstance(latents_of(mapped), np.memmap)
    with pytest.raises(LatentmapError, match=r"latents has shape \(2, 3, 4\)"):
        latents_of(np.zeros((2, 3, 4)))


@pytest.mark.parametrize(
    ("shape", "warns"),
    [
        ((2, 8, 8, 4), True),
        ((2, 7, 7, 768), True),
        ((2, 12, 16, 256), True),
        ((2, 4, 8, 8), False),
        ((2, 768, 7, 7), False),
        ((2, 16, 60, 104), False),
        ((2, 3, 4, 64), True),
        ((2, 3, 1, 40), False),
        ((2, 8, 8, 8), False),
    ],
)
def test_channels_that_seem_to_come_last_are_warned_of(shape, warns, recwarn):
    latents_of(np.zeros(shape, np.float32))
    assert ["moveaxis" in str(one.message) for one in recwarn] == [True] * warns
