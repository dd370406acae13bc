"""The pages of a report: which there are."""

import re

from latentmap.report.neighbor_page import CHARTS as NEIGHBOR_CHARTS
from latentmap.report.source_page import CHARTS as SOURCE_CHARTS

REPORT = f"{RESULTS.folder}/report"
SUMMARY = f"{REPORT}/summary_report.html"
MAP_PAGE = f"{REPORT}/{{encoder}}/{{variant}}/per_method/{{method}}/{{projection}}.html"
COMPARISON_PAGE = f"{REPORT}/{{encoder}}/{{variant}}/comparisons/{{chart}}.html"
DEEP_DIVE_PAGE = f"{REPORT}/{{encoder}}/{{variant}}/deep_dive/{{chart}}.html"
NEIGHBORS_PAGE = f"{REPORT}/{{encoder}}/{{variant}}/deep_dive/nearest_neighbors.html"
SOURCES_PAGE = f"{REPORT}/{{encoder}}/{{variant}}/deep_dive/sources.html"
MAPS_PAGE = f"{REPORT}/{{encoder}}/{{variant}}/maps.html"

DEEP_DIVE_KEYS = [
    (*key, chart)
    for key in RESULTS.latents
    for chart in (
        *(CHANNEL_PAGES if RUN.has_channels(key[0]) else ()),
        "nearest_neighbors",
        *(["sources"] if any(compared[:2] == key for compared in RESULTS.compared) else []),
    )
]
MAPS_PAGE_KEYS = RESULTS.latents if RUN.report.side_by_side else []


def pages(pattern, keys):
    """Fill a pattern's wildcards, in their order, with each of the keys."""
    names = re.findall(r"{(\w+)}", pattern)
    return [pattern.format(**dict(zip(names, key, strict=True))) for key in keys]


REPORT_FILES = [
    SUMMARY,
    RESULTS.path(METRICS_CSV),
    *pages(MAP_PAGE, RESULTS.maps),
    *pages(COMPARISON_PAGE, [*COMPARISON_KEYS, *COST_KEYS]),
    *pages(DEEP_DIVE_PAGE, DEEP_DIVE_KEYS),
    *pages(MAPS_PAGE, MAPS_PAGE_KEYS),
]

# What can be exported for publication: the page that each figure is in, and its name there.
PUBLISHED = {
    **{f"figures/{chart}": (SUMMARY, chart) for chart in SUMMARY_CHARTS},
    **{
        f"{key[0]}/{key[1]}/figures/{key[2]}": (*pages(COMPARISON_PAGE, [key]), key[2])
        for key in [*COMPARISON_KEYS, *COST_KEYS]
    },
    **{
        f"{key[0]}/{key[1]}/figures/{key[2]}": (*pages(DEEP_DIVE_PAGE, [key]), key[2])
        for key in DEEP_DIVE_KEYS
        if key[2] in CHANNEL_CHARTS.names()
    },
    **{
        f"{key[0]}/{key[1]}/figures/neighbor_{chart}": (*pages(NEIGHBORS_PAGE, [key]), chart)
        for key in RESULTS.latents
        for chart in (NEIGHBOR_CHARTS if LABELLED else [])
    },
    **{
        f"{key[0]}/{key[1]}/figures/sources_{projection}_{part}": (
            *pages(SOURCES_PAGE, [key]),
            f"{projection}-{part}",
        )
        for key in dict.fromkeys(compared[:2] for compared in RESULTS.compared)
        for projection in RESULTS.projections
        for part in SOURCE_CHARTS
    },
    **{
        f"{key[0]}/{key[1]}/figures/{key[2]}_{key[3]}": (*pages(MAP_PAGE, [key]), "map")
        for key in RESULTS.maps
    },
}
