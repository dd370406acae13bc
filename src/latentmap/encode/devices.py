"""Where models run, and how jobs of one machine share its GPUs."""

from __future__ import annotations

import fcntl
import logging
import os
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from latentmap.encode.encoder import EncoderOptions
from latentmap.errors import LatentmapError
from latentmap.store.files import lock_folder

VISIBLE = "CUDA_VISIBLE_DEVICES"
SECONDS_BETWEEN_LOOKS = 1.0

log = logging.getLogger(__name__)


def wants_gpu(options: EncoderOptions) -> bool:
    """Whether an encoder runs on a GPU if there is one: those with a model, unless told not to."""
    return getattr(options, "device", "cpu") in ("auto", "cuda")


def may_have(device: str) -> bool:
    """Whether this machine may have a device, as far as that shows without asking torch."""
    if device == "mps":
        return sys.platform == "darwin"
    if device == "cuda" and sys.platform == "linux":
        drivers = ("/dev/nvidiactl", "/dev/dxg", "/dev/kfd")  # NVIDIA's, WSL's, AMD's
        is_hidden = os.environ.get(VISIBLE) in ("", "-1")
        return not is_hidden and any(Path(driver).exists() for driver in drivers)
    return device != "cuda" or sys.platform == "win32"


def visible_gpus(devices: Path = Path("/dev")) -> list[str]:
    """Return what CUDA calls the GPUs that this process may use; nothing where that is not known.

    Args:
        devices: folder of the system's devices.
    """
    named = os.environ.get(VISIBLE)
    if named is not None:
        return [name for name in named.split(",") if name not in ("", "-1")]
    nodes = (re.fullmatch(r"nvidia(\d+)", node.name) for node in devices.glob("nvidia*"))
    return [str(index) for index in sorted(int(node[1]) for node in nodes if node)]


def pick_device(name: str) -> str:
    """Return the device to run on; `auto` takes a GPU if there is one.

    Of several GPUs this process takes the first that no other process of this user has taken, and
    keeps it to its end; while all are taken, it waits.

    Raises:
        LatentmapError: the device is not there.
    """
    if name in ("auto", "cuda") and len(gpus := visible_gpus()) > 1:
        os.environ[VISIBLE] = _take_one_of(gpus)  # torch looks when it uses CUDA for the first time

    import torch

    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return next((device for device, found in there.items() if found), "cpu")
    if not there.get(name, True):
        raise LatentmapError(f"There is no '{name}' device here; set device to auto or cpu.")
    return name


_TAKEN: list[IO[bytes]] = []
"""Open for as long as this process lives, which is how long the locks last."""


def _take_one_of(gpus: Sequence[str]) -> str:
    folder = lock_folder("gpus")
    waits = False
    while True:
        for gpu in gpus:
            file = (folder / re.sub(r"\W", "-", gpu)).open("ab")
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.close()
            else:
                _TAKEN.append(file)
                return gpu
        if not waits:
            log.info("All of %d GPUs are taken by other jobs: waiting for one.", len(gpus))
            waits = True
        time.sleep(SECONDS_BETWEEN_LOOKS)
