"""From labelled images or texts to maps and measurements of latent spaces."""

from latentmap.home import default_config

# The default run is read only if the user names no configuration: no key of it is in another run.
if not workflow.overwrite_configfiles:

    configfile: default_config()


report: "workflow/report/workflow.rst"


include: "rules/common.smk"
include: "rules/plan.smk"
include: "rules/reference.smk"


localrules:
    all,
    samples,
    latents,
    embeddings,
    metrics,
    targets,
    projections,
    report,
    figures,
    bundled,
    explore,
    exports,


rule all:
    input:
        at(MANIFEST),
        REPORT_FILES,
        EXPLORER_FILES,
        every(WHAT_IS_KEPT),
        every(PAIRS),
        list(CACHE_FILES.values()),


rule samples:
    input:
        at(MANIFEST),
        at(QUARANTINE),
        every(THUMBNAILS),


rule latents:
    input:
        every(LATENTS),


rule embeddings:
    input:
        every(EMBEDDING),


rule metrics:
    input:
        every(METRICS),
        at(RANKING),


rule targets:
    input:
        every(WHAT_IS_KEPT),
        every(PAIRS),


rule projections:
    input:
        every(PROJECTION),
        every(TRUST),


rule report:
    input:
        REPORT_FILES,


rule figures:
    input:
        expand(f"{at(FIGURE)}.{{suffix}}", figure=PUBLISHED, suffix=["svg", "png", "pdf", "csv"]),


rule bundled:
    input:
        [path for page in PAGES for path in paths(page.file.bundled)],


rule explore:
    input:
        explorer_files,


rule exports:
    input:
        at(EXPORTED_METADATA),
        every(EXPORTED_LATENTS),
        every(EXPORTED_EMBEDDING),
        every(EXPORTED_POINTS),


onerror:
    say_last(failure_lines(RESULTS.path(LOGS), STARTED))


onsuccess:
    tables = [*RESULTS.paths(QUARANTINE), *RESULTS.paths(TARGET_QUARANTINE)]
    say_last(quarantine_lines(tables, STARTED))


include: "rules/samples.smk"
include: "rules/draw.smk"
include: "rules/encode.smk"
include: "rules/pool.smk"
include: "rules/neighbors.smk"
include: "rules/metrics.smk"
include: "rules/targets.smk"
include: "rules/project.smk"
include: "rules/inspect.smk"
include: "rules/report.smk"
include: "rules/export.smk"
include: "rules/explorer.smk"


if workflow.is_main_process:
    # Where nothing is submitted, this says nothing.
    workflow.localrules(*({rule.name for rule in workflow.rules} - submitted_rules()))
