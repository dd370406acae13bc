"""What comes with latentmap is found from any folder, and known by a name that is no path here."""

import yaml

from latentmap import home
from latentmap.run import created, load_run

GIVEN = {
    "run": "r",
    "samples": {"sources": [{"kind": "scenes"}]},
    "encoders": [{"kind": "vae", "model": "resources/tiny-vae"}],
    "label_groups": "resources/label_groups/spatialrgpt.yaml",
}


def test_what_comes_with_latentmap_is_found_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = load_run(GIVEN)
    (encoder,) = run.encoders
    assert encoder.model == f"{home.HOME}/resources/tiny-vae"
    groups = yaml.safe_load((home.HOME / GIVEN["label_groups"]).read_text())
    assert list(run.label_groups) == list(groups)


def test_a_run_knows_it_by_a_name_that_holds_wherever_latentmap_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = load_run(GIVEN)
    assert created(run.encoders[0])["options"]["model"] == "resources/tiny-vae"
    assert run.facts.config["encoders"][0]["model"] == "resources/tiny-vae"


def test_what_lies_in_the_current_folder_goes_before_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "resources/tiny-vae").mkdir(parents=True)
    (encoder,) = load_run(GIVEN).encoders
    assert encoder.model == "resources/tiny-vae"
    # One elsewhere is named as it was given, although a file here has the name.
    theirs = f"{home.HOME}/resources/tiny-vae"
    (encoder,) = load_run({**GIVEN, "encoders": [{"kind": "vae", "model": theirs}]}).encoders
    assert created(encoder)["options"]["model"] == theirs


def test_the_default_run_is_read_from_here_or_from_where_latentmap_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert home.default_config() == f"{home.HOME}/config/config.yaml"
    (tmp_path / "config").mkdir()
    (tmp_path / "config/config.yaml").touch()
    assert home.default_config() == "config/config.yaml"


def test_an_installed_package_is_linked_to_by_itself(tmp_path):
    package = tmp_path / "site-packages" / "latentmap"
    (package / "shipped").mkdir(parents=True)
    links = tmp_path / "links"
    for _ in range(2):
        assert home.importable(package / "shipped", links) == str(links)
    assert [p.name for p in links.iterdir()] == ["latentmap"]
    assert (links / "latentmap").samefile(package)
    (tmp_path / "src").mkdir()
    assert home.importable(tmp_path, links) == str(tmp_path / "src")
