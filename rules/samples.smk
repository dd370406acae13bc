checkpoint download_source:
    output:
        at(DOWNLOAD),
    log:
        log_of("download_source", DOWNLOAD),
    benchmark:
        benchmark_of("download_source", DOWNLOAD)
    conda:
        "../envs/samples.yaml"
    resources:
        mem_mb=memory("download_source"),
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
        samples=at(SAMPLES),
        quarantine=at(SHARD_QUARANTINE),
    log:
        log_of("ingest_samples", SAMPLES),
    benchmark:
        benchmark_of("ingest_samples", SAMPLES)
    # Before others, so that a job that encodes finds all shards to go on with.
    priority: 1
    conda:
        "../envs/samples.yaml"
    resources:
        mem_mb=memory("ingest_samples"),
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
        samples=every(SAMPLES),
        quarantine=every(SHARD_QUARANTINE),
    output:
        manifest=at(MANIFEST),
        quarantine=at(QUARANTINE),
    log:
        log_of("seal_samples"),
    benchmark:
        benchmark_of("seal_samples")
    localrule: True
    conda:
        "../envs/samples.yaml"
    params:
        readers=lambda wildcards: {shard: ingest_code(shard) for shard in shards()},
        remarks=lambda wildcards: [remark.row(*whose) for *whose, remark in PLANNED.remarks()],
        code=code("seal_samples"),
    message:
        "Seal the shards"
    script:
        "../workflow/scripts/seal_samples.py"


rule join_annotations:
    input:
        samples=every(SAMPLES),
    output:
        annotations=at(ANNOTATIONS),
    log:
        log_of("join_annotations"),
    benchmark:
        benchmark_of("join_annotations")
    conda:
        "../envs/samples.yaml"
    resources:
        mem_mb=memory("join_annotations"),
        runtime=20,
    params:
        annotations=[options.model_dump(mode="json") for options in RUN.annotations],
        digests=ANNOTATION_DIGESTS,
        code=code("join_annotations"),
    message:
        "Join the annotations to the samples"
    script:
        "../workflow/scripts/join_annotations.py"


rule collect_labels:
    input:
        samples=every(SAMPLES),
    output:
        labels=at(LABELS),
    log:
        log_of("collect_labels"),
    benchmark:
        benchmark_of("collect_labels")
    localrule: True
    conda:
        "../envs/report.yaml"
    params:
        label_groups=RUN.group_colors,
        code=code("collect_labels"),
    message:
        "Collect the labels and their colours"
    script:
        "../workflow/scripts/collect_labels.py"
