import sys

import pytest

from latentmap.errors import LatentmapError
from latentmap.samples.ingest import ingest
from latentmap.samples.source import SOURCES

MODULE = '''"""Long enough docstring of the module: 日本語 and \\ud800."""
import os
raise SystemExit("nothing is imported")

class Thing:
    """A thing that is documented well enough.

        Indented once more than the rest.

    The rest.
    """

    def act(self):
        """Short."""

    if os.name:
        @property
        def shape(self):
            """Return the shape, which is long enough."""

def outer():
    r"""Return an \\inner function, which has a docstring too."""
    def inner():
        """Return nothing that anyone would ever look for."""

async def wait():
    """Wait for as long as it takes to be long enough."""
'''


@pytest.fixture
def packages(tmp_path, monkeypatch):
    """Two installed packages: `made-up`, and `many` with 30 documented functions."""
    files = {
        "made_up/__init__.py": "",
        "made_up/inner/thing.py": MODULE,
        "made_up/broken.py": '"""A file that is no Python at all, though documented."""\n) = 1',
        "made_up/tests/test_thing.py": '"""A test that nobody wants to see on a map."""',
        "made_up-1.2.dist-info/METADATA": "Metadata-Version: 2.1\nName: made-up\nVersion: 1.2\n",
        "many.py": "\n".join(
            f'def f{n:02}():\n    """Return the number {n:02} of a long list of numbers."""'
            for n in range(30)
        ),
        "many-3.dist-info/METADATA": "Metadata-Version: 2.1\nName: many\nVersion: 3\n",
    }
    for name, text in files.items():
        path = tmp_path / "site" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for info, prefix in (("made_up-1.2", "made_up/"), ("many-3", "many.py")):
        record = [f"{name},,\n" for name in files if name.startswith(prefix)]
        (tmp_path / "site" / f"{info}.dist-info" / "RECORD").write_text("".join(record))
    monkeypatch.setattr(sys, "path", [str(tmp_path / "site"), *sys.path])
    return tmp_path


def make(**options):
    return SOURCES.create("docstrings", {"min_length": 20, **options})


def taken_in(folder, **options):
    source = make(**options)
    source.download_to(folder / "docstrings.parquet")
    local = source.local(folder / "docstrings.parquet")
    assert source.is_remote
    assert not local.is_remote
    return ingest(local, range(len(local.index())), {}, {})


def test_what_is_documented_is_a_sample(packages):
    made = taken_in(packages, packages=["made-up"]).samples.to_pylist()
    module = "made_up.inner.thing"
    assert {row["id"]: row["object"] for row in made} == {
        module: "module",
        f"{module}.Thing": "class",
        f"{module}.Thing.shape": "function",
        f"{module}.outer": "function",
        f"{module}.wait": "function",
    }
    assert {row["label"] for row in made} == {"made-up"}
    assert {row["source_group"] for row in made} == {module}
    texts = {row["id"]: row["text"] for row in made}
    assert texts[module] == "Long enough docstring of the module: 日本語 and \\ud800."
    assert texts[f"{module}.Thing"].splitlines() == [
        "A thing that is documented well enough.",
        "",
        "    Indented once more than the rest.",
        "",
        "The rest.",
    ]
    assert texts[f"{module}.outer"].startswith("Return an \\inner function")


def test_a_cap_takes_evenly_spaced_docstrings_of_each_package(packages):
    samples = taken_in(packages, packages=["many", "made-up"], per_package=3).samples
    assert samples["label"].to_pylist() == ["many"] * 3 + ["made-up"] * 3
    assert samples["id"].to_pylist()[:3] == ["many.f00", "many.f10", "many.f20"]


def test_the_same_packages_give_the_same_bytes(packages):
    for name in ("a", "b"):
        make(packages=["made-up", "many"]).download_to(packages / name)
    assert (packages / "a").read_bytes() == (packages / "b").read_bytes()


def test_versions_tell_when_to_read_again(packages):
    before = make(packages=["made-up", "many"]).revision()
    assert before.startswith("made-up 1.2, many 3")
    info = packages / "site" / "many-3.dist-info"
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: many\nVersion: 4\n")
    assert make(packages=["made-up", "many"]).revision() != before


def test_what_cannot_be_read_is_said_in_one_line(packages):
    for options, words in (
        ({"packages": ["no-such-thing"]}, "'pip install no-such-thing'"),
        ({"packages": ["many"], "min_length": 9999}, "no docstring of 'many' has 9999"),
    ):
        with pytest.raises(LatentmapError) as caught:
            make(**options).download_to(packages / "never")
        assert words in str(caught.value)
        assert "\n" not in str(caught.value)
    with pytest.raises(LatentmapError, match="pip install no-such-thing"):
        make(packages=["no-such-thing"]).revision()
