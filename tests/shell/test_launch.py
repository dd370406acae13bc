"""The configuration that a command makes, and what is refused before anything is written."""

import numpy as np
import pytest

from latentmap import cli
from latentmap.errors import LatentmapError
from latentmap.given import config_text, read_config
from latentmap.home import HOME
from latentmap.run import load_run
from latentmap.shell import launch as launching
from latentmap.shell.launch import READY, Asked, configure, run_name


@pytest.fixture
def vectors(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("v.npy", np.eye(12, 5, dtype=np.float32))
    return "v.npy"


@pytest.mark.parametrize("name", READY)
def test_ready_runs_are_those_of_their_files(name):
    config, said = configure(Asked(name))
    assert config == read_config([HOME / f"config/{READY[name]}.yaml"])
    assert config["run"] == name and READY[name] in said


@pytest.mark.parametrize("file", sorted((HOME / "config").glob("*.yaml")), ids=lambda p: p.stem)
def test_a_written_configuration_is_read_as_it_was(file, tmp_path):
    config = read_config([file], ["run=007", "input=set #2: {x} 'y'"], ("run", "input"))
    (tmp_path / "c.yaml").write_text(config_text(config))
    assert read_config([tmp_path / "c.yaml"]) == config


def test_what_is_asked_for_goes_over_what_is_found(vectors):
    asked = Asked(
        vectors, run="mine", config=["neighbors={k: 97}"], source=["columns={label: null}"]
    )
    run = load_run(configure(asked)[0])
    assert (run.run, run.input, run.neighbors.k) == ("mine", "v.npy", 97)
    own = configure(Asked("other.npy", configfiles=[HOME / "config/vectors.yaml"]))[0]
    assert (own["run"], own["input"]) == ("vectors", "other.npy")


@pytest.mark.parametrize(
    ("data", "name"),
    [("set #2", "set_2"), ("a b'c.tar.gz", "a_b_c"), ("…", "run"), (".hidden.csv", "hidden.csv")],
)
def test_the_name_of_a_run_is_that_of_its_data_in_plain_letters(tmp_path, data, name):
    assert run_name(tmp_path / data) == name


def test_results_of_other_data_are_not_written_over(vectors, monkeypatch):
    from latentmap.store.results import RUN, write_run_facts

    run = load_run(configure(Asked(vectors))[0])
    write_run_facts(RUN.below(run.results.folder), run.facts)
    launching._refuse_other_data(run)
    other = run.model_copy(update={"input": "w.npy"})
    with pytest.raises(LatentmapError, match=r"results/v has the results of v\.npy\..*--run NAME"):
        launching._refuse_other_data(other)


@pytest.fixture
def called(monkeypatch):
    calls = []
    monkeypatch.setattr(cli, "launch", lambda asked: calls.append(asked) or 0)
    return calls


def test_what_follows_two_dashes_is_for_snakemake(called):
    assert cli.main(["run", "demo", "--cores", "3", "-n", "--", "--keep-incomplete", "-p"]) == 0
    assert called == [
        Asked("demo", snakemake=["--cores", "3", "--keep-incomplete", "-p"], is_dry=True,
              configfiles=[], config=[], source=[], columns=[])
    ]  # fmt: skip


def test_nothing_else_takes_arguments_for_snakemake(called, capsys):
    assert cli.main(["list", "methods", "--", "-p"]) == 2
    assert "is for `latentmap run`" in capsys.readouterr().err and not called


def test_a_profile_that_comes_with_latentmap_is_found(called, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cli.main(["run", "demo", "--workflow-profile", "profiles/slurm"])
    # The cores of this machine are no limit for a cluster.
    assert called[0].snakemake == ["--workflow-profile", str(HOME / "profiles/slurm")]
    (tmp_path / "profiles/slurm").mkdir(parents=True)
    cli.main(["run", "demo", "--workflow-profile", "profiles/slurm"])
    assert called[1].snakemake[-1] == "profiles/slurm"
