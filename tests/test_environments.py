"""What a rule's script imports, its conda environment installs."""

import ast
import re
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions
from importlib.util import find_spec
from pathlib import Path

import pytest

from latentmap.encode.encoder import ENCODERS
from latentmap.fingerprint import ROOT as PACKAGE
from latentmap.metrics.metric import METRICS
from latentmap.pool.method import METHODS
from latentmap.project.projection import PROJECTIONS
from latentmap.report.channel_chart import CHANNEL_CHARTS
from latentmap.report.chart import CHARTS
from latentmap.report.page import PAGES
from latentmap.samples.source import SOURCES

ROOT = Path(__file__).parents[1]
SCRIPTS = ROOT / "workflow" / "scripts"
ENVIRONMENTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["latentmap"]["envs"]
RULE = re.compile(
    r'conda:\s+"\.\./envs/(\w+)\.yaml".*?script:\s+"\.\./workflow/scripts/(\w+)\.py"', re.DOTALL
)
DISTRIBUTIONS = packages_distributions()
JOBS = sorted(
    {
        job
        for file in (ROOT / "rules").glob("*.smk")
        for job in RULE.findall(file.read_text("utf-8"))
    }
)


@cache
def imported(path: Path) -> set[str]:
    """Return the modules that a file imports when it runs, also inside functions."""
    found = set()
    pending: list[ast.AST] = [ast.parse(path.read_text("utf-8"))]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            pending.extend(node.orelse)
            continue
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
        pending.extend(ast.iter_child_nodes(node))
    return found


@cache
def source(module: str) -> Path | None:
    try:
        spec = find_spec(module)
    except ModuleNotFoundError:  # a name in a module, not a module
        return None
    return Path(spec.origin) if spec and spec.origin else None


def packages(file: Path) -> dict[str, str]:
    """Return the packages that a file and all it imports of latentmap import, with by whom."""
    pending, seen, found = [file], set(), {}
    while pending:
        path = pending.pop()
        if path in seen:
            continue
        seen.add(path)
        for name in imported(path):
            top = name.partition(".")[0]
            if top == PACKAGE:
                pending.extend(filter(None, [source(name)]))
            elif top not in sys.stdlib_module_names:
                found.setdefault(top, path.name)
    return found


def normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def missing(environment: str, file: Path) -> set[str]:
    """Return what a file needs that an environment does not name."""
    installed = {normalised(name) for name in ENVIRONMENTS[environment]}
    return {
        f"{module} (in {importer})"
        for module, importer in packages(file).items()
        if not installed & {normalised(name) for name in DISTRIBUTIONS.get(module, [module])}
    }


def test_every_script_is_in_a_rule_with_an_environment():
    assert {script for _, script in JOBS} == {file.stem for file in SCRIPTS.glob("*.py")}


@pytest.mark.parametrize(("environment", "script"), JOBS)
def test_an_environment_installs_what_a_script_imports(environment, script):
    lacking = missing(environment, SCRIPTS / f"{script}.py")
    assert not lacking, f"Add to [tool.latentmap.envs] {environment}, then run `make lock`."


@pytest.mark.parametrize(
    ("environment", "registry"),
    [
        ("samples", SOURCES),
        ("encode", ENCODERS),
        ("pool", METHODS),
        ("metrics", METRICS),
        ("project", PROJECTIONS),
        ("report", CHARTS),
        ("report", CHANNEL_CHARTS),
        ("report", PAGES),
    ],
    ids=lambda value: value if isinstance(value, str) else value.noun,
)
def test_an_environment_installs_what_the_plugins_of_its_stage_import(environment, registry):
    lacking = {
        name for plugin in registry for name in missing(environment, file_of(registry, plugin))
    }
    assert not lacking, f"Add to [tool.latentmap.envs] {environment}, then run `make lock`."


def file_of(registry, plugin: str) -> Path:
    return source(registry.module(plugin))
