"""Vectors that are there already: an .npy or .npz file, or a table with a column of lists."""

from __future__ import annotations

from pathlib import Path

from latentmap.encode.cached_vectors import CachedVectors, CachedVectorsOptions
from latentmap.encode.encoder import Sample
from latentmap.errors import LatentmapError
from latentmap.samples.clean import CACHE
from latentmap.samples.vectors import Chosen, Vectors, read_vectors
from latentmap.store.files import digest, digest_file


class VectorsOptions(CachedVectorsOptions):
    """Options of plain vectors; see `CachedVectorsOptions`.

    Attributes:
        input: a file, as for the source `vectors`; from another than the sample's own, its vector
            is taken by its id.
        vectors: what holds the vectors, as for the source.
        header: whether the first row of a CSV file names its columns.
    """

    vectors: Chosen = None
    header: bool = True


class VectorsEncoder(CachedVectors[VectorsOptions]):
    """Takes vectors (D,) from a file, by where the sample comes from, or by its id."""

    Options: type[VectorsOptions] = VectorsOptions

    def revision(self) -> str:
        """Return a digest of the file; that of the samples' own files is in their digests.

        Raises:
            LatentmapError: there is no such file.
        """
        if self.options.input is None:
            return ""
        try:
            path = Path(self.options.input)
            if path.is_dir():
                return digest(*map(digest_file, sorted(path.glob("*.npy"))))
            return digest_file(path)
        except OSError as error:
            raise LatentmapError(
                f"{self.options.input}: {error.strerror}. Check the 'input' of the encoder "
                "'vectors'."
            ) from None

    def open(self, path: str) -> Vectors:
        """Open a file; see `CachedVectors.open`."""
        options = self.options
        return read_vectors(Path(path), options.vectors, [options.id], options.header)

    def is_own(self, sample: Sample) -> bool:
        """Whether a sample's vector is in the file that it comes from; it need have no id there."""
        given, origin = self.options.input, sample.get(CACHE)
        return given is None or (origin is not None and Path(given) == Path(origin))
