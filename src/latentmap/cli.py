"""The command line: from data to a report in one command, and what helps around a run."""

from __future__ import annotations

import argparse
import json
import sys
import webbrowser
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import latentmap
from latentmap.checks import missing_devices
from latentmap.config import Registry
from latentmap.encode.encoder import ENCODERS
from latentmap.errors import LatentmapError
from latentmap.explorer.check import check_explorer, last_explored
from latentmap.explorer.serve import address, make_server
from latentmap.given import read_config
from latentmap.home import HOME, default_config
from latentmap.metrics.metric import METRICS, Metric
from latentmap.planning import Plan, check_all
from latentmap.plugins import use
from latentmap.pool.method import METHODS
from latentmap.project.projection import PROJECTIONS
from latentmap.report.assets import bundle
from latentmap.report.chart import CHARTS
from latentmap.report.page import PAGES, listed_pages
from latentmap.run import TEXTS, Run, kind_of, load_run
from latentmap.samples.source import SOURCES
from latentmap.schema import json_schema
from latentmap.shell.adopt import adopt
from latentmap.shell.differences import difference_lines
from latentmap.shell.launch import READY, Asked, launch
from latentmap.shell.leftovers import old_shards, shard_of
from latentmap.store.files import write_text
from latentmap.store.results import QUARANTINE, RUN, RUNS, Results
from latentmap.targets.derivation import DERIVATIONS

REGISTRIES: dict[str, Registry[Any]] = {
    "sources": SOURCES,
    "encoders": ENCODERS,
    "methods": METHODS,
    "metrics": METRICS,
    "targets": DERIVATIONS,
    "projections": PROJECTIONS,
    "charts": CHARTS,
    "pages": PAGES,
}

EXAMPLES = """examples:
  latentmap run demo --open                  a first run, on scenes that are made on the spot
  latentmap run photos/ --dry-run            what would run on your data, and how long
  latentmap run photos/                      run it; again after a change, only what changed
  latentmap view results/photos              every sample on every map
  latentmap diff results/a results/b         what differs between two runs
  latentmap adopt results/photos             after an upgrade: encode nothing again that is the same
  latentmap list methods                     what there is to choose from
  latentmap COMMAND --help                   more on each command
"""

RUN_EXAMPLES = """examples:
  latentmap run demo --open                      rendered scenes, nothing else needed
  latentmap run photos/                          one folder of images for each class
  latentmap run reviews.csv --columns text=body label=stars
  latentmap run embeddings.npy                   with labels.csv beside it, if you have labels
  latentmap run photos/ --dry-run                what would run, how long, how much disk
  latentmap run photos/ --config methods=mean,minmax --cores 4
  latentmap run --configfile results/photos/config.yaml
  latentmap run photos/ --workflow-profile profiles/slurm -- --keep-incomplete

Results are in results/NAME under the current folder, with the configuration that was used.
"""

STOPPED = 130
"""The exit status of what Ctrl-C has ended, as shells have it."""

COMPLETE_DATA = {
    "bash": f"""_latentmap_data() {{
    compgen -W "{" ".join(READY)}" -- "$1"
    compgen -f -- "$1"
}}""",
    "zsh": f"""_latentmap_data() {{
    _alternative 'ready:ready configuration:({" ".join(READY)})' 'data:data:_files'
}}""",
}
"""What completes DATA, by shell: the ready configurations, and what is in the folder."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit status."""
    given, further = _split(sys.argv[1:] if arguments is None else arguments)
    options = _parser().parse_args(given)
    if further and options.command is not _run:
        print(f"Error: '-- {' '.join(further)}' is for `latentmap run`.", file=sys.stderr)
        return 2
    options.snakemake = further
    try:
        return options.command(options) or 0
    except LatentmapError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return STOPPED


