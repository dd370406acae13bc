"""Batches of images on their way to a device, and of latents on their way back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from latentmap.encode.encoder import Finish

if TYPE_CHECKING:
    import torch


class ImageBatches:
    """Gives images to a model, and takes its latents.

    On CUDA nothing is waited for: images go through pinned memory and a stream of their own while
    the model is busy with the batch before, and latents come back through pinned memory, too.

    Attributes:
        begun: as of `Encoder`.

    Args:
        device: where the model is.
    """

    def __init__(self, device: str) -> None:
        import torch

        self._device = device
        self._copies: torch.cuda.Stream | None = None
        if device == "cuda":
            self._copies = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        self.begun = 0 if self._copies is None else 1

    def begin(
        self,
        images: Sequence[NDArray[np.uint8]],
        model: Callable[[torch.Tensor], torch.Tensor],
    ) -> Finish:
        """Begin to encode images of one size, (H, W, 3) uint8.

        Args:
            images: at least one.
            model: turns them, (n, H, W, 3) uint8 on the device, into latents.

        Returns:
            What waits for the latents, float32.
        """
        import torch

        with torch.inference_mode():
            if self._copies is None:
                there = torch.from_numpy(np.stack(images)).to(self._device)
                latents = model(there).float().cpu().numpy()
                return lambda: latents
            return _begin_on_cuda(images, model, self._copies)


def _begin_on_cuda(
    images: Sequence[NDArray[np.uint8]],
    model: Callable[[torch.Tensor], torch.Tensor],
    copies: torch.cuda.Stream,
) -> Finish:
    import torch

    # Torch keeps pinned memory until what is copied from it or to it is there.
    pinned = torch.empty((len(images), *images[0].shape), dtype=torch.uint8, pin_memory=True)
    np.stack(images, out=pinned.numpy())
    with torch.cuda.stream(copies):
        there = pinned.to("cuda", non_blocking=True)
    computing = torch.cuda.current_stream()
    computing.wait_stream(copies)
    there.record_stream(computing)
    latents = model(there).float()
    back = torch.empty_like(latents, device="cpu", pin_memory=True)  # laid out alike: one copy
    back.copy_(latents, non_blocking=True)
    done = torch.cuda.Event()  # type: ignore[no-untyped-call]
    done.record(computing)

    def finish() -> NDArray[np.float32]:
        done.synchronize()
        return back.numpy()

    return finish
