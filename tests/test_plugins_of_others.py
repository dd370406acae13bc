"""Plug-ins that are no files of latentmap: of a module, an entry point or a notebook."""

import os
import subprocess
import sys
import textwrap

import numpy as np
import pyarrow as pa
import pytest

import latentmap as lm
from latentmap import plugins
from latentmap.errors import LatentmapError
from latentmap.fingerprint import fingerprint
from latentmap.metrics.metric import METRICS, known_metrics
from latentmap.pool.method import METHODS, PoolingMethod
from latentmap.report.page import Content, Page, Scope
from latentmap.run import load_run
from latentmap.store.results import page_file
from latentmap.targets.derivation import DERIVATIONS

METHOD = '''
    """Methods of one's own."""

    from latentmap.metrics.metric import Measurement, Metric, MetricColumn
    from latentmap.pool.method import PoolingMethod

    from .helpers import corner


    class _Shared(PoolingMethod):
        reference = "nobody"

        def tokens(self, shape):
            return 1

        def dims(self, shape):
            return shape[0]


    class FirstCorner(_Shared):
        """The value in the first corner of each channel."""

        def pool(self, latents, regions):
            return corner(latents)


    class DoubleWidth(Metric):
        """Twice the number of dimensions."""

        needs_labels = False
        columns = {"double_width": MetricColumn("twice the dimensions", "double width")}

        def measure(self, data):
            return {"double_width": Measurement(2.0 * data.values.shape[1])}
'''
TARGETS = '''
    """Targets of one's own."""

    from latentmap.targets.derivation import Derivation, DerivationOptions, Derived


    class SharedVowels(Derivation[DerivationOptions]):
        """Share of vowels in the text."""

        Options = DerivationOptions
        family = "letters"
        names = ("",)

        def columns(self, there):
            return ("text",)

        def derive(self, samples):
            texts = samples["text"].to_pylist()
            shares = [sum(map(text.count, "aeiou")) / len(text) for text in texts]
            return (Derived("", "Share of vowels", "continuous", shares),)
'''
HELPERS = """
    def corner(latents):
        return latents[:, :, 0, 0]
"""
CONFIG = {
    "run": "own",
    "samples": {"sources": [{"kind": "scenes", "images": 4}]},
    "encoders": [{"kind": "dct", "size": 64}],
    "methods": ["mean", "first_corner"],
    "metrics": {"double_width": {}},
}


