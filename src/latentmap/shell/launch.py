"""One command from data to a report: the configuration, Snakemake, and what is said at the end."""

from __future__ import annotations

import os
import re
import shlex
import sys
import webbrowser
from collections.abc import Iterator, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from latentmap.ending import say_last
from latentmap.errors import LatentmapError
from latentmap.given import config_text, merged, read_config
from latentmap.home import HOME
from latentmap.planning import check_all
from latentmap.run import TEXTS, Run, load_run
from latentmap.shell.forecast import Past, expect, nearest_past, past_seconds
from latentmap.shell.look import look_at
from latentmap.shell.progress import say_seconds
from latentmap.store.files import write_text
from latentmap.store.results import CONFIG, EXPLORER_PAGE, RUN, RUNS, SUMMARY, Results

ON_GPU = "encode_samples_on_gpu"
"""The rule of encoders that use a GPU where there is one."""

READY = {
    "demo": "config",
    "docstrings": "docstrings",
    "spatialrgpt": "spatialrgpt",
    "first_analysis": "first_analysis",
}
"""Ready configurations that bring their data with them, by the name of their run."""


@dataclass(frozen=True)
class Asked:
    """What a user asks `latentmap run` for.

    Attributes:
        data: a file, a folder or the name of a ready configuration; none with files of one's own.
        run: name of the run; made of the data's by default.
        configfiles: files in the place of a ready configuration.
        config: `key=value` over these.
        source: `key=value` of the options of the source.
        columns: `role=column`.
        snakemake: further arguments for Snakemake.
        is_dry: only say what would run.
        opens: open the report in a browser at the end.
    """

    data: str | None
    run: str | None = None
    configfiles: Sequence[str] = ()
    config: Sequence[str] = ()
    source: Sequence[str] = ()
    columns: Sequence[str] = ()
    snakemake: Sequence[str] = ()
    is_dry: bool = False
    opens: bool = False


def launch(asked: Asked) -> int:
    """Run, or say what would run; return the exit status.

    Raises:
        LatentmapError: the data cannot be told, or the configuration is not valid.
    """
    config, taken_for = configure(asked)
    run = load_run(config)
    _refuse_other_data(run)
    print(taken_for, flush=True)
    if asked.is_dry:
        return _forecast(run, config, asked)
    file = run.results.folder / CONFIG
    _write_config(file, config, asked)
    status = _snakemake(file, asked, past_seconds(Path(RUNS), run.run))
    if status == 0 and SUMMARY.below(run.results.folder).exists():
        _say_results(run, asked.opens)
    return status


def configure(asked: Asked) -> tuple[dict[str, Any], str]:
    """Return the configuration of a run, and in one line what its data is taken for."""
    if asked.configfiles:
        given = {} if asked.data is None else {"input": asked.data}
        config = merged(read_config(asked.configfiles), given)
        said = f"{', '.join(map(str, asked.configfiles))}: as it is configured there."
    elif asked.data in READY:
        config = _ready(READY[asked.data])
        said = f"{asked.data}: the ready run of config/{READY[asked.data]}.yaml."
    elif asked.data is None:
        raise LatentmapError(f"Name a file or folder of data, or one of {', '.join(READY)}.")
    else:
        config, said = _from_data(Path(asked.data).expanduser(), asked)
    named = {} if asked.run is None else {"run": asked.run}
    return merged(merged(config, named), read_config([], asked.config, TEXTS)), said


def _ready(name: str) -> dict[str, Any]:
    return read_config([HOME / "config" / f"{name}.yaml"])


def _from_data(data: Path, asked: Asked) -> tuple[dict[str, Any], str]:
    """Return a ready configuration with all that a look at the data says."""
    columns = read_config([], asked.columns)
    chosen = read_config([], asked.source)
    found = look_at(data, columns, chosen.get("split"))
    ready = _ready(found.config)
    options = merged(dict(found.source), {"columns": columns} if columns else {})
    source = merged(merged(ready["samples"]["sources"][0], options), chosen)
    changes: dict[str, Any] = {"run": run_name(data), "input": str(found.input or data)}
    if "kind" in options or columns:  # the groups of the labels of other data
        changes["label_groups"] = None
    changes |= {"samples": {"sources": [source]}, **found.changes}
    what = f"{data}: {found.what}. Ready configuration: config/{found.config}.yaml."
    return merged(ready, changes), what


def run_name(data: Path) -> str:
    """Return the name of a run on data: the name of its file or folder, in plain letters."""
    name = data.resolve().name
    stem = name if data.is_dir() else name.split(".")[0] or name
    return re.sub(r"[^A-Za-z0-9._-]+", "_", stem).strip("._-") or "run"


def _refuse_other_data(run: Run) -> None:
    """Refuse a name whose results are of other data.

    Raises:
        LatentmapError: asks for another name.
    """
    before = None
    with suppress(LatentmapError):  # there are none, or they are damaged and written anew
        before = RUN.read(RUN.below(run.results.folder)).config.get("input")
    if before and run.input and Path(before).resolve() != Path(run.input).resolve():
        raise LatentmapError(
            f"{run.results.folder} has the results of {before}. Give this run another name: "
            "--run NAME."
        )


def _write_config(file: Path, config: Mapping[str, Any], asked: Asked) -> None:
    command = ["latentmap", "run", *([] if asked.data is None else [asked.data])]
    text = (
        f"# As used by `{shlex.join(command)}`. To run it again, or with changes:\n"
        f"# latentmap run --configfile {shlex.quote(str(file))}\n{config_text(config)}"
    )
    if not file.exists() or file.read_text("utf-8") != text:
        write_text(file, text)


