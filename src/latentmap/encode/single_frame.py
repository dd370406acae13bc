"""Autoencoders of videos on single frames."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

PADDED_WITH_ZEROS = ("WanCausalConv3d", "QwenImageCausalConv3d")
"""Classes of diffusers whose convolutions over time see zeros before the first frame."""


def convolve_in_the_plane(model: torch.nn.Module) -> None:
    """Let causal convolutions over time be convolutions in the plane where there is one frame.

    Of a kernel over time only the last slice meets the frame; all others meet zeros. It takes half
    the time, and gives the same but for rounding.
    """
    for module in model.modules():
        if type(module).__name__ in PADDED_WITH_ZEROS:
            module.forward = partial(_convolved, module)


def _convolved(module: Any, frames: torch.Tensor, before: Any = None) -> torch.Tensor:
    import torch.nn.functional as F  # noqa: N812

    if before is not None or frames.shape[2] != 1:
        return type(module).forward(module, frames, before)
    sides = module._padding[:4]  # left, right, top, bottom; then in time
    frame, kernel = F.pad(frames.squeeze(2), sides), module.weight[:, :, -1]
    return F.conv2d(frame, kernel, module.bias, module.stride[1:]).unsqueeze(2)
