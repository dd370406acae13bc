"""Sealing joins what the shards hold, and says why nothing is left."""

import pyarrow as pa
import pytest

from latentmap.errors import LatentmapError
from latentmap.samples.clean import QUARANTINE_SCHEMA
from latentmap.samples.seal import seal_samples
from latentmap.store.manifest import read_manifest
from latentmap.store.samples import SCHEMA
from latentmap.store.tables import read_parquet, write_arrow, write_parquet


def note(row, reason, action="quarantined", code=None):
    identity = {"source": "s", "file": "f", "row": row, "id": None, "digest": str(row), "count": 1}
    said = {"code": code or reason, "reason": reason, "remedy": f"Mend {reason.split()[0]}."}
    return {**identity, "action": action, **said}


@pytest.fixture
def seal(tmp_path):
    """Seal shards, each given as the ids of its samples and its notes."""

    def run(*shards):
        samples, asides = [], []
        for number, (ids, notes) in enumerate(shards):
            rows = [dict.fromkeys(SCHEMA.names) | {"id": name, "digest": name} for name in ids]
            samples.append(tmp_path / f"{number:04}.arrow")
            asides.append(tmp_path / "quarantine" / f"{number:04}.parquet")
            asides[-1].parent.mkdir(exist_ok=True)
            nullable = pa.schema([field.with_nullable(True) for field in SCHEMA])
            write_arrow(samples[-1], pa.Table.from_pylist(rows, nullable))
            write_parquet(asides[-1], pa.Table.from_pylist(notes, QUARANTINE_SCHEMA))
        seal_samples(samples, asides, tmp_path / "manifest.json", tmp_path / "quarantine.parquet")

    return run


def test_shards_are_counted_and_their_quarantine_joined(seal, tmp_path):
    seal((["a", "b"], [note(2, "no id"), note(0, "box", "repaired")]), (["c"], []))
    counts = [(s.rows, s.quarantined) for s in read_manifest(tmp_path / "manifest.json")]
    assert counts == [(2, 1), (1, 0)]
    assert read_parquet(tmp_path / "quarantine.parquet")["row"].to_pylist() == [2, 0]


def test_where_no_sample_is_left_the_commonest_reasons_are_said(seal, tmp_path):
    lines = [note(row, f"line {row + 1}: no text at prompt", code="source") for row in range(4)]
    others = [note(5, "empty label"), note(6, "empty label"), note(7, "no id"), note(8, "gone")]
    with pytest.raises(LatentmapError) as caught:
        seal(([], lines), ([], [*others, note(9, "empty label"), note(9, "x", "noted")]))
    folder = tmp_path / "quarantine"
    assert str(caught.value) == (
        "No sample is left: 9 rows were set aside, 4 like 'line 1: no text at prompt' (Mend line.),"
        " 3 like 'empty label' (Mend empty.), 1 like 'no id' (Mend no.), 1 for other reasons. "
        f"Every row and its reason are in {folder / '0000.parquet'}, {folder / '0001.parquet'}."
    )
    assert not (tmp_path / "quarantine.parquet").exists()


def test_names_of_files_do_not_tell_reasons_apart(seal):
    with pytest.raises(LatentmapError, match=r"set aside, 2 like 'gone \(file 0\.png\)'"):
        seal(([], [note(n, f"gone (file {n}.png)", code="no_image") for n in range(2)]))


def test_a_long_list_of_files_is_cut(seal):
    with pytest.raises(LatentmapError, match=r"0002\.parquet and 2 more beside it\.$"):
        seal(*[([], [note(row, "empty label")]) for row in range(5)])
