"""What the tests of several stages make or use."""

from __future__ import annotations

import csv
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture(scope="session")
def launch_chromium():
    """Start headless browsers, by one driver: a process can run no second one."""
    api = pytest.importorskip("playwright.sync_api")
    if (chromium := shutil.which("chromium")) is None:
        pytest.skip("Chromium is not installed")
    quiet = ["background-networking", "component-update", "sync"]
    arguments = ["--no-sandbox", *(f"--disable-{feature}" for feature in quiet)]
    browsers = []

    def launch(*more: str):
        browsers.append(
            playwright.chromium.launch(executable_path=chromium, args=[*arguments, *more])
        )
        return browsers[-1]

    with api.sync_playwright() as playwright:
        yield launch
        for browser in browsers:
            browser.close()


@pytest.fixture(scope="session")
def disk_of():
    """Make a folder a disk of so many bytes, which may change while it is one."""

    def mount(folder: Path, options: str) -> bool:
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    @contextmanager
    def disk(folder: Path, size: int):
        if not mount(folder, f"size={size}"):
            pytest.skip("may not mount a disk")
        try:
            yield lambda size: mount(folder, f"remount,size={size}")
        finally:
            subprocess.run(["umount", "-l", str(folder)], check=True)

    return disk


@pytest.fixture
def make_cache():
    """Write a cache of embeddings as OpenCLIP fine-tuning leaves it."""
    import torch

    def make(
        folder: Path, embeddings: np.ndarray, labels: list[int], names: list[str] | None = None
    ) -> Path:
        folder.mkdir(parents=True)
        torch.save(torch.from_numpy(embeddings), folder / "embeddings.pt")
        torch.save(torch.tensor(labels), folder / "labels.pt")
        names = [f"{row:03}.jpg" for row in range(len(labels))] if names is None else names
        with (folder / "metadata.csv").open("w", newline="") as file:
            table = csv.writer(file)
            table.writerow(
                ["file_name", *(f"ground_truth_{x}_label" for x in ("num", "word", "L2_num"))]
            )
            table.writerows(
                [name, label, f"class {label}", label // 2]
                for name, label in zip(names, labels, strict=True)
            )
        (folder / "meta.json").write_text("{}")
        return folder

    return make
