rule bundle_vega:
    output:
        bundle=VEGA,
    log:
        f"{LOG}/bundle_vega.log",
    benchmark:
        f"{BENCHMARK}/bundle_vega.tsv"
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
        samples=sample_shards,
    output:
        labels=LABELS,
    log:
        f"{LOG}/collect_labels.log",
    benchmark:
        f"{BENCHMARK}/collect_labels.tsv"
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
        metrics=paths(METRICS, METHOD_KEYS),
    output:
        csv=report(f"{REPORT}/metrics_table.csv", category="Tables"),
        json=f"{REPORT}/metrics_table.json",
        parquet=f"{REPORT}/metrics_table.parquet",
        copies=paths(REPORTED_METRICS, METHOD_KEYS),
    log:
        f"{LOG}/tabulate_metrics.log",
    benchmark:
        f"{BENCHMARK}/tabulate_metrics.tsv"
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        method_keys=METHOD_KEYS,
        code=code("tabulate_metrics", *METRIC_MODULES),
    message:
        "Write the table of all metrics"
    script:
        "../workflow/scripts/tabulate_metrics.py"


rule write_method_pages:
    input:
        metrics=METRICS,
        projections=expand(PROJECTION, projection=RUN.map_names, allow_missing=True),
        trust=expand(TRUST, projection=RUN.map_names, allow_missing=True),
        weights=SAMPLING_WEIGHTS,
        annotations=JOINED,
        samples=sample_shards,
        thumbnails=thumbnails,
        labels=LABELS,
        bundle=VEGA,
    output:
        pages=report(
            expand(MAP_PAGE, projection=RUN.map_names, allow_missing=True),
            category="Maps",
            subcategory="{encoder}, {variant}",
            labels={"method": "{method}"},
        ),
    log:
        f"{LOG}/write_method_pages/{EMBEDDED}.log",
    benchmark:
        f"{BENCHMARK}/write_method_pages/{EMBEDDED}.tsv"
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=1500,
        runtime=10,
    params:
        projections=RUN.map_names,
        options=RUN.report.model_dump(),
        home=SUMMARY,
        code=code("write_method_pages", *METRIC_MODULES),
    message:
        "Write the map pages of {wildcards.encoder} ({wildcards.variant}), {wildcards.method}"
    script:
        "../workflow/scripts/write_method_pages.py"


rule write_comparison_page:
    input:
        metrics=lambda wildcards: paths(METRICS, compared_keys(wildcards)),
        agreement=AGREEMENT,
        map_agreement=MAP_AGREEMENT,
        labels=LABELS,
        bundle=VEGA,
    output:
        page=report(
            COMPARISON_PAGE,
            category="Comparisons",
            subcategory="{encoder}, {variant}",
            labels={"chart": "{chart}"},
        ),
    log:
        f"{LOG}/write_comparison_page/{{encoder}}/{{variant}}/{{chart}}.log",
    benchmark:
        f"{BENCHMARK}/write_comparison_page/{{encoder}}/{{variant}}/{{chart}}.tsv"
    wildcard_constraints:
        chart="|".join(charts_of("comparisons")),
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        method_keys=lambda wildcards: compared_keys(wildcards),
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
        samples=sample_shards,
        thumbnails=thumbnails,
        labels=LABELS,
        bundle=VEGA,
    output:
        pages=report(
            expand(DEEP_DIVE_PAGE, chart=CHANNEL_PAGES, allow_missing=True),
            category="Deep dive",
            subcategory="{encoder}, {variant}",
        ),
    log:
        f"{LOG}/write_channel_pages/{{encoder}}/{{variant}}.log",
    benchmark:
        f"{BENCHMARK}/write_channel_pages/{{encoder}}/{{variant}}.tsv"
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
        metrics=lambda wildcards: paths(METRICS, method_keys_of(wildcards)),
        agreement=AGREEMENT,
        embeddings=lambda wildcards: paths(EMBEDDING, method_keys_of(wildcards)),
        graphs=lambda wildcards: paths(NEIGHBORS, method_keys_of(wildcards)),
        samples=sample_shards,
        thumbnails=thumbnails,
        labels=LABELS,
        bundle=VEGA,
    output:
        page=report(
            NEIGHBORS_PAGE,
            category="Deep dive",
            subcategory="{encoder}, {variant}",
        ),
    log:
        f"{LOG}/write_neighbors_page/{{encoder}}/{{variant}}.log",
    benchmark:
        f"{BENCHMARK}/write_neighbors_page/{{encoder}}/{{variant}}.tsv"
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=1500,
        runtime=10,
    params:
        method_keys=lambda wildcards: method_keys_of(wildcards),
        options=METRIC_OPTIONS.get("knn_category", {}),
        search=RUN.neighbors.model_dump(),
        home=SUMMARY,
        code=code("write_neighbors_page", *METRIC_MODULES),
    message:
        "Write the page about the neighbors of {wildcards.encoder} ({wildcards.variant})"
    script:
        "../workflow/scripts/write_neighbors_page.py"


rule write_sources_page:
    input:
        sources=lambda wildcards: paths(SOURCE_METRICS, source_keys_of(wildcards)),
        metrics=lambda wildcards: paths(METRICS, source_keys_of(wildcards)),
        agreement=AGREEMENT,
        maps=lambda wildcards: paths(PROJECTION, map_keys_of(wildcards)),
        samples=sample_shards,
        reference_maps=lambda wildcards: (
            paths(of_reference(PROJECTION), map_keys_of(wildcards)) if RUN.reference_run else []
        ),
        reference_samples=reference_samples,
        bundle=VEGA,
    output:
        page=report(
            SOURCES_PAGE,
            category="Deep dive",
            subcategory="{encoder}, {variant}",
        ),
    log:
        f"{LOG}/write_sources_page/{{encoder}}/{{variant}}.log",
    benchmark:
        f"{BENCHMARK}/write_sources_page/{{encoder}}/{{variant}}.tsv"
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=1500,
        runtime=10,
    params:
        source_keys=lambda wildcards: source_keys_of(wildcards),
        map_keys=lambda wildcards: map_keys_of(wildcards),
        options=RUN.report.model_dump(),
        home=SUMMARY,
        code=code("write_sources_page"),
    message:
        "Write the page about the sources in {wildcards.encoder} ({wildcards.variant})"
    script:
        "../workflow/scripts/write_sources_page.py"


