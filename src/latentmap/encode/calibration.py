"""Calibration: are a shard's latents where the model's own latents are?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

OUT_OF_RANGE = 1.5
"""Root mean square, over the channels, of the distance between the mean of the latents and that of
the model, in the model's standard deviations, from which the input was plainly not what the model
was trained on.

Pixels in [0, 255] given to a model of [-1, 1] put the channels of the Wan VAE two to four standard
deviations away; photographs in the right range stay below a half.
"""

FEWEST_SAMPLES = 8
"""Samples below which nothing is said: a single dark picture may lie two deviations away."""


@dataclass(frozen=True)
class StatedStatistics:
    """Per-channel mean and standard deviation that a model's own authors state for its latents."""

    mean: tuple[float, ...]
    std: tuple[float, ...]


@dataclass(frozen=True)
class Calibration:
    """Moments of latents per channel, beside what the model's authors state.

    Attributes:
        samples: samples that were seen.
        count: values per channel that were seen.
        mean: mean per channel.
        std: standard deviation per channel (population).
        expected: the model's own statistics, where they are stated.
    """

    samples: int
    count: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    expected: StatedStatistics | None

    @property
    def z(self) -> NDArray[np.float64] | None:
        """(C,) (mean - model's mean) / model's std, where the model states them."""
        if self.expected is None:
            return None
        return (np.array(self.mean) - self.expected.mean) / np.array(self.expected.std)

    @property
    def out_of_range(self) -> bool:
        """Whether the latents are plainly not those of inputs in the model's range."""
        if self.z is None or self.samples < FEWEST_SAMPLES:
            return False
        return float(np.sqrt(np.mean(self.z**2))) >= OUT_OF_RANGE

    def warning(self) -> str | None:
        """Return one line for the log and the report if the latents are out of range."""
        if self.z is None or not self.out_of_range:
            return None
        distances = np.abs(self.z)
        return (
            f"The latents are not where the model's own are: their channel means lie "
            f"{np.median(distances):.1f} (median) to {distances.max():.1f} (largest) of its "
            "standard deviations away. Either the pixels are not in the range it was trained "
            "on, or the images are of another kind."
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain values, for a shard's metadata."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Calibration:
        """Make a calibration from what `to_json` returned."""
        expected = value["expected"]
        return cls(
            samples=value["samples"],
            count=value["count"],
            mean=tuple(value["mean"]),
            std=tuple(value["std"]),
            expected=expected and StatedStatistics(tuple(expected["mean"]), tuple(expected["std"])),
        )


def calibrate(latents: NDArray[np.float32], expected: StatedStatistics | None) -> Calibration:
    """Measure latents.

    Args:
        latents: (n, C, H, W) or (n, D) float32, n at least 1; each of the D is a channel.
        expected: the model's own statistics.
    """
    values = latents.reshape(*latents.shape[:2], -1)
    # Sums run in float32 within one map only, where they are exact to seven digits, and in float64
    # across maps; so does the variance, taken about the map's own mean.
    means = values.mean(axis=2).astype(np.float64)
    variances = values.var(axis=2).astype(np.float64)
    mean = means.mean(axis=0)
    std = np.sqrt(variances.mean(axis=0) + means.var(axis=0))
    return Calibration(
        samples=len(values),
        count=values.shape[0] * values.shape[2],
        mean=tuple(mean.tolist()),
        std=tuple(std.tolist()),
        expected=expected,
    )


def merge(parts: Sequence[Calibration]) -> Calibration:
    """Return the calibration of all the parts' latents together.

    Raises:
        ValueError: there are no parts.
    """
    if not parts:
        raise ValueError("no calibrations to merge")
    weights = np.array([part.count for part in parts], np.float64)[:, None] / sum(
        part.count for part in parts
    )
    means = np.array([part.mean for part in parts])
    mean = (weights * means).sum(axis=0)
    variance = (weights * (np.array([part.std for part in parts]) ** 2 + (means - mean) ** 2)).sum(
        axis=0
    )
    return Calibration(
        samples=sum(part.samples for part in parts),
        count=sum(part.count for part in parts),
        mean=tuple(mean.tolist()),
        std=tuple(np.sqrt(variance).tolist()),
        expected=parts[0].expected,
    )
