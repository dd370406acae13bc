import io
import json
import sys
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from latentmap.errors import LatentmapError
from latentmap.samples.clean import QUARANTINE_SCHEMA
from latentmap.samples.ingest import ingest, ingest_shard
from latentmap.samples.plan import SEALED, Limit, list_rows, plan_shards
from latentmap.samples.source import SOURCES
from latentmap.store.samples import SCHEMA


def png(color):
    data = io.BytesIO()
    Image.new("RGB", (40, 30), color).save(data, "PNG")
    return data.getvalue()


ROWS = [
    {"id": "good", "label": "left", "boxes": [[1, 2, 3, 4]]},
    {"id": "swapped", "label": "left", "boxes": [[3, 2, 1, 4], [0, 0, 41, 30]]},
    {"id": None, "label": "left"},
    {"id": "unlabelled", "label": " "},
    {"id": "broken", "label": "right", "image": png("red")[:40]},
    {"id": "good", "label": "left", "boxes": [[1, 2, 3, 4]]},
    {"id": "good", "label": "right"},
    {"id": "flat", "label": "right", "boxes": [[1, 2, 1, 4]]},
    {"id": "grouped", "label": "tall", "group": "Own", "shared": "photo", "note": {"n": 7}},
]
DUPLICATES = {5: "exact duplicate of an earlier row", 6: "id of an earlier row"}
COLUMNS = {
    "id": "id",
    "label": "label",
    "label_group": "group",
    "source_group": "shared",
    "text": None,
    "boxes": "boxes",
    "image": "image",
}


@pytest.fixture
def source(tmp_path):
    blank = {"boxes": None, "image": png("blue"), "group": None, "shared": None, "note": None}
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.Table.from_pylist([blank | row for row in ROWS]), path)
    return SOURCES.create("hub", {"input": str(path), "columns": COLUMNS})


def test_every_row_ends_up_in_exactly_one_place(source):
    rows = [8, 0, 1, 2, 3, 4, 5, 6, 7]
    made = ingest(source, rows, DUPLICATES, {"left": "Horizontal"})
    assert made.samples["id"].to_pylist() == ["grouped", "good", "swapped"]
    aside = pl.DataFrame(made.quarantine.to_pylist())
    quarantined = aside.filter(action="quarantined")
    assert quarantined["row"].to_list() == [2, 3, 4, 5, 6, 7]
    reasons = quarantined["reason"].to_list()
    assert reasons[:2] == ["no id", "empty label"]
    assert reasons[2].startswith("image cannot be decoded")
    assert reasons[3:5] == list(DUPLICATES.values())
    assert reasons[5] == "box 0 (1, 2, 1, 4) has zero area"
    repaired = aside.filter(action="repaired").to_dicts()
    assert [note["id"] for note in repaired] == ["swapped"]
    assert "inverted" in repaired[0]["reason"]
    assert "clipped" in repaired[0]["reason"]
    assert set(aside["source"]) == {"hub"}
    assert all(aside["remedy"])


def test_samples_carry_groups_sizes_digests_and_extras(source):
    samples = ingest(source, range(9), DUPLICATES, {"left": "Horizontal"}).samples
    good, swapped, grouped = samples.to_pylist()
    assert samples.schema.names == [*SCHEMA.names, "note"]
    assert samples.schema.field("note").type == pa.struct({"n": pa.int64()})
    assert grouped["note"] == {"n": 7}
    assert [row["label_group"] for row in (good, grouped)] == ["Horizontal", "Own"]
    assert [row["source_group"] for row in (good, grouped)] == ["good", "photo"]
    assert swapped["boxes"] == [[1, 2, 3, 4], [0, 0, 40, 30]]
    assert (good["width"], good["height"]) == (40, 30)
    assert good["image"] == png("blue")
    index = source.index()
    assert [row["digest"] for row in (good, swapped, grouped)] == index["digest"].gather(
        [0, 1, 8]
    ).to_list()
    assert samples.select(SCHEMA.names).schema.equals(SCHEMA)


def test_a_label_without_group_is_its_own(source):
    assert ingest(source, [0], {}, {}).samples["label_group"].to_pylist() == ["left"]


def test_the_name_of_the_source_is_kept(source):
    named = type(source)(source.options.model_copy(update={"name": "mine"}))
    made = ingest(named, [0, 2], {}, {})
    assert made.samples["source"].to_pylist() == ["mine"]
    assert made.quarantine["source"].to_pylist() == ["mine"]
    assert made.quarantine["file"].to_pylist() == [source.options.input]


