rule write_assets:
    input:
        every(SAMPLES),
        every(THUMBNAILS),
        every(ANNOTATIONS),
        every(TARGETS),
        every(TARGET_FACTS),
        downloads=all_downloads,
    output:
        list(map(at, ASSETS)),
    log:
        log_of("write_assets"),
    benchmark:
        benchmark_of("write_assets")
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=memory("write_assets"),
        runtime=10,
    params:
        **OPENED,
        max_points=RUN.report.max_points,
        code=code("write_assets"),
    message:
        "Write what the pages share"
    script:
        "../workflow/scripts/write_assets.py"


rule write_pictures:
    input:
        every(SAMPLES),
    output:
        at(PICTURE_NAMES),
        [directory(folder) for folder in paths(PICTURES)],
    log:
        log_of("write_pictures"),
    benchmark:
        benchmark_of("write_pictures")
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=memory("write_pictures"),
        runtime=60,
    params:
        **OPENED,
        options=RUN.report.model_dump(include={"max_points", "pictures", "image_url"}),
        in_explorer=paths(WHOLE_PICTURES),
        code=code("write_pictures"),
    message:
        "Write the pictures that pages open"
    script:
        "../workflow/scripts/write_pictures.py"


rule tabulate_metrics:
    input:
        metrics=every(METRICS),
        kept=every(WHAT_IS_KEPT),
    output:
        csv=report(at(METRICS_CSV), caption=CAPTIONS["table"], category="Tables"),
        json=at(METRICS_JSON),
        parquet=at(METRICS_PARQUET),
        copies=paths(REPORTED_METRICS),
        targets=[*paths(TARGETS_CSV), *paths(TARGETS_PARQUET)],
    log:
        log_of("tabulate_metrics"),
    benchmark:
        benchmark_of("tabulate_metrics")
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=memory("tabulate_metrics"),
        runtime=10,
    params:
        method_keys=RESULTS.methods,
        descriptions={key[-1]: METHODS.description(key[-1]) for key in RESULTS.methods},
        code=code("tabulate_metrics", *METRIC_MODULES),
    message:
        "Write the table of all metrics"
    script:
        "../workflow/scripts/tabulate_metrics.py"


for page in PAGES:
    about = page.scope.value

    rule:
        name:
            f"write_{page.kind}"
        input:
            lambda wildcards, page=page: [p for a in page.reads for p in paths(a, **wildcards)],
            downloads=all_downloads,
        output:
            RESULTS.patterns(page.file, *about),
            [
                report(at(table), caption=CAPTIONS["table"], category="Tables")
                for table in page.also_writes
            ],
        log:
            RESULTS.job(LOG, f"write_{page.kind}", about),
        benchmark:
            RESULTS.job(BENCHMARK, f"write_{page.kind}", about)
        wildcard_constraints:
            **{name: "|".join(map(re.escape, RESULTS.values(page.file, name))) for name in about},
        conda:
            "../envs/report.yaml"
        resources:
            mem_mb=memory("write_page"),
            runtime=20,
        params:
            **OPENED,
            page=page.kind,
            tracked=page.tracked(RESULTS),
            code=lambda wildcards, page=page: code(
                "write_page", type(page).__module__, *page.modules(**wildcards)
            ),
        message:
            f"Write {page.title}{''.join(f' {{wildcards.{name}}}' for name in about)}"
        script:
            "../workflow/scripts/write_page.py"


rule bundle_pages:
    input:
        pages=PAGE_FILES,
        assets=BESIDE_PAGES,
    output:
        [bundled(page, key) for page in PAGES for key in RESULTS.keys(page.file)],
    log:
        log_of("bundle_pages"),
    benchmark:
        benchmark_of("bundle_pages")
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=memory("bundle_pages"),
        runtime=20,
    params:
        code=code("bundle_pages"),
    message:
        "Make one file of every page"
    script:
        "../workflow/scripts/bundle_pages.py"
