"""What a probe says: how often a classifier names the label of samples of unseen source groups."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latentmap.metrics.inference import Spread, interval_of, too_few
from latentmap.metrics.metric import LabelledEmbedding, Measurement, MetricColumn, share_column
from latentmap.metrics.permutation import chance_of

UNTESTED = -1
# At most: each of them asks the probe anew.
PERMUTATIONS = 200
# Of the answers that turn when a part is left out, so many turn by chance: with more, intervals
# covered less than they promise in simulations, with fewer they were twice as wide as the ideal.
BY_CHANCE = 0.75
NOTHING_TO_TEST = "No label occurs in two source groups."


def probe_columns(prefix: str, title: str, probe: str) -> dict[str, MetricColumn]:
    """Return the metrics of one probe.

    Args:
        prefix: of their keys.
        title: of the probe, with which their titles begin.
        probe: what answers, for their meaning.
    """
    return {
        f"{prefix}_acc": share_column(f"accuracy of {probe}", f"{title} accuracy"),
        f"{prefix}_balanced_acc": share_column(
            f"mean recall over labels of {probe}", f"{title} balanced accuracy"
        ),
        f"{prefix}_macro_f1": share_column(f"mean F1 over labels of {probe}", f"{title} macro F1"),
    }


def occurs_elsewhere(
    codes: NDArray[np.intp], groups: NDArray[np.intp], labels: int
) -> NDArray[np.bool_]:
    """Return which labels occur in more than one source group, (labels,).

    Permutations that respect source groups leave their number as it is.

    Args:
        codes: (N,) label of each sample, from 0.
        groups: (N,) source group of each sample.
        labels: how many there are.
    """
    pairs = np.unique(np.stack([codes, groups]), axis=1)
    return np.bincount(pairs[0], minlength=labels) > 1


@dataclass(frozen=True)
class Answers:
    """Labels of some samples, and what a probe answered, once or several times.

    Attributes:
        codes: (n, 1) labels, or (n, some) where labels differ from time to time.
        given: (n, some) answers, `UNTESTED` where a sample was not tested.
    """

    codes: NDArray[np.integer]
    given: NDArray[np.integer]

    def metrics(self, labels: int) -> NDArray[np.float64]:
        """Return accuracy, mean recall and mean F1 over the labels that were tested, (3, some)."""
        tested = self.given != UNTESTED
        codes = np.broadcast_to(self.codes, self.given.shape)
        right = tested & (codes == self.given)
        sizes, hits = (self._times(codes, which, labels) for which in (tested, right))
        times = self._times(self.given, tested, labels)
        present = sizes > 0
        count = present.sum(axis=1)
        recall, f1 = (
            np.where(present, part / np.maximum(whole, 1), 0).sum(axis=1) / count
            for part, whole in ((hits, sizes), (2 * hits, sizes + times))
        )
        return np.stack([right.sum(axis=0) / tested.sum(axis=0), recall, f1])

    def by_margins(self, labels: int) -> NDArray[np.float64]:
        """Return the accuracy that answers as frequent as these have by chance (Cohen 1960)."""
        tested = self.given != UNTESTED
        codes = np.broadcast_to(self.codes, self.given.shape)
        counts = (self._times(each, tested, labels) for each in (codes, self.given))
        of_labels, of_answers = (count / tested.sum(axis=0)[:, np.newaxis] for count in counts)
        total: NDArray[np.float64] = (of_labels * of_answers).sum(axis=1)
        return total

    def _times(
        self, codes: NDArray[np.integer], which: NDArray[np.bool_], labels: int
    ) -> NDArray[np.intp]:
        """Return how often each label occurs where `which` says so, (some, labels)."""
        cells = codes + labels * np.arange(codes.shape[1])
        counts = np.bincount(cells[which], minlength=labels * codes.shape[1])
        return counts.reshape(-1, labels)


def probe_measurements(
    prefix: str,
    data: LabelledEmbedding,
    found: Answers,
    without: Answers,
    permuted: Answers,
) -> dict[str, Measurement]:
    """Return the metrics of one probe over the samples it was tested on.

    Permuted labels of source groups of different sizes have other frequencies, and with them other
    accuracies. So from the accuracy under each permutation that which the frequencies alone give is
    taken, and that of the labels and answers as they are is added.

    Args:
        prefix: of the metrics' names.
        data: the embedding; some of its samples are tested.
        found: the answers, (n, 1).
        without: the answers without each part of the source groups, which is neither trained on
            nor tested; of no part where these are too few.
        permuted: the answers to permuted labels.
    """
    labels = len(data.classes)
    values, draws = (one.metrics(labels) for one in (found, permuted))
    draws[0] += found.by_margins(labels) - permuted.by_margins(labels)
    tested = found.given[:, 0] != UNTESTED
    count = len(data.values)
    said = [] if tested.sum() == count else [f"{tested.sum()} of {count} samples tested."]
    frequent = np.bincount(found.codes[tested, 0]).max() / tested.sum()
    measurements = {}
    for place, (name, column) in enumerate(probe_columns(prefix, "", "").items()):
        value = float(values[place, 0])
        chance, notes, interval = chance_of(value, draws[place]), list(said), None
        if chance.note:
            notes.append(chance.note)
        if place == 0 and value < frequent:
            notes.append(f"Always naming the most frequent label is right in {frequent:.3f}.")
        if place == 0 and without.given.shape[1]:
            interval = interval_of(value, _spread(found, without), column.bounds)
        elif place == 0:
            notes.append(f"No interval: {too_few(int(data.sources.max()) + 1)}.")
        measurements[name] = Measurement(
            value,
            chance=chance.mean,
            chance_range=chance.range,
            interval=interval,
            p_value=chance.p_value,
            note=" ".join(notes) or None,
        )
    return measurements


def _spread(found: Answers, without: Answers) -> Spread:
    """Return the spread of the accuracy, by the delete-a-group jackknife.

    Answers are right or wrong: where a part less to train on moves many of them a little, some
    become right and about as many wrong, and the jackknife would take that for influence. If each
    that turns did so by chance, it would add one to the expected square of their sum; `BY_CHANCE`
    of that is taken off. What the tested samples alone make uncertain is left at least.
    """
    tested = without.given != UNTESTED
    before, after = (tested & (one.given == one.codes) for one in (found, without))
    count = tested.sum(axis=0)
    of_tested, of_both = (right.sum(axis=0) / count for right in (before, after))
    turned = ((before != after).sum(axis=0) / count**2).sum()
    tests, both = (np.square(one - one.mean()).sum() for one in (of_tested, of_both))
    squares = max(both - BY_CHANCE * turned, tests)
    freedom = len(count) - 1
    return Spread(math.sqrt(freedom / len(count) * squares), freedom)
