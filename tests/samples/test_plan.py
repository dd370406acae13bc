"""Plans keep sealed shards, put what is new at the end, and lose no row."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

from latentmap.errors import LatentmapError
from latentmap.samples.plan import SEALED, Limit, list_rows, plan_shards, sealed_rows
from latentmap.samples.planned import PlannedShard, read_plan, write_plan
from latentmap.samples.source import SOURCES, Source, SourceOptions
from latentmap.store.files import digest

NOTHING_SEALED = pl.DataFrame(schema=SEALED)


class Listed(Source[SourceOptions]):
    """A source of rows given as (id, content) pairs; the content is the label too."""

    def __init__(self, *rows: tuple[str | None, str | None]) -> None:
        super().__init__(SourceOptions())
        self.rows = rows

    def index(self) -> pl.DataFrame:
        return pl.DataFrame(
            {
                "id": [name for name, _ in self.rows],
                "label": [content for _, content in self.rows],
                "digest": [digest(name or "", content or "") for name, content in self.rows],
            },
            schema={"id": pl.String, "label": pl.String, "digest": pl.String},
        )

    def read(self, rows: Sequence[int]) -> pa.Table:
        raise NotImplementedError


def numbered(*numbers: int, content: str = "x") -> list[tuple[str, str]]:
    return [(f"s{n}", content) for n in numbers]


def plan(*rows, sealed=NOTHING_SEALED, size=4, **limit) -> list[PlannedShard]:
    return plan_shards(list_rows({"s": Listed(*rows)}, Limit(**limit)), size, sealed)


def seal(shards: list[PlannedShard], *rows) -> pl.DataFrame:
    """The rows of made shards, as they would be read back from their files."""
    digests = Listed(*rows).index()["digest"]
    return pl.DataFrame(
        [
            {"shard": s.id, "source": s.source, "digest": digests[r], "aside": r in s.duplicates}
            for s in shards
            for r in s.rows
        ],
        schema=SEALED,
    )


def ids(shards, rows) -> list[list[str]]:
    return [[rows[r][0] for r in shard.rows] for shard in shards]


def test_rows_are_cut_into_shards_in_order():
    rows = numbered(*range(10))
    shards = plan(*rows)
    assert [s.rows for s in shards] == [(0, 1, 2, 3), (4, 5, 6, 7), (8, 9)]
    assert [s.id[:5] for s in shards] == ["0000-", "0001-", "0002-"]


def test_planning_again_changes_nothing():
    rows = numbered(*range(10))
    shards = plan(*rows)
    assert plan(*rows) == shards
    assert plan(*rows, sealed=seal(shards, *rows)) == shards


@pytest.mark.parametrize("position", [0, 3, 10])
def test_new_rows_go_to_new_shards_wherever_they_appear(position):
    rows = numbered(*range(10))
    before = plan(*rows)
    more = rows[:position] + numbered(100, 101) + rows[position:]
    after = plan(*more, sealed=seal(before, *rows))
    assert [s.id for s in after[:-1]] == [s.id for s in before]
    assert ids(after[:-1], more) == ids(before, rows)
    assert ids(after[-1:], more) == [["s100", "s101"]]


def test_a_changed_row_renews_its_shard_only():
    rows = numbered(*range(10))
    before = plan(*rows)
    changed = [*rows[:5], ("s5", "other"), *rows[6:]]
    after = plan(*changed, sealed=seal(before, *rows))
    assert [s.id for s in after[:2]] == [before[0].id, before[2].id]
    assert ids(after[2:], changed) == [["s4", "s5", "s6", "s7"]]


def test_rows_that_were_reordered_keep_their_order_in_the_shard():
    rows = numbered(*range(4))
    before = plan(*rows)
    after = plan(*rows[::-1], sealed=seal(before, *rows))
    assert ids(after, rows[::-1]) == ids(before, rows)


def test_duplicates_are_marked_and_told_apart():
    shards = plan(("a", "1"), ("b", "1"), ("a", "1"), ("b", "2"), (None, "1"), (None, "1"), size=9)
    assert shards[0].rows == (0, 1, 2, 3, 4, 5)
    assert {row: reason[:5] for row, reason in shards[0].duplicates.items()} == {
        2: "exact",
        3: "id of",
    }


@pytest.mark.parametrize("blank", ["", " \n", None])
def test_a_row_that_cannot_be_used_takes_no_id(blank):
    rows = [("a", blank), ("a", "1"), ("a", blank), ("a", "1"), (" ", "1"), (" ", "1")]
    (shard,) = plan(*rows, size=9)
    assert shard.duplicates == {3: "exact duplicate of an earlier row"}
    assert plan(*rows, size=9, sealed=seal([shard], *rows)) == [shard]


def test_sealed_exact_duplicates_stay_sealed():
    rows = [("a", "1"), ("b", "1"), ("a", "1")]
    before = plan(*rows)
    assert plan(*rows, sealed=seal(before, *rows)) == before


def test_a_limit_takes_the_first_rows():
    assert [s.rows for s in plan(*numbered(*range(10)), num_samples=3)] == [(0, 1, 2)]
    limited = list_rows({"s": Listed(*numbered(*range(10)))}, Limit(3))
    [(name, remark)] = limited.remarks()
    assert (name, remark.in_short()) == ("s", "samples: 3 of 10 are used (num_samples).")
    assert not list_rows({"s": Listed(*numbered(*range(10)))}, Limit(10)).remarks()


@pytest.mark.parametrize("num_samples", [1, 7, 20, 30, 59])
def test_a_stratified_limit_keeps_the_shares_of_the_labels(num_samples):
    rows = [(f"{label}{n}", label) for label, size in (("a", 40), ("b", 20)) for n in range(size)]
    shards = plan(*rows, size=100, num_samples=num_samples, stratify=True)
    counts = Counter(rows[r][1] for s in shards for r in s.rows)
    assert counts.total() == num_samples
    assert abs(counts["a"] - num_samples * 2 / 3) <= 1


def test_a_stratified_limit_is_seeded_and_ignores_the_order():
    rows = [(f"s{n}", "a") for n in range(50)]

    def chosen(rows, seed):
        shards = plan(*rows, size=100, num_samples=10, stratify=True, seed=seed)
        return {rows[r][0] for s in shards for r in s.rows}

    assert chosen(rows, 0) == chosen(rows[::-1], 0)
    assert chosen(rows, 0) != chosen(rows, 1)


def test_several_sources_do_not_share_shards():
    sources = {"a": Listed(*numbered(0, 1)), "b": Listed(*numbered(5, 6))}
    shards = plan_shards(list_rows(sources, Limit()), 10, NOTHING_SEALED)
    assert [(s.source, s.rows) for s in shards] == [("a", (0, 1)), ("b", (0, 1))]


@pytest.mark.parametrize("name", ["a.jsonl", "b.csv", "c.parquet"])
def test_sources_without_rows_are_named_in_one_line(tmp_path: Path, name: str):
    (tmp_path / "a.jsonl").write_bytes(b"")
    (tmp_path / "b.csv").write_text("text,label\n")
    pl.DataFrame(schema={"text": pl.String, "label": pl.String}).write_parquet(
        tmp_path / "c.parquet"
    )
    path = str(tmp_path / name)
    source = SOURCES.create("jsonl" if name == "a.jsonl" else "table", {"input": path})
    with pytest.raises(LatentmapError) as caught:
        plan_shards(list_rows({"s": source, "none": Listed()}, Limit(9)), 4, NOTHING_SEALED)
    line = f"There are no rows in any source: s ({path}), none. Check 'input'."
    assert str(caught.value) == line
    rows = plan_shards(
        list_rows({"s": source, "some": Listed(("a", "1"))}, Limit(9)), 4, NOTHING_SEALED
    )
    assert [shard.source for shard in rows] == ["some"]


def test_unread_manifest_is_no_manifest(tmp_path: Path):
    assert sealed_rows(tmp_path).is_empty()


class Texts(Listed):
    """Rows given as (id, text) pairs, to be deduplicated by the text; all have one label."""

    def index(self) -> pl.DataFrame:
        texts = [text for _, text in self.rows]
        return super().index().with_columns(pl.lit("a").alias("label"), content=pl.Series(texts))


def test_a_row_that_is_set_aside_stands_for_no_other():
    rows = [("a", "1"), ("b", "2"), ("b", "3"), ("c", "3"), ("d", "3"), ("e", "1")]
    (shard,) = plan_shards(list_rows({"s": Texts(*rows)}, Limit()), 9, NOTHING_SEALED)
    assert shard.duplicates == {
        2: "id of an earlier row, with other content",
        4: "same text as an earlier row (id c)",
        5: "same text as an earlier row (id a)",
    }


def test_a_shard_whose_duplicates_are_others_now_is_made_anew():
    rows = [("a", "1"), ("b", "2"), ("c", "2"), ("d", "4")]
    kept = plan(*rows, size=2)
    sealed = seal(kept, *rows)
    deduplicated = plan_shards(list_rows({"s": Texts(*rows)}, Limit()), 2, sealed)
    assert [s.rows for s in deduplicated] == [(0, 1), (2, 3)]
    assert deduplicated[0].id == kept[0].id
    assert [s.duplicates for s in deduplicated] == [{}, {2: "same text as an earlier row (id b)"}]
    assert deduplicated[1].id != kept[1].id
    again = plan_shards(list_rows({"s": Texts(*rows)}, Limit()), 2, seal(deduplicated, *rows))
    assert again == deduplicated
    assert [s.duplicates for s in plan(*rows, sealed=seal(deduplicated, *rows))] == [{}, {}]


class Unlabelled(Listed):
    """The same without labels."""

    has_labels = False

    def index(self):
        return super().index().with_columns(pl.lit("").alias("label"))


def test_rows_without_labels_are_a_class_of_their_own_when_shares_are_kept():
    sources = {"a": Listed(*numbered(*range(30))), "b": Unlabelled(*numbered(*range(30, 90)))}
    rows = list_rows(sources, Limit(30, stratify=True)).rows
    assert dict(rows.group_by("source").len().iter_rows()) == {"a": 10, "b": 20}
    alone = list_rows({"b": sources["b"]}, Limit(20, stratify=True)).rows
    assert alone["row"].to_list() != list(range(20)) and len(alone) == 20


def test_rows_without_labels_have_duplicates_too():
    rows = [*numbered(0, 1), *numbered(0), *numbered(1, content="y")]
    (shard,) = plan_shards(list_rows({"s": Unlabelled(*rows)}, Limit()), 10, NOTHING_SEALED)
    assert shard.duplicates.keys() == {2, 3}


def test_a_plan_comes_back_from_its_file(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"id": 1, "src": "a", "prompt": "x"}\n\n' * 3)
    options = {"input": str(path), "columns": {"id": "id"}}
    planned = plan_shards(
        list_rows({"s": SOURCES.create("jsonl", options)}, Limit()), 2, NOTHING_SEALED
    )
    assert [shard.places[0] for shard in planned] == [
        {"number": 1, "start": 0},
        {"number": 5, "start": 76},
    ]
    assert planned[1].duplicates == {2: "exact duplicate of an earlier row"}
    write_plan(tmp_path / "plan.json", planned)
    assert read_plan(tmp_path / "plan.json") == planned
