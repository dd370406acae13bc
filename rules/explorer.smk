rule write_explorer:
    input:
        [every(kind) for kind in EXPLORER_READS],
    output:
        manifest=at(EXPLORER),
    log:
        log_of("write_explorer"),
    benchmark:
        benchmark_of("write_explorer")
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=growing,
        runtime=60,
    params:
        **OPENED,
        options={name: RESULTS.option(name) for name in EXPLORER_NEEDS},
        code=code("write_explorer", *METRIC_MODULES),
    message:
        "Write the data of the explorer"
    script:
        "../workflow/scripts/write_explorer.py"


rule write_explorer_page:
    input:
        page=EXPLORER_PAGE_FILES,
        manifest=at(EXPLORER),
    output:
        page=at(EXPLORER_PAGE),
    log:
        log_of("write_explorer_page"),
    benchmark:
        benchmark_of("write_explorer_page")
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=1500,
        runtime=10,
    params:
        code=code("write_explorer_page"),
    message:
        "Write the page of the explorer"
    script:
        "../workflow/scripts/write_explorer_page.py"
