"""What the tests of several stages make."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest


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
