"""Write the table of all metrics of a run in three formats."""

from latentmap.log import job_log
from latentmap.report.table import write_metrics_table, write_targets_table


def main(snakemake):
    """Run the job."""
    with job_log(snakemake.log[0]):
        write_metrics_table(
            snakemake.params.method_keys,
            snakemake.input.metrics,
            snakemake.params.descriptions,
            csv=snakemake.output.csv,
            json=snakemake.output.json,
            parquet=snakemake.output.parquet,
            copies=snakemake.output.copies,
            kept=next(iter(snakemake.input.kept), None),
        )
        if snakemake.input.kept:
            write_targets_table(snakemake.input.kept[0], *snakemake.output.targets)


if __name__ == "__main__":
    main(snakemake)
