rule resolve_targets:
    input:
        samples=every(SAMPLES),
        annotations=every(ANNOTATIONS),
    output:
        targets=at(TARGETS),
        facts=at(TARGET_FACTS),
        quarantine=at(TARGET_QUARANTINE),
    log:
        log_of("resolve_targets"),
    benchmark:
        benchmark_of("resolve_targets")
    conda:
        "../envs/metrics.yaml"
    resources:
        mem_mb=memory("resolve_targets"),
        runtime=20,
    params:
        entries=RUN.target_entries,
        code=code("resolve_targets", *DERIVATION_MODULES),
    message:
        "Read the values of the targets"
    script:
        "../workflow/scripts/resolve_targets.py"


rule measure_targets:
    input:
        embedding=at(EMBEDDING),
        neighbors=at(NEIGHBORS),
        samples=every(SAMPLES),
        targets=at(TARGETS),
        facts=at(TARGET_FACTS),
    output:
        kept=at(KEPT),
        draws=at(KEPT_DRAWS),
        predictions=at(PREDICTIONS),
    log:
        log_of("measure_targets", EMBEDDING),
    benchmark:
        benchmark_of("measure_targets", EMBEDDING)
    conda:
        "../envs/metrics.yaml"
    resources:
        mem_mb=memory("measure_targets"),
        runtime=60,
    params:
        statistics=RUN.statistics.model_dump(),
        code=code("measure_targets"),
    message:
        "Measure what {wildcards.encoder} ({wildcards.variant}), {wildcards.method} keeps"
    script:
        "../workflow/scripts/measure_targets.py"


rule compare_targets:
    input:
        kept=every(KEPT),
        draws=every(KEPT_DRAWS),
        facts=at(TARGET_FACTS),
    output:
        kept=at(WHAT_IS_KEPT),
    log:
        log_of("compare_targets"),
    benchmark:
        benchmark_of("compare_targets")
    conda:
        "../envs/metrics.yaml"
    resources:
        mem_mb=memory("compare_targets"),
        runtime=20,
    params:
        method_keys=RESULTS.targeted_methods,
        baselines=RESULTS.baselines,
        statistics=RUN.statistics.model_dump(),
        code=code("compare_targets"),
    message:
        "Compare what the methods keep"
    script:
        "../workflow/scripts/compare_targets.py"


rule compare_pairs:
    input:
        embeddings=every(EMBEDDING),
        samples=every(SAMPLES),
        annotations=every(ANNOTATIONS),
    output:
        pairs=at(PAIRS),
    log:
        log_of("compare_pairs"),
    benchmark:
        benchmark_of("compare_pairs")
    conda:
        "../envs/metrics.yaml"
    resources:
        mem_mb=memory("compare_pairs"),
        runtime=30,
    params:
        pairs=RUN.pairs.model_dump() if RUN.pairs else {},
        method_keys=RESULTS.methods,
        baselines=RESULTS.baselines,
        statistics=RUN.statistics.model_dump(),
        metric=RUN.neighbors.metric,
        code=code("compare_pairs"),
    message:
        "Compare samples that differ in one thing"
    script:
        "../workflow/scripts/compare_pairs.py"
