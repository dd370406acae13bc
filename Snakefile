"""From labelled images or texts to maps and measurements of latent spaces."""

configfile: "config/config.yaml"


include: "rules/common.smk"


localrules:
    all,
    samples,
    latents,
    embeddings,
    metrics,
    projections,
    report,


rule all:
    input:
        report_files,


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
        expand_methods(EMBEDDING),


rule metrics:
    input:
        expand_methods(METRICS),


rule projections:
    input:
        expand_maps(PROJECTION),


rule report:
    input:
        report_files,


include: "rules/samples.smk"
include: "rules/draw.smk"
include: "rules/encode.smk"
include: "rules/pool.smk"
include: "rules/neighbors.smk"
include: "rules/metrics.smk"
include: "rules/project.smk"
include: "rules/report.smk"
