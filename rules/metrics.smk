from latentmap.metrics.learning import traced


rule measure_embedding:
    input:
        embedding=at(EMBEDDING),
        neighbors=at(NEIGHBORS),
        samples=every(SAMPLES),
    output:
        metrics=at(METRICS),
        scores=at(SCORES),
        weights=at(SAMPLING_WEIGHTS),
    log:
        log_of("measure_embedding", EMBEDDING),
    benchmark:
        benchmark_of("measure_embedding", EMBEDDING)
    conda:
        "../envs/metrics.yaml"
    resources:
        mem_mb=memory("measure_embedding"),
        runtime=60,
    params:
        metrics=METRIC_OPTIONS,
        statistics=RUN.statistics.model_dump(),
        density=RUN.density.model_dump(),
        neighbors=RUN.neighbors.model_dump(),
        code=code("measure_embedding", *METRIC_MODULES),
    message:
        "Measure {wildcards.encoder} ({wildcards.variant}), {wildcards.method}"
    script:
        "../workflow/scripts/measure_embedding.py"


rule find_outliers:
    input:
        embedding=at(EMBEDDING),
        neighbors=at(NEIGHBORS),
        samples=every(SAMPLES),
    output:
        outliers=at(OUTLIERS),
    log:
        log_of("find_outliers", EMBEDDING),
    benchmark:
        benchmark_of("find_outliers", EMBEDDING)
    conda:
        "../envs/metrics.yaml"
    resources:
        mem_mb=memory("find_outliers"),
        runtime=60,
    params:
        outliers=RUN.outliers.model_dump(),
        code=code("find_outliers"),
    message:
        "Score the outliers of {wildcards.encoder} ({wildcards.variant}), {wildcards.method}"
    script:
        "../workflow/scripts/find_outliers.py"


# An embedding's metrics are in `{method}.json`; no method is called "agreement" or "learning".
ruleorder: compare_embeddings > measure_embedding
ruleorder: trace_learning > measure_embedding


rule compare_embeddings:
    input:
        embeddings=every(EMBEDDING),
        neighbors=every(NEIGHBORS),
        samples=every(SAMPLES),
    output:
        agreement=at(AGREEMENT),
    log:
        log_of("compare_embeddings", AGREEMENT),
    benchmark:
        benchmark_of("compare_embeddings", AGREEMENT)
    conda:
        "../envs/metrics.yaml"
    resources:
        mem_mb=memory("compare_embeddings"),
        runtime=60,
    params:
        methods=lambda wildcards: RUN.pooling_methods(wildcards.encoder),
        code=code("compare_embeddings"),
    message:
        "Compare the embeddings of {wildcards.encoder} ({wildcards.variant})"
    script:
        "../workflow/scripts/compare_embeddings.py"


rule compare_sources:
    input:
        embedding=at(EMBEDDING),
        maps=every(PROJECTION),
        samples=every(SAMPLES),
        reference_embedding=only(EMBEDDING.theirs),
        reference_maps=every(PROJECTION.theirs),
        reference_samples=every(SAMPLES.theirs),
    output:
        sources=at(SOURCE_METRICS),
    log:
        log_of("compare_sources", EMBEDDING),
    benchmark:
        benchmark_of("compare_sources", EMBEDDING)
    conda:
        "../envs/metrics.yaml"
    resources:
        mem_mb=memory("compare_sources"),
        runtime=60,
    params:
        reference=RUN.reference_run,
        metric=RUN.neighbors.metric,
        statistics=RUN.statistics.model_dump(),
        code=code("compare_sources"),
    message:
        "Compare the sources in {wildcards.encoder} ({wildcards.variant}), {wildcards.method}"
    script:
        "../workflow/scripts/compare_sources.py"


rule compare_maps:
    input:
        maps=every(PROJECTION),
        samples=every(SAMPLES),
    output:
        agreement=at(MAP_AGREEMENT),
    log:
        log_of("compare_maps", AGREEMENT),
    benchmark:
        benchmark_of("compare_maps", AGREEMENT)
    conda:
        "../envs/metrics.yaml"
    resources:
        mem_mb=memory("compare_maps"),
        runtime=10,
    params:
        maps=lambda wildcards: [key[2:] for key in RESULTS.keys(PROJECTION, **wildcards)],
        code=code("compare_maps"),
    message:
        "Compare the maps of {wildcards.encoder} ({wildcards.variant})"
    script:
        "../workflow/scripts/compare_maps.py"


# The metrics over growing sets of source groups.
TRACED = traced(RUN.headline, METRIC_OPTIONS)


rule trace_learning:
    input:
        metrics=every(METRICS),
        embeddings=every(EMBEDDING),
        neighbors=every(NEIGHBORS),
        samples=every(SAMPLES),
    output:
        learning=at(LEARNING),
    log:
        log_of("trace_learning", LEARNING),
    benchmark:
        benchmark_of("trace_learning", LEARNING)
    conda:
        "../envs/metrics.yaml"
    resources:
        mem_mb=memory("trace_learning"),
        runtime=60,
    params:
        methods=lambda wildcards: RUN.pooling_methods(wildcards.encoder),
        headline=RUN.headline,
        metrics=TRACED,
        neighbors=RUN.neighbors.model_dump(),
        seed=RUN.statistics.seed,
        code=code("trace_learning", *map(METRIC_PLUGINS.module, TRACED)),
    message:
        "Measure parts of the samples of {wildcards.encoder} ({wildcards.variant})"
    script:
        "../workflow/scripts/trace_learning.py"


rule rank_methods:
    input:
        metrics=every(METRICS),
        scores=every(SCORES),
        samples=every(SAMPLES),
    output:
        ranking=at(RANKING),
    log:
        log_of("rank_methods"),
    benchmark:
        benchmark_of("rank_methods")
    conda:
        "../envs/metrics.yaml"
    resources:
        mem_mb=memory("rank_methods"),
        runtime=20,
    params:
        method_keys=RESULTS.methods,
        headline=RUN.headline,
        baselines=RESULTS.baselines,
        statistics=RUN.statistics.model_dump(),
        code=code("rank_methods"),
    message:
        "Rank the methods"
    script:
        "../workflow/scripts/rank_methods.py"
