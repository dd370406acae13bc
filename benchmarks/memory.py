"""Peak memory of the jobs of N, 2N and 4N samples: which grow with the samples, and how much?

    python benchmarks/memory.py [--rows 2560] [--folder DIR] [--only pool,export] [--digests]

The input is made: texts in JSON lines with pictures of 64 pixels, and latents of (16, 16, 16) in
shards of 512. Every job is a process of its own that says its peak at the end, as the system counts
it: pages of files that are mapped count, too. Where a stage has one job for each shard, the last
one is measured. `--digests` prints a digest of what each job wrote. --folder takes 2 GB.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from latentmap.samples.ingest import ingest_shard
from latentmap.samples.plan import Limit, list_rows, plan_shards, sealed_rows
from latentmap.samples.planned import write_plan
from latentmap.samples.source import SOURCES
from latentmap.store.latents import write_latents
from latentmap.store.tables import write_arrow

SHAPE, SHARD, LABELS, PICTURES = (16, 16, 16), 512, 24, 64

SOURCE = {
    "name": "texts",
    "input": "texts.jsonl",
    "columns": {"id": "id", "label": "label", "text": "text", "image": "image"},
}
START = f"""
from pathlib import Path
SOURCE = {SOURCE}
samples, latents = (sorted(Path(name).glob("*.arrow")) for name in ("samples", "latents"))
"""
END = """
status = Path("/proc/self/status").read_text()
print(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))
"""
POOL = """
from latentmap.pool.embed import pool_latents
from latentmap.pool.method import METHODS
pool_latents(METHODS.create("{0}"), latents, samples, Path("{0}.parquet"))
"""
EXPORT = """
from latentmap.export.latents import export_latents
export_latents(latents, samples, [], {{"{0}": "latents.{0}"}})
"""
EXPORT_EMBEDDING = """
from latentmap.export.latents import export_embedding
export_embedding("{0}.parquet", samples, {{"parquet": "{0}.exported.parquet"}})
"""
NEIGHBORS = """
from latentmap.neighbors.search import NeighborOptions, find_graph
find_graph("{0}.parquet", samples, NeighborOptions(), "{0}.neighbors.parquet")
"""
MEASURE = """
from latentmap.metrics.density import DensityOptions
from latentmap.metrics.inference import StatisticsOptions
from latentmap.metrics.measure import measure_embedding
from latentmap.metrics.metric import METRICS
from latentmap.neighbors.search import NeighborOptions
measure_embedding(
    "{0}.parquet", "{0}.neighbors.parquet", samples, dict.fromkeys(METRICS), StatisticsOptions(),
    DensityOptions(), NeighborOptions(), "{0}.json", "{0}.scores.parquet", "{0}.weights.parquet",
)
"""
MAP = """
from latentmap.project.place import project_embedding
from latentmap.project.projection import PROJECTIONS
projection = PROJECTIONS.create("{1}", {{"dims": {2}}})
project_embedding(
    "{0}.parquet", "{0}.neighbors.parquet", samples, projection, "{0}.map{2}.parquet"
)
"""
ASSESS = """
from latentmap.project.projection import PROJECTIONS
from latentmap.project.quality import TrustOptions, assess_maps
assess_maps(
    "{0}.parquet", "{0}.neighbors.parquet", samples, ["{0}.map3.parquet"],
    [PROJECTIONS.create("umap", {{"dims": 3}})], TrustOptions(), ["{0}.trust.parquet"],
)
"""
NARROW, BROAD, WIDE = "mean", "patch8", ("flatten", "channel", "spatial")
"""Methods of 16, 1,024 and 4,096 dimensions for such latents."""

# What each job does, without Snakemake, in the order of a run.
JOBS = {
    "ingest": """
from latentmap.samples.ingest import ingest_shard
from latentmap.samples.planned import read_plan
from latentmap.samples.source import SOURCES
from latentmap.store.tables import write_arrow
source = SOURCES.create("jsonl", SOURCE)
write_arrow("ingested.arrow", ingest_shard(source, read_plan("shard.json")[0], {}).samples)
""",
    "draw": """
from latentmap.draw.boxes import DrawOptions
from latentmap.draw.thumbnails import ThumbnailOptions, make_thumbnails
from latentmap.store.tables import read_arrow, write_arrow
drawn = make_thumbnails(read_arrow(samples[-1]), ThumbnailOptions(), DrawOptions())
write_arrow("thumbnails.arrow", drawn)
""",
    "encode": """
from latentmap.draw.boxes import DrawOptions
from latentmap.encode.encoder import ENCODERS
from latentmap.encode.shard import encode_shard
encoder = ENCODERS.create("dct", {"size": 64})
encode_shard(samples[-1], "encoded.arrow", encoder, "plain", DrawOptions())
""",
    **{f"pool {name}": POOL.format(name) for name in (NARROW, "mean_pca4", BROAD, *WIDE)},
    "inspect": """
