import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from latentmap.store.samples import SCHEMA
from latentmap.store.tables import write_arrow


def png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def make_sample():
    """Make one row of a sample shard from its pixels, by default smooth and random."""

    def make(number: int = 0, pixels: np.ndarray | None = None, **columns) -> dict:
        if pixels is None:
            random = np.random.default_rng(number)
            coarse = random.integers(0, 256, (4, 6, 3), dtype=np.uint8)
            pixels = np.asarray(Image.fromarray(coarse).resize((48, 32), Image.Resampling.BICUBIC))
        return {
            "id": f"s{number:02}",
            "source": "test",
            "label": "a",
            "label_group": "A",
            "source_group": str(number),
            "text": None,
            "boxes": [[4.0, 4.0, 24.0, 20.0]],
            "width": pixels.shape[1],
            "height": pixels.shape[0],
            "image": png(pixels),
            "digest": str(number),
            **columns,
        }

    return make


@pytest.fixture
def write_samples(tmp_path):
    """Write rows as a shard of samples; columns outside the schema follow it."""

    def write(
        rows: list[dict], name: str = "samples.arrow", extra: pa.Schema | None = None
    ) -> Path:
        schema = pa.schema([*SCHEMA, *(extra or ())])
        path = tmp_path / name
        write_arrow(path, pa.Table.from_pylist(rows, schema=schema))
        return path

    return write
