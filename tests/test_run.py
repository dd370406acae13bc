"""Configurations: what is valid, what a wrong one is told, and what a valid one means."""

import json
from pathlib import Path

import numpy as np
import pytest
import yaml

from latentmap.errors import LatentmapError
from latentmap.given import read_config
from latentmap.metrics.metric import METRICS
from latentmap.pool.method import METHODS
from latentmap.run import created, load_run
from latentmap.samples.source import SOURCES

ROOT = Path(__file__).parents[1]
CONFIG = ROOT / "config"
READY = sorted(path.name for path in CONFIG.glob("*.yaml"))

SMALLEST = {
    "run": "a",
    "samples": {"sources": [{"kind": "scenes"}]},
    "encoders": [{"kind": "dct"}, {"kind": "metadata"}],
}


@pytest.mark.parametrize("name", READY)
def test_ready_configurations_are_valid_and_say_run_and_input(name):
    run = load_run(read_config([CONFIG / name]))
    assert {"run", "input"} <= set(yaml.safe_load((CONFIG / name).read_text()))
    assert run.run == Path(name).stem or name == "config.yaml"


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"encodres": []}, "encodres: Unknown key 'encodres'. Did you mean 'encoders'?"),
        ({"variants": ["boxs"]}, "Did you mean 'boxes'? Allowed: plain, boxes."),
        ({"methods": ["mena"]}, "Did you mean 'mean'?"),
        ({"methods": ["min", "mode_max"]}, "methods.1: 'mode_max' is called 'max' here."),
        ({"methods": "patch_8x8"}, "methods.0: 'patch_8x8' is called 'patch8' here."),
        ({"maps": ["minmax_concat"]}, "maps.0: 'minmax_concat' is called 'minmax' here."),
        ({"encoders": [{"kind": "dtc"}]}, "Unknown kind 'dtc'. Did you mean 'dct'?"),
        ({"encoders": [{"kind": "dct", "sise": 8}]}, "Unknown key 'sise'. Did you mean 'size'?"),
        ({"encoders": [{"size": 8}]}, "encoders.0: 'kind' is missing."),
        ({"samples": {"sources": [{"kind": "scenes", "imges": 1}]}}, "Did you mean 'images'?"),
        ({"metrics": {"knn_category": {"kk": 1}}}, "Unknown key 'kk'. Did you mean 'k'?"),
        ({"projections": {"umap": {"n_neighbor": 5}}}, "Did you mean 'n_neighbors'?"),
        ({"projections": {"map": {"kind": "umpa"}}}, "Did you mean 'umap'?"),
        ({"run": "a/b"}, "run: 'a/b' cannot be a name here, which is made of letters A to Z"),
        ({"run": "a" * 201}, "have up to 200 bytes"),
        ({"run": "a", "reference_run": "a"}, "reference_run names this run"),
        (
            {"reference_run": "b", "encoders": [{"kind": "tfidf"}]},
            "encoder tfidf is fitted to the samples of its own run",
        ),
        ({"encoders": [{"kind": "dct"}, {"kind": "dct"}]}, "several are called 'dct'"),
        ({"encoders": [{"kind": "dct", "name": "A"}, {"kind": "dct", "name": "a"}]}, "in case"),
        ({"encoders": [{"kind": "dct", "name": "Ranking.JSON"}]}, "name of a file of the results"),
        ({"draw": {"line_widht": 1}}, "Did you mean 'line_width'?"),
        ({"maps": ["nonexist"]}, "maps.0: Unknown value 'nonexist'."),
        ({"methods": []}, "methods: Tuple should have at least 1 item"),
        ({"variants": ["plain", "plain"]}, "variants: each name once, not plain, plain."),
        ({"metrics": {"knn_category": {"k": 91}}}, "metrics.knn_category.k is 91, more than"),
        ({"projections": {"tsne": {"perplexity": 31}}}, "tsne.perplexity is 93, more than"),
        ({"encoders": [{"kind": "dct", "name": ".."}]}, "encoders.0.dct.name: '..' cannot be"),
        ({"projections": {"my map": {"kind": "pca"}}}, "projections.my map: 'my map' cannot be"),
        ({"projections": {"a-b": {"kind": "pca"}}}, "is made of letters, digits and '_'"),
        ({"projections": {"PCA": {"kind": "pca"}}}, "'pca' and 'PCA' differ in case"),
        ({"samples": {"sources": [{"kind": "scenes", "name": "a/b"}]}}, "0.scenes.name: 'a/b' can"),
        ({"samples": {"sources": [{"kind": "scenes", "name": "{x}"}]}}, "'{x}' cannot be a name"),
        ({"annotations": [{"path": "a.csv", "name": "a\n"}]}, "cannot be shown"),
        ({"headline": "knn_group_ac"}, "headline: Unknown metric 'knn_group_ac'. Did you mean"),
        ({"headline": "silhouette"}, "headline: silhouette cannot rank methods: what single"),
        (
            {"headline": "knn_group_acc", "metrics": {"knn_group": None}},
            "headline: knn_group_acc is not measured; choose one of knn_category_acc,",
        ),
    ],
)  # fmt: skip
def test_a_wrong_key_or_value_is_told_what_is_allowed(change, line):
    with pytest.raises(LatentmapError) as error:
        load_run({**SMALLEST, **change})
    assert line in str(error.value)


