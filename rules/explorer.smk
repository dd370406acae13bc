rule write_explorer:
    input:
        [every(kind) for kind in EXPLORER_READS],
        ancient(at(MANIFEST)),
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
        folder=lambda wildcards: str(RESULTS.folder),
        options={name: RESULTS.option(name) for name in EXPLORER_NEEDS},
        code=code("write_explorer", *METRIC_MODULES),
    message:
        "Write the data of the explorer"
    script:
        "../workflow/scripts/write_explorer.py"
