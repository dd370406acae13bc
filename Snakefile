"""From labelled images or texts to maps and measurements of latent spaces."""

# The default run is read only if the user names no configuration: no key of it is in another run.
if not workflow.overwrite_configfiles:

    configfile: "config/config.yaml"


report: "workflow/report/workflow.rst"


include: "rules/common.smk"
include: "rules/plan.smk"
include: "rules/reference.smk"
include: "rules/pages.smk"


localrules:
    all,
    samples,
    latents,
    embeddings,
    metrics,
    projections,
    report,
    figures,
    exports,


rule all:
    input:
        REPORT_FILES,


rule samples:
    input:
        MANIFEST,
        QUARANTINE,
        thumbnails,


rule latents:
    input:
        all_latents,


rule embeddings:
    input:
        paths(EMBEDDING, METHOD_KEYS),


rule metrics:
    input:
        paths(METRICS, METHOD_KEYS),
        RANKING,


rule projections:
    input:
        paths(PROJECTION, MAP_KEYS),
        paths(TRUST, MAP_KEYS),


rule report:
    input:
        REPORT_FILES,


rule figures:
    input:
        expand(f"{FIGURE}.{{suffix}}", figure=PUBLISHED, suffix=["svg", "png", "pdf", "csv"]),


rule exports:
    input:
        EXPORTED_METADATA,
        paths(EXPORTED_LATENTS, EXPORTED_LATENT_KEYS),
        paths(EXPORTED_EMBEDDING, EXPORTED_METHOD_KEYS),
        paths(EXPORTED_POINTS, POINT_KEYS),


onerror:
    say_last(failure_lines(Path(LOG), STARTED))


onsuccess:
    say_last(quarantine_lines(Path(QUARANTINE), STARTED))


include: "rules/samples.smk"
include: "rules/draw.smk"
include: "rules/encode.smk"
include: "rules/pool.smk"
include: "rules/neighbors.smk"
include: "rules/metrics.smk"
include: "rules/project.smk"
include: "rules/inspect.smk"
include: "rules/report.smk"
include: "rules/export.smk"
