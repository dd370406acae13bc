"""What a chart is."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from latentmap.config import Options, Plugin, Registry
from latentmap.encode.calibration import Calibration
from latentmap.report.agreements import MethodAgreement
from latentmap.report.costs import MethodCost
from latentmap.report.experiments import Experiment, Key
from latentmap.report.lazy import alt
from latentmap.report.learning import Learning

Scope = Literal["comparisons", "summary", "costs"]
Rivals = Literal["none", "methods", "any"]


@dataclass(frozen=True)
class Comparison:
    """What a chart may compare.

    Attributes:
        experiments: best first; at least one.
        references: the best method of each baseline encoder, to hold the others against.
        label_groups: the group of every label, in the order of the groups.
        costs: what embeddings cost; only charts of the scope `costs` get them.
        agreement: how far the methods agree; only pages of one encoder and variant have it.
        calibrations: of the latents, by encoder and variant; only charts of the scope `summary`
            get them.
        learning: the best method of each encoder and variant on parts of the samples; likewise.
        baselines: encoders among the experiments that have learned nothing; likewise.
    """

    experiments: Sequence[Experiment]
    references: Sequence[Experiment]
    label_groups: Mapping[str, str] = field(default_factory=dict)
    costs: Mapping[Key, MethodCost] = field(default_factory=dict)
    agreement: MethodAgreement | None = None
    calibrations: Mapping[tuple[str, str], Calibration] = field(default_factory=dict)
    learning: Mapping[tuple[str, str], Learning] = field(default_factory=dict)
    baselines: Collection[str] = ()

    @property
    def named(self) -> list[tuple[str, Experiment]]:
        """Every experiment with the name that a chart of one encoder and variant gives it."""
        baselines = ((f"{e.key.encoder} / {e.key.method}", e) for e in self.references)
        return [*((e.key.method, e) for e in self.experiments), *baselines]


class Chart(Plugin[Options]):
    """A chart over the metrics of several pooling methods.

    Attributes:
        title: its heading.
        look_for: one line that says what to look for.
        needs_labels: whether it shows nothing where no sample has a label.
        scope: `comparisons`, a page of its own for each encoder and variant; `summary`, one of
            the whole run in its summary; `costs`, like `comparisons`, but of what differs
            between runs.
        rivals: what a method must be compared with to show anything: other `methods` of its
            encoder, `any` other embedding, that of a baseline too, or `none`.
    """

    title: ClassVar[str]
    look_for: ClassVar[str]
    needs_labels: ClassVar[bool] = True
    scope: ClassVar[Scope] = "comparisons"
    rivals: ClassVar[Rivals] = "none"

    @abstractmethod
    def build(self, data: Comparison) -> alt.TopLevelMixin | None:
        """Return the chart; none if nothing it shows was measured."""

    def note(self, data: Comparison) -> str:
        """Return what else the reader of the chart must know."""
        return ""


CHARTS: Registry[Chart] = Registry("latentmap.report.charts", Chart, "chart")


def charts_of(scope: Scope, labelled: bool = True) -> list[str]:
    """Return the names of the charts of one scope that show something of a run."""
    found = [name for name in CHARTS if CHARTS[name].scope == scope]
    return [name for name in found if labelled or not CHARTS[name].needs_labels]
