"""A model that cannot be had is one line, whatever encoder asks for it."""

import pytest

from latentmap.encode.encoder import ENCODERS
from latentmap.errors import LatentmapError


@pytest.mark.parametrize("kind", ["image", "sentence", "vae"])
def test_an_unknown_model_offline_is_one_clear_line(kind, monkeypatch):
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    encoder = ENCODERS.create(kind, {"model": "organisation/no-such-model", "device": "cpu"})
    with pytest.raises(LatentmapError, match="no such folder, and the Hugging Face hub") as caught:
        encoder.load()
    assert "\n" not in str(caught.value)
