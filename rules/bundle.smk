# The explorer's page is the same for all runs: it lies beside what Snakemake keeps, and is built
# again when its sources change.
EXPLORER_SOURCES = Path(workflow.basedir) / "explorer"
EXPLORER_PAGE_FILES = [f".snakemake/latentmap/explorer/{name}" for name in BUNDLE]


rule build_explorer:
    output:
        EXPLORER_PAGE_FILES,
    log:
        log_of("build_explorer"),
    # On a cluster it is the submit host that reaches a network.
    localrule: True
    conda:
        "../envs/bundle.yaml"
    resources:
        mem_mb=1500,
        runtime=10,
    params:
        sources=str(EXPLORER_SOURCES),
        digest=sources_digest(EXPLORER_SOURCES),
        code=code("build_explorer"),
    message:
        "Build the explorer's page"
    script:
        "../workflow/scripts/build_explorer.py"
