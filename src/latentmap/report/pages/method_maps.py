"""The pages of pooling methods: a map for each projection, with the metrics of its embedding."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any

from latentmap.metrics.metric import METRICS as METRIC_PLUGINS
from latentmap.report.experiments import experiments_of
from latentmap.report.kept.predictions import RESIDUALS, residuals
from latentmap.report.measures import short
from latentmap.report.metric_rows import defined_metrics, headline_metrics, metric_rows
from latentmap.report.page import Content, Page, Scope
from latentmap.report.plates import MAP_OPTIONS, MAP_READS, MapPlates
from latentmap.store.results import METRICS, NEIGHBORS, OUTLIERS, Key, Results, page_file

RESIDUAL = "residual:"
"""Before the name of a target: the residual of the linear probe."""


class MethodMaps(Page):
    """One page for each map."""

    title = "Map"
    category = "Maps"
    file = page_file(
        "{encoder}/{variant}/per_method/{method}/{projection}.html", attrgetter("maps")
    )
    scope = Scope.RUN
    reads = (METRICS.over("mapped"), NEIGHBORS.over("mapped"), OUTLIERS, *RESIDUALS, *MAP_READS)
    configured_by = ("headline", *MAP_OPTIONS)
    shows = (METRIC_PLUGINS,)

    def build(self, results: Results, keys: Sequence[Key]) -> Iterator[Content]:
        """Yield each map with the metrics of its embedding."""
        maps = MapPlates(results)
        for method, own in groupby(keys, lambda key: key[:3]):
            yield from self._of_method(results, maps, method, list(own))

    def _of_method(
        self, results: Results, maps: MapPlates, method: Key, keys: Sequence[Key]
    ) -> Iterator[Content]:
        where = dict(zip(METRICS.wildcards, method, strict=True))
        (experiment,) = experiments_of(results, METRICS, **where)
        missed = list(residuals(results, experiment.key, maps.shown.ids))
        titles = {f"{RESIDUAL}{target.name}": f"residual of {target.title}" for target, _ in missed}
        numbers = {
            f"{RESIDUAL}{target.name}": list(map(short, values[maps.shown.rows].tolist()))
            for target, values in missed
        }
        rows, undefined = metric_rows(experiment), defined_metrics([experiment])[1]
        for key in keys:
            title = f"{experiment.key.name}: {key[3]}"
            plate = maps.plate(key, "map", title, whole=True, further=numbers)
            others = {
                other[3]: results.address(self.file, *other) for other in keys if other != key
            }
            yield Content(
                plate.title,
                {
                    "key": experiment.key,
                    "plates": [plate],
                    "solid": key in results.solid_maps,
                    "headlines": headline_metrics(experiment),
                    "others": others,
                    "rows": rows,
                    "undefined": undefined,
                },
                maps.shown,
                maps.colors,
                maps.measures(whole=True) | titles,
            )

    def tracked(self, results: Results) -> Any:
        """Return what the pages depend on; those of 3D maps name the explorer, if there is one."""
        has_link = bool(results.solid_maps and results.explored)
        return {**super().tracked(results), **({"explorer": True} if has_link else {})}

    def charts(self, results: Results, key: Key) -> Mapping[str, str]:
        """Return the map."""
        return {f"{key[2]}_{key[3]}": "map"}
