"""docs/coming-from-a-script.md names only what there is, and gives a reason for what is otherwise.

Each table of the page has the columns `there | here | means | remark`:

- there: the option, output, control or number of the old program; not checked.
- here: what does the same now. Everything in backticks is looked up (see `problem`): a key of the
  configuration (`thumbnails.size`), of an encoder, source or map (`batch_size`) or a mapping of
  such (`report: {side_by_side: true}`), the name of a plug-in, a metric or a chart, a column of a
  table in `COLUMNS`, a file of the project (`config/npz.yaml`), a file of a run with its wildcards
  (`report/{encoder}/{variant}/maps.html`), or a command of `snakemake`, `latentmap` or `make`. A
  gesture (hover, click) stands without backticks.
- means: one of `MEANINGS`; the last two need a remark of at least one sentence.
- remark: commands, mappings and paths in backticks are looked up, too; other backticks may be
  values, or names of the old program.

Rows belong to the program in the heading above them; no two of them say the same of `there`.
"""

from __future__ import annotations

import io
import re
import shlex
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from pathlib import Path

import pytest
import yaml

from latentmap.cli import REGISTRIES, main
from latentmap.config import Options
from latentmap.metrics.metric import Measurement, known_metrics
from latentmap.report.channel_chart import CHANNEL_CHARTS
from latentmap.report.experiments import Experiment, Key
from latentmap.report.page import listed_pages
from latentmap.report.table import metrics_table
from latentmap.run import Run
from latentmap.schema import keys
from latentmap.store import results as book

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "coming-from-a-script.md"
MEANINGS = ("same", "better", "different on purpose", "missing")

SHARES = ("knn_category_acc", "random_baseline_category")
MEASURED = {name: Measurement(0.5, chance=0.1, effect=0.4) for name in SHARES}
COLUMNS = {"id", "label", "label_group", "source_group", "source"} | set(
    metrics_table([Experiment(Key("vae", "plain", "mean"), MEASURED, {})], {}).columns
)
"""Columns of tables that may be named: those of samples, and of the table of metrics."""


class Row(dict[str, str]):
    """One row: its cells by column, and the `program` that it is about."""


@cache
def rows() -> list[Row]:
    program, header, found = "", [], []
    for line in PAGE.read_text("utf-8").splitlines():
        if line.startswith("## "):
            program, header = line.removeprefix("## "), []
        elif line.startswith("|"):
            cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            if not header:
                header = cells
            elif set("".join(cells)) != {"-"}:
                assert len(cells) == len(header), f"{len(cells)} cells: {line}"
                found.append(Row(zip(header, cells, strict=True), program=program))
    return found


