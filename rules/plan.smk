"""Which shards a run is made of: planned from its sources, or as its manifest says."""

from functools import cache

from latentmap.samples.plan import Limit, plan_shards, sealed_rows
from latentmap.samples.source import SOURCES
from latentmap.store.manifest import read_manifest


def is_remote(source):
    """Whether a source must be downloaded before it can be planned."""
    return SOURCES.create(**created(source)).is_remote


def downloaded(name):
    """Input function: the file that a remote source is downloaded to; nothing for a local one."""
    if not is_remote(RUN.source(name)):
        return []
    return checkpoints.download_source.get(source=name).output[0]


def open_source(name):
    """Open a source of samples: a remote one at the file that it was downloaded to."""
    source = SOURCES.create(**created(RUN.source(name)))
    return source.local(downloaded(name)) if source.is_remote else source


@cache
def plan():
    """Plan the shards of the run from the indexes of its sources."""
    options = RUN.samples
    limit = Limit(options.num_samples, options.stratify, options.seed)
    try:
        sources = {source.name: open_source(source.name) for source in options.sources}
        sealed = sealed_rows(Path(MANIFEST).parent)
        return {s.id: s for s in plan_shards(sources, limit, options.shard_size, sealed)}
    except LatentmapError as error:
        raise WorkflowError(str(error))


try:
    # What a remote source depends on beyond its options, such as versions of packages.
    REVISIONS = {s.name: SOURCES.create(**created(s)).revision() for s in RUN.samples.sources}
except LatentmapError as error:
    raise WorkflowError(str(error))

if workflow.is_main_process and not any(map(is_remote, RUN.samples.sources)):
    plan()  # What is wrong with local data is said at once, in one line.


def shards():
    """Ids of the shards of the run; a job on a cluster trusts the manifest that it was given."""
    if workflow.remote_exec and Path(MANIFEST).exists():
        return [shard.id for shard in read_manifest(MANIFEST)]
    return list(plan())


def over_shards(pattern):
    """Input function: one file for each shard."""
    return lambda wildcards: expand(pattern, shard=shards(), **wildcards)


sample_shards = over_shards(SAMPLES)
thumbnails = over_shards(THUMBNAILS)


def ingest_code(shard):
    """Fingerprint of what makes a shard's samples."""
    kind = kind_of(RUN.source(plan()[shard].source))
    return code("ingest_samples", SOURCES.module(kind))


def encoded_keys():
    """Every encoder and variant, shard by shard."""
    return [(*key, shard) for key in LATENT_KEYS for shard in shards()]


def all_latents(wildcards):
    """Input function: the latents of every encoder and variant, shard by shard."""
    return paths(LATENTS, encoded_keys())
