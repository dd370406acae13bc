"""TF-IDF and truncated SVD: what counting words gives, learning-free but for the corpus' axes."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import Field

from latentmap.encode.encoder import FittedEncoder
from latentmap.encode.texts import TextEncoder, TextOptions, text_of
from latentmap.errors import LatentmapError
from latentmap.store.tables import matrix, numbers, strings

if TYPE_CHECKING:
    from sklearn.feature_extraction.text import TfidfVectorizer

log = logging.getLogger(__name__)


class TfidfOptions(TextOptions):
    """Options of TF-IDF on truncated axes.

    Attributes:
        batch_size: texts encoded at once.
        dims: axes kept; as many as there are independent texts or terms if those are fewer.
        ngrams: a term is up to so many words in a row.
        min_df: a term is in at least so many texts.
        max_features: at most so many terms, the most frequent ones; null for all.
        sublinear_tf: count a term that is there n times as 1 + ln(n).
        seed: of the randomised decomposition.
    """

    batch_size: int = Field(256, ge=1)
    dims: int = Field(256, ge=1)
    ngrams: int = Field(1, ge=1)
    min_df: int = Field(2, ge=1)
    max_features: int | None = Field(50_000, ge=2)
    sublinear_tf: bool = True
    seed: int = 0


class Tfidf(FittedEncoder[TfidfOptions], TextEncoder[TfidfOptions]):
    """Term frequencies, weighted by rarity, on the leading right singular vectors of the corpus.

    Latent semantic analysis (Deerwester et al. 1990) with scikit-learn's `TfidfVectorizer` and
    `TruncatedSVD` (Halko et al. 2011): rows of TF-IDF have unit length and are not centred. A text
    without any term of the corpus is the zero vector.
    """

    Options: type[TfidfOptions] = TfidfOptions
    is_baseline: ClassVar[bool] = True

    def fit(self, samples: pa.Table) -> pa.Table:
        """Return the corpus' terms in alphabetical order: term, idf, and loads on the axes.

        Raises:
            LatentmapError: a sample has no text, or fewer than two terms are frequent enough.
        """
        from sklearn.decomposition import TruncatedSVD
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

        pairs = zip(samples["id"].to_pylist(), samples["text"].to_pylist(), strict=True)
        texts = [text_of(*pair) for pair in pairs]
        vectorizer = self._vectorizer(min_df=self.options.min_df)
        try:
            counts = vectorizer.fit_transform(texts)
        except ValueError as error:
            raise self._too_few_terms(len(texts), str(error)) from None
        if counts.shape[1] < 2:
            raise self._too_few_terms(len(texts), "a single term remains")
        svd = TruncatedSVD(min(self.options.dims, *counts.shape), random_state=self.options.seed)
        # Sums over several threads depend on how many there are.
        with threadpool_limits(1):
            svd.fit(counts)
        # Axes beyond the corpus' rank are noise of the counts' own precision.
        sizes = svd.singular_values_
        axes = svd.components_[sizes > sizes[0] * max(counts.shape) * np.finfo(counts.dtype).eps]
        log.info(
            "%d terms of %d texts; %d axes hold %.1f %% of the variance",
            counts.shape[1],
            len(texts),
            len(axes),
            100 * svd.explained_variance_ratio_.sum(),
        )
        terms = vectorizer.get_feature_names_out().tolist()
        return _table(terms, vectorizer.idf_, axes.T.astype(np.float32))

    def use(self, fitted: pa.Table) -> None:
        """Take terms, their weights and the axes from a table that `fit` returned."""
        self._fitted = self._vectorizer(vocabulary=fitted["term"].to_pylist())
        self._fitted.idf_ = matrix(fitted["idf"])
        self._axes = matrix(fitted["axes"]).astype(np.float64)

    def encode(self, batch: Sequence[NDArray[Any]]) -> NDArray[np.float32]:
        """Return the texts on the axes, (n, dims)."""
        weights = self._fitted.transform([text.item() for text in batch])
        return np.asarray(weights @ self._axes, np.float32)

    def _vectorizer(self, **terms: Any) -> TfidfVectorizer:
        """Return the way in which texts become terms, and which terms are wanted."""
        from sklearn.feature_extraction.text import TfidfVectorizer

        return TfidfVectorizer(
            ngram_range=(1, self.options.ngrams),
            max_features=self.options.max_features,
            sublinear_tf=self.options.sublinear_tf,
            **terms,
        )

    def _too_few_terms(self, texts: int, reason: str) -> LatentmapError:
        return LatentmapError(
            f"The encoder '{self.options.name}' finds too few terms that are in "
            f"{self.options.min_df} or more of {texts} texts ({reason.rstrip('.')}); set a lower "
            "min_df, or leave the encoder out."
        )


def _table(terms: list[str], idf: NDArray[np.float64], axes: NDArray[np.float32]) -> pa.Table:
    axes_type = pa.list_(pa.field("item", pa.float32(), nullable=False), axes.shape[1])
    schema = pa.schema(
        [
            pa.field("term", pa.string(), nullable=False),
            pa.field("idf", pa.float64(), nullable=False),
            pa.field("axes", axes_type, nullable=False),
        ]
    )
    columns = [
        strings(terms),
        numbers(idf),
        pa.FixedSizeListArray.from_arrays(numbers(axes), type=axes_type),
    ]
    return pa.Table.from_arrays(columns, schema=schema)
