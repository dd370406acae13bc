"""Which shards a run is made of: planned from its sources."""

import json
from dataclasses import replace
from functools import cache
from math import prod

from latentmap.checks import missing_devices, refuse
from latentmap.encode.devices import visible_gpus
from latentmap.memory import NEEDS, Size
from latentmap.neighbors.search import EXACT_ROWS
from latentmap.planning import Plan
from latentmap.samples.planned import read_plan, write_plan
from latentmap.samples.source import SOURCES
from latentmap.store.manifest import name_run
from latentmap.store.results import write_run_facts


def downloaded(name):
    """The file that a remote source is downloaded to, once the checkpoint is through."""
    return checkpoints.download_source.get(source=name).output[0]


def all_downloads(wildcards):
    """Input function of jobs whose params name all shards: what remote sources are downloaded to."""
    return [downloaded(name) for name in PLANNED.remote]


def download_of(shard):
    """Input function: the file that a shard's source is downloaded to; nothing for a local one."""
    source = plan()[shard].source
    return downloaded(source) if source in PLANNED.remote else []


PLANNED = Plan(RUN, RESULTS.folder, downloaded)
PLAN_FILE = RESULTS.path(PLAN)


@cache
def plan():
    """The shards of the run; a job on another machine is given those of the main process."""
    if workflow.remote_exec and PLAN_FILE.exists():
        return {shard.id: shard for shard in read_plan(PLAN_FILE)}
    shards = PLANNED.shards
    if workflow.is_main_process:
        for line in PLANNED.lines(RESULTS.path(QUARANTINE)):
            logger.warning(line)
        DIGESTS.save()
    if not workflow.local_exec:  # a source that was downloaded just now
        write_plan(PLAN_FILE, shards.values())
    return shards


@cache
def note_devices():
    """Say which devices are not here; jobs may run elsewhere."""
    for line in missing_devices(RUN):
        logger.warning(line)


onstart:
    with refusing():
        name_run(RESULTS.folder)
    write_run_facts(RESULTS.path(RUN_FACTS), RESULTS.facts)
    if workflow.local_exec:
        with refusing():
            refuse(missing_devices(RUN))  # a submit host needs none
        # A rate of jobs is for clusters. With one, every job that ends makes Snakemake (9.27) look
        # at all that could run once per timespan from then on: with the square of the jobs.
        workflow.scheduler.job_rate_limiter = None
        if (gpus := visible_gpus()) and "gpu" not in workflow.global_resources:
            workflow.register_resource("gpu", len(gpus))  # one job on each
    else:
        outlive()
        if plan.cache_info().currsize:
            write_plan(PLAN_FILE, plan().values())


with refusing():
    if workflow.is_main_process:
        PLANNED.check()
        if not PLANNED.remote:
            plan()
    SEALED = {shard.id: shard.reader for shard in MANIFEST.read(RESULTS.path(MANIFEST))}
    # What a remote source depends on beyond its options, such as versions of packages.
    REVISIONS = {name: source.revision() for name, source in PLANNED.given.items()}
RESULTS.facts = replace(
    RESULTS.facts,
    revisions={e.name: revision(e.name) for e in RUN.encoders},
    origins={e.name: origin(e.name) for e in RUN.encoders},
)


def shards():
    """Ids of the shards of the run."""
    if workflow.dryrun:  # which does not start
        note_devices()
    with refusing():
        return list(plan())


def ingest_code(shard):
    """Fingerprint of what makes a shard's samples."""
    kind = kind_of(RUN.source(plan()[shard].source))
    return code("ingest_samples", SOURCES.module(kind))


def started_with():
    """The configuration with which the run was started last; nothing if it never was."""
    try:
        return RUN_FACTS.read(RESULTS.path(RUN_FACTS)).config
    except LatentmapError:
        return {}


STARTED_WITH = started_with()


def options_of(config, encoder="", variant="", **others):
    """The options that the latents of an encoder depend on, or without one thumbnails."""
    encoders = {one["name"]: one for one in config.get("encoders", ())}
    draw = None if variant == "plain" else config.get("draw")
    return draw, encoders.get(encoder) if encoder else config.get("thumbnails")


