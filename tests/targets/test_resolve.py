"""From entries of the configuration to the values of targets, and what is refused."""

import json

import pyarrow as pa
import pytest

from latentmap.errors import LatentmapError
from latentmap.planning import check_all
from latentmap.run import load_run
from latentmap.store.tables import read_parquet, write_arrow, write_parquet
from latentmap.targets.facts import read_facts
from latentmap.targets.resolve import resolve_targets

COUNT = 6
OWN = {
    "id": [f"s{row}" for row in range(COUNT)],
    "source": ["given"] * COUNT,
    "digest": [f"{row:x}" for row in range(COUNT)],
    "label": ["cat", "dog", "cat", "dog", "cow", "cow"],
    "label_group": ["pet", "pet", "pet", "pet", "farm", "farm"],
}
MORE = {
    "answer": ["1.5", "2", "about 3", "nan", None, " "],
    "sure": [True, False, None, True, False, False],
    "hours": [0, 6, 12, 18, 24, None],
    "facts": [{"size": size, "who": "x"} for size in (1, 2, 3, 4, 5, None)],
    "same": [7] * COUNT,
    "word": [f"word {row}" for row in range(COUNT)],
    "nothing": pa.nulls(COUNT, pa.string()),
}


@pytest.fixture
def resolved(tmp_path):
    """Resolve entries of a configuration on six samples in two shards."""

    def resolve(*entries, annotations=None):
        table = pa.table({**OWN, **MORE})
        paths = [tmp_path / "a.arrow", tmp_path / "b.arrow"]
        # What a shard lacks is null there.
        write_arrow(paths[0], table.slice(0, 3))
        write_arrow(paths[1], table.slice(3).drop_columns("nothing"))
        if annotations is not None:
            write_parquet(tmp_path / "notes.parquet", pa.table({"id": OWN["id"], **annotations}))
        run = load_run(
            {
                "run": "r",
                "samples": {"sources": [{"kind": "scenes"}]},
                "encoders": [{"kind": "dct"}],
                "targets": list(entries),
            }
        )
        files = [tmp_path / name for name in ("t.parquet", "t.json", "q.parquet")]
        notes = None if annotations is None else tmp_path / "notes.parquet"
        resolve_targets(run.target_entries, paths, notes, *files)
        values = read_parquet(files[0]).to_pydict()
        return values, {one.name: one for one in read_facts(files[1])}, read_parquet(files[2])

    return resolve


def test_labels_come_first(resolved):
    values, facts, _ = resolved("sure")
    assert list(values) == ["id", "label", "label_group", "sure"]
    assert values["label_group"] == OWN["label_group"]
    assert facts["label"].values == ["cat", "cow", "dog"]
    assert [one.family for one in facts.values()] == ["labels", "labels", "columns"]


def test_kinds_are_what_the_values_are(resolved):
    values, facts, _ = resolved(
        "sure", "facts.size", {"column": "hours", "kind": "circular", "period": 24}
    )
    assert values["sure"] == ["yes", "no", None, "yes", "no", "no"]
    assert values["facts.size"] == [1, 2, 3, 4, 5, None]
    assert values["hours"] == [0, 90, 180, 270, 0, None]
    kinds = {name: (one.kind, one.count) for name, one in facts.items()}
    assert kinds["sure"] == ("binary", 5)
    assert kinds["facts.size"] == ("continuous", 5)
    assert kinds["hours"] == ("circular", 5)


def test_values_that_cannot_be_read_are_counted_and_named(resolved):
    values, facts, quarantine = resolved({"column": "answer", "kind": "continuous"})
    assert values["answer"] == [1.5, 2, None, None, None, None]
    assert facts["answer"].unreadable == 2
    told = [(row["id"], row["action"], row["reason"]) for row in quarantine.to_pylist()]
    assert told == [
        ("s2", "noted", "target answer: the value is no finite number (it is 'about 3')"),
        ("s3", "noted", "target answer: the value is no finite number (it is 'nan')"),
    ]


def test_where_takes_patterns_and_leaves_others_undefined(resolved):
    values, facts, quarantine = resolved(
        {
            "name": "size of pets",
            "column": "facts.size",
            "where": {"label_group": "pe*", "label": ["cat", "do?"]},
            "family": "sizes",
        },
        {
            "column": "answer",
            "kind": "continuous",
            "where": {"label": ["cat", "dog"], "id": "s[01]"},
        },
    )
    assert values["size of pets"] == [1, 2, 3, 4, None, None]
    assert facts["size of pets"].family == "sizes"
    assert values["answer"] == [1.5, 2, None, None, None, None]
    assert len(quarantine) == 0


