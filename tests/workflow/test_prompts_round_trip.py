"""Preference pairs as a script of 3D maps reads them, in and out again."""

from __future__ import annotations

import json

import polars as pl
import pytest

# A line is a JSON object with `prompt`, or with `prefix: {messages: [{role, content}]}`, which
# comes first where both are there; `chosen`, `rejected` and `src`. A line without `src` is
# "unknown"; one that is no JSON is passed over.
# A point has id (its number), x, y and z in [-1, 1], size, color (RGB in [0, 1]), density in
# [0, 1], source, the first 200 characters of the text, 100 of both answers; later ones also have
# weight and 500 characters as prefix. `metadata` has total_points, sources and colors.
KEYS = {
    *("id", "x", "y", "z", "size", "color", "density", "weight", "source"),
    *("prompt", "prefix", "chosen", "rejected"),
}
COLORS = {
    "hh-rlhf": [0.2, 0.8, 0.2],
    "ultrafeedback-binarized": [0.2, 0.2, 0.8],
    "stack-exchange-preferences": [0.8, 0.2, 0.2],
}
TOPICS = ("cats and dogs", "stars and planets", "tables and joins")


def lines() -> tuple[list[str], list[dict[str, str]]]:
    """Lines of a file, some of them broken, and what the good ones say."""
    written, said = [], []
    for number in range(36):
        src = list(COLORS)[number % 3] if number % 9 else None
        text = f"{number} {TOPICS[number % 3]} " + f"{TOPICS[number % 3]}, " * number
        one = {"prompt": text, "chosen": f"yes {number} " * 30, "rejected": f"no {number}"}
        if number % 4 == 1:
            turns = [{"role": "user", "content": text}, {"role": "assistant", "content": ""}]
            one["prefix"] = {"messages": turns}
            text = f"user: {text}"
        if src:
            one["src"] = src
        written.append(json.dumps(one, ensure_ascii=False))
        said.append({**one, "text": text, "source": src or "unknown"})
    for place, broken in (
        (4, "{'prompt': 'quotes'}"),
        (11, '{"prompt": "cut'),
        (20, '{"src": "x"}'),
    ):
        written.insert(place, broken)
    return written, said


@pytest.mark.workflow
def test_pairs_go_in_and_come_out_as_points(unfinished):
    project = unfinished
    written, said = lines()
    (project.folder / "pairs_all.jsonl").write_text("\n".join(written) + "\n")
    project.configure(
        {
            "samples": {"sources": [{"kind": "jsonl", "input": "pairs_all.jsonl"}]},
            "label_groups": "resources/label_groups/preference_pairs.yaml",
            "variants": ["plain"],
            "encoders": [{"kind": "tfidf"}],
            "methods": "all",
            "maps": "all",
            "neighbors": {"k": 20},
            "projections": {"space": {"kind": "pca", "dims": 3}, "tsne": None, "umap": None},
        }
    )
    folder = project.results / "export/tfidf/plain/flatten"
    points_file = folder / "space/embeddings_3d.json"
    aside = project.results / "samples/quarantine.parquet"
    wanted = (points_file, project.results / "export/metadata.csv", aside)
    project.snakemake(*(str(path.relative_to(project.folder)) for path in wanted))
    found = json.loads(points_file.read_text("utf-8"))
    points = found["points"]
    assert [point["id"] for point in points] == list(range(36))
    assert all(point.keys() >= KEYS for point in points)
    for point, one in zip(points, said, strict=True):
        assert point["prompt"] == one["text"][:200] and point["prefix"] == one["text"][:500]
        assert point["chosen"] == one["chosen"][:100] and point["rejected"] == one["rejected"]
        assert point["source"] == one["source"]
        assert point["color"] == pytest.approx(COLORS.get(one["source"], [0.5, 0.5, 0.5]), abs=3e-3)
        assert point["size"] == pytest.approx(0.5 + 2 * (1 - point["density"]), abs=1e-5)
    for name in ("x", "y", "z", "density"):
        values = [point[name] for point in points]
        assert (min(values), max(values)) == (0 if name == "density" else -1, 1)
    assert sum(point["weight"] for point in points) == pytest.approx(1, abs=1e-4)
    metadata = found["metadata"]
    assert metadata["total_points"] == 36
    assert metadata["sources"] == sorted([*COLORS, "unknown"])
    # Nothing is cut where samples are exported, and broken lines are named.
    table = pl.read_csv(project.results / "export/metadata.csv")
    assert table["text"].to_list() == [one["text"] for one in said]
    assert table["chosen"].to_list() == [one["chosen"] for one in said]
    rows = pl.read_parquet(aside).filter(pl.col("action") == "quarantined")
    reasons = rows["reason"].to_list()
    assert [reason.split(":")[0] for reason in reasons] == ["line 5", "line 12", "line 21"]
