"""The command line lists what there is, and checks and shows configurations."""

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from latentmap import cli
from latentmap.cli import REGISTRIES, main
from latentmap.run import Run

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def in_project(monkeypatch):
    monkeypatch.chdir(ROOT)


def test_list_names_the_columns_of_metrics(capsys):
    assert main(["list", "metrics"]) == 0
    _, _, after = capsys.readouterr().out.partition("\nprobe_linear ")
    assert after.splitlines()[1].split() == [
        *("gives", "probe_linear_acc,", "probe_linear_balanced_acc,", "probe_linear_macro_f1")
    ]


@pytest.mark.parametrize("what", REGISTRIES)
def test_list_gives_every_plugin_a_line_of_description(what, capsys):
    assert main(["list", what]) == 0
    lines = capsys.readouterr().out.splitlines()
    of_plugins = [line.split() for line in lines if not line.startswith(" ")]
    assert [name for name, *_ in of_plugins] == list(REGISTRIES[what])
    assert all(len(words) > 3 for words in of_plugins)


def test_plan_shows_what_would_be_computed(capsys):
    assert main(["plan", "--config", "run=mine"]) == 0
    shown = capsys.readouterr().out
    assert "results/mine/" in shown
    assert "scenes (scenes), 384 rows" in shown
    assert "tiny-vae" in shown and "umap" in shown


def test_a_wrong_value_is_one_clear_answer(capsys):
    assert main(["validate", "--config", "variants=[box]"]) == 1
    assert "Did you mean 'boxes'?" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["validate", "plan"])
def test_data_that_cannot_be_used_is_one_clear_answer(command, capsys, tmp_path):
    given = ["--configfile", "config/folder.yaml", "--config", f"input={tmp_path}/gone #2"]
    assert main([command, *given]) == 1
    said = capsys.readouterr()
    assert said.err == f"Error: {tmp_path}/gone #2: no such folder. Check 'input'.\n"
    assert said.out == ""


def test_valid_configuration(capsys):
    assert main(["validate"]) == 0
    assert "'demo' is valid" in capsys.readouterr().out


def test_the_schema_describes_every_key_of_a_run(capsys):
    main(["schema"])
    schema = json.loads(capsys.readouterr().out)
    assert all(schema["properties"][name].get("description") for name in Run.model_fields)
    assert schema["properties"]["run"]["description"].startswith("name of the run; its results")
    inherited = schema["$defs"]["DctOptions"]["properties"]["resampling"]
    assert inherited["description"] == "how an image is brought to this size."
    assert "Attributes" not in schema["description"]


def test_a_configuration_has_nothing_of_the_default_run(tmp_path, capsys):
    path = tmp_path / "short.yaml"
    path.write_text("{run: short, samples: {sources: [{kind: scenes}]}, encoders: [{kind: dct}]}")
    assert main(["plan", "--configfile", str(path)]) == 0
    shown = capsys.readouterr().out
    assert "variants  plain\n" in shown
    assert "maps    pca, tsne, umap of channel, covariance, flatten" in shown
    path.write_text("encoders: [{kind: dct}]")
    assert main(["validate", "--configfile", str(path)]) == 1
    said = capsys.readouterr().err
    assert "run: this key is missing." in said and "samples: this key is missing." in said


def test_plan_says_which_sources_have_no_labels(tmp_path, capsys):
    path = tmp_path / "t.jsonl"
    path.write_text('{"prompt": "one"}\n{"prompt": "two"}\n{"prompt": "three"}\n')
    sources = "samples={sources: [{kind: jsonl, columns: {label: null}}]}"
    encoders = "encoders=[{kind: tfidf, min_df: 1, dims: 2}]"
    given = ["--configfile", "config/jsonl.yaml", "--config", f"input={path}", sources, encoders]
    assert main(["plan", *given]) == 0
    shown = capsys.readouterr().out
    assert "labels    none in jsonl\n" in shown
    measured = next(line for line in shown.splitlines() if line.startswith("metrics"))
    assert "effective_dim" in measured and "silhouette" not in measured


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_what_completes_commands_is_a_valid_script(shell, capsys):
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert all(name in script for name in ("--workflow-profile", "--dry-run", "docstrings"))
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=script, text=True, check=True)


def test_bash_completes_ready_configurations_files_and_options(tmp_path, capsys):
    (tmp_path / "data.npz").touch()
    assert main(["completion", "bash"]) == 0
    script = capsys.readouterr().out
    script += """
        ask() {
            COMP_WORDS=(latentmap run "$1"); COMP_CWORD=2; COMPREPLY=()
            "_shtab_latentmap" latentmap "$1" run; echo "${COMPREPLY[@]}"
        }
        ask d; ask --workf
    """
    done = subprocess.run(
        ["bash"], input=script, text=True, check=True, capture_output=True, cwd=tmp_path
    )
    assert done.stdout.splitlines() == ["demo docstrings data.npz", "--workflow-profile"]


def test_help_teaches_by_examples_that_are_understood(capsys):
    """Every command of an example is one that the command line takes."""
    shown = ""
    for command in ([], ["run"]):
        with pytest.raises(SystemExit, match="0"):
            main([*command, "--help"])
        shown += capsys.readouterr().out
    examples = re.findall(r"^  (latentmap \S.*?)(?:  +.*)?$", shown, re.MULTILINE)
    assert len(examples) > 10
    for example in examples:
        words = shlex.split(example)[1:]
        given = words[: words.index("--")] if "--" in words else words
        if given[0] != "COMMAND":
            cli._parser().parse_args(given)
