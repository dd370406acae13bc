"""Arrays as NumPy saves them."""

from __future__ import annotations

from typing import IO, Any

import numpy as np


def read_array_header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Read the header of a saved array; the stream stands at its first value then.

    Returns:
        Its shape, whether it is stored column by column, and the type of its values.

    Raises:
        ValueError: there is no array of numbers, which NumPy saves in format 1.0 or 2.0.
    """
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        return np.lib.format.read_array_header_1_0(stream)
    if version == (2, 0):
        return np.lib.format.read_array_header_2_0(stream)
    raise ValueError(f"an array in format {version}")
