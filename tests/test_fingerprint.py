"""Fingerprints change with the meaning of code, through imports, and with nothing else."""

import sys
import textwrap
import time
from pathlib import Path

import pytest

from latentmap import fingerprint as module


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A throw-away package `latentmap_probe`, treated as first-party code."""
    root = tmp_path / "latentmap_probe"
    root.mkdir()
    (root / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "latentmap_probe", raising=False)
    monkeypatch.setattr(module, "ROOT", "latentmap_probe")

    def write(**files: str) -> str:
        for name, text in files.items():
            (root / f"{name}.py").write_text(textwrap.dedent(text))
        for cached in (module._source, module._is_module, module._read, module._templates):
            cached.cache_clear()
        return module.fingerprint("latentmap_probe.method")

    return write


METHOD = """
    '''A method.'''
    from latentmap_probe.helper import double
    def pool(x):
        return double(x)
"""
HELPER = "def double(x): return 2 * x"


def test_comments_docstrings_and_layout_do_not_count(package):
    before = package(method=METHOD, helper=HELPER)
    after = package(
        method=METHOD.replace("A method", "Another text").replace(
            "def pool", "# why\n\n    def pool"
        ),
        helper=HELPER.replace(": return", ":\n    '''Twice.'''\n    return"),
    )
    assert before == after


@pytest.mark.parametrize("change", ["method", "helper"])
def test_code_counts_through_imports(package, change):
    before = package(method=METHOD, helper=HELPER)
    changed = {"method": METHOD.replace("double(x)", "double(x) + 1"), "helper": HELPER + " + 0"}
    assert package(**{change: changed[change]}) != before


def test_modules_that_are_not_imported_do_not_count(package):
    before = package(method=METHOD, helper=HELPER)
    assert package(other="x = 1") == before


def test_import_of_a_submodule_from_its_package_counts(package):
    method = "from latentmap_probe import helper\ndef pool(x): return helper.double(x)"
    before = package(method=method, helper=HELPER)
    assert package(helper=HELPER + " + 0") != before


@pytest.fixture
def plan(package, tmp_path, monkeypatch):
    """Take the fingerprint as a plan an hour later does; return it and which files it parsed."""

    def later(**files: str) -> tuple[str, set[str]]:
        parsed: list[str] = []
        monkeypatch.setattr(module, "_parsed", lambda path: parsed.append(path) or parse(path))
        now = time.time_ns() + 3600 * 10**9
        monkeypatch.setattr("latentmap.store.digests.time.time_ns", lambda: now)
        memory = module.remember_code(tmp_path / "code.parquet")
        found = package(**files)
        memory.save()
        return found, {Path(path).stem for path in parsed} - {"__init__"}

    parse = module._parsed
    token = module.KNOWN_CODE.set(None)
    yield later
    module.KNOWN_CODE.reset(token)


def test_only_what_was_edited_is_parsed_again(package, plan):
    first = plan(method=METHOD, helper=HELPER)
    assert first[1] == {"method", "helper"}
    assert plan() == (first[0], set())
    edited, parsed = plan(helper=HELPER + " + 0")
    assert parsed == {"helper"}
    module.KNOWN_CODE.set(None)
    assert edited == package() != first[0]


def test_scripts_count(tmp_path):
    script = tmp_path / "pool.py"
    script.write_text("x = 1")
    before = module.fingerprint(scripts=(script,))
    other = tmp_path / "other" / "pool.py"
    other.parent.mkdir()
    other.write_text("x = 2")
    assert module.fingerprint(scripts=(other,)) != before
