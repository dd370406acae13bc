"""What an encoder is."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Literal, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from PIL import Image
from pydantic import Field

from latentmap.config import Options, Plugin, Registry
from latentmap.encode.calibration import StatedStatistics
from latentmap.names import FolderName
from latentmap.samples.remarks import Remark
from latentmap.samples.source import Content

NO_SETTINGS = {
    *("name", "batch_size", "device"),
    *("input", "id"),
    *("model", "subfolder", "revision", "checkpoint"),
}
"""Options that say where and how fast an encoder runs, what it encodes, and its weights."""


class EncoderOptions(Options):
    """Options of every encoder.

    Attributes:
        name: folder name of its results.
        batch_size: samples given to the model at once.
        precision: number format of the stored latents.
    """

    name: FolderName = ""
    batch_size: int = Field(8, ge=1)
    precision: Literal["float16", "float32"] = "float16"


E_co = TypeVar("E_co", bound=EncoderOptions, covariant=True)

Sample = Mapping[str, Any]
"""One row of a sample shard as plain Python values, extra columns included."""

Show = Callable[[Sample], Image.Image]
"""Decodes a sample's image and draws on it what the variant asks for; RGB, original size."""

Finish = Callable[[], NDArray[np.float32]]
"""Waits for the latents of a batch that was begun, and returns them."""


class Encoder(Plugin[E_co]):
    """Turns samples into latents.

    Making one is cheap: no weights are loaded and no heavy package is imported before `load`.

    Attributes:
        is_baseline: whether it has learned nothing: what a model must beat to have shown anything.
        is_cache: whether its latents were made elsewhere: its revision identifies these, not what
            made them.
        is_measured: whether its latents are what metrics are about, and not a map of something.
        is_loaded: whether its model is.
        begun: batches that may be begun while the one before them is not finished; none by default.
        needs: what every sample must have for it.
    """

    Options: type[EncoderOptions] = EncoderOptions
    is_baseline: ClassVar[bool] = False
    is_cache: ClassVar[bool] = False
    is_measured: ClassVar[bool] = True
    is_loaded: bool = False
    begun: int = 0
    needs: Content | None = None

    @property
    @abstractmethod
    def rank(self) -> Literal["map", "vector"]:
        """Whether its latents are feature maps (C, H, W) or vectors (D,)."""

    @classmethod
    def expanded(cls, options: Any) -> tuple[Any, ...]:
        """Return the options of the encoders that one entry of a configuration stands for."""
        return (options,)

    def revision(self) -> str:
        """Return what identifies the weights: a pinned revision, or a digest of local files."""
        return ""

    def origin(self) -> Mapping[str, str]:
        """Return what is known of where its latents come from, for the report's Provenance."""
        return {}

    def check(self) -> None:
        """Look at what is known without loading the model; asked before any job.

        Raises:
            LatentmapError: it cannot be loaded.
        """

    def shape(self) -> tuple[int, ...] | None:
        """Return the shape of its latents, (C, H, W), if that is known before they are made."""
        return None

    def settings(self) -> dict[str, Any]:
        """Return the options that latents depend on beside their input and what `revision` says."""
        return self.options.model_dump(mode="json", exclude=NO_SETTINGS)

    def remarks(self) -> Sequence[Remark]:
        """Say what looks wrong with what latents are made of, without loading it."""
        return ()

    def load(self) -> None:
        """Load the model; called once, before the first batch."""

    def be_loaded(self) -> None:
        """Load the model unless it is."""
        if not self.is_loaded:
            self.load()
            self.is_loaded = True

    def order(self, samples: pa.Table) -> NDArray[np.int64] | None:
        """Return the rows of a shard in the order in which they are best encoded, (n,).

        None, the default, is the order in which they come. Latents are stored in that order anyway.
        """
        return None

    @abstractmethod
    def prepare(self, sample: Sample, show: Show) -> NDArray[Any]:
        """Turn one sample into the model's input; runs in threads beside the model."""

    @abstractmethod
    def encode(self, batch: Sequence[NDArray[Any]]) -> NDArray[np.float32]:
        """Encode prepared samples: (n, C, H, W) or (n, D) float32, deterministic."""

    def begin(self, batch: Sequence[NDArray[Any]]) -> Finish:
        """Begin to encode prepared samples as `encode` does; what is returned waits for them.

        A model on a device that works by itself begins the next batch before this one is waited
        for. By default all is done at once.
        """
        latents = self.encode(batch)
        return lambda: latents

    def statistics(self) -> StatedStatistics | None:
        """Return the model's own channel statistics, if its authors state them."""
        return None


class FittedEncoder(Encoder[E_co]):
    """An encoder that learns from all samples of a run, not their labels, before it encodes any."""

    def revision(self) -> str:
        """Return what its weights come from; the samples' shards identify them."""
        return "fitted to all samples of the run, those that are tested included; not to labels"

    @abstractmethod
    def fit(self, samples: pa.Table) -> pa.Table:
        """Return as a table what is learned from all samples (core columns, all shards)."""

    @abstractmethod
    def use(self, fitted: pa.Table) -> None:
        """Encode with what `fit` returned; called once, before `load`."""


ENCODERS: Registry[Encoder[EncoderOptions]] = Registry(
    "latentmap.encode.encoders", Encoder, "encoder"
)
