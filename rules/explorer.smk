# The explorer's page is the same for all runs. An installed package carries it; a checkout has its
# sources: the page lies beside what Snakemake keeps, and is built again when they change.
EXPLORER_SOURCES = Path(workflow.basedir) / "explorer"
BUILT_PAGE_FILES = [f".snakemake/latentmap/explorer/{name}" for name in BUNDLE]
EXPLORER_PAGE_FILES = list(map(str, carried_page())) or BUILT_PAGE_FILES


rule build_explorer:
    output:
        BUILT_PAGE_FILES,
    log:
        log_of("build_explorer"),
    # On a cluster it is the submit host that reaches a network.
    localrule: True
    conda:
        "../envs/bundle.yaml"
    resources:
        mem_mb=memory("build_explorer"),
        runtime=10,
    params:
        sources=str(EXPLORER_SOURCES),
        digest=sources_digest(EXPLORER_SOURCES),
        code=code("build_explorer"),
    message:
        "Build the explorer's page"
    script:
        "../workflow/scripts/build_explorer.py"


rule write_explorer:
    input:
        only_explored,
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
        mem_mb=memory("write_explorer"),
        runtime=60,
    params:
        **OPENED,
        options={name: RESULTS.option(name) for name in EXPLORER_NEEDS},
        code=code("write_explorer", *METHOD_MODULES, *METRIC_MODULES),
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
        mem_mb=memory("write_explorer_page"),
        runtime=10,
    params:
        code=code("write_explorer_page"),
    message:
        "Write the page of the explorer"
    script:
        "../workflow/scripts/write_explorer_page.py"
