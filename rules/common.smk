"""Every path of a run, and the functions that say which files it is made of."""

from functools import cache
from pathlib import Path

from snakemake.exceptions import WorkflowError

from latentmap.errors import LatentmapError
from latentmap.fingerprint import fingerprint
from latentmap.run import kind_of, load_run, plain
from latentmap.samples.plan import Limit, plan_shards, sealed_rows
from latentmap.samples.source import SOURCES
from latentmap.store.manifest import read_manifest

try:
    RUN = load_run(config)
except LatentmapError as error:
    raise WorkflowError(str(error))

# ---- paths -------------------------------------------------------------------------------------

RESULTS = f"results/{RUN.run}"
EMBEDDED = "{encoder}/{variant}/{method}"

DOWNLOAD = f"{RESULTS}/samples/download/{{source}}.parquet"
SAMPLES = f"{RESULTS}/samples/{{shard}}.arrow"
SHARD_QUARANTINE = f"{RESULTS}/samples/quarantine/{{shard}}.parquet"
MANIFEST = f"{RESULTS}/samples/manifest.json"
QUARANTINE = f"{RESULTS}/samples/quarantine.parquet"
THUMBNAILS = f"{RESULTS}/thumbnails/{{shard}}.arrow"
LATENTS = f"{RESULTS}/latents/{{encoder}}/{{variant}}/{{shard}}.arrow"
EMBEDDING = f"{RESULTS}/embeddings/{EMBEDDED}.parquet"
NEIGHBORS = f"{RESULTS}/neighbors/{EMBEDDED}.parquet"
METRICS = f"{RESULTS}/metrics/{EMBEDDED}.json"
PROJECTION = f"{RESULTS}/projections/{EMBEDDED}/{{projection}}.parquet"
REPORT = f"{RESULTS}/report"
LOG = f"{RESULTS}/logs"
BENCHMARK = f"{RESULTS}/benchmarks"


wildcard_constraints:
    source=r"[^/]+",
    shard=r"\d{4}-[0-9a-f]{16}",
    encoder=r"[A-Za-z0-9._-]+",
    variant="plain|boxes",
    method=r"\w+",
    projection=r"\w+",


# ---- code --------------------------------------------------------------------------------------


def code(script, *modules):
    """Fingerprint a rule's script, the plug-ins it is given, and all they import of latentmap."""
    path = Path(workflow.basedir) / "workflow" / "scripts" / f"{script}.py"
    return fingerprint(*modules, scripts=(path,))


# ---- samples -----------------------------------------------------------------------------------


def open_source(name):
    """Open a source of samples: a remote one at the file that it was downloaded to."""
    options = RUN.source(name)
    source = SOURCES.create(kind_of(options), plain(options))
    return source.local(DOWNLOAD.format(source=name)) if source.is_remote else source


@cache
def plan():
    """Plan the shards of the run from the indexes of its sources."""
    names = [source.name for source in RUN.samples.sources]
    options = RUN.samples
    limit = Limit(options.num_samples, options.stratify, options.seed)
    sealed = sealed_rows(Path(MANIFEST).parent)
    try:
        sources = {name: open_source(name) for name in names}
        return {s.id: s for s in plan_shards(sources, limit, options.shard_size, sealed)}
    except LatentmapError as error:
        raise WorkflowError(str(error))


def shards(wildcards=None):
    """Ids of the shards of the run; a job on a cluster trusts the manifest that it was given."""
    for source in RUN.samples.sources:
        if SOURCES.create(kind_of(source), plain(source)).is_remote:
            checkpoints.download_source.get(source=source.name)
    if workflow.remote_exec and Path(MANIFEST).exists():
        return [shard.id for shard in read_manifest(MANIFEST)]
    return list(plan())


def over_shards(pattern):
    """Input function: one file for each shard."""
    return lambda wildcards: expand(pattern, shard=shards(), **wildcards)


sample_shards = over_shards(SAMPLES)
thumbnails = over_shards(THUMBNAILS)


# ---- embeddings and maps -----------------------------------------------------------------------


def all_latents(wildcards):
    """Latents of all encoders, variants and shards."""
    names = [encoder.name for encoder in RUN.encoders]
    return expand(LATENTS, encoder=names, variant=RUN.variants, shard=shards())


def expand_methods(pattern, methods=RUN.pooling_methods, **wildcards):
    """One file for each encoder, variant and pooling method, where the encoder admits it."""
    return [
        path
        for encoder in RUN.encoders
        for path in expand(
            pattern,
            encoder=encoder.name,
            variant=RUN.variants,
            method=methods(encoder.name),
            **wildcards,
        )
    ]


def expand_maps(pattern):
    """One file for each map of each mapped embedding."""
    return expand_methods(pattern, RUN.mapped_methods, projection=RUN.map_names)
