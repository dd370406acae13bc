"""Where the latents of samples are, for what says why two samples are neighbors."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from latentmap.store.files import reading
from latentmap.store.tables import one_chunk


def located_latents(paths: Sequence[Path], folder: Path) -> dict[str, Any] | None:
    """Return where the latents of one encoder and variant are; None if there are none.

    Args:
        paths: its shards.
        folder: of the explorer.

    Raises:
        LatentmapError: a shard is none.
    """
    shape: list[int] = []
    kind, starts, offsets = "", [0], []
    for path in paths:
        with reading(path, "a shard of latents"), pa.memory_map(str(path)) as file:
            whole = file.read_buffer()
            table = pa.ipc.open_file(whole).read_all()
            column = one_chunk(table["latent"])
            values, width = column.storage.values, column.storage.type.list_size
            item = np.dtype(values.type.to_pandas_dtype())
            first = (column.storage.offset * width + values.offset) * item.itemsize
            offsets.append(values.buffers()[1].address - whole.address + first)
            starts.append(starts[-1] + len(table))
            if len(table):
                shape, kind = list(column.type.shape), item.name
    if not shape:
        return None
    files = [Path(os.path.relpath(path, folder)).as_posix() for path in paths]
    return {"shape": shape, "type": kind, "files": files, "starts": starts, "offsets": offsets}
