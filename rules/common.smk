"""Every path of a run, and the functions that say which files it is made of."""

import atexit
import os
import re
import sys
import time
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

from latentmap.encode.devices import wants_gpu
from latentmap.encode.encoder import ENCODERS, FittedEncoder
from latentmap.errors import LatentmapError
from latentmap.explorer.built import BUNDLE, carried_page
from latentmap.explorer.bundle import sources_digest
from latentmap.explorer.write import NEEDS as EXPLORER_NEEDS, READS as EXPLORER_READS
from latentmap.export.options import places_in
from latentmap.fingerprint import fingerprint, remember_code
from latentmap.given import read_config
from latentmap.home import default_config, importable
from latentmap.ending import failure_lines, quarantine_lines, say_last
from latentmap.locks import is_known, outlive, take_over
from latentmap.metrics.metric import METRICS as METRIC_PLUGINS
from latentmap.pool.method import METHODS
from latentmap.project.projection import PROJECTIONS
from latentmap.report.page import pages_of, published
from latentmap.samples.annotations import digest_annotation
from latentmap.store.digests import remember_digests
from latentmap.store.results import (
    AGREEMENT,
    ANNOTATIONS,
    ASSETS,
    BENCHMARK,
    CHANNEL_MAPS,
    CHANNELS,
    COORDS,
    DOWNLOAD,
    EMBEDDING,
    EXPLORER,
    EXPLORER_PAGE,
    EXPORTED_EMBEDDING,
    EXPORTED_LATENTS,
    EXPORTED_METADATA,
    EXPORTED_POINTS,
    FIGURE,
    FIT,
    KEPT,
    KEPT_DRAWS,
    LABELS,
    LATENTS,
    LEARNING,
    LOG,
    LOGS,
    MANIFEST,
    MAP_AGREEMENT,
    METRICS,
    METRICS_CSV,
    METRICS_JSON,
    METRICS_PARQUET,
    NEIGHBORS,
    OUTLIERS,
    PAIRS,
    PICTURES,
    PICTURE_NAMES,
    PLAN,
    POSITIONS,
    PREDICTIONS,
    PROJECTION,
    QUARANTINE,
    RANKING,
    REPORTED_METRICS,
    RUN as RUN_FACTS,
    SAMPLES,
    SAMPLING_WEIGHTS,
    SCORES,
    SHARD_QUARANTINE,
    SHOWN_SAMPLES,
    SOURCE_METRICS,
    TARGETS,
    TARGETS_CSV,
    TARGETS_PARQUET,
    TARGET_FACTS,
    TARGET_QUARANTINE,
    THUMBNAILS,
    TRUST,
    WHAT_IS_KEPT,
    WHOLE_PICTURES,
    Results,
)
from latentmap.targets.derivation import DERIVATIONS

# An environment made for a stage holds what latentmap needs, but not latentmap itself.
SRC = importable(Path(workflow.basedir), Path(".snakemake/latentmap/src"))
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


with refusing():
    # It imports every plug-in that has options, and refuses one that is not whole.
    from latentmap.run import TEXTS, created, kind_of, load_run

# Read anew: to Snakemake 007 is a number, and what follows " #" a comment.
GIVEN = workflow.config_settings

with refusing():
    RUN = load_run(read_config(GIVEN.configfiles or [default_config()], GIVEN.config_args, TEXTS))
    ANNOTATION_DIGESTS = list(map(digest_annotation, RUN.annotations))

# Files that are as they were when the last plan was made are not opened again: of our code,
CODE = remember_code(f".snakemake/latentmap/code/{RUN.run}.parquet")
if workflow.is_main_process:
    atexit.register(CODE.save)
# and of the data.
DIGESTS = remember_digests(
    f".snakemake/latentmap/{RUN.run}.parquet", fingerprint("latentmap.store.files")
)

# ---- paths -------------------------------------------------------------------------------------

# Where everything lies, and what there is one of, is in one book; `shards` come with the plan.
RESULTS = Results(RUN.results.folder, RUN.facts, lambda: shards())


def at(artifact):
    """The path of a kind of file, with its wildcards."""
    return RESULTS.pattern(artifact)


def paths(artifact, **where):
    """The paths of all these files whose wildcards have these values."""
    with refusing():
        return list(map(str, RESULTS.paths(artifact, **where)))


def every(artifact):
    """Input function: all these files that belong to a job by its wildcards."""
    return lambda wildcards: paths(artifact, **wildcards)


def only(artifact):
    """Input function: the one of these files that belongs to a job; nothing if there is none."""
    return lambda wildcards: next(iter(paths(artifact, **wildcards)), [])


def log_of(rule, *made):
    """The logs of a rule whose jobs have the wildcards of what they make."""
    return RESULTS.job(LOG, rule, *(kind.wildcards for kind in made))


def benchmark_of(rule, *made):
    """The benchmarks of such a rule."""
    return RESULTS.job(BENCHMARK, rule, *(kind.wildcards for kind in made))


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

MAP_MODULES = sorted({PROJECTIONS.module(kind_of(RUN.projection(n))) for n in RESULTS.projections})
EXPORT_FORMATS = RUN.export.formats
METRIC_OPTIONS = {name: options.model_dump() for name, options in RUN.measured.items()}
METHOD_MODULES = sorted({METHODS.module(key[-1]) for key in RESULTS.methods})
DERIVATION_MODULES = sorted(
    {DERIVATIONS.module(e["derived"]["name"]) for e in RUN.target_entries if e["derived"]}
)
METRIC_MODULES = [METRIC_PLUGINS.module(name) for name in METRIC_OPTIONS]
with refusing():
    PAGES = pages_of(RESULTS)
    PUBLISHED = published(RESULTS)