rule write_maps_page:
    input:
        projections=lambda wildcards: paths(PROJECTION, map_keys_of(wildcards)),
        trust=lambda wildcards: paths(TRUST, map_keys_of(wildcards)),
        weights=lambda wildcards: paths(
            SAMPLING_WEIGHTS, [key[:3] for key in map_keys_of(wildcards)]
        ),
        annotations=JOINED,
        samples=sample_shards,
        thumbnails=thumbnails,
        labels=LABELS,
        bundle=VEGA,
    output:
        page=report(MAPS_PAGE, category="Maps", subcategory="{encoder}, {variant}"),
    log:
        f"{LOG}/write_maps_page/{{encoder}}/{{variant}}.log",
    benchmark:
        f"{BENCHMARK}/write_maps_page/{{encoder}}/{{variant}}.tsv"
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=1500,
        runtime=10,
    params:
        maps=lambda wildcards: [key[2:] for key in map_keys_of(wildcards)],
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
        latents=all_latents,
        embeddings=paths(EMBEDDING, METHOD_KEYS),
        neighbors=paths(NEIGHBORS, METHOD_KEYS),
        metrics=paths(METRICS, METHOD_KEYS),
        maps=paths(PROJECTION, MAP_KEYS),
        bundle=VEGA,
    output:
        csv=report(f"{REPORT}/costs.csv", category="Tables"),
        json=f"{REPORT}/costs.json",
        pages=report(paths(COMPARISON_PAGE, COST_KEYS), category="Costs"),
    log:
        f"{LOG}/write_costs.log",
    benchmark:
        f"{BENCHMARK}/write_costs.tsv"
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        latent_keys=LATENT_KEYS,
        shard_keys=lambda wildcards: encoded_keys(),
        method_keys=METHOD_KEYS,
        map_keys=MAP_KEYS,
        encode=lambda wildcards: paths(
            f"{BENCHMARK}/encode_samples/{{encoder}}/{{variant}}/{{shard}}.tsv", encoded_keys()
        ),
        pool=paths(f"{BENCHMARK}/pool_latents/{EMBEDDED}.tsv", METHOD_KEYS),
        neighbors=paths(f"{BENCHMARK}/find_neighbors/{EMBEDDED}.tsv", METHOD_KEYS),
        metrics=paths(f"{BENCHMARK}/measure_embedding/{EMBEDDED}.tsv", METHOD_KEYS),
        maps=paths(f"{BENCHMARK}/project_embedding/{EMBEDDED}/{{projection}}.tsv", MAP_KEYS),
        baselines=BASELINES,
        home=SUMMARY,
        code=code("write_costs", CHARTS.module("cost_pareto"), *METRIC_MODULES),
    message:
        "Write what every method cost"
    script:
        "../workflow/scripts/write_costs.py"


rule write_summary:
    input:
        manifest=MANIFEST,
        samples=sample_shards,
        thumbnails=thumbnails,
        quarantine=QUARANTINE,
        latents=all_latents,
        metrics=paths(METRICS, METHOD_KEYS),
        ranking=RANKING,
        agreements=paths(AGREEMENT, LATENT_KEYS),
        sources=paths(SOURCE_METRICS, SOURCE_KEYS),
        projections=paths(PROJECTION, MAP_KEYS),
        trust=paths(TRUST, MAP_KEYS),
        weights=paths(SAMPLING_WEIGHTS, [key[:3] for key in MAP_KEYS]),
        annotations=JOINED,
        tables=rules.tabulate_metrics.output[:3],
        labels=LABELS,
        bundle=VEGA,
    output:
        page=report(SUMMARY, category="Summary"),
    log:
        f"{LOG}/write_summary.log",
    benchmark:
        f"{BENCHMARK}/write_summary.tsv"
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        config=RUN.model_dump(mode="json"),
        baselines=BASELINES,
        options=RUN.report.model_dump(),
        method_keys=METHOD_KEYS,
        latent_keys=LATENT_KEYS,
        source_keys=SOURCE_KEYS,
        map_keys=MAP_KEYS,
        map_pages=paths(MAP_PAGE, MAP_KEYS),
        comparison_keys=[
            *COMPARISON_KEYS,
            *COST_KEYS,
            *DEEP_DIVE_KEYS,
            *((*key, "maps") for key in MAPS_PAGE_KEYS),
        ],
        comparison_pages=[
            *paths(COMPARISON_PAGE, [*COMPARISON_KEYS, *COST_KEYS]),
            *paths(DEEP_DIVE_PAGE, DEEP_DIVE_KEYS),
            *paths(MAPS_PAGE, MAPS_PAGE_KEYS),
        ],
        left_out=LEFT_OUT,
        revisions={encoder.name: revision(encoder.name) for encoder in RUN.encoders},
        # A param that takes the input is not tracked: a commit alone runs nothing again.
        commit=lambda wildcards, input: commit_of(workflow.basedir),
        code=code("write_summary", *METRIC_MODULES, *CHART_MODULES, *CHANNEL_MODULES),
    message:
        "Write the summary"
    script:
        "../workflow/scripts/write_summary.py"