def test_annotations_are_columns_too(resolved):
    values, facts, _ = resolved(
        "score", annotations={"score": ["0.5", "0.25", None, "1", "2", "3"]}
    )
    assert values["score"] == [0.5, 0.25, None, 1, 2, 3]
    assert facts["score"].kind == "continuous"


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("wrod", "targets.0.column: Unknown column of the samples 'wrod'. Did you mean 'word'?"),
        ("facts.siez", "targets.0.column: no sample has 'siez' in its 'facts'."),
        ("nothing", "targets.0: of the target 'nothing' no sample has a value."),
        ("same", "targets.0: of the target 'same' all 6 samples that have a value have the same, "),
        ("word", "targets.0: of the target 'word' no two of the 6 samples"),
        (
            {"column": "label", "name": "kind", "kind": "binary"},
            "targets.0: of the target 'kind' a binary target has two values, and this has 3.",
        ),
        (
            {"column": "label", "name": "kind", "kind": "continuous"},
            "targets.0: of the target 'kind' no sample has a value; 6 could not be read, the first",
        ),
        (
            {"column": "sure", "where": {"lable": "cat"}},
            "targets.0.where.lable: Unknown column of the samples 'lable'. Did you mean 'label'?",
        ),
        (
            {"column": "sure", "where": {"label": "horse"}},
            "targets.0: of the target 'sure' no sample has a value.",
        ),
    ],
)
def test_what_cannot_be_measured_is_refused_in_one_line(resolved, entry, said):
    with pytest.raises(LatentmapError) as error:
        resolved(entry)
    assert str(error.value).startswith(said)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("targets", "said"),
    [
        (["word", "word"], "targets: several are called 'word'; give each a name of its own."),
        (
            [{"column": "hours", "kind": "circular"}],
            "targets.0: a circular target needs its period, such as 360 for degrees",
        ),
        ([{"column": "hours", "period": 24}], "targets.0: period is for kind: circular"),
        ([{"kind": "binary"}], "targets.0: a target is a column or derived: give one of the two."),
        ([{"column": "hours", "kind": "number"}], "targets.0.kind: Unknown value 'number'."),
        (
            [{"derived": "boxs"}],
            "targets.0.derived.boxs: Unknown key 'boxs'. Did you mean 'boxes'?",
        ),
        (
            [{"derived": {"boxes": {"of": ["hight"]}}}],
            "targets: Unknown target of boxes 'hight'. Did you mean 'height'?",
        ),
        ([{"derived": "boxes", "kind": "binary"}], "targets.0: a derived target knows its kind"),
    ],
)
def test_entries_are_refused_before_any_job(targets, said):
    config = {
        "run": "r",
        "samples": {"sources": [{"kind": "scenes"}]},
        "encoders": [{"kind": "dct"}],
        "targets": targets,
    }
    with pytest.raises(LatentmapError) as error:
        load_run(config)
    assert said in str(error.value)


def test_a_column_that_no_source_has_is_refused_before_any_job(tmp_path):
    rows = [
        {"id": str(row), "text": "x y", "label": "ab"[row % 2], "size": row} for row in range(30)
    ]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "notes.csv").write_text("id,score\n1,2\n")
    columns = {"id": "id", "label": "label", "text": "text", "image": None}
    config = {
        "run": "r",
        "input": str(tmp_path / "rows.jsonl"),
        "samples": {"sources": [{"kind": "jsonl", "columns": columns}]},
        "annotations": [{"path": str(tmp_path / "notes.csv"), "prefix": "own_"}],
        "encoders": [{"kind": "tfidf"}],
    }
    run = load_run({**config, "targets": ["size", "own_score", {"derived": "text"}]})
    check_all(run)
    run = load_run({**config, "targets": ["size", {"column": "own_scor", "where": {"seize": 1}}]})
    with pytest.raises(LatentmapError) as error:
        check_all(run)
    lines = str(error.value).splitlines()
    assert lines[0].startswith("targets.1.where.seize: Unknown column of the samples 'seize'.")
    assert "Did you mean 'own_score'?" in lines[1]


def test_entries_are_plain_values_for_jobs():
    config = {
        "run": "r",
        "samples": {"sources": [{"kind": "scenes"}]},
        "encoders": [{"kind": "dct"}],
        "targets": ["word", {"derived": {"boxes": {"of": ["x"]}}, "name": "place"}],
    }
    entries = load_run(config).target_entries
    assert json.loads(json.dumps(entries)) == entries
    assert entries[0]["column"] == "word" and entries[0]["derived"] is None
    assert entries[1]["derived"] == {"name": "boxes", "options": {"of": ["x"]}}
