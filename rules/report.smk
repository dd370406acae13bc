rule bundle_vega:
    output:
        bundle=at(VEGA),
    log:
        log_of("bundle_vega"),
    benchmark:
        benchmark_of("bundle_vega")
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code("bundle_vega"),
    message:
        "Write the charts' JavaScript"
    script:
        "../workflow/scripts/bundle_vega.py"


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


rule tabulate_metrics:
    input:
        metrics=every(METRICS),
    output:
        csv=report(at(METRICS_CSV), category="Tables"),
        json=at(METRICS_JSON),
        parquet=at(METRICS_PARQUET),
        copies=paths(REPORTED_METRICS),
    log:
        log_of("tabulate_metrics"),
    benchmark:
        benchmark_of("tabulate_metrics")
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        method_keys=RESULTS.methods,
        code=code("tabulate_metrics", *METRIC_MODULES),
    message:
        "Write the table of all metrics"
    script:
        "../workflow/scripts/tabulate_metrics.py"


rule write_method_pages:
    input:
        metrics=at(METRICS),
        projections=expand(at(PROJECTION), projection=RESULTS.projections, allow_missing=True),
        trust=expand(at(TRUST), projection=RESULTS.projections, allow_missing=True),
        weights=at(SAMPLING_WEIGHTS),
        annotations=every(ANNOTATIONS),
        samples=every(SAMPLES),
        thumbnails=every(THUMBNAILS),
        labels=at(LABELS),
        bundle=at(VEGA),
    output:
        pages=report(
            expand(MAP_PAGE, projection=RESULTS.projections, allow_missing=True),
            category="Maps",
            subcategory="{encoder}, {variant}",
            labels={"method": "{method}"},
        ),
    log:
        log_of("write_method_pages", EMBEDDING),
    benchmark:
        benchmark_of("write_method_pages", EMBEDDING)
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=1500,
        runtime=10,
    params:
        projections=RESULTS.projections,
        options=RUN.report.model_dump(),
        headline=RUN.headline,
        home=SUMMARY,
        code=code("write_method_pages", *METRIC_MODULES),
    message:
        "Write the map pages of {wildcards.encoder} ({wildcards.variant}), {wildcards.method}"
    script:
        "../workflow/scripts/write_method_pages.py"


rule write_comparison_page:
    input:
        metrics=every(METRICS.beside_baselines),
        agreement=at(AGREEMENT),
        map_agreement=at(MAP_AGREEMENT),
        labels=at(LABELS),
        bundle=at(VEGA),
    output:
        page=report(
            COMPARISON_PAGE,
            category="Comparisons",
            subcategory="{encoder}, {variant}",
            labels={"chart": "{chart}"},
        ),
    log:
        log_of("write_comparison_page", AGREEMENT).replace(".log", "/{chart}.log"),
    benchmark:
        benchmark_of("write_comparison_page", AGREEMENT).replace(".tsv", "/{chart}.tsv")
    wildcard_constraints:
        chart="|".join(charts_of("comparisons")),
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        method_keys=lambda wildcards: RESULTS.keys(METRICS.beside_baselines, **wildcards),
        headline=RUN.headline,
        home=SUMMARY,
        code=lambda wildcards: code(
            "write_comparison_page", CHARTS.module(wildcards.chart), *METRIC_MODULES
        ),
    message:
        "Compare the methods of {wildcards.encoder} ({wildcards.variant}): {wildcards.chart}"
    script:
        "../workflow/scripts/write_comparison_page.py"


rule write_channel_pages:
    input:
        metrics=rules.inspect_latents.output.metrics,
        positions=rules.inspect_latents.output.positions,
        maps=rules.inspect_latents.output.maps,
        samples=every(SAMPLES),
        thumbnails=every(THUMBNAILS),
        labels=at(LABELS),
        bundle=at(VEGA),
    output:
        pages=report(
            expand(DEEP_DIVE_PAGE, chart=CHANNEL_PAGES, allow_missing=True),
            category="Deep dive",
            subcategory="{encoder}, {variant}",
        ),
    log:
        log_of("write_channel_pages", AGREEMENT),
    benchmark:
        benchmark_of("write_channel_pages", AGREEMENT)
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=1500,
        runtime=10,
    params:
        charts=CHANNEL_PAGES,
        options=RUN.report.model_dump(),
        home=SUMMARY,
        code=code("write_channel_pages", *CHANNEL_MODULES),
    message:
        "Write the pages about the channels of {wildcards.encoder} ({wildcards.variant})"
    script:
        "../workflow/scripts/write_channel_pages.py"