@pytest.fixture(autouse=True)
def forgotten(monkeypatch):
    """Leave no plug-in behind for other tests."""
    monkeypatch.setenv(plugins.VARIABLE, "")
    monkeypatch.setattr(plugins, "_in_memory", [])
    monkeypatch.setattr(plugins, "_modules", {})
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield
    for name in [name for name in sys.modules if name.startswith("others_own")]:
        del sys.modules[name]


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package with plug-ins in the current folder, on no path."""
    folder = tmp_path / "others_own"
    folder.mkdir()
    for name, text in (
        ("__init__", ""),
        ("methods", METHOD),
        ("helpers", HELPERS),
        ("targets", TARGETS),
    ):
        (folder / f"{name}.py").write_text(textwrap.dedent(text).lstrip())
    monkeypatch.chdir(tmp_path)
    return folder


def test_a_module_that_the_configuration_names_brings_methods_and_metrics(package):
    assert "first_corner" not in METHODS.names()
    run = load_run({**CONFIG, "plugins": ["others_own.methods"]})
    assert run.facts.encoders[0].methods == ["mean", "first_corner"]
    assert "double_width" in run.measured and "double_width" in known_metrics()
    assert METHODS.description("first_corner") == "The value in the first corner of each channel."
    assert METHODS.module("first_corner") == METRICS.module("double_width") == "others_own.methods"
    assert "_shared" not in METHODS.names()
    latents = np.random.default_rng(0).normal(size=(3, 2, 4, 4)).astype(np.float32)
    np.testing.assert_array_equal(lm.pool(latents, "first_corner"), latents[:, :, 0, 0])


def test_a_module_brings_targets_of_ones_own(package):
    run = load_run(
        {**CONFIG, "methods": "all", "metrics": {}, "plugins": ["others_own.targets"]}
        | {"targets": [{"derived": "shared_vowels"}, "nearer"]}
    )
    first, second = run.target_entries
    assert first["derived"] == {"name": "shared_vowels", "options": {}}
    assert (second["column"], second["derived"]) == ("nearer", None)
    derivation = DERIVATIONS.create("shared_vowels")
    (one,) = derivation.derive(pa.table({"text": ["aeb", "xyz"]}))
    assert list(one.values) == pytest.approx([2 / 3, 0])


def test_a_wrong_name_is_answered_with_those_of_ones_own(package):
    with pytest.raises(LatentmapError, match="Did you mean 'first_corner'"):
        load_run({**CONFIG, "plugins": "others_own.methods", "methods": ["frst_corner"]})
    with pytest.raises(LatentmapError, match="the module 'others_owned' cannot be imported"):
        load_run({**CONFIG, "plugins": ["others_owned"]})


def test_a_job_knows_what_its_workflow_uses(package):
    load_run({**CONFIG, "plugins": ["others_own.methods"]})
    code = "from latentmap.pool.method import METHODS; print(METHODS.create('first_corner').kind)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "first_corner\n"


def test_an_entry_point_brings_plugins_without_a_configuration(package):
    facts = package.parent / "others_own-1.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: others-own\nVersion: 1\n")
    (facts / "entry_points.txt").write_text("[latentmap.plugins]\nown = others_own.methods\n")
    environment = {**os.environ, "PYTHONPATH": f"{package.parent}:{os.environ.get('PYTHONPATH')}"}
    del environment[plugins.VARIABLE]
    code = "from latentmap.cli import main; main(['list', 'methods'])"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert "first_corner  The value in the first corner of each channel.\n" in done.stdout


def test_what_a_plugin_imports_of_its_own_package_counts_as_its_code(package):
    """Its file, and what it imports relatively; comments do not count."""

    def found() -> str:
        code = "from latentmap.fingerprint import fingerprint as f; print(f('others_own.methods'))"
        command = [sys.executable, "-c", code]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    plugins.use(["others_own.methods"])
    before = found()
    assert before.strip() == fingerprint("others_own.methods")
    helpers = package / "helpers.py"
    helpers.write_text(helpers.read_text() + "# a comment\n")
    assert found() == before
    helpers.write_text(helpers.read_text().replace("0, 0", "0, 1"))
    assert found() != before


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("class FirstCorner", "class Mean", "Two pooling methods are called 'mean'; Mean of"),
        ("    def pool", "    def pull", "the pooling method FirstCorner does not define pool"),
    ],
)
def test_what_is_wrong_with_a_plugin_is_told_in_one_line(package, old, new, said):
    file = package / "methods.py"
    file.write_text(file.read_text().replace(old, new))
    with pytest.raises(LatentmapError, match=said):
        load_run({**CONFIG, "plugins": ["others_own.methods"]})


class Brightest(PoolingMethod):
    """The largest value of all."""

    reference = "nobody"

    def tokens(self, shape):
        return 1

    def dims(self, shape):
        return 1

    def pool(self, latents, regions):
        return latents.max(axis=(1, 2, 3))[:, None]


class Greeting(Page):
    """A page of one's own."""

    title = "Greeting"
    category = "Deep dive"
    file = page_file("greeting.html", lambda results: [()])
    scope = Scope.RUN
    reads = ()

    def build(self, results, keys):
        yield Content("Hello to all", {"plates": []})


def test_classes_of_a_notebook_are_in_the_report(tmp_path):
    latents = np.random.default_rng(0).normal(size=(20, 2, 4, 4))
    page = lm.report(
        latents,
        list("ab") * 10,
        out=tmp_path / "own",
        plugins=[Brightest, Greeting],
        methods=["mean", "brightest"],
        projections={"tsne": None, "umap": None},
        statistics={"permutations": 20},
        explorer=None,
    )
    assert "Hello to all" in (page.folder / "report" / "greeting.html").read_text()
    assert lm.open(page.folder).embedding(method="brightest").shape == (20, 1)
    assert "greeting.html" in page.path.read_text()
