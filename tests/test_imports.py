"""Hundreds of small jobs pay for what they import: nothing heavy outside its stage."""

import subprocess
import sys

import pyarrow as pa
import pytest

from latentmap.store.tables import read_parquet

HEAVY = ("torch", "diffusers", "datasets", "transformers", "pandas", "sklearn", "scipy", "altair")

STAGES = {
    "samples": "latentmap.samples.ingest",
    "draw": "latentmap.draw.thumbnails",
    "pool": "latentmap.pool.embed",
    "neighbors": "latentmap.neighbors.search",
    "metrics": "latentmap.metrics.measure",
    "project": "latentmap.project.place",
    "inspect": "latentmap.inspect.channels",
    "report": "latentmap.report.pages.summary",
    "run": "latentmap.run",
    "planning": "latentmap.planning",
}


def imported(code: str) -> set[str]:
    script = f"import sys\n{code}\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


@pytest.mark.parametrize("stage", STAGES)
def test_stages_and_plugins_import_nothing_heavy(stage):
    assert not imported(f"import {STAGES[stage]}").intersection(HEAVY)


def test_embeddings_and_graphs_are_read_and_written_without_pandas(tmp_path):
    found = imported(f"""
import numpy as np
from latentmap.neighbors.exact import find_neighbors
from latentmap.neighbors.graph import read_graph, write_graph
from latentmap.store.latents import read_latents, write_latents
from latentmap.store.tables import read_embedding, read_tokens, write_embedding
folder = {str(tmp_path)!r}
values = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
ids = [str(i) for i in range(20)]
write_latents(folder + "/l.arrow", ids, values, {{}})
read_latents(folder + "/l.arrow")
write_embedding(folder + "/e.parquet", ids, values, 1)
read_embedding(folder + "/e.parquet"), read_tokens(folder + "/e.parquet")
write_graph(folder + "/n.parquet", find_neighbors(ids, values, ids, 5))
read_graph(folder + "/n.parquet")
""")
    assert not found.intersection(HEAVY)


def test_nulls_lists_and_texts_become_tables_without_pandas(tmp_path):
    found = imported(f"""
import numpy as np, pyarrow as pa
from latentmap.store.tables import known_numbers, number_lists, strings, write_parquet
columns = {{
    "numbers": known_numbers(np.array([1.5, np.nan, *range(9)])),
    "lists": number_lists([np.arange(2.0), *[np.empty(0)] * 10], np.float32),
    "texts": strings(["a", None, *"bcdefghij"]),
}}
write_parquet({str(tmp_path)!r} + "/t.parquet", pa.table(columns))
""")
    assert not found.intersection(HEAVY)
    table = read_parquet(tmp_path / "t.parquet")
    assert table["numbers"].to_pylist() == [1.5, None, *range(9)]
    assert table["lists"].to_pylist() == [[0, 1], *[[]] * 10]
    assert table["lists"].type == pa.list_(pa.float32())
    assert table["texts"].to_pylist() == ["a", None, *"bcdefghij"]