rule write_neighbors_page:
    input:
        metrics=every(METRICS),
        agreement=at(AGREEMENT),
        embeddings=every(EMBEDDING),
        graphs=every(NEIGHBORS),
        samples=every(SAMPLES),
        thumbnails=every(THUMBNAILS),
        labels=at(LABELS),
        bundle=at(VEGA),
    output:
        page=report(
            NEIGHBORS_PAGE,
            category="Deep dive",
            subcategory="{encoder}, {variant}",
        ),
    log:
        log_of("write_neighbors_page", AGREEMENT),
    benchmark:
        benchmark_of("write_neighbors_page", AGREEMENT)
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=1500,
        runtime=10,
    params:
        method_keys=lambda wildcards: RESULTS.keys(METRICS, **wildcards),
        options=METRIC_OPTIONS.get("knn_category", {}),
        search=RUN.neighbors.model_dump(),
        headline=RUN.headline,
        home=SUMMARY,
        code=code("write_neighbors_page", *METRIC_MODULES),
    message:
        "Write the page about the neighbors of {wildcards.encoder} ({wildcards.variant})"
    script:
        "../workflow/scripts/write_neighbors_page.py"


rule write_sources_page:
    input:
        sources=every(SOURCE_METRICS),
        metrics=every(METRICS.over("compared")),
        agreement=at(AGREEMENT),
        maps=every(PROJECTION),
        samples=every(SAMPLES),
        reference_maps=every(PROJECTION.theirs),
        reference_samples=every(SAMPLES.theirs),
        bundle=at(VEGA),
    output:
        page=report(
            SOURCES_PAGE,
            category="Deep dive",
            subcategory="{encoder}, {variant}",
        ),
    log:
        log_of("write_sources_page", AGREEMENT),
    benchmark:
        benchmark_of("write_sources_page", AGREEMENT)
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=1500,
        runtime=10,
    params:
        source_keys=lambda wildcards: RESULTS.keys(SOURCE_METRICS, **wildcards),
        map_keys=lambda wildcards: RESULTS.keys(PROJECTION, **wildcards),
        options=RUN.report.model_dump(),
        headline=RUN.headline,
        home=SUMMARY,
        code=code("write_sources_page"),
    message:
        "Write the page about the sources in {wildcards.encoder} ({wildcards.variant})"
    script:
        "../workflow/scripts/write_sources_page.py"


rule write_maps_page:
    input:
        projections=every(PROJECTION),
        trust=every(TRUST),
        weights=lambda wildcards: [
            str(RESULTS.path(SAMPLING_WEIGHTS, *key[:3]))
            for key in RESULTS.keys(PROJECTION, **wildcards)
        ],
        annotations=every(ANNOTATIONS),
        samples=every(SAMPLES),
        thumbnails=every(THUMBNAILS),
        labels=at(LABELS),
        bundle=at(VEGA),
    output:
        page=report(MAPS_PAGE, category="Maps", subcategory="{encoder}, {variant}"),
    log:
        log_of("write_maps_page", AGREEMENT),
    benchmark:
        benchmark_of("write_maps_page", AGREEMENT)
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=1500,
        runtime=10,
    params:
        maps=lambda wildcards: [key[2:] for key in RESULTS.keys(PROJECTION, **wildcards)],
        options=RUN.report.model_dump(),
        home=SUMMARY,
        code=code("write_maps_page"),
    message:
        "Write all maps of {wildcards.encoder} ({wildcards.variant}) side by side"
    script:
        "../workflow/scripts/write_maps_page.py"


