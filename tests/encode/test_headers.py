"""What is wrong with files of weights shows before any is loaded."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from latentmap.encode.headers import check_file, read_folder, read_shapes
from latentmap.encode.models import check_model, known_json
from latentmap.errors import LatentmapError

WEIGHTS = {"a.weight": np.zeros((3, 2, 1), np.float16), "b": np.zeros((0, 4)), "c": np.float32(1)}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    arrays = {name: np.asarray(value) for name, value in WEIGHTS.items()}
    save_file(arrays, tmp_path / "model.safetensors", metadata={"format": "pt"})
    return tmp_path / "model.safetensors"


def test_names_and_shapes_are_those_of_the_weights(path: Path) -> None:
    assert read_shapes(path) == {"a.weight": (3, 2, 1), "b": (0, 4), "c": ()}
    assert read_folder(path.parent) == read_shapes(path)


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-1],
        lambda data: data + b"\0",
        lambda data: data[:20],
        lambda data: data[:5],
        lambda data: b"",
        lambda data: b"\xff" * 8 + data[8:],
        lambda data: data.replace(b"shape", b"shale"),
        lambda data: data.replace(b"[3,2,1]", b'"3,2,1"'),
        lambda data: b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
        lambda data: (2).to_bytes(8, "little") + b"[]",
    ],
)
def test_a_file_that_is_not_whole_is_one_line(path: Path, damage) -> None:
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(LatentmapError, match="no whole safetensors file") as caught:
        read_folder(path.parent)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("legacy", [False, True])
def test_a_file_that_torch_saved_is_whole_or_refused(tmp_path: Path, legacy: bool) -> None:
    import torch

    path = tmp_path / "model.pth"
    torch.save({"a": torch.zeros(9)}, path, _use_new_zipfile_serialization=not legacy)
    check_file(path)
    path.write_bytes(b"<html>not found</html>" if legacy else path.read_bytes()[:-9])
    with pytest.raises(LatentmapError, match=r"no whole file that torch\.save wrote"):
        check_file(path)
    with pytest.raises(LatentmapError, match="no such file"):
        check_file(tmp_path / "none.pth")


def test_a_file_that_an_index_names_must_be_there(path: Path) -> None:
    index = path.with_name("model.safetensors.index.json")
    index.write_text(json.dumps({"weight_map": {"a.weight": path.name}}))
    assert set(read_folder(path.parent)) == set(WEIGHTS)
    index.write_text(json.dumps({"weight_map": {"a.weight": path.name, "d": "2.safetensors"}}))
    with pytest.raises(LatentmapError, match=r"lacks 1 of the files .* \(2.safetensors\)"):
        read_folder(path.parent)
    index.write_text("[]")
    with pytest.raises(LatentmapError, match="is no index of weights"):
        read_folder(path.parent)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "config.json is no JSON ("),
        ("[" * 100_000, "config.json is no JSON ("),
        ("[]", "config.json is no JSON object."),
    ],
)
def test_a_damaged_configuration_of_a_model_is_one_line(path: Path, text: str, said: str) -> None:
    (path.parent / "config.json").write_text(text)
    with pytest.raises(LatentmapError, match=re.escape(said)):
        check_model(str(path.parent))
    if not said.endswith("object."):
        assert known_json(str(path.parent), "config.json") is None
        path.with_name("model.safetensors.index.json").write_text(text)
        with pytest.raises(LatentmapError, match=re.escape("index.json is no JSON (")):
            read_folder(path.parent)


@pytest.mark.parametrize("kind", ["vae", "image", "sentence"])
def test_encoders_look_at_headers_when_a_run_is_planned(path: Path, kind: str) -> None:
    (path.parent / "config.json").write_text('{"_class_name": "AutoencoderKL"}')
    path.write_bytes(path.read_bytes()[:-1])
    code = (
        "import sys\nfrom latentmap.encode.encoder import ENCODERS\n"
        f"try: ENCODERS.create({kind!r}, {{'model': {str(path.parent)!r}}}).check()\n"
        "except Exception as error: print(error)\n"
        "print({'torch', 'diffusers', 'transformers'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    message, heavy = done.stdout.splitlines()
    assert "no whole safetensors file" in message and heavy == "set()"
