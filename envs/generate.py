"""Write one conda environment per stage: what pyproject lists, at the versions of the lock."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def locked_versions() -> dict[str, str]:
    """Return the pinned version of every package in the lock, by normalised name."""
    pins = re.findall(r"^([\w.-]+)==(\S+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    return {normalised(name): version for name, version in pins}


def normalised(name: str) -> str:
    """Return a package name as the package index compares names."""
    return re.sub(r"[-_.]+", "-", name).lower()


def environments() -> dict[str, str]:
    """Return the text of every environment file, by stage."""
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())
    versions = locked_versions()
    return {
        stage: "# Written by `make lock`; edit [tool.latentmap.envs] in pyproject.toml instead.\n"
        "channels:\n  - conda-forge\n  - nodefaults\n"
        "dependencies:\n  - python=3.11\n  - pip\n  - pip:\n"
        + "".join(f"      - {name}=={versions[normalised(name)]}\n" for name in packages)
        for stage, packages in pyproject["tool"]["latentmap"]["envs"].items()
    }


if __name__ == "__main__":
    for stage, text in environments().items():
        (ROOT / "envs" / f"{stage}.yaml").write_text(text)
