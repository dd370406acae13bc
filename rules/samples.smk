checkpoint download_source:
    output:
        DOWNLOAD,
    log:
        f"{LOG}/download_source/{{source}}.log",
    benchmark:
        f"{BENCHMARK}/download_source/{{source}}.tsv"
    conda:
        "../envs/samples.yaml"
    resources:
        mem_mb=4000,
        runtime=240,
    params:
        source=lambda wildcards: created(RUN.source(wildcards.source)),
        revision=lambda wildcards: REVISIONS[wildcards.source],
    message:
        "Download {wildcards.source}"
    script:
        "../workflow/scripts/download_source.py"


rule ingest_samples:
    input:
        download=lambda wildcards: download_of(wildcards.shard),
    output:
        samples=SAMPLES,
        quarantine=SHARD_QUARANTINE,
    log:
        f"{LOG}/ingest_samples/{{shard}}.log",
    benchmark:
        f"{BENCHMARK}/ingest_samples/{{shard}}.tsv"
    conda:
        "../envs/samples.yaml"
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        # What the rows contain is in the shard's id. Where they lie changes when the data moves or
        # rows are inserted before them, so it must not be tracked: functions of `output` are not.
        shard=lambda wildcards, output: vars(plan()[wildcards.shard]),
        source=lambda wildcards, output: created(RUN.source(plan()[wildcards.shard].source)),
        label_groups=RUN.label_to_group,
        code=lambda wildcards: ingest_code(wildcards.shard),
    message:
        "Read and check the samples of shard {wildcards.shard}"
    script:
        "../workflow/scripts/ingest_samples.py"


rule seal_samples:
    input:
        samples=sample_shards,
        quarantine=over_shards(SHARD_QUARANTINE),
    output:
        manifest=MANIFEST,
        quarantine=QUARANTINE,
    log:
        f"{LOG}/seal_samples.log",
    benchmark:
        f"{BENCHMARK}/seal_samples.tsv"
    localrule: True
    conda:
        "../envs/samples.yaml"
    params:
        remarks=lambda wildcards: [remark.row(*whose) for *whose, remark in PLANNED.remarks()],
        code=code("seal_samples"),
    message:
        "Seal the shards"
    script:
        "../workflow/scripts/seal_samples.py"


rule join_annotations:
    input:
        samples=sample_shards,
    output:
        annotations=ANNOTATIONS,
    log:
        f"{LOG}/join_annotations.log",
    benchmark:
        f"{BENCHMARK}/join_annotations.tsv"
    conda:
        "../envs/samples.yaml"
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        annotations=[options.model_dump(mode="json") for options in RUN.annotations],
        digests=ANNOTATION_DIGESTS,
        code=code("join_annotations"),
    message:
        "Join the annotations to the samples"
    script:
        "../workflow/scripts/join_annotations.py"
