"""The probe of published models, run with random weights of their classes."""

import json
from pathlib import Path

import pytest
import yaml

from latentmap.store.results import PAIRS, TARGET_FACTS, WHAT_IS_KEPT, Results
from latentmap.store.tables import read_parquet

pytestmark = pytest.mark.slow

CONFIG = Path(__file__).parents[2] / "config" / "probe.yaml"
VIT = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "image_size": 32,
    "patch_size": 8,
}
PROCESSOR = {"size": {"height": 32, "width": 32}}


def save_models(folder):
    """Save tiny models of the published classes with random weights, as theirs are saved."""
    import diffusers
    import torch
    import transformers

    torch.manual_seed(0)
    wan = diffusers.AutoencoderKLWan(base_dim=4, z_dim=16, num_res_blocks=1)
    wan.save_pretrained(folder / "wan" / "vae")
    text = {**VIT, "num_hidden_layers": 1, "vocab_size": 50, "max_position_embeddings": 8}
    text |= {"projection_size": 32, "bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1}
    for name, config, processor in (
        ("SiglipModel", {"vision_config": VIT, "text_config": text}, "SiglipImageProcessor"),
        ("Dinov2WithRegistersModel", VIT, "BitImageProcessor"),
    ):
        kind = getattr(transformers, name)
        kind(kind.config_class(**config)).save_pretrained(folder / name)
        stated = {"image_processor_type": processor, "crop_size": PROCESSOR["size"], **PROCESSOR}
        (folder / name / "preprocessor_config.json").write_text(json.dumps(stated))


@pytest.fixture(scope="module")
def probe(fresh, tmp_path_factory) -> Results:
    project = fresh.copy(tmp_path_factory.mktemp("probe") / "project")
    folder = tmp_path_factory.mktemp("models")
    save_models(folder)
    config = yaml.safe_load(CONFIG.read_text())
    [source] = config["samples"]["sources"]
    source["images"] = 48
    local = {
        "Wan-AI": {"model": str(folder / "wan"), "size": 64, "dtype": "float32", "revision": None},
        "google": {"model": str(folder / "SiglipModel")},
        "facebook": {"model": str(folder / "Dinov2WithRegistersModel")},
    }
    for encoder in config["encoders"]:
        encoder |= local.get(encoder.get("model", "").partition("/")[0], {"size": 64})
    config["encoders"][-1] = {"kind": "metadata"}
    config |= {"methods": ["mean", "patch4"], "maps": [], "explorer": None}
    path = project.folder / "config" / "tiny_probe.yaml"
    path.write_text(yaml.safe_dump(config))
    wanted = [f"results/probe/targets/{name}.parquet" for name in ("what_is_kept", "pairs")]
    project.run_snakemake("--configfile", str(path), "--", *wanted)
    return Results.open(project.folder / "results" / "probe")


def test_every_encoder_is_measured_on_every_target(probe: Results) -> None:
    names = [one["name"] for one in probe.read(TARGET_FACTS)["targets"]]
    assert {"box_pairs.dx", "box_pairs.dy", "first_colour", "light_from", "background"} <= {*names}
    kept = read_parquet(probe.path(WHAT_IS_KEPT)).to_pylist()
    assert {(row["encoder"], row["target"]) for row in kept} == {
        (encoder, name) for (encoder,) in probe.encoders for name in names
    }
    # Where the boxes are is in the metadata, and the light is not.
    told = {row["target"]: row for row in kept if row["encoder"] == "metadata" and row["headline"]}
    assert told["box_pairs.dx"]["kept"] > 0.9 and told["light_from"]["p_adjusted"] > 0.05


def test_pairs_of_every_change_are_compared_in_every_embedding(probe: Results) -> None:
    rows = read_parquet(probe.path(PAIRS)).to_pylist()
    changes = ("first_side", "first_level", "background", "light_from")
    assert {
        (*(row[k] for k in ("encoder", "variant", "method")), row["change"]) for row in rows
    } == {(*key, change) for key in probe.methods for change in changes}
    by_metadata = {row["change"]: row for row in rows if row["encoder"] == "metadata"}
    assert by_metadata["first_side"]["direction"] > 0.99
    assert by_metadata["background"]["unchanged"] == by_metadata["background"]["pairs"] == 16
    dct = {
        row["change"]: row for row in rows if row["encoder"] == "dct" and row["method"] == "mean"
    }
    assert dct["background"]["direction"] > 0.9 and dct["first_side"]["size"] < 0.01
