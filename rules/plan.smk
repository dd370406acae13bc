"""Which shards a run is made of: planned from its sources, or as its manifest says."""

from functools import cache

from latentmap.samples.plan import Limit, list_rows, plan_shards, sealed_rows
from latentmap.samples.planned import read_plan, write_plan
from latentmap.samples.remarks import remark_lines
from latentmap.samples.source import SOURCES


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
def opened_sources():
    """Every source of the run by its name, opened."""
    return {source.name: open_source(source.name) for source in RUN.samples.sources}


@cache
def listing():
    """The rows of the run, from the indexes of its sources."""
    options = RUN.samples
    return list_rows(opened_sources(), Limit(options.num_samples, options.stratify, options.seed))


@cache
def plan():
    """The shards of the run, planned from the indexes of its sources; a job on another machine is
    given those that the main process planned."""
    if workflow.remote_exec and Path(PLAN).exists():
        return {shard.id: shard for shard in read_plan(PLAN)}
    try:
        sealed = sealed_rows(Path(MANIFEST).parent)
        planned = plan_shards(listing(), RUN.samples.shard_size, sealed)
    except LatentmapError as error:
        raise WorkflowError(str(error))
    if workflow.is_main_process:
        found = [(name, remark) for name, _, remark in remarks()]
        for line in remark_lines(found, QUARANTINE):
            logger.warning(line)
    if not workflow.local_exec:  # a source that was downloaded just now
        write_plan(PLAN, planned)
    return {shard.id: shard for shard in planned}


onstart:
    if not workflow.local_exec and plan.cache_info().currsize:
        write_plan(PLAN, plan().values())


def remarks():
    """What there is to say of whole sources, and of what encoders read: name, input, remark."""
    encoders = {e.name: ENCODERS.create(**created(e)) for e in RUN.encoders}
    parts = [*opened_sources().items(), *encoders.items()]
    of_parts = [
        (name, getattr(part.options, "input", None) or "", remark)
        for name, part in parts
        for remark in part.remarks()
    ]
    return of_parts + [(names, "", remark) for names, remark in listing().remarks()]


try:
    # What a remote source depends on beyond its options, such as versions of packages.
    REVISIONS = {s.name: SOURCES.create(**created(s)).revision() for s in RUN.samples.sources}
except LatentmapError as error:
    raise WorkflowError(str(error))

if workflow.is_main_process and not any(map(is_remote, RUN.samples.sources)):
    plan()  # What is wrong with local data is said at once, in one line.


def shards():
    """Ids of the shards of the run."""
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
