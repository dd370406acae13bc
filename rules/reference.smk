"""Which sources are compared, and the finished run whose maps samples are placed into."""

from latentmap.store.manifest import read_manifest

REFERENCE = f"results/{RUN.reference_run}"
SOURCE_KEYS = [
    (*key, method)
    for key in LATENT_KEYS
    for method in RUN.comparable_methods(key[0])
    if RUN.reference_run or len(RUN.samples.sources) > 1
]
# Samples that are placed into a finished map go to the same place whatever the seed.
TRUST_OPTIONS = RUN.trust.model_copy(update={"seeds": 0} if RUN.reference_run else {})


def of_reference(pattern):
    """Return the reference run's path of what has this path here."""
    return REFERENCE + pattern.removeprefix(RESULTS)


def reference(pattern):
    """Input function: a file of the reference run; nothing without one."""
    return lambda wildcards: (
        of_reference(pattern).format(**wildcards) if RUN.reference_run else []
    )


def reference_maps(wildcards):
    """Input function: the reference run's maps of one embedding."""
    return list(map(of_reference, own_maps(wildcards))) if RUN.reference_run else []


def own_maps(wildcards):
    """Input function: the maps of one embedding."""
    embedded = (wildcards.encoder, wildcards.variant, wildcards.method)
    return paths(PROJECTION, [key for key in MAP_KEYS if key[:3] == embedded])


def reference_shards():
    """The shards of the reference run that have samples."""
    with refusing():
        return [shard.id for shard in read_manifest(of_reference(MANIFEST)) if shard.rows]


def reference_samples(wildcards):
    """Input function: the samples of the reference run."""
    return expand(of_reference(SAMPLES), shard=reference_shards()) if RUN.reference_run else []
