"""Every path of a run, and the functions that say which files it is made of."""

import os
import sys
import time
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from string import Formatter

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

from latentmap import layout
from latentmap.encode.encoder import ENCODERS, FittedEncoder
from latentmap.errors import LatentmapError
from latentmap.fingerprint import fingerprint
from latentmap.given import read_config
from latentmap.ending import failure_lines, quarantine_lines, say_last
from latentmap.metrics.metric import METRICS as METRIC_PLUGINS
from latentmap.pool.method import METHODS
from latentmap.project.projection import PROJECTIONS
from latentmap.report.channel_chart import CHANNEL_CHARTS
from latentmap.report.chart import CHARTS, charts_of
from latentmap.report.provenance import commit_of
from latentmap.run import DEFAULT_CONFIG, TEXTS, created, kind_of, load_run
from latentmap.samples.annotations import digest_annotation
from latentmap.store.digests import remember_digests

# An environment made for a stage holds what latentmap needs; latentmap itself is this checkout.
SRC = str(Path(workflow.basedir) / "src")
PYTHONPATH = os.pathsep.join(filter(None, [SRC, os.environ.get("PYTHONPATH")]))
os.environ.update(PYTHONPATH=PYTHONPATH)

STARTED = time.time()


@contextmanager
def refusing():
    """End with what the user can mend, last on the screen."""
    try:
        yield
    except LatentmapError as error:
        if workflow.executor_plugin is None:
            sys.exit(f"Error: {error}")
        say_last([f"Error: {error}"])
        raise WorkflowError(str(error))


# Read anew: to Snakemake 007 is a number, and what follows " #" a comment.
GIVEN = workflow.config_settings

with refusing():
    RUN = load_run(read_config(GIVEN.configfiles or [DEFAULT_CONFIG], GIVEN.config_args, TEXTS))
    ANNOTATION_DIGESTS = list(map(digest_annotation, RUN.annotations))

# Files that are as they were when the last plan was made are not opened again.
DIGESTS = remember_digests(
    f".snakemake/latentmap/{RUN.run}.parquet", fingerprint("latentmap.store.files")
)

# ---- paths -------------------------------------------------------------------------------------

RESULTS = f"{layout.RESULTS}/{RUN.run}"
EMBEDDED = layout.EMBEDDED

DOWNLOAD = f"{RESULTS}/samples/download/{{source}}.parquet"
SAMPLES = f"{RESULTS}/{layout.SAMPLES}"
SHARD_QUARANTINE = f"{RESULTS}/samples/quarantine/{{shard}}.parquet"
MANIFEST = f"{RESULTS}/{layout.MANIFEST}"
PLAN = f"{RESULTS}/plan.json"
QUARANTINE = f"{RESULTS}/{layout.QUARANTINE}"
ANNOTATIONS = f"{RESULTS}/samples/annotations.parquet"
THUMBNAILS = f"{RESULTS}/thumbnails/{{shard}}.arrow"
FIT = f"{RESULTS}/latents/{{encoder}}/fit.parquet"
LATENTS = f"{RESULTS}/{layout.LATENTS}"
EMBEDDING = f"{RESULTS}/{layout.EMBEDDING}"
NEIGHBORS = f"{RESULTS}/{layout.NEIGHBORS}"
METRICS = f"{RESULTS}/metrics/{EMBEDDED}.json"
AGREEMENT = f"{RESULTS}/metrics/{{encoder}}/{{variant}}/agreement.json"
MAP_AGREEMENT = f"{RESULTS}/projections/{{encoder}}/{{variant}}/agreement.json"
SCORES = f"{RESULTS}/metrics/{EMBEDDED}.scores.parquet"
SAMPLING_WEIGHTS = f"{RESULTS}/metrics/{EMBEDDED}.sampling_weights.parquet"
SOURCE_METRICS = f"{RESULTS}/metrics/{EMBEDDED}.sources.json"
RANKING = f"{RESULTS}/metrics/ranking.json"
PROJECTION = f"{RESULTS}/{layout.PROJECTION}"
TRUST = f"{RESULTS}/projections/{EMBEDDED}/{{projection}}.trust.parquet"
INSPECTION = f"{RESULTS}/inspection/{{encoder}}/{{variant}}"
COORDS = f"{RESULTS}/export/{EMBEDDED}/vis_{{projection}}_coords.npy"
EXPORTED_METADATA = f"{RESULTS}/export/metadata.csv"
EXPORTED_LATENTS = f"{RESULTS}/export/{{encoder}}/{{variant}}/latents.{{format}}"
EXPORTED_EMBEDDING = f"{RESULTS}/export/{EMBEDDED}/embeddings.{{format}}"
EXPORTED_POINTS = f"{RESULTS}/export/{EMBEDDED}/{{projection}}/embeddings_3d.json"
REPORT = f"{RESULTS}/report"
SUMMARY = f"{REPORT}/summary_report.html"
LABELS = f"{REPORT}/labels.json"
VEGA = f"{REPORT}/vega.js"
REPORTED_METRICS = f"{REPORT}/{{encoder}}/{{variant}}/per_method/{{method}}/metrics.json"
MAP_PAGE = f"{REPORT}/{{encoder}}/{{variant}}/per_method/{{method}}/{{projection}}.html"
COMPARISON_PAGE = f"{REPORT}/{{encoder}}/{{variant}}/comparisons/{{chart}}.html"
DEEP_DIVE_PAGE = f"{REPORT}/{{encoder}}/{{variant}}/deep_dive/{{chart}}.html"
NEIGHBORS_PAGE = f"{REPORT}/{{encoder}}/{{variant}}/deep_dive/nearest_neighbors.html"
SOURCES_PAGE = f"{REPORT}/{{encoder}}/{{variant}}/deep_dive/sources.html"
MAPS_PAGE = f"{REPORT}/{{encoder}}/{{variant}}/maps.html"
FIGURE = f"{REPORT}/{{figure}}"
LOG = f"{RESULTS}/logs"
BENCHMARK = f"{RESULTS}/benchmarks"


