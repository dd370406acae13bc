"""The lock serves what pyproject asks for, and the conda environments are written from it."""

import importlib.util
import re
import tomllib
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
# What needs torchvision stays out of the lock, because not every build of torch loads beside it.
UNLOCKED = PROJECT["optional-dependencies"].pop("clip")


@pytest.fixture(scope="module")
def environments():
    spec = importlib.util.spec_from_file_location("generate", ROOT / "envs" / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    "requirement",
    [*PROJECT["dependencies"], *chain(*PROJECT["optional-dependencies"].values())],
)
def test_every_requirement_is_locked_at_a_version_it_admits(requirement, environments):
    wanted = Requirement(requirement)
    locked = environments.locked_versions().get(environments.normalised(wanted.name))
    assert locked is not None, "Run `make lock`."
    assert wanted.specifier.contains(locked, prereleases=True), "Run `make lock`."


def test_lock_is_exact_and_knows_no_machine():
    lock = (ROOT / "requirements.lock").read_text()
    lines = [line for line in lock.splitlines() if line and not line.lstrip().startswith("#")]
    assert all(re.fullmatch(r"[\w.-]+==[\w.!]+", line) for line in lines)
    assert "torch==2.13.0\n" in lock
    assert not re.search(r"torchvision|nvidia|file://|https?://", lock)


def test_what_needs_torchvision_is_not_locked(environments):
    locked = environments.locked_versions()
    assert not {environments.normalised(Requirement(r).name) for r in UNLOCKED} & locked.keys()


def test_environments_are_what_the_lock_says(environments):
    written = {p.stem: p.read_text() for p in (ROOT / "envs").glob("*.yaml")}
    assert written == environments.environments(), "Run `make lock`."
