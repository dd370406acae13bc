"""The pages of a report: which there are, and which methods and maps each is about."""

from latentmap.report.neighbor_page import CHARTS as NEIGHBOR_CHARTS
from latentmap.report.source_page import CHARTS as SOURCE_CHARTS

DEEP_DIVE_KEYS = [
    (*key, chart)
    for key in LATENT_KEYS
    for chart in (
        *(CHANNEL_PAGES if RUN.has_channels(key[0]) else ()),
        "nearest_neighbors",
        *(["sources"] if any(compared[:2] == key for compared in SOURCE_KEYS) else []),
    )
]
MAPS_PAGE_KEYS = LATENT_KEYS if RUN.report.side_by_side else []
JOINED = [ANNOTATIONS] if RUN.annotations else []


def compared_keys(wildcards):
    """The methods of one encoder and variant, and those of the baselines in that variant."""
    encoders = {wildcards.encoder, *BASELINES}
    return [key for key in METHOD_KEYS if key[0] in encoders and key[1] == wildcards.variant]


def method_keys_of(wildcards):
    """The methods of one encoder and variant."""
    return [key for key in METHOD_KEYS if key[:2] == (wildcards.encoder, wildcards.variant)]


def source_keys_of(wildcards):
    """The methods of one encoder and variant in which sources are compared."""
    return [key for key in SOURCE_KEYS if key[:2] == (wildcards.encoder, wildcards.variant)]


def map_keys_of(wildcards):
    """The maps of one encoder and variant."""
    return [key for key in MAP_KEYS if key[:2] == (wildcards.encoder, wildcards.variant)]


REPORT_FILES = [
    SUMMARY,
    f"{REPORT}/metrics_table.csv",
    *paths(MAP_PAGE, MAP_KEYS),
    *paths(COMPARISON_PAGE, [*COMPARISON_KEYS, *COST_KEYS]),
    *paths(DEEP_DIVE_PAGE, DEEP_DIVE_KEYS),
    *paths(MAPS_PAGE, MAPS_PAGE_KEYS),
]

# What can be exported for publication: the page that each figure is in, and its name there.
PUBLISHED = {
    **{f"figures/{chart}": (SUMMARY, chart) for chart in SUMMARY_CHARTS},
    **{
        f"{key[0]}/{key[1]}/figures/{key[2]}": (*paths(COMPARISON_PAGE, [key]), key[2])
        for key in [*COMPARISON_KEYS, *COST_KEYS]
    },
    **{
        f"{key[0]}/{key[1]}/figures/{key[2]}": (*paths(DEEP_DIVE_PAGE, [key]), key[2])
        for key in DEEP_DIVE_KEYS
        if key[2] in CHANNEL_CHARTS.names()
    },
    **{
        f"{key[0]}/{key[1]}/figures/neighbor_{chart}": (*paths(NEIGHBORS_PAGE, [key]), chart)
        for key in LATENT_KEYS
        for chart in (NEIGHBOR_CHARTS if LABELLED else [])
    },
    **{
        f"{key[0]}/{key[1]}/figures/sources_{projection}_{part}": (
            *paths(SOURCES_PAGE, [key]),
            f"{projection}-{part}",
        )
        for key in dict.fromkeys(compared[:2] for compared in SOURCE_KEYS)
        for projection in RUN.map_names
        for part in SOURCE_CHARTS
    },
    **{
        f"{key[0]}/{key[1]}/figures/{key[2]}_{key[3]}": (*paths(MAP_PAGE, [key]), "map")
        for key in MAP_KEYS
    },
}
