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


def inputs_of(page):
    """Input function: what a page says that it reads."""
    return lambda wildcards: [
        path for artifact in page.reads for path in paths(artifact, **wildcards)
    ]


def page_code(page):
    """Fingerprint of what writes the pages of a job."""
    return lambda wildcards: code("write_page", type(page).__module__, *page.modules(**wildcards))


for page in PAGES:
    about = page.scope.value

    rule:
        name:
            f"write_{page.kind}"
        input:
            inputs_of(page),
            at(VEGA),
            # It has the shards, whose files say which they are.
            ancient(at(MANIFEST)),
        output:
            report(
                RESULTS.patterns(page.file, *about),
                category=page.category,
                subcategory="{encoder}, {variant}" if about else None,
                labels={name: f"{{{name}}}" for name in about[2:]} or None,
            ),
            list(map(at, page.also_writes)),
        log:
            RESULTS.job(LOG, f"write_{page.kind}", about),
        benchmark:
            RESULTS.job(BENCHMARK, f"write_{page.kind}", about)
        wildcard_constraints:
            **{name: "|".join(map(re.escape, RESULTS.values(page.file, name))) for name in about},
        conda:
            "../envs/report.yaml"
        resources:
            mem_mb=2000,
            runtime=20,
        params:
            folder=str(RESULTS.folder),
            page=page.kind,
            tracked=page.tracked(RESULTS),
            code=page_code(page),
        message:
            f"Write {page.title}{''.join(f' {{wildcards.{name}}}' for name in about)}"
        script:
            "../workflow/scripts/write_page.py"