CACHE_FILES = RUN.cache_files
CACHE_WILDCARDS = places_in(RUN.export.cache or "")
PAGE_FILES = [path for page in PAGES for path in paths(page.file)]
# Browsers need the assets, no page does. Were they inputs, Snakemake would not look at what else a
# page depends on while they are made anew.
BESIDE_PAGES = [*map(at, ASSETS), at(PICTURE_NAMES)]
EXPLORER_FILES = [*paths(EXPLORER), *paths(EXPLORER_PAGE)]
SHOWN_WHOLE = paths(EXPLORER) if paths(WHOLE_PICTURES) else []
REPORT_FILES = [at(METRICS_CSV), *BESIDE_PAGES, *PAGE_FILES, *SHOWN_WHOLE]


if workflow.is_main_process:
    if RESULTS.path(RUN_FACTS).exists() and not is_known(RESULTS.folder):
        logger.warning(
            f"{RESULTS.folder} is here without the .snakemake folder that it was made with: what has "
            "changed since then is seen of files alone, not of options or code. If any has, run "
            "again with --forceall."
        )
    if take_over(RESULTS.folder, is_dry=workflow.output_settings.dryrun):
        logger.warning("The last run was killed: its locks are removed, and this one goes on.")
    for encoder in RESULTS.facts.encoders:
        for method, reason in encoder.left_out.items():
            logger.warning(f"{method} of {encoder.name} is left out: it {reason}.")


@cache
def code(script, *modules):
    """Fingerprint a rule's script, the plug-ins it is given, and all they import of latentmap."""
    path = Path(workflow.basedir) / "workflow" / "scripts" / f"{script}.py"
    return fingerprint(*modules, scripts=(path,))


def of_cache(artifact):
    """Input function: all these files of the latents that a cache is made of."""
    return lambda wildcards: [
        path
        for encoder, variant in CACHE_FILES
        if wildcards.get("encoder", encoder) == encoder
        and wildcards.get("variant", variant) == variant
        for path in paths(artifact, encoder=encoder, variant=variant)
    ]


# ---- encoders and maps -------------------------------------------------------------------------


def encoder_code(script, encoder):
    """Fingerprint of what fits an encoder or encodes with it."""
    return code(script, ENCODERS.module(kind_of(RUN.encoder(encoder))))


GPU_ENCODERS = [encoder.name for encoder in RUN.encoders if wants_gpu(encoder)]
OTHER_ENCODERS = [encoder.name for encoder in RUN.encoders if not wants_gpu(encoder)]


def any_of(names):
    """A pattern that these names match, and nothing else."""
    return "|".join(map(re.escape, names)) or "(?!)"


def encoding_threads(wildcards):
    """Two for a model; caches and baselines gain nothing from a second one."""
    encoder = ENCODERS[kind_of(RUN.encoder(wildcards.encoder))]
    return 1 if encoder.is_cache or encoder.is_baseline else 2


def fitted(wildcards):
    """Input function: what an encoder has learned from all samples; nothing if it does not."""
    is_fitted = issubclass(ENCODERS[kind_of(RUN.encoder(wildcards.encoder))], FittedEncoder)
    return RESULTS.path(FIT, wildcards.encoder) if is_fitted else []


@cache
def revision(encoder):
    """What identifies an encoder's weights."""
    with refusing():
        return ENCODERS.create(**created(RUN.encoder(encoder))).revision()


@cache
def map_revision(encoder, projection):
    """What identifies the coordinates that a map is given."""
    with refusing():
        return PROJECTIONS.create(**created(RUN.projection_of(encoder, projection))).revision()


def origin(encoder):
    """What is known of where an encoder's latents come from."""
    with refusing():
        return ENCODERS.create(**created(RUN.encoder(encoder))).origin()


def projection_code(projection):
    """Fingerprint of what makes a map."""
    return code("project_embedding", PROJECTIONS.module(kind_of(RUN.projection(projection))))


# ---- explorer ----------------------------------------------------------------------------------


def explorer_files(wildcards):
    """Input function: the explorer, which a run may do without."""
    return only_explored(wildcards) or EXPLORER_FILES


def only_explored(wildcards):
    """Input function: nothing; refuses to write an explorer that the run leaves out."""
    with refusing():
        if not EXPLORER_FILES:
            raise LatentmapError(
                "'explorer: null' leaves the explorer out. Give it options, or {}."
            )
    return []


# ---- pages -------------------------------------------------------------------------------------

# What a job opens the run with. Its inputs say all that it depends on, so neither is tracked:
# functions of `output` are not.
OPENED = {
    "folder": lambda wildcards, output: str(RESULTS.folder),
    "shards": lambda wildcards, output: shards(),
}
CAPTIONS = {name: f"../workflow/report/{name}.rst" for name in ("page", "table")}


def beside_cache(key, suffix):
    """Where the file of a map goes that is put beside its cache."""
    return f"{CACHES[key[0]].input}/{RUN.export.prefix}_{key[3]}{suffix}"


def map_pages(key):
    """The page of a map."""
    where = dict(zip(PROJECTION.wildcards, key))
    return [p for page in PAGES if page.kind == "method_maps" for p in paths(page.file, **where)]


def bundled(page, key):
    """One page as one file, with what Snakemake's own report says of it."""
    said = {"page": page.title_of(key), **dict(zip(page.file.wildcards[2:], key[2:]))}
    path, of = str(RESULTS.address(page.file.bundled, *key)), ", ".join(key[:2]) or None
    return report(
        path, caption=CAPTIONS["page"], category=page.category, subcategory=of, labels=said
    )