wildcard_constraints:
    source=r"[^/]+",
    shard=r"\d{4}\d*-[0-9a-f]{16}",
    encoder=r"[A-Za-z0-9._-]+",
    variant="plain|boxes",
    method=r"\w+",
    projection=r"\w+",
    chart=r"\w+",
    figure=r"([^/]+/[^/]+/)?figures/\w+",


# ---- what a run is made of ---------------------------------------------------------------------

LATENT_KEYS = [(encoder.name, variant) for encoder in RUN.encoders for variant in RUN.variants]
METHOD_KEYS = [(*key, method) for key in LATENT_KEYS for method in RUN.pooling_methods(key[0])]
LEFT_OUT = {e.name: found for e in RUN.encoders if (found := RUN.left_out(e.name))}
MAP_KEYS = [
    (*key, method, projection)
    for key in LATENT_KEYS
    for method in RUN.mapped_methods(key[0])
    for projection in RUN.map_names
]
MAP_MODULES = sorted({PROJECTIONS.module(kind_of(RUN.projection(n))) for n in RUN.map_names})
LABELLED = bool(RUN.labelled_sources)
COMPARISONS, SUMMARY_CHARTS = (
    [name for name in charts_of(scope) if LABELLED or not CHARTS[name].needs_labels]
    for scope in ("comparisons", "summary")
)
COMPARISON_KEYS = [(*key, chart) for key in LATENT_KEYS for chart in COMPARISONS]
CHANNEL_PAGES = [
    name for name in CHANNEL_CHARTS if LABELLED or not CHANNEL_CHARTS[name].needs_labels
]
COST_KEYS = [(*key, chart) for key in LATENT_KEYS for chart in charts_of("costs")]
EXPORT_FORMATS = RUN.export.formats
EXPORTED_LATENT_KEYS = [
    (*key, name) for key in LATENT_KEYS for name in EXPORT_FORMATS if RUN.export.latents
]
EXPORTED_METHOD_KEYS = [(*key, name) for key in METHOD_KEYS for name in EXPORT_FORMATS]
POINT_KEYS = [key for key in MAP_KEYS if RUN.projection(key[3]).dims == 3]
BASELINES = [e.name for e in RUN.encoders if ENCODERS[kind_of(e)].is_baseline]
METRIC_OPTIONS = {name: options.model_dump() for name, options in RUN.measured.items()}
METRIC_MODULES = [METRIC_PLUGINS.module(name) for name in METRIC_OPTIONS]
CHART_MODULES = [CHARTS.module(name) for name in CHARTS]
CHANNEL_MODULES = [CHANNEL_CHARTS.module(name) for name in CHANNEL_PAGES]


if workflow.is_main_process:
    for encoder, methods in LEFT_OUT.items():
        for method, reason in methods.items():
            logger.warning(f"{method} of {encoder} is left out: it {reason}.")


def paths(pattern, keys):
    """Fill a path's wildcards, in their order, with each of the keys."""
    names = [name for _, name, _, _ in Formatter().parse(pattern) if name]
    return [pattern.format(**dict(zip(names, key, strict=True))) for key in keys]


def growing(wildcards, attempt):
    """Memory in MB of a job whose need grows with its samples: a retry has three times as much."""
    return 2500 * 3 ** (attempt - 1)


def code(script, *modules):
    """Fingerprint a rule's script, the plug-ins it is given, and all they import of latentmap."""
    path = Path(workflow.basedir) / "workflow" / "scripts" / f"{script}.py"
    return fingerprint(*modules, scripts=(path,))


# ---- encoders and maps -------------------------------------------------------------------------


def encoder_code(script, encoder):
    """Fingerprint of what fits an encoder or encodes with it."""
    return code(script, ENCODERS.module(kind_of(RUN.encoder(encoder))))


def encoding_threads(wildcards):
    """Two for a model; caches and baselines gain nothing from a second one."""
    encoder = ENCODERS[kind_of(RUN.encoder(wildcards.encoder))]
    return 1 if encoder.is_cache or encoder.is_baseline else 2


def fitted(wildcards):
    """Input function: what an encoder has learned from all samples; nothing if it does not."""
    is_fitted = issubclass(ENCODERS[kind_of(RUN.encoder(wildcards.encoder))], FittedEncoder)
    return FIT.format(encoder=wildcards.encoder) if is_fitted else []


@cache
def revision(encoder):
    """What identifies an encoder's weights."""
    with refusing():
        return ENCODERS.create(**created(RUN.encoder(encoder))).revision()


def projection_code(projection):
    """Fingerprint of what makes a map."""
    return code("project_embedding", PROJECTIONS.module(kind_of(RUN.projection(projection))))