def test_empty_tables_have_their_schemas(source):
    nothing = ingest(source, [], {}, {})
    assert nothing.samples.schema.names == [*SCHEMA.names, "note"]
    assert nothing.samples.select(SCHEMA.names).schema.equals(SCHEMA)
    assert nothing.quarantine.schema.equals(QUARANTINE_SCHEMA)
    only_bad = ingest(source, [2], {}, {})
    assert only_bad.samples.schema.equals(nothing.samples.schema)
    assert ingest(source, [0], {}, {}).quarantine.schema.equals(QUARANTINE_SCHEMA)


def test_a_source_that_lost_rows_says_so(source):
    with pytest.raises(LatentmapError, match="has no row 9, which was planned"):
        ingest(source, [9], {}, {})


def test_the_same_input_gives_the_same_tables(source):
    first, second = (ingest(source, range(9), DUPLICATES, {}) for _ in range(2))
    assert first.samples.equals(second.samples)
    assert first.quarantine.equals(second.quarantine)


def test_a_source_that_maps_no_label_has_samples_without(source):
    unlabelled = {**COLUMNS, "label": None, "label_group": None}
    source = SOURCES.create("hub", {"input": source.options.input, "columns": unlabelled})
    made = ingest(source, range(9), {}, {"left": "Horizontal"})
    assert made.samples["id"].to_pylist()[:3] == ["good", "swapped", "unlabelled"]
    for name in ("label", "label_group"):
        assert made.samples[name].null_count == len(made.samples)
    # A column that is not mapped is kept under another name.
    assert made.samples["original_label"].to_pylist()[:2] == ["left", "left"]
    reasons = made.quarantine["reason"].to_pylist()
    assert "no id" in reasons and "empty label" not in reasons


def test_a_group_without_a_label_is_refused(source):
    with pytest.raises(ValueError, match="label_group is a class of labels"):
        SOURCES.create("hub", {"columns": {**COLUMNS, "label": None}})


@pytest.fixture
def folder(tmp_path):
    """A folder of six images of two classes, and the shards of two that it is planned into."""
    for number in range(6):
        path = tmp_path / "images" / "ab"[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png((number, 0, 0)))
    options = {"input": str(tmp_path / "images")}
    listing = list_rows({"folder": SOURCES.create("folder", options)}, Limit())
    planned = plan_shards(listing, 2, pl.DataFrame(schema=SEALED))
    return options, planned


OPENED: list[str] = []
sys.addaudithook(lambda event, args: OPENED.append(str(args[0])) if event == "open" else None)


def test_the_job_of_a_shard_opens_no_file_of_another(folder):
    options, planned = folder
    images = []
    for shard in planned:
        OPENED.clear()
        made = ingest_shard(SOURCES.create("folder", options), shard, {})
        found = [name for name in OPENED if name.endswith(".png")]
        assert found == [f"{options['input']}/{name}" for name in made.samples["id"].to_pylist()]
        images += found
    assert len(set(images)) == len(images) == 6


def test_a_row_that_changed_after_the_plan_is_named(folder):
    options, (first, *_) = folder
    path = Path(options["input"]) / "a" / "2.png"
    path.write_bytes(png((9, 9, 9)))
    with pytest.raises(LatentmapError, match=rf"changed since the run was planned.*{first.id}"):
        ingest_shard(SOURCES.create("folder", options), first, {})
    path.unlink()
    with pytest.raises(LatentmapError, match="Run again"):
        ingest_shard(SOURCES.create("folder", options), first, {})


@pytest.mark.parametrize("line", [1, 3])
def test_a_line_that_changed_after_the_plan_is_named(tmp_path, line):
    path = tmp_path / "a.jsonl"
    lines = [json.dumps({"prompt": f"p{n}", "src": "ab"[n % 2]}) for n in range(4)]
    path.write_text("\n".join(lines))
    source = SOURCES.create("jsonl", {"input": str(path)})
    shard = plan_shards(list_rows({"jsonl": source}, Limit()), 2, pl.DataFrame(schema=SEALED))[1]
    lines[line] = lines[line].replace("p", "q", 1)
    path.write_text("\n".join(lines))
    if line == 1:  # of another shard
        assert ingest_shard(source, shard, {}).samples["text"].to_pylist() == ["p2", "p3"]
    else:
        with pytest.raises(LatentmapError, match=r"in row 3 .*Run again"):
            ingest_shard(source, shard, {})