def test_the_headline_is_a_measured_metric_that_can_rank():
    assert load_run(SMALLEST).headline == "knn_category_acc_grouped"
    assert load_run({**SMALLEST, "headline": "knn_group_acc"}).headline == "knn_group_acc"
    groups_only = {name: None for name in METRICS if name != "knn_group"}
    found = load_run({**SMALLEST, "metrics": groups_only})
    assert found.headline == found.model_dump()["headline"] == "knn_group_acc"


def test_a_part_that_is_refused_does_not_make_its_list_too_short():
    with pytest.raises(LatentmapError) as error:
        load_run({**SMALLEST, "encoders": [{"kind": "dct", "name": "."}]})
    assert "at least 1" not in str(error.value)


def test_all_mistakes_are_told_at_once():
    with pytest.raises(LatentmapError) as error:
        load_run({**SMALLEST, "variants": ["x"], "mapps": []})
    assert "variants.0" in str(error.value) and "mapps" in str(error.value)


def test_methods_may_be_listed_as_on_a_command_line():
    run = load_run({**SMALLEST, **read_config([], ["methods=min, max", "maps=max"])})
    assert run.methods == ("min", "max")
    assert run.maps == ("max",)


def test_input_reaches_every_part_that_names_none():
    config = {
        **SMALLEST,
        "input": "data.npz",
        "samples": {"sources": [{"kind": "npz"}, {"kind": "folder", "input": "pictures"}]},
        "encoders": [{"kind": "cached"}],
    }
    run = load_run(config)
    assert [source.input for source in run.samples.sources] == ["data.npz", "pictures"]
    assert run.encoders[0].input == "data.npz"


def test_vectors_are_embeddings_already():
    run = load_run({**SMALLEST, "maps": ["mean"]})
    assert run.pooling_methods("dct") == list(METHODS)
    assert run.mapped_methods("dct") == ["mean"]
    assert run.pooling_methods("metadata") == run.mapped_methods("metadata") == ["flatten"]


def npz_run(tmp_path, *rows, **columns):
    """A run of a cache whose metadata are these rows."""
    path = tmp_path / f"{len(columns)}.npz"
    np.savez(path, latents=np.ones((len(rows), 2, 16, 16), np.float32), metadata=json.dumps(rows))
    source = {"kind": "npz", "input": str(path), **({"columns": columns} if columns else {})}
    encoders = [{"kind": "cached", "input": str(path)}, {"kind": "dct", "size": 256}]
    return load_run({"run": "a", "samples": {"sources": [source]}, "encoders": encoders})


def test_a_cache_is_asked_for_what_was_configured_only(tmp_path):
    rows = [{"id": "a", "qa_category": "x"}, {"id": "b", "qa_category": "y"}]
    index = SOURCES.create(**created(npz_run(tmp_path, *rows).samples.sources[0])).index()
    assert index["label"].to_list() == ["x", "y"]
    asked = npz_run(tmp_path, *rows, label_group="label_group")
    with pytest.raises(LatentmapError, match="Unknown column 'label_group'"):
        SOURCES.create(**created(asked.samples.sources[0])).index()


