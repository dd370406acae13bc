"""Images with boxes drawn and plain ones side by side, for every encoder and method."""

from __future__ import annotations

import math

from latentmap.metrics.metric import title_of
from latentmap.report.bars import bars, extent, measured, panels
from latentmap.report.chart import Chart, Comparison
from latentmap.report.experiments import headline
from latentmap.report.lazy import alt

VARIANTS = ("boxes", "plain")
COLUMNS = 3
WIDTH = 250


class VariantBars(Chart):
    """One column for each encoder that saw both variants; methods in one order in all of them."""

    title = "Boxes drawn against plain images"
    look_for = (
        "Where the dark bar (boxes drawn) is longer than the light one (plain image), the "
        "embedding responds to the boxes that mark the objects in question, not only to the scene. "
        "If baselines gain as much, the drawn lines themselves make the difference."
    )
    scope = "summary"

    def build(self, data: Comparison) -> alt.TopLevelMixin | None:
        """Return columns of paired bars on one scale; none if no encoder saw both variants."""
        metric = headline(data.experiments)
        defined = [e for e in data.experiments if not math.isnan(e.value(metric))]
        seen = {(e.key.encoder, e.key.variant) for e in defined}
        encoders = sorted({name for name, _ in seen if all((name, v) in seen for v in VARIANTS)})
        domain = extent(measured(e[metric]) for e in defined)
        methods = list(dict.fromkeys(e.key.method for e in defined))
        charts = {}
        for encoder in encoders:
            own = [e for e in defined if e.key.encoder == encoder]
            shown = [method for method in methods if any(e.key.method == method for e in own)]
            is_baseline = encoder in data.baselines
            charts[encoder + (" (baseline)" if is_baseline else "")] = bars(
                [
                    {"method": e.key.method, "variant": e.key.variant, **measured(e[metric])}
                    for e in own
                ],
                shown,
                by="variant",
                order=VARIANTS,
                domain=domain,
                baselines=shown if is_baseline else (),
                title=title_of(metric),
            )
        described = f"Bars of {title_of(metric)} by encoder and method, with and without boxes."
        return panels(charts, WIDTH, COLUMNS, described)
