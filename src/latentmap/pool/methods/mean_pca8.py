"""First 8 principal components of the channel means, over all samples."""

from __future__ import annotations

from typing import ClassVar

from latentmap.pool.components import MeanComponents


class MeanPca8(MeanComponents):
    """8 principal components of the channel means."""

    reference: ClassVar[str] = (
        "Hotelling 1933, Analysis of a complex of statistical variables into principal components"
    )
    components = 8
