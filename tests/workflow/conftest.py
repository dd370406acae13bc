"""A small run in a copy of the project, made once and copied for every test that disturbs it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PARTS = (
    *("Snakefile", "rules", "workflow", "config", "profiles", "envs", "src", "resources"),
    "explorer",
)

SMALL = {
    "run": "small",
    "samples": {"sources": [{"kind": "scenes", "images": 6}], "shard_size": 16},
    "label_groups": {"Size": {"labels": ["big_predicate", "small_predicate"]}},
    "variants": ["plain", "boxes"],
    "encoders": [{"kind": "dct", "size": 64}, {"kind": "metadata"}],
    "methods": ["mean", "minmax"],
    "maps": ["mean"],
    "projections": {"tsne": None},
    # The explorer's page is built of packages that a network gives.
    "explorer": None,
}

CONFIGURED = ("--configfile", "config/small.yaml")

PICTURES = "report/assets/pictures"

# The files that say what jobs cost, which differs from run to run.
COSTS = ("costs.csv", "costs.json", "cost_pareto.html")


class Project:
    """A copy of the project in its own folder, with a configuration of its own."""

    def __init__(self, folder: Path, run: str = "small") -> None:
        self.folder = folder
        self.results = folder / "results" / run

    def copy(self, folder: Path) -> Project:
        """Copy the project with its modification times, which decide what is run again."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return Project(folder)

    def configure(self, changes: dict[str, object]) -> None:
        """Write the small run's configuration with changes at its top level."""
        text = yaml.safe_dump({**SMALL, **changes})
        (self.folder / "config" / "small.yaml").write_text(text)

    def command(self, *arguments: str) -> list[str]:
        """The snakemake command of a user in this folder."""
        return [sys.executable, "-m", "snakemake", "--cores", "2", *arguments]

    @property
    def environment(self) -> dict[str, str]:
        """The environment in which this copy's own source is imported, and no network is used."""
        return {
            **os.environ,
            "PYTHONPATH": str(self.folder / "src"),
            "HF_HUB_OFFLINE": "1",
            "HF_HOME": str(self.folder / "hub"),
        }

    def run_snakemake(self, *arguments: str, check: bool = True) -> str:
        """Run snakemake; return what it prints."""
        done = subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert not check or done.returncode == 0, done.stdout
        return done.stdout

    def snakemake(self, *arguments: str) -> str:
        """Run snakemake on the small run's configuration; return what it prints."""
        return self.run_snakemake(*arguments, *CONFIGURED)

    def pending(self, *targets: str) -> set[str]:
        """Outputs that a dry run says it would make, relative to the run's results."""
        lines = self.snakemake(*targets, "--summary").splitlines()
        header, *rows = [line.split("\t") for line in lines if "\t" in line]
        plan = header.index("plan")
        return {self._name(row[0]) for row in rows if row[plan].startswith("update pending")}

    def run(self) -> set[str]:
        """Run; return the outputs that were made, relative to the run's results."""
        before = self.outputs()
        self.snakemake()
        return {name for name, time in self.outputs().items() if before.get(name) != time}

    def outputs(self) -> dict[str, int]:
        """Modification time of every result; logs, benchmarks and `run.json` are none.

        Pictures are one result, their folder.
        """
        pictures = self.results / PICTURES
        files = (path for path in self.results.rglob("*") if path.is_file())
        found = [*(path for path in files if path.parent != pictures), *self.results.glob(PICTURES)]
        named = ((path.relative_to(self.results), path) for path in found)
        return {
            str(name): path.stat().st_mtime_ns
            for name, path in named
            if name.parts[0] not in ("logs", "benchmarks", "run.json")
        }

    def contents(self) -> dict[str, bytes]:
        """Bytes of every result but logs, benchmarks, and what was made of benchmarks."""
        names = (n for n in self.outputs() if Path(n).name not in COSTS and n != PICTURES)
        return {name: (self.results / name).read_bytes() for name in names}

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace text in one of the project's files."""
        file = self.folder / path
        text = file.read_text()
        assert old in text, f"{old!r} is not in {path}"
        file.write_text(text.replace(old, new))

    def _name(self, path: str) -> str:
        return str(Path(path).relative_to("results/small"))


@pytest.fixture(scope="session")
def fresh(tmp_path_factory) -> Project:
    """A copy of the project that was never run."""
    folder = tmp_path_factory.mktemp("project")
    for part in PARTS:
        source = ROOT / part
        copy = shutil.copy2 if source.is_file() else shutil.copytree
        copy(source, folder / part)
    project = Project(folder)
    project.configure({})
    return project


@pytest.fixture(scope="session")
def finished(fresh: Project, tmp_path_factory) -> Project:
    """A finished small run; not to be changed."""
    project = fresh.copy(tmp_path_factory.mktemp("finished") / "project")
    project.snakemake()
    return project


@pytest.fixture
def project(finished: Project, tmp_path: Path) -> Project:
    """A finished small run of the test's own."""
    return finished.copy(tmp_path / "project")


@pytest.fixture
def unfinished(fresh: Project, tmp_path: Path) -> Project:
    """A small run of the test's own, not yet started."""
    return fresh.copy(tmp_path / "project")
