"""Convolutions over time of one frame are convolutions in the plane."""

import pytest

from latentmap.encode.single_frame import PADDED_WITH_ZEROS, convolve_in_the_plane


@pytest.mark.parametrize("kind", ["AutoencoderKLWan", "AutoencoderKLQwenImage"])
def test_latents_of_a_frame_are_those_of_diffusers(kind, monkeypatch):
    diffusers, torch = pytest.importorskip("diffusers"), pytest.importorskip("torch")
    torch.manual_seed(0)
    model = getattr(diffusers, kind)(base_dim=8, z_dim=4, num_res_blocks=1).eval()
    with torch.inference_mode():
        frame, video = (torch.rand(2, 3, count, 32, 32) * 2 - 1 for count in (1, 5))
        before = [model.encode(one).latent_dist.mode() for one in (frame, video)]
        convolve_in_the_plane(model)
        after = [model.encode(one).latent_dist.mode() for one in (frame, video)]
        monkeypatch.setattr(torch.nn.Conv3d, "_conv_forward", None)  # no frame alone needs it
        model.encode(frame)
    assert any(type(module).__name__ in PADDED_WITH_ZEROS for module in model.modules())
    torch.testing.assert_close(after[0], before[0], rtol=1e-4, atol=1e-5)
    assert before[0].std() > 0.01
    torch.testing.assert_close(after[1], before[1], rtol=1e-4, atol=1e-5)
