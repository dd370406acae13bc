"""What the project says of itself in several files is the same everywhere."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

import latentmap
from latentmap.cli import main

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_the_version_is_that_of_pyproject(capsys):
    assert latentmap.__version__ == PROJECT["version"]
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out == f"latentmap {PROJECT['version']}\n"


def test_the_licence_is_the_same_in_every_file():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert (ROOT / "LICENSE").read_text().startswith(f"{PROJECT['license']} License")
    assert citation["license"] == PROJECT["license"]
    assert citation["authors"] == PROJECT["authors"]
    assert all((ROOT / name).is_file() for name in PROJECT["license-files"])


def test_a_commit_is_checked_by_the_commands_of_make_lint():
    """Of ruff and snakefmt, Git's hook names the files and `make lint` all of them."""
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    recipe = (ROOT / "Makefile").read_text().partition("\nlint: ")[2].partition("\n\n")[0]
    linted = re.findall(r"^\t\$\(BIN\)/(.*)$", recipe, re.MULTILINE)
    assert len(linted) == len(hooks)
    for line, hook in zip(linted, hooks, strict=True):
        command = hook["entry"].removeprefix(".venv/bin/").removesuffix(" --force-exclude")
        assert line == command or (hook.get("pass_filenames", True) and line.startswith(command))


def test_links_of_the_docs_lead_somewhere():
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("config/*.md")]
    broken = [
        f"{page.name}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
        if not (page.parent / target).exists()
    ]
    assert broken == []
