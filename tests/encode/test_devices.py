"""Jobs of one machine share its GPUs, one each."""

import subprocess
import sys

from latentmap.encode import devices
from latentmap.encode.encoder import ENCODERS

TAKES_ONE = """
import os, sys
from latentmap.encode.devices import pick_device
pick_device("auto")
print(os.environ["CUDA_VISIBLE_DEVICES"], flush=True)
sys.stdin.read()
"""


def test_models_want_a_gpu_unless_told_not_to():
    vae = ENCODERS["vae"].Options
    assert devices.wants_gpu(vae(model="m"))
    assert devices.wants_gpu(vae(model="m", device="cuda"))
    assert not devices.wants_gpu(vae(model="m", device="cpu"))
    assert not devices.wants_gpu(ENCODERS["dct"].Options())


def test_gpus_are_those_that_this_process_may_use(monkeypatch, tmp_path):
    for name in ("nvidia1", "nvidia0", "nvidia10", "nvidiactl", "nvidia-uvm"):
        (tmp_path / name).touch()
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert devices.visible_gpus(tmp_path) == ["0", "1", "10"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-5ebe9f43,2")
    assert devices.visible_gpus(tmp_path) == ["GPU-5ebe9f43", "2"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert devices.visible_gpus(tmp_path) == []


def test_every_process_takes_a_gpu_of_its_own(monkeypatch, tmp_path):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5")

    def start():
        return subprocess.Popen(
            [sys.executable, "-c", TAKES_ONE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    first, second = start(), start()
    taken = [process.stdout.readline().strip() for process in (first, second)]
    assert sorted(taken) == ["3", "5"]
    third = start()  # waits for the first of them to end
    first.communicate()
    assert third.stdout.readline().strip() == taken[0]
    second.communicate()
    third.communicate()