from latentmap.inspect.channels import InspectOptions, inspect_latents
inspect_latents(
    latents, samples, InspectOptions(max_samples=500),
    metrics="i.json", positions="p.parquet", maps="m.parquet",
)
""",
    **{f"neighbors {name}": NEIGHBORS.format(name) for name in (NARROW, BROAD)},
    **{f"measure {name}": MEASURE.format(name) for name in (NARROW, BROAD)},
    **{f"pca {name}": MAP.format(name, "pca", 2) for name in (NARROW, BROAD)},
    **{f"umap {name}": MAP.format(name, "umap", 3) for name in (NARROW, BROAD)},
    **{f"assess {name}": ASSESS.format(name) for name in (NARROW, BROAD)},
    **{f"export {name}": EXPORT.format(name) for name in ("npz", "npy", "safetensors", "parquet")},
    **{f"export {name}": EXPORT_EMBEDDING.format(name) for name in (NARROW, WIDE[0])},
    "export metadata": """
from latentmap.export.columns import write_csv
write_csv("metadata.csv", samples)
""",
    "export points": """
from latentmap.export.points import export_points
from latentmap.report.labels import collect_labels
collect_labels(samples, {}, "labels.json")
export_points("mean.map3.parquet", "mean.weights.parquet", samples, "labels.json", "points.json")
""",
}


def write_input(folder: Path, rows: int) -> None:
    """Write texts with pictures, their shards of samples, and a latent for each of them."""
    random = np.random.default_rng(0)
    (folder / "pictures").mkdir(parents=True)
    for number in range(PICTURES):
        pixels = random.integers(0, 256, (64, 64, 3), np.uint8)
        Image.fromarray(pixels).save(folder / "pictures" / f"{number}.png")
    with (folder / "texts.jsonl").open("w") as file:
        for row in range(rows):
            words = " ".join(f"{number:x}" for number in random.integers(0, 2**24, 40))
            label, image = f"label {row % LABELS}", f"pictures/{row % PICTURES}.png"
            line = {"id": f"text-{row:08d}", "label": label, "text": words, "image": image}
            file.write(json.dumps(line) + "\n")
    with_inputs(folder, random)


def with_inputs(folder: Path, random: np.random.Generator) -> None:
    """Plan and make all shards of samples, and write latents for them."""
    source = SOURCES.create("jsonl", {**SOURCE, "input": str(folder / "texts.jsonl")})
    listing = list_rows({"texts": source}, Limit())
    for name in ("samples", "latents"):
        (folder / name).mkdir()
    for shard in plan_shards(listing, SHARD, sealed_rows(folder)):
        made = ingest_shard(source, shard, {}).samples
        write_arrow(folder / "samples" / f"{shard.id}.arrow", made)
        values = random.normal(size=(len(made), *SHAPE)).astype(np.float16)
        ids = made["id"].to_pylist()
        write_latents(folder / "latents" / f"{shard.id}.arrow", ids, values, {})
    write_plan(folder / "shard.json", [shard])


def run(job: str, folder: Path) -> float:
    """Run a job in a fresh process; return its peak memory in MB."""
    text = START + JOBS[job] + END
    done = subprocess.run([sys.executable, "-c", text], cwd=folder, stdout=subprocess.PIPE)
    if done.returncode:
        sys.exit(f"'{job}' failed")
    return int(done.stdout.split()[-1]) / 1024


def digests(folder: Path) -> None:
    """Print a digest of every file that the jobs wrote."""
    for path in sorted(folder.iterdir()):
        if path.is_file():
            print(hashlib.sha256(path.read_bytes()).hexdigest()[:16], path.name)


def main() -> None:
    """Measure at three sizes and print a table."""
    parser = argparse.ArgumentParser(description="Measure the peak memory of jobs.")
    parser.add_argument("--rows", type=int, default=2560)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--only", default="", help="beginnings of jobs, with commas")
    parser.add_argument("--digests", action="store_true")
    given = parser.parse_args()
    sizes = [given.rows, 2 * given.rows, 4 * given.rows]
    jobs = [job for job in JOBS if job.startswith(tuple(given.only.split(",")))]
    print(f"load {os.getloadavg()[0]:.1f}")
    peaks = []
    with tempfile.TemporaryDirectory(dir=given.folder) as temporary:
        for rows in sizes:
            folder = Path(temporary) / str(rows)
            write_input(folder, rows)
            peaks.append({job: run(job, folder) for job in jobs})
            if given.digests:
                digests(folder)
            shutil.rmtree(folder)
    print(f"| job | {' | '.join(f'{rows:,}: MB' for rows in sizes)} | 4N / N | bytes a sample |")
    print("|---|" + "---:|" * (len(sizes) + 2))
    for job in jobs:
        first, second, last = (peak[job] for peak in peaks)
        grown = (last - first) * 2**20 / (sizes[-1] - sizes[0])
        print(
            f"| {job} | {first:.0f} | {second:.0f} | {last:.0f} "
            f"| {last / first:.2f} | {grown:,.0f} |"
        )


if __name__ == "__main__":
    main()
