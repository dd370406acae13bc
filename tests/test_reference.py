"""The reference is built from docstrings, its links lead somewhere, and its examples are true."""

import doctest
import importlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import latentmap as lm

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
MODULES = sorted((ROOT / "src" / "latentmap" / "api").glob("*.py"))


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The built pages; `strict` fails on links and anchors that lead nowhere."""
    pytest.importorskip("mkdocstrings")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-d", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def test_the_reference_has_every_public_name(site):
    text = "".join(page.read_text("utf-8") for page in site.glob("*.html"))
    anchors = set(re.findall(r'id="latentmap\.[\w.]*?(\w+)"', text))
    assert set(lm.__all__) - anchors == set()


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_examples_in_docstrings_are_true(path):
    module = importlib.import_module(f"latentmap.api.{path.stem}".removesuffix(".__init__"))
    assert doctest.testmod(module).failed == 0


def test_functions_have_examples():
    for name in ("pool", "neighbors", "measure", "compare", "project", "encode"):
        assert ">>> " in (getattr(lm, name).__doc__ or ""), name


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_run(path, tmp_path, monkeypatch):
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))
    notebook = nbformat.read(path, as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells), "Keep it without outputs."
    nbclient.NotebookClient(notebook, timeout=600, kernel_name="python3").execute(cwd=str(ROOT))
    shown = json.dumps([cell.get("outputs") for cell in notebook.cells])
    assert "<table>" in shown and "vega-lite" in shown