def test_a_method_of_boxes_is_left_out_where_no_source_has_any(tmp_path):
    reason = {"region": "needs boxes, and no source has any"}
    plain = {"id": "a", "qa_category": "x"}
    assert npz_run(tmp_path, plain).left_out("cached") == reason
    assert npz_run(tmp_path, plain).left_out("dct") == reason
    assert npz_run(tmp_path, {**plain, "boxes": [[0, 0, 1, 1]]}).left_out("dct") == {}
    folder = {**SMALLEST, "encoders": [{"kind": "dct"}]}
    for columns, left_out in (({}, reason), ({"boxes": "bbox"}, {})):
        source = {"kind": "folder", "input": "x", "labels": "t.csv", "columns": columns}
        run = load_run({**folder, "samples": {"sources": [source]}})
        assert run.left_out("dct") == left_out
        # One source with boxes is enough.
        sources = [source, {"kind": "scenes"}]
        assert load_run({**folder, "samples": {"sources": sources}}).left_out("dct") == {}
    with pytest.raises(LatentmapError, match="encoder dct: region needs boxes, and no source has"):
        load_run({**folder, "methods": ["region"], "samples": {"sources": [{"kind": "folder"}]}})


def test_methods_that_latents_are_too_small_for_are_left_out_with_the_reason():
    small = {**SMALLEST, "encoders": [{"kind": "dct", "size": 64}]}
    run = load_run(small)
    reason = "needs 16 positions a side, and the latents have 8 × 8"
    assert run.left_out("dct") == {"patch16": reason}
    assert set(METHODS) - set(run.pooling_methods("dct")) == {"patch16"}
    named = load_run({**small, "methods": ["mean", "patch16"], "maps": ["mean", "patch16"]})
    assert named.pooling_methods("dct") == named.mapped_methods("dct") == ["mean"]
    with pytest.raises(LatentmapError, match=f"encoder dct: patch16 {reason}; choose other"):
        load_run({**small, "methods": ["patch16"]})


def test_a_map_is_named_by_its_key_and_null_leaves_it_out():
    config = {**SMALLEST, "projections": {"pca": {}, "tsne": None, "wide": {"kind": "umap"}}}
    run = load_run(config)
    assert run.map_names == ["pca", "umap", "wide"]
    assert run.projection("wide").kind == "umap"
    assert load_run(SMALLEST).map_names == ["pca", "tsne", "umap"]
    for nothing in ({}, None):
        assert load_run({**SMALLEST, "projections": nothing}).map_names == []


def test_what_depends_on_all_samples_of_a_run_has_no_place_in_anothers_maps():
    alone = load_run({**SMALLEST, "methods": ["mean", "mean_pca2"]})
    assert alone.mapped_methods("dct") == alone.comparable_methods("dct") == ["mean", "mean_pca2"]
    placed = load_run({**SMALLEST, "methods": ["mean", "mean_pca2"], "reference_run": "old"})
    assert placed.pooling_methods("dct") == ["mean", "mean_pca2"]
    assert placed.mapped_methods("dct") == placed.comparable_methods("dct") == ["mean"]


def test_label_groups_may_be_a_file(tmp_path, monkeypatch):
    path = tmp_path / "groups.yaml"
    path.write_text("Pets: {color: '#123456', labels: [cat, dog]}")
    run = load_run({**SMALLEST, "label_groups": str(path)})
    assert run.label_to_group == {"cat": "Pets", "dog": "Pets"}
    assert run.group_colors == {"Pets": "#123456"}
    path.write_text("Pets: {labels: [cat], colour: '#123456'}")
    with pytest.raises(LatentmapError, match=r"label_groups\.Pets\.colour: .* 'color'"):
        load_run({**SMALLEST, "label_groups": str(path)})
    with pytest.raises(LatentmapError, match=r"Cannot read .*gone\.yaml"):
        load_run({**SMALLEST, "label_groups": "gone.yaml"})
    with pytest.raises(LatentmapError, match="characters that cannot be shown"):
        load_run({**SMALLEST, "label_groups": {"a\x01": {"labels": ["cat"]}}})
    for nothing in ({}, None):
        assert load_run({**SMALLEST, "label_groups": nothing}).label_groups == {}
    monkeypatch.chdir(ROOT)
    demo, benchmark = (
        load_run(read_config([CONFIG / name])) for name in ("config.yaml", "spatialrgpt.yaml")
    )
    assert demo.label_groups == benchmark.label_groups
    assert demo.label_to_group["direction"] == "Direction"
