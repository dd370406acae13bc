"""What to know of the neighbors that the metrics of a run are made from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from latentmap.metrics.metrics.hubness import HIGH
from latentmap.report.experiments import Experiment, Key, format_value
from latentmap.report.findings import Finding


def neighbor_findings(experiments: Sequence[Experiment]) -> Iterator[Finding]:
    """Yield what is to be known of the neighbors of these embeddings."""
    yield from _hubness(experiments)


def _hubness(experiments: Sequence[Experiment]) -> Iterator[Finding]:
    skewness = {e.key: e.value("hubness_skewness") for e in experiments}
    high = [e for e in experiments if skewness[e.key] > HIGH]
    if not high:
        return
    worst = max(high, key=lambda e: skewness[e.key])
    antihubs = worst.value("hubness_antihubs")
    yield Finding(
        f"Hubness is high (skewness above {HIGH}) in {len(high)} of {len(experiments)} "
        f"embeddings, most in {_name(worst.key)}: {format_value(skewness[worst.key])}, and "
        f"{100 * antihubs:.0f} % of its samples are among nobody's nearest neighbors. Neighbor "
        "metrics of these embeddings depend on few samples.",
        warning=True,
    )


def _name(key: Key) -> str:
    return f"{key.method} of {key.encoder} ({key.variant})"
