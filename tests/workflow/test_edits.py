"""What an edit of data, weights or a helper makes anew, and what a copy of a run does: exactly."""

from __future__ import annotations

import shutil
import textwrap

import pytest
from PIL import Image

pytestmark = pytest.mark.workflow

OWN = '''
    """An encoder whose weights are a number in a file."""

    from pathlib import Path

    import numpy as np

    from latentmap.encode.encoders.metadata import Metadata

    WEIGHTS = Path("weights.txt")


    class Weighted(Metadata):
        """What metadata gives, times a number."""

        def revision(self):
            return WEIGHTS.read_text()

        def encode(self, batch):
            return super().encode(batch) * np.float32(WEIGHTS.read_text())
'''
CONFIG = {
    "plugins": ["own"],
    "samples": {"sources": [{"kind": "folder", "input": "images"}], "shard_size": 4},
    "label_groups": None,
    "variants": ["plain"],
    "encoders": [{"kind": "dct", "size": 64}, {"kind": "weighted"}],
    "methods": ["mean", "spatial"],
    "projections": {"tsne": {"seed": 0}},
}
TARGETS = ("samples", "metrics", "projections")
RANKED = "metrics/ranking.json"


def paint(path, number: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (16, 16), (30 * number, 0, 99)).save(path)


@pytest.fixture(scope="module")
def made(fresh, tmp_path_factory):
    """What was made of eight images in two folders, pages aside; not to be changed."""
    project = fresh.copy(tmp_path_factory.mktemp("edits") / "project")
    (project.folder / "own.py").write_text(textwrap.dedent(OWN).lstrip())
    (project.folder / "weights.txt").write_text("2")
    for number in range(8):
        paint(project.folder / "images" / "ab"[number % 2] / f"{number}.png", number)
    project.configure(CONFIG)
    project.snakemake(*TARGETS)
    return project


@pytest.fixture
def project(made, tmp_path):
    """That run, for a test of its own to change."""
    return made.copy(tmp_path / "project")


def shards(project) -> list[str]:
    """Ids of the shards, in order."""
    return sorted(path.stem for path in project.results.glob("thumbnails/*"))


def of(names, *parts: str) -> set[str]:
    """The names that have one of these parts."""
    return {name for name in names if any(part in name for part in parts)}


def test_another_seed_runs_its_maps_and_their_trust(project):
    project.configure({**CONFIG, "projections": {"tsne": {"seed": 1}}})
    names = of(project.outputs(), "projections/")
    assert project.pending(*TARGETS) == names - of(names, "/pca.parquet", "/umap.parquet")


def test_other_weights_encode_anew_and_nothing_of_other_encoders(project):
    (project.folder / "weights.txt").write_text("3")
    assert project.pending(*TARGETS) == of(project.outputs(), "/weighted/", RANKED)


def test_a_helper_runs_the_methods_that_import_it(project):
    helper = "src/latentmap/pool/statistics.py"
    project.edit(helper, "import numpy as np\n", "import numpy as np\n\nEDITED = 1\n")
    names = project.outputs()
    compared = of(of(names, "/dct/"), "agreement", "learning")
    assert project.pending(*TARGETS) == compared | of(names, "/mean", RANKED)


def test_an_image_that_changes_or_goes_makes_its_shard_anew_and_one_that_is_back_nothing(project):
    names = set(project.outputs()) - {"run.txt"}
    first, second = shards(project)
    by_shard = of(names, first, second)
    image = project.folder / "images/b/7.png"
    before = image.read_bytes()

    def check() -> None:
        announced = project.pending(*TARGETS)
        (anew,) = {name.split("/")[-1] for name in of(announced, "thumbnails/")}
        shard = anew.removesuffix(".arrow")
        assert shard not in (first, second)
        replaced = {name.replace(second, shard) for name in of(names, second)}
        assert announced == names - by_shard | replaced

    paint(image, 3)
    check()
    image.unlink()
    check()
    image.write_bytes(before)
    assert not project.pending(*TARGETS)


def test_copied_results_are_results_with_their_times_or_without(project):
    copy = project.results.with_name("copy")
    for keep in (shutil.copy2, shutil.copy):
        shutil.copytree(project.results, copy, copy_function=keep)
        shutil.rmtree(project.results)
        copy.rename(project.results)
        assert not project.pending(*TARGETS)


def test_a_run_whose_snakemake_folder_is_lost_stays_made_and_is_told_of(project):
    assert "--forceall" not in project.snakemake(*TARGETS, "-n")
    shutil.rmtree(project.folder / ".snakemake")
    printed = project.snakemake(*TARGETS, "-n")
    assert "Nothing to be done" in printed
    assert "results/small is here without the .snakemake folder" in printed