def contents(wildcards):
    """Input function: the samples of a shard, or of all, of which only labels may have changed.

    A shard's id says what is in it, so that other labels make nothing anew that does not read them.
    Where the code that reads samples has changed, or the job's own options have, they are inputs as
    any other: of a job whose `ancient` inputs are made anew Snakemake does not look at the params.
    """
    own, before = (
        options_of(config, **dict(wildcards)) for config in (RESULTS.config, STARTED_WITH)
    )
    found = [
        ancient(path) if own == before and SEALED.get(shard, current) == current else path
        for (shard,) in RESULTS.keys(SAMPLES, **wildcards)
        for path, current in [(str(RESULTS.path(SAMPLES, shard)), ingest_code(shard))]
    ]
    return found[0] if "shard" in wildcards.keys() else found


ENCODING = {"encode_samples", "encode_samples_on_gpu"}
# The most shards that the job of one may go on with.
AT_ONCE = 100

# On a cluster every job of a submission is a process that sees no other: what they are is passed on.
TOGETHER = "LATENTMAP_JOBS_TOGETHER"


def together():
    """The jobs that this process, or this submission, could do now, and since when it has."""
    targets = workflow.dag_settings.target_jobs
    if len(targets) > 1:
        jobs = [[target.rulename, dict(target.wildcards_dict)] for target in targets]
        os.environ.setdefault(TOGETHER, json.dumps({"since": STARTED, "jobs": jobs}))
    if TOGETHER in os.environ:
        return json.loads(os.environ[TOGETHER])
    ready = [job for job in tuple(workflow.dag.ready_jobs) if not job.is_group()]
    return {"since": STARTED, "jobs": [[job.rule.name, job.wildcards_dict] for job in ready]}


def waiting(wildcards):
    """Shards that are encoded in the same way, and could be now: samples, latents, and reader."""
    jobs = together()
    encoder, variant, shard = wildcards.encoder, wildcards.variant, wildcards.shard
    others = {
        where["shard"]
        for rule, where in jobs["jobs"]
        if rule in ENCODING and (where["encoder"], where["variant"]) == (encoder, variant)
    } - {shard}
    # Those after it first: one that cannot be encoded stops only the jobs before it.
    found = sorted(others, key=lambda other: (other < shard, other))
    shards = [
        [
            str(RESULTS.path(SAMPLES, other)),
            str(RESULTS.path(LATENTS, encoder, variant, other)),
            ingest_code(other),
        ]
        for other in found[:AT_ONCE]
    ]
    return {"since": jobs["since"], "shards": shards}


# ---- memory ------------------------------------------------------------------------------------


@cache
def planned_samples():
    """Rows of the plan."""
    return sum(len(shard.rows) for shard in plan().values())


def sample_count():
    """Rows of the run: as many as it may have, if a source has yet to be downloaded."""
    if PLANNED.remote and not PLAN_FILE.exists():
        return RUN.samples.num_samples or MANY_SAMPLES
    return planned_samples()


@cache
def widths(encoder, method):
    """Dimensions and values of a shard that jobs of an encoder and a method read, null for any."""
    read = {
        (one, other)
        for one, _, other in RESULTS.methods
        if encoder in (None, one) and method in (None, other)
    }
    latents = [prod(RUN.latent_shape(one)) for one, _ in read]
    dims = max((RUN.dims(*key) for key in read), default=0)
    return dims, max(latents, default=0) * RUN.samples.shard_size


def memory(rule):
    """Memory of a rule's jobs, by the plan; a job that had too little is given more."""
    return lambda wildcards, attempt: NEEDS[rule].mb(
        Size(sample_count(), *widths(wildcards.get("encoder"), wildcards.get("method"))), attempt
    )


# ---- clusters ----------------------------------------------------------------------------------

# Where jobs are submitted, all others run where Snakemake does: they take seconds,
SUBMITTED = ENCODING
# or minutes where there are as many samples as this, which may be so of a source yet unread.
MANY_SAMPLES = 20_000
SUBMITTED_OF_MANY = {
    "ingest_samples",
    "draw_thumbnails",
    "fit_encoder",
    "pool_latents",
    "find_neighbors",
    "measure_embedding",
    "find_outliers",
    "compare_embeddings",
    "compare_sources",
    "project_embedding",
    "assess_maps",
    "trace_learning",
    "inspect_latents",
    "write_explorer",
}


def submitted_rules():
    """Rules whose jobs are submitted to a cluster."""
    return SUBMITTED | (SUBMITTED_OF_MANY if sample_count() >= MANY_SAMPLES else set())