rule write_costs:
    input:
        # The jobs that made these wrote the benchmark files: inputs that no rule could name.
        latents=every(LATENTS),
        embeddings=every(EMBEDDING),
        neighbors=every(NEIGHBORS),
        metrics=every(METRICS),
        maps=every(PROJECTION),
        bundle=at(VEGA),
    output:
        csv=report(at(COSTS_CSV), category="Tables"),
        json=at(COSTS_JSON),
        pages=report(pages(COMPARISON_PAGE, COST_KEYS), category="Costs"),
    log:
        log_of("write_costs"),
    benchmark:
        benchmark_of("write_costs")
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        latent_keys=RESULTS.latents,
        shard_keys=lambda wildcards: RESULTS.latent_shards,
        method_keys=RESULTS.methods,
        map_keys=RESULTS.maps,
        encode=lambda wildcards: pages(
            benchmark_of("encode_samples", LATENTS), RESULTS.latent_shards
        ),
        pool=pages(benchmark_of("pool_latents", EMBEDDING), RESULTS.methods),
        neighbors=pages(benchmark_of("find_neighbors", EMBEDDING), RESULTS.methods),
        metrics=pages(benchmark_of("measure_embedding", EMBEDDING), RESULTS.methods),
        maps=pages(benchmark_of("project_embedding", PROJECTION), RESULTS.maps),
        baselines=RESULTS.baselines,
        headline=RUN.headline,
        home=SUMMARY,
        code=code("write_costs", CHARTS.module("cost_pareto"), *METRIC_MODULES),
    message:
        "Write what every method cost"
    script:
        "../workflow/scripts/write_costs.py"


rule write_summary:
    input:
        manifest=at(MANIFEST),
        samples=every(SAMPLES),
        thumbnails=every(THUMBNAILS),
        quarantine=at(QUARANTINE),
        latents=every(LATENTS),
        metrics=every(METRICS),
        ranking=at(RANKING),
        agreements=every(AGREEMENT),
        sources=every(SOURCE_METRICS),
        projections=every(PROJECTION),
        trust=every(TRUST),
        weights=lambda wildcards: [
            str(RESULTS.path(SAMPLING_WEIGHTS, *key[:3]))
            for key in RESULTS.keys(PROJECTION, **wildcards)
        ],
        annotations=every(ANNOTATIONS),
        tables=rules.tabulate_metrics.output[:3],
        labels=at(LABELS),
        bundle=at(VEGA),
    output:
        page=report(SUMMARY, category="Summary"),
    log:
        log_of("write_summary"),
    benchmark:
        benchmark_of("write_summary")
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        config=RUN.model_dump(mode="json"),
        baselines=RESULTS.baselines,
        options=RUN.report.model_dump(),
        method_keys=RESULTS.methods,
        latent_keys=RESULTS.latents,
        source_keys=RESULTS.compared,
        map_keys=RESULTS.maps,
        map_pages=pages(MAP_PAGE, RESULTS.maps),
        comparison_keys=[
            *COMPARISON_KEYS,
            *COST_KEYS,
            *DEEP_DIVE_KEYS,
            *((*key, "maps") for key in MAPS_PAGE_KEYS),
        ],
        comparison_pages=[
            *pages(COMPARISON_PAGE, [*COMPARISON_KEYS, *COST_KEYS]),
            *pages(DEEP_DIVE_PAGE, DEEP_DIVE_KEYS),
            *pages(MAPS_PAGE, MAPS_PAGE_KEYS),
        ],
        left_out={e.name: e.left_out for e in RESULTS.facts.encoders if e.left_out},
        revisions={encoder.name: revision(encoder.name) for encoder in RUN.encoders},
        # A param that takes the input is not tracked: a commit alone runs nothing again.
        commit=lambda wildcards, input: commit_of(workflow.basedir),
        code=code("write_summary", *METRIC_MODULES, *CHART_MODULES, *CHANNEL_MODULES),
    message:
        "Write the summary"
    script:
        "../workflow/scripts/write_summary.py"