def code(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


@cache
def known_keys() -> frozenset[str]:
    """Keys of the configuration and of the options of all plug-ins."""
    found = {key.name for key in keys(Run)}
    for registry in REGISTRIES.values():
        for name in registry:
            found |= {key.name for key in keys(registry[name].Options)}
    return frozenset(found)


@cache
def known_names() -> frozenset[str]:
    plugins = {name for registry in REGISTRIES.values() for name in registry}
    return frozenset(plugins | set(CHANNEL_CHARTS) | set(known_metrics()) | COLUMNS)


@cache
def targets() -> frozenset[str]:
    files = [ROOT / "Snakefile", *(ROOT / "rules").glob("*.smk")]
    written = re.findall(r"^rule (\w+):", "\n".join(f.read_text() for f in files), re.M)
    return frozenset(written) | {f"write_{page.kind}" for page in listed_pages()}


@cache
def patterns() -> list[re.Pattern[str]]:
    artifacts = [value for value in vars(book).values() if isinstance(value, book.Artifact)]
    artifacts += [page.file for page in listed_pages()]
    made = []
    for artifact in artifacts:
        literal = [re.escape(part) for part in re.split(r"\{\w+\}", artifact.pattern)]
        made.append(re.compile("[^/]+".join(literal)))
    return made


def problem(text: str) -> str | None:
    """Say what is wrong with something in backticks, if it is nothing that there is."""
    if text.startswith(("snakemake ", "latentmap ", "make ")):
        return next(command_problems(text), None)
    if ": " in text:
        return next(mapping_problems(yaml.safe_load(text), ""), None)
    if text in known_keys() or text in known_names():
        return None
    if (ROOT / text).exists() or any(pattern.fullmatch(text) for pattern in patterns()):
        return None
    return f"'{text}' is no key, name, file or command"


@cache
def is_command(name: str) -> bool:
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        try:
            main([name, "--help"])
        except SystemExit as ended:
            return ended.code == 0
    return False


def command_problems(text: str) -> Iterator[str]:
    program, *words = shlex.split(text)
    if program == "make":
        if not re.search(rf"^{words[0]}:", (ROOT / "Makefile").read_text(), re.M):
            yield f"make has no target {words[0]}"
        return
    if program == "latentmap":
        if not is_command(words[0]):
            yield f"latentmap has no command {words[0]}"
        if words[0] == "list" and words[1] not in REGISTRIES:
            yield f"there is no list of {words[1]}"
        return
    for word, before in zip(words, ["", *words], strict=False):
        if before == "--configfile" and not (ROOT / word).exists():
            yield f"there is no {word}"
        elif "=" in word and not word.startswith("-") and word.split("=")[0] not in known_keys():
            yield f"there is no key {word.split('=')[0]}"
        elif re.fullmatch(r"\w+", word) and not before.startswith("--") and word not in targets():
            yield f"there is no rule {word}"


def mapping_problems(value: object, path: str) -> Iterator[str]:
    """Yield the keys of a mapping that do not exist; one with a `kind` has a plug-in's options."""
    if isinstance(value, list):
        for item in value:
            yield from mapping_problems(item, path)
    elif isinstance(value, dict):
        options = plugin_options(value.get("kind"))
        for key, inner in value.items():
            place = f"{path}.{key}" if path else key
            is_map = path == "projections" and (inner is None or isinstance(inner, dict))
            allowed = {key for model in options for key in model.model_fields}
            if not (key == "kind" or key in allowed or place in known_keys() or is_map):
                yield f"there is no key {place}"
            yield from mapping_problems(inner, "" if is_map else place)


def plugin_options(kind: object) -> list[type[Options]]:
    return [registry[kind].Options for registry in REGISTRIES.values() if kind in set(registry)]


def test_every_row_says_whether_it_means_the_same_and_why_it_does_not():
    assert rows()
    for row in rows():
        assert row["means"] in MEANINGS, row
        if row["means"] in MEANINGS[2:]:
            assert re.search(r"[\w`]\.$", row["remark"]), f"a reason is missing: {row}"


def test_no_row_is_there_twice():
    said = [(row["program"], row["there"]) for row in rows()]
    assert len(set(said)) == len(said)


@pytest.mark.parametrize("program", dict.fromkeys(row["program"] for row in rows()))
def test_all_that_is_named_exists(program):
    own = [row for row in rows() if row["program"] == program]
    named = {text for row in own for text in code(row["here"])}
    named |= {
        text for row in own for text in code(row["remark"]) if re.search(r"[:/] ?\w|^\w+ ", text)
    }
    wrong = {text: found for text in sorted(named) if (found := problem(text))}
    assert not wrong


@pytest.mark.parametrize(
    "text",
    [
        *(
            "thumbnails.sizes",
            "snakemake no_such_rule",
            "latentmap nothing",
            "make none",
            "config/none.yaml",
        ),
        *("report: {beside: true}", "report/{encoder}/none.html", "no_such_metric"),
        "projections: {umap: {kind: umap, no_such_option: 1}}",
    ],
)
def test_what_does_not_exist_is_found_out(text):
    assert problem(text)
