"""What targets that are derived from texts share."""

from __future__ import annotations

import math

from latentmap.samples.cells import is_blank

LENGTH_UNIT = "log10 of characters"


def log_length(text: str | None) -> float | None:
    """Return the length of a text on the scale of `LENGTH_UNIT`; null where there is none."""
    return None if text is None or is_blank(text) else math.log10(len(text.strip()))
