"""Time a run on this machine and the same through the SLURM profile, on a SLURM of its own.

What jobs cost is the CPU time that each Python process says as it ends: of jobs that is useful
work, of Snakemake's own processes what the scheduling costs. Needs root and Debian's packages
slurm-wlm and munge.
"""

from __future__ import annotations

import argparse
import csv
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
PARTS = (
    *("Snakefile", "rules", "workflow", "config", "profiles", "envs", "src", "resources"),
    "explorer",
)
PROFILE = "profiles/slurm/profile.yaml"
SAYS_COST = """\
import atexit, os, sys, time

def say():
    name = os.path.basename(sys.argv[0])
    with open(os.environ["COSTS"], "a") as file:
        file.write(f"{name},{time.process_time()}\\n")

atexit.register(say)
"""


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=24, help="scenes, of about four samples each")
    parser.add_argument("--shard-size", type=int, default=4, help="samples of a shard")
    arguments = parser.parse_args()
    config = (
        f"run: measured\nsamples: {{sources: [{{kind: scenes, images: {arguments.images}}}], "
        f"shard_size: {arguments.shard_size}}}\n"
        "encoders:\n- {kind: vae, name: tiny-vae, model: resources/tiny-vae, size: 64}\n"
        "- {kind: dct, size: 64}\nmethods: [mean, minmax]\nexplorer: null\n"
    )
    spec = importlib.util.spec_from_file_location("slurm", ROOT / "tests/workflow/slurm.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with tempfile.TemporaryDirectory() as folder:
        cluster = module.Slurm(Path(folder) / "slurm")
        Path(folder).chmod(0o755)
        try:
            cluster.start()
            for name, how in {
                "here": ["--cores", "2"],
                "SLURM": ["--workflow-profile", "profiles/slurm"],
            }.items():
                project = copied(Path(folder) / name, config)
                print(name, measure(project, how, cluster.environment))
        finally:
            cluster.stop()


def copied(project: Path, config: str) -> Path:
    """Copy what a run needs; its processes say what they cost."""
    for part in PARTS:
        copy = shutil.copy2 if (ROOT / part).is_file() else shutil.copytree
        project.mkdir(exist_ok=True)
        copy(ROOT / part, project / part)
    (project / "src" / "sitecustomize.py").write_text(SAYS_COST)
    (project / "measured.yaml").write_text(config)
    text = (project / PROFILE).read_text()
    (project / PROFILE).write_text(text.replace("command: sacct", "command: squeue"))
    return project


def measure(project: Path, how: list[str], environment: dict[str, str]) -> str:
    """Run; return wall time, submissions, and the CPU time of jobs and of Snakemake."""
    own = {"PYTHONPATH": str(project / "src"), "COSTS": str(project / "costs.csv")}
    load = os.getloadavg()[0]
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "metrics", *how, "--configfile", "measured.yaml"],
        cwd=project,
        env=environment | own,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    seconds = time.monotonic() - started
    if done.returncode:
        sys.exit(done.stdout)
    with (project / "costs.csv").open() as file:
        rows = [(name, float(cost)) for name, cost in csv.reader(file)]
    ours = sum(cost for name, cost in rows if name.startswith("tmp"))
    encoding = [cost for name, cost in rows if name.endswith(".encode_samples.py")]
    submitted = len(re.findall("submitted with SLURM", done.stdout))
    return (
        f"{seconds:.0f} s, load {load:.1f}, {submitted} submissions for {len(encoding)} encoding "
        f"jobs; CPU s: jobs {ours:.1f} (encoding {sum(encoding):.1f}), Snakemake "
        f"{sum(cost for _, cost in rows) - ours:.1f}"
    )


if __name__ == "__main__":
    main()