def _snakemake(file: Path, asked: Asked, seconds: Mapping[str, float]) -> int:
    """Run Snakemake in this process, so that a signal for one is for the other."""
    from snakemake.cli import args_to_api, parse_args

    from snakemake_logger_plugin_latentmap import LogHandler

    LogHandler.seconds = dict(seconds)
    arguments = [
        *("--snakefile", str(HOME / "Snakefile"), "--configfile", str(file)),
        *("--logger", "latentmap", *(["--dry-run"] if asked.is_dry else [])),
    ]
    said = StringIO()
    try:
        with redirect_stderr(said):  # which profile is read
            parser, parsed = parse_args([*arguments, *asked.snakemake])
    except SystemExit as ended:
        print(said.getvalue(), end="", file=sys.stderr)
        return ended.code if isinstance(ended.code, int) else 1
    try:
        return 0 if args_to_api(parsed, parser) else 1
    except SystemExit as ended:  # what the workflow refuses is said last
        if isinstance(ended.code, str):
            raise LatentmapError(ended.code.removeprefix("Error: ")) from None
        return int(ended.code or 0)


def _say_results(run: Run, opens: bool) -> None:
    """Say what the run has found, and where it is to be read."""
    results = Results.open(run.results.folder)
    report = SUMMARY.below(results.folder)
    where = [f"Report: {report.resolve()}"]
    if EXPLORER_PAGE.below(results.folder).exists():
        where.append(f"Explorer: latentmap view {shlex.quote(str(results.folder))}")
    # What was set aside is between the two.
    say_last(where, before=_verdict(results))
    if opens:
        webbrowser.open(report.resolve().as_uri())


def _verdict(results: Results) -> Iterator[str]:
    from latentmap.report.verdict import verdict_of

    found = None
    with suppress(LatentmapError):  # what it is made of may be deleted, and the report be there
        found = verdict_of(results)
    if found is None:
        return
    rivals = f" of {found.count} embeddings" if found.count > 1 else ""
    baseline = ", a learning-free baseline" if found.is_baseline else ""
    yield f"{found.opening}{rivals}: {found.best}{baseline}"
    for what, text in found.facts if found.count > 1 else found.facts[:2]:
        yield f"  {what}: {text}"


# ---- dry run -----------------------------------------------------------------------------------


def _forecast(run: Run, config: Mapping[str, Any], asked: Asked) -> int:
    """Say what would run, stage by stage, and what it is expected to take."""
    import snakemake_logger_plugin_latentmap as plugin

    plan = check_all(run)
    with TemporaryDirectory() as temporary:
        file = Path(temporary) / "config.yaml"
        file.write_text(config_text(config), "utf-8")
        with redirect_stdout(StringIO()):
            status = _snakemake(file, asked, {})
    if status != 0:
        return status
    if plan.remote:
        print(f"{', '.join(plan.remote)} is downloaded first; only then is known what would run.")
        return 0
    samples = len(plan.listing.rows)
    size = run.samples.shard_size
    past = nearest_past(Path(RUNS), samples)
    for line in forecast_lines(plugin.PLANNED, samples, -(-samples // size), past, _cores(asked)):
        print(line)
    return 0


def forecast_lines(
    counts: Mapping[str, int], samples: int, shards: int, past: Past | None, cores: int
) -> Iterator[str]:
    """Yield what would run, stage by stage.

    Args:
        counts: jobs by rule.
        samples: of the run.
        shards: of the run.
        past: the run to judge by.
        cores: that are used at once.
    """
    stages = expect(counts, samples, shards, past)
    if not stages:
        yield "Nothing has to be done."
        return
    yield f"{'stage':10} {'jobs':>6} {'on one core':>13} {'disk':>9}"
    for stage, (jobs, seconds, size) in stages.items():
        time, disk = _or_unknown(seconds, say_seconds), _or_unknown(size, _say_bytes)
        yield f"{stage:10} {jobs:>6,} {time:>13} {disk:>9}"
    jobs = sum(stage.jobs for stage in stages.values())
    if past is None:
        yield f"{jobs:,} jobs. No run in {RUNS}/ has finished yet by which to tell time and disk."
        return
    seconds = sum(stage.seconds or 0 for stage in stages.values()) / cores
    size = sum(stage.bytes or 0 for stage in stages.values())
    yield (
        f"{jobs:,} jobs: about {say_seconds(seconds)} on {cores} cores and {_say_bytes(size)}, "
        f"judged by {past.folder} ({past.samples:,} samples; here {samples:,})."
    )
    on_gpu = expect({ON_GPU: counts.get(ON_GPU, 0)}, samples, shards, past).get("encode")
    if on_gpu is not None and on_gpu.jobs and on_gpu.seconds is not None:
        yield (
            f"Of these, {on_gpu.jobs:,} job{'s' if on_gpu.jobs > 1 else ''} would use a GPU, if "
            f"there is one: {on_gpu.seconds / 3600:.2g} GPU hours at the speed of that run."
        )


def _or_unknown(value: float | None, say: Any) -> str:
    return "?" if value is None else str(say(value))


def _say_bytes(size: float) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"


def _cores(asked: Asked) -> int:
    """Return how many cores Snakemake is given; all of this machine by default."""
    given = dict(zip(asked.snakemake, asked.snakemake[1:], strict=False)).get("--cores", "all")
    return int(given) if given.isdecimal() else len(os.sched_getaffinity(0))
