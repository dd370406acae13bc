"""A wheel carries the whole workflow, and what is installed from it runs in an empty folder."""

import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PAGE = ("index.html", "assets/explorer.js", "assets/explorer.css")

pytestmark = [pytest.mark.slow, pytest.mark.workflow]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel of this checkout, built as a user's pip builds it."""
    folder = tmp_path_factory.mktemp("wheels")
    done = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", str(folder), str(ROOT)],
        capture_output=True,
        text=True,
        check=False,
    )
    offline = ("No matching distribution", "npm ci")
    if done.returncode != 0 and any(said in done.stderr for said in offline):
        pytest.skip("there is no network to build with")
    assert done.returncode == 0, done.stderr
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """The wheel unpacked, without what it depends on."""
    folder = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def sources(*folders: str) -> set[str]:
    """Return the files that Git does not ignore."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *folders]
    done = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_it_carries_the_package_the_workflow_and_the_page_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    targets = PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    package = {name.removeprefix("src/") for name in sources(*targets["packages"])}
    workflow = {f"latentmap/shipped/{n}" for n in sources(*targets["hooks"]["custom"]["workflow"])}
    assert names == package | workflow | {f"latentmap/shipped/explorer/{name}" for name in PAGE}


def test_the_page_in_it_is_whole(wheel):
    with zipfile.ZipFile(wheel) as archive:
        page, script, style = (
            archive.read(f"latentmap/shipped/explorer/{name}").decode() for name in PAGE
        )
    assert all(name in page for name in PAGE[1:])
    assert "WebGL" in script and "{" in style


def test_what_is_installed_plans_its_default_run_in_an_empty_folder(installed, tmp_path):
    done = subprocess.run(
        [
            *(sys.executable, "-m", "snakemake", "--cores", "1", "--dry-run"),
            *("--snakefile", str(installed / "latentmap/shipped/Snakefile")),
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "write_summary" in done.stdout
    # It carries the page of the explorer, and needs no network to build one.
    assert "write_explorer_page" in done.stdout and "build_explorer" not in done.stdout
