"""What a user typed is what is used, or one line says how to quote it."""

import pytest

from latentmap.errors import LatentmapError
from latentmap.given import read_config
from latentmap.run import TEXTS, load_run

SOURCE = {"sources": [{"kind": "folder"}]}
ENCODERS = [{"kind": "dct"}]

# Texts that YAML would take for something else, or for a part of themselves.
GUESSED = (
    *("007", "1_000", "1e3", "0x10", "12:30", "1.10", "2024", "2026-11-22", "on", "yes", "no"),
    *("True", "set #2", "data:", "a: b", "{a}/x", "[x]", "*a", "&a", "!x", "it's", "- x", "%d"),
)


@pytest.mark.parametrize("typed", GUESSED)
def test_a_text_of_the_command_line_is_what_was_typed(typed):
    config = read_config([], [f"input={typed}"], TEXTS)
    (source,) = load_run(
        {"run": "a", **config, "samples": SOURCE, "encoders": ENCODERS}
    ).samples.sources
    assert source.input == typed


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("'set #2'", "set #2"), ('"set #2"', "set #2"), ("'it''s'", "it's"), ("null", None)],
)
def test_quotes_and_null_mean_what_they_mean_in_yaml(typed, meant):
    assert read_config([], [f"input={typed}"], TEXTS) == {"input": meant}


@pytest.mark.parametrize("typed", [word for word in GUESSED if word[0] not in "{[*&!-%"])
def test_a_word_in_a_file_is_what_was_typed(tmp_path, typed):
    quoted = f'"{typed}"' if any(mark in typed for mark in (" #", ": ")) else typed
    quoted = f'"{typed}"' if typed.endswith(":") else quoted
    path = tmp_path / "a.yaml"
    path.write_text(f"label_groups: {{x: {{labels: [{quoted}]}}}}\nrun: {quoted}  # a comment")
    expected = {"run": typed, "label_groups": {"x": {"labels": [typed]}}}
    assert read_config([path]) == expected


def test_numbers_and_switches_are_read_from_what_was_typed():
    samples = "samples={sources: [{kind: scenes}], num_samples: 1_0, stratify: on}"
    pairs = [samples, "encoders=[{kind: dct, size: 64}]", "run=007", "metrics={knn_group: null}"]
    pairs += ["projections={tsne: null, umap: {min_dist: .5, dims: 3}}"]
    run = load_run(read_config([], pairs, TEXTS))
    assert (run.run, run.samples.num_samples, run.samples.stratify) == ("007", 10, True)
    assert (run.encoders[0].size, run.metrics.knn_group, run.map_names) == (
        64,
        None,
        ["pca", "umap"],
    )
    assert (run.projection("umap").min_dist, run.projection("umap").dims) == (0.5, 3)


@pytest.mark.parametrize(
    ("pair", "line"),
    [
        ("variants=[plain] #x", "'#x' would be a comment. Put quotes around"),
        ("samples={input: set #2}", "is no YAML (expected ',' or '}'"),
        ("samples={input: a, input: b}", "the key 'input' is there twice"),
        ("samples", "takes key=value, not 'samples'"),
    ],
)
def test_what_would_be_lost_is_refused_in_one_line(pair, line):
    with pytest.raises(LatentmapError) as error:
        read_config([], [pair], TEXTS)
    assert line in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("text", ["- a", "a", "a: 1\na: 2", "a: [", "a: *b", "\x07"])
def test_a_file_that_is_no_configuration_is_named_in_one_line(tmp_path, text):
    path = tmp_path / "a.yaml"
    path.write_text(text)
    with pytest.raises(LatentmapError) as error:
        read_config([path])
    assert str(path) in str(error.value) and "\n" not in str(error.value)


def test_later_files_replace_only_what_they_name(tmp_path):
    for name, text in {
        "a.yaml": "metrics: {knn_category: {k: 5}, knn_group: {k: 7}}\nvariants: [plain]",
        "b.yaml": "metrics: {knn_category: {k: 6}}",
    }.items():
        (tmp_path / name).write_text(text)
    config = read_config([tmp_path / "a.yaml", tmp_path / "b.yaml"], ["run=x"], TEXTS)
    assert config == {
        "metrics": {"knn_category": {"k": "6"}, "knn_group": {"k": "7"}},
        "variants": ["plain"],
        "run": "x",
    }