def _split(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the arguments of the command line, and those after `--`, which are Snakemake's."""
    given = list(arguments)
    if "--" not in given:
        return given, []
    place = given.index("--")
    return given[:place], given[place + 1 :]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="latentmap",
        description="What does an encoder keep, and which pooling keeps it?",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {latentmap.__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    _add_run(commands)

    listing = commands.add_parser("list", help="list plug-ins, each with one line of description")
    listing.add_argument("what", choices=tuple(REGISTRIES))
    listing.set_defaults(command=_list)

    for name, command, text in (
        ("validate", _validate, "check a configuration"),
        ("plan", _plan, "show what a configuration would compute"),
    ):
        configured = commands.add_parser(name, help=text)
        _add_configuration(configured, "config/config.yaml")
        configured.set_defaults(command=command)

    writing = commands.add_parser("write", help="write a page of a finished run again, by itself")
    writing.add_argument("page", type=Path, help="the page, such as results/demo/report/…html")
    writing.set_defaults(command=_write)

    bundling = commands.add_parser("bundle", help="make one file of a page, to send it")
    bundling.add_argument("page", type=Path, help="the page, such as results/demo/report/…html")
    bundling.add_argument("-o", "--output", type=Path, help="by default beside the page")
    bundling.set_defaults(command=_bundle)

    viewing = commands.add_parser("view", help="explore a finished run in a browser")
    viewing.add_argument(
        "run", type=Path, nargs="?", help="its folder, results/{run}; by default the last one"
    )
    viewing.add_argument("--port", type=int, default=0, help="by default a free one")
    viewing.add_argument("--no-browser", action="store_true", help="only say where to look")
    viewing.set_defaults(command=_view)

    cleaning = commands.add_parser(
        "clean", help="remove old shards: files of samples that have changed or gone"
    )
    cleaning.add_argument("run", type=Path, nargs="*", help="folders of runs; by default all")
    cleaning.add_argument("-n", "--dry-run", action="store_true", help="only say what it would do")
    cleaning.set_defaults(command=_clean)

    adopting = commands.add_parser(
        "adopt",
        help="keep latents that only an upgrade or an edit of code has outdated",
        description="Encode a few samples anew, compare them with what is stored, and where they "
        "agree take all latents over, so that the next run encodes nothing again.",
    )
    adopting.add_argument("run", type=Path, help="its folder, results/{run}")
    _add_configuration(adopting, "the one that `latentmap run` used")
    adopting.set_defaults(command=_adopt)

    differing = commands.add_parser("diff", help="show what differs between two finished runs")
    differing.add_argument("before", type=Path, metavar="RUN", help="its folder, results/{run}")
    differing.add_argument("after", type=Path, metavar="RUN", help="that of the other")
    differing.add_argument(
        "--metric", help="compare its values, or `all`; by default that which ranks the methods"
    )
    differing.set_defaults(command=_diff)

    completing = commands.add_parser(
        "completion",
        help="print what completes commands in a shell",
        description='For bash: eval "$(latentmap completion bash)" in ~/.bashrc. For zsh: '
        "latentmap completion zsh > a folder of $fpath /_latentmap.",
    )
    completing.add_argument("shell", choices=tuple(COMPLETE_DATA))
    completing.set_defaults(command=_complete)

    schema = commands.add_parser("schema", help="print the JSON schema of the configuration")
    schema.set_defaults(command=_schema)
    return parser


def _add_configuration(command: argparse.ArgumentParser, default: str) -> None:
    command.add_argument(
        "--configfile",
        nargs="*",
        default=[],
        metavar="FILE",
        help=f"files instead of {default}, as for snakemake",
    )
    command.add_argument(
        "--config", nargs="*", default=[], metavar="KEY=VALUE", help="values over the files"
    )


def _add_run(commands: Any) -> None:
    running = commands.add_parser(
        "run",
        help="from data to a report, in one command",
        description="Look at data, say what it is, and run the ready configuration for it.",
        epilog=RUN_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    data = running.add_argument(
        "data", nargs="?", metavar="DATA", help=f"a file or folder, or one of {', '.join(READY)}"
    )
    data.complete = dict.fromkeys(COMPLETE_DATA, "_latentmap_data")
    running.add_argument("--run", metavar="NAME", help="name of the run; that of DATA by default")
    running.add_argument("-n", "--dry-run", action="store_true", help="only say what would run")
    running.add_argument("--open", action="store_true", help="open the report at the end")
    running.add_argument("--cores", metavar="N", help="at most; all by default")
    running.add_argument(
        "--workflow-profile", metavar="FOLDER", help="of Snakemake, such as profiles/slurm"
    )
    for option, meaning in (
        ("--columns", "which column holds what: text=body label=stars id=null"),
        ("--source", "options of the source: split=train labels=labels.csv"),
        ("--config", "keys of the configuration: methods=mean,max 'neighbors={k: 30}'"),
    ):
        running.add_argument(
            option, nargs="+", action="extend", default=[], metavar="KEY=VALUE", help=meaning
        )
    running.add_argument(
        "--configfile",
        nargs="+",
        action="extend",
        default=[],
        metavar="FILE",
        help="your own configuration, instead of a ready one",
    )
    running.set_defaults(command=_run)


def _run(options: argparse.Namespace) -> int:
    snakemake: list[str] = []
    if options.cores is not None or options.workflow_profile is None:
        # With a profile the cores of this machine are no limit: its jobs may run elsewhere.
        snakemake += ["--cores", options.cores or "all"]
    if options.workflow_profile is not None:
        profile = Path(options.workflow_profile)
        ours = HOME / profile
        snakemake += ["--workflow-profile", str(profile if profile.exists() else ours)]
    return launch(
        Asked(
            data=options.data,
            run=options.run,
            configfiles=options.configfile,
            config=options.config,
            source=options.source,
            columns=options.columns,
            snakemake=[*snakemake, *options.snakemake],
            is_dry=options.dry_run,
            opens=options.open,
        )
    )


def _list(options: argparse.Namespace) -> None:
    registry = REGISTRIES[options.what]
    width = max(map(len, registry))
    for name in registry:
        plugin = registry[name]
        print(f"{name:{width}}  {registry.description(name)}")
        if issubclass(plugin, Metric):
            print(f"{'':{width}}  gives {', '.join(plugin.columns)}")


def _load(options: argparse.Namespace) -> Run:
    return load_run(read_config(options.configfile or [default_config()], options.config, TEXTS))


def _validate(options: argparse.Namespace) -> None:
    run = _load(options)
    _look_at(run)
    print(f"The configuration of run '{run.run}' is valid.")


def _look_at(run: Run) -> Plan:
    """Refuse a run as its workflow would, and say what else there is to say of its data."""
    plan = check_all(run)
    lines = [f"{name} is looked at when it has been downloaded." for name in plan.remote]
    if not plan.remote:
        lines += plan.lines(run.results.path(QUARANTINE))
    # Jobs may run on another machine than this one.
    for line in [*missing_devices(run), *lines]:
        print(f"Note: {line}", file=sys.stderr)
    return plan


def _plan(options: argparse.Namespace) -> None:
    run = _load(options)
    plan = _look_at(run)
    print(f"run       {run.run}: results in {run.results.folder}/")
    counted = "" if plan.remote else f", {len(plan.listing.rows):,} rows"
    names = ", ".join(f"{s.name} ({kind_of(s)})" for s in run.samples.sources)
    print(f"samples   {names}{counted}")
    print(f"variants  {', '.join(run.variants)}")
    unlabelled = [s.name for s in run.samples.sources if s.name not in run.labelled_sources]
    if unlabelled:
        print(f"labels    none in {', '.join(unlabelled)}")
    print(f"metrics   {', '.join(run.measured)}")
    for encoder in run.encoders:
        methods = run.pooling_methods(encoder.name)
        mapped = run.mapped_methods(encoder.name)
        print(f"encoder   {encoder.name} ({kind_of(encoder)})")
        print(f"  pool    {len(methods)}: {', '.join(methods)}")
        for method, reason in run.left_out(encoder.name).items():
            print(f"  without {method}: {reason}")
        print(f"  maps    {', '.join(run.map_names)} of {', '.join(mapped) or 'no method'}")


def _write(options: argparse.Namespace) -> None:
    asked = options.page.resolve()
    folder = next((f for f in asked.parents if RUN.below(f).exists()), None)
    if folder is None:
        raise LatentmapError(f"{options.page} is in no folder of a run.")
    results = Results.open(folder)
    use(results.config.get("plugins", ()))
    for page in listed_pages():
        for key in results.keys(page.file):
            if results.address(page.file, *key) == asked:
                if not asked.exists():  # Snakemake would not know what it was made from
                    raise LatentmapError(f"{options.page} is not made yet: run snakemake once.")
                names = dict(zip(page.file.wildcards, key, strict=True))
                page.write(results, **{name: names[name] for name in page.scope.value})
                print(f"Written: {options.page}")
                return
    raise LatentmapError(f"{options.page} is no page of the run '{results.name}'.")


def _bundle(options: argparse.Namespace) -> None:
    page: Path = options.page
    output = options.output or page.with_suffix(".bundled.html")
    write_text(output, bundle(page))
    print(f"Written: {output}, {output.stat().st_size / 1e6:.1f} MB")


def _view(options: argparse.Namespace) -> None:
    folder = options.run or last_explored(Path(RUNS))
    for line in check_explorer(folder):
        print(f"Note: {line}", file=sys.stderr)
    with make_server(folder, options.port) as server:
        print(f"{folder} is at {address(server)} until you press Ctrl-C.", flush=True)
        if not options.no_browser:
            webbrowser.open(address(server))
        with suppress(KeyboardInterrupt):
            server.serve_forever()


def _clean(options: argparse.Namespace) -> None:
    folders = options.run or sorted(path.parent for path in Path(RUNS).glob(f"*/{RUN.pattern}"))
    for folder in folders:
        files = old_shards(folder)
        if not files:
            print(f"Nothing to remove in {folder}.")
            continue
        shards = len(set(map(shard_of, files)))
        size = sum(path.stat().st_size for path in files) / 1e6
        if not options.dry_run:
            for path in files:
                path.unlink()
        print(
            f"{folder}: {len(files):,} files of {shards:,} old shard{'s' if shards > 1 else ''}, "
            f"{size:,.1f} MB, {'would be' if options.dry_run else 'are'} removed."
        )


def _adopt(options: argparse.Namespace) -> None:
    for line in adopt(options.run, options.configfile, options.config):
        print(line, flush=True)


def _diff(options: argparse.Namespace) -> None:
    before, after = map(Results.open, (options.before, options.after))
    print(f"{options.before} → {options.after}")
    for line in difference_lines(before, after, options.metric):
        print(line)


def _complete(options: argparse.Namespace) -> None:
    import shtab

    print(shtab.complete(_parser(), options.shell, preamble=COMPLETE_DATA[options.shell]))


def _schema(options: argparse.Namespace) -> None:
    print(json.dumps(json_schema(Run), indent=2))
