"""A bar for what takes more than a few seconds: on a terminal and in a notebook, nowhere else."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TypeVar

from tqdm import tqdm

SECONDS = 3.0
"""What takes less needs no bar."""

T = TypeVar("T")


def bar_of(steps: Iterable[T], title: str, total: int) -> tqdm[T]:
    """Return steps, which a bar counts as they are taken; it is gone at the end.

    Args:
        steps: to take.
        title: what the bar is called.
        total: how many steps there are.
    """
    watched = sys.stderr.isatty() or "ipykernel" in sys.modules
    return tqdm(steps, title, total, leave=False, delay=SECONDS, disable=not watched)
