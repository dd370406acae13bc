"""What a probe says: how often a classifier names the label of samples of unseen source groups."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from latentmap.metrics.metric import Figure, LabelledEmbedding, Measurement

UNTESTED = -1
NOTHING_TO_TEST = "No label occurs in two source groups."


def probe_figures(prefix: str, probe: str) -> dict[str, Figure]:
    """Return the figures of one probe.

    Args:
        prefix: of their names.
        probe: what answers, for their meaning.
    """
    return {
        f"{prefix}_acc": Figure(f"accuracy of {probe}", better="higher"),
        f"{prefix}_balanced_acc": Figure(f"mean recall over labels of {probe}", better="higher"),
        f"{prefix}_macro_f1": Figure(f"mean F1 over labels of {probe}", better="higher"),
    }


def occurs_elsewhere(codes: NDArray[np.intp], groups: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Return which samples share their label with a sample of another source group.

    Args:
        codes: (N,) label of each sample.
        groups: (N,) source group of each sample.
    """
    pairs = np.unique(np.stack([codes, groups]), axis=1)
    return np.bincount(pairs[0], minlength=codes.max() + 1)[codes] > 1


def probe_measurements(
    prefix: str, data: LabelledEmbedding, answers: NDArray[np.intp]
) -> dict[str, Measurement]:
    """Return the figures of one probe over the samples it was tested on.

    Chance is the best that an answer without a look at the embedding reaches: always the most
    frequent label for the accuracy; for the means over K labels 1/K, the recall of any such
    answer and the expected F1 of answers drawn by the labels' shares.

    Args:
        prefix: of the figures' names.
        data: the embedding; some of its samples are tested.
        answers: (N,) label given to each sample, `UNTESTED` where it was not tested.
    """
    tested = answers != UNTESTED
    codes, given = data.codes[tested], answers[tested]
    right = codes == given
    count = len(data.classes)
    sizes, hits, times = (
        np.bincount(values, minlength=count) for values in (codes, codes[right], given)
    )
    present = sizes > 0
    sizes, hits, times = sizes[present], hits[present], times[present]
    scores = np.full(len(tested), np.nan)
    scores[tested] = right
    constant = 1 / len(sizes)
    note = _note(data, tested)
    return {
        f"{prefix}_acc": Measurement(
            float(right.mean()), float(sizes.max() / sizes.sum()), note=note, scores=scores
        ),
        f"{prefix}_balanced_acc": Measurement(float((hits / sizes).mean()), constant, note=note),
        f"{prefix}_macro_f1": Measurement(
            float((2 * hits / (sizes + times)).mean()), constant, note=note
        ),
    }


def _note(data: LabelledEmbedding, tested: NDArray[np.bool_]) -> str | None:
    if tested.all():
        return None
    return f"{tested.sum()} of {len(tested)} samples tested."
