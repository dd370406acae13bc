import logging
import threading
import time

import numpy as np
import pytest

from latentmap.draw.boxes import DrawOptions, show
from latentmap.encode import loop
from latentmap.encode.calibration import Calibration, StatedStatistics, calibrate
from latentmap.encode.encoder import ENCODERS, Encoder, EncoderOptions
from latentmap.encode.shard import encode_shard
from latentmap.errors import LatentmapError
from latentmap.store.latents import read_latents


class Mean(Encoder[EncoderOptions]):
    """Gives the mean colour as a (3, 1, 1) map; has room for so many samples at once."""

    rank = "map"

    def __init__(self, options, room: int = 10**6, message: str = "CUDA out of memory."):
        super().__init__(options)
        self.room, self.message = room, message
        self.batches: list[int] = []
        self.loaded = 0

    def revision(self) -> str:
        return "r1"

    def load(self) -> None:
        self.loaded += 1

    def prepare(self, sample, show):
        return np.asarray(show(sample)).mean(axis=(0, 1), dtype=np.float64).astype(np.float32)

    def encode(self, batch):
        if len(batch) > self.room:
            raise RuntimeError(self.message)
        self.batches.append(len(batch))
        return np.stack(batch)[:, :, None, None]


def mean(batch_size: int = 4, precision: str = "float32", **arguments) -> Mean:
    options = EncoderOptions(name="mean", batch_size=batch_size, precision=precision)
    return Mean(options, **arguments)


def encode(samples, output, encoder, variant="plain", threads=2):
    encode_shard(samples, output, encoder, variant, DrawOptions(), threads)
    return read_latents(output)


@pytest.fixture
def rows(make_sample):
    return [make_sample(number) for number in range(11)]


@pytest.mark.parametrize("variant", ["plain", "boxes"])
@pytest.mark.parametrize("threads", [1, 3])
def test_latents_are_in_order_and_of_what_is_shown(rows, write_samples, tmp_path, variant, threads):
    encoder = mean()
    shard = encode(write_samples(rows), tmp_path / "out.arrow", encoder, variant, threads)
    shown = [np.asarray(show(row, variant, DrawOptions())).mean(axis=(0, 1)) for row in rows]
    assert shard.ids == [row["id"] for row in rows]
    np.testing.assert_allclose(shard.values[:, :, 0, 0], shown, rtol=1e-6)
    assert encoder.loaded == 1
    assert encoder.batches == [4, 4, 3]


def test_files_are_byte_identical_and_in_the_precision_asked_for(rows, write_samples, tmp_path):
    samples = write_samples(rows)
    first = encode(samples, tmp_path / "a.arrow", mean(precision="float16"), threads=1)
    encode(samples, tmp_path / "b.arrow", mean(precision="float16"), threads=3)
    assert first.values.dtype == np.float16
    assert (tmp_path / "a.arrow").read_bytes() == (tmp_path / "b.arrow").read_bytes()


def test_metadata_names_the_encoder_and_holds_the_calibration(rows, write_samples, tmp_path):
    encoder = ENCODERS.create("dct", {"name": "blocks", "size": 16, "precision": "float32"})
    shard = encode(write_samples(rows), tmp_path / "out.arrow", encoder)
    assert shard.metadata["encoder"] == {
        "name": "blocks",
        "kind": "dct",
        "rank": "map",
        "revision": "",
        "settings": {"noise": 0.0, "precision": "float32", "resampling": "bicubic", "size": 16},
        "variant": "plain",
    }
    assert shard.metadata["draw"] is None
    found = Calibration.from_json(shard.metadata["calibration"])
    whole = calibrate(shard.values, None)
    assert found.count == whole.count == 11 * 2 * 2
    np.testing.assert_allclose(found.mean, whole.mean, rtol=1e-6)
    np.testing.assert_allclose(found.std, whole.std, rtol=1e-6)


def test_metadata_say_how_boxes_were_drawn(rows, write_samples, tmp_path):
    output, options = tmp_path / "out.arrow", DrawOptions(line_width=0.02, colors=("#102030",))
    encode_shard(write_samples(rows), output, mean(), "boxes", options)
    drawn = read_latents(output).metadata["draw"]
    assert drawn == {"line_width": 0.02, "font_size": 0.045, "colors": ["#102030"]}


def test_vectors_are_stored_as_they_are(rows, write_samples, tmp_path):
    shard = encode(
        write_samples(rows), tmp_path / "out.arrow", ENCODERS.create("metadata", {"name": "m"})
    )
    assert shard.values.shape == (11, 14)
    assert shard.values.dtype == np.float32
    assert shard.metadata["encoder"]["rank"] == "vector"


@pytest.mark.parametrize(
    "message", ["CUDA out of memory. Tried to allocate", "MPS backend out of memory", None]
)
def test_out_of_memory_halves_the_batch_and_goes_on(rows, write_samples, tmp_path, caplog, message):
    cpu = "[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate"
    encoder = mean(batch_size=8, room=3, message=message or cpu)
    samples = write_samples(rows)
    shard = encode(samples, tmp_path / "small.arrow", encoder)
    expected = encode(samples, tmp_path / "large.arrow", mean(batch_size=8))
    np.testing.assert_array_equal(shard.values, expected.values)
    assert encoder.batches == [2, 2, 2, 2, 2, 1]
    assert "batches of 4" in caplog.text
    assert "batches of 2" in caplog.text


def test_no_room_for_one_sample_is_one_clear_line(rows, write_samples, tmp_path):
    with pytest.raises(LatentmapError, match=r"'mean' runs out of memory with a single sample"):
        encode(write_samples(rows), tmp_path / "out.arrow", mean(room=0))
    assert not (tmp_path / "out.arrow").exists()


def test_other_errors_of_the_model_are_not_hidden(rows, write_samples, tmp_path):
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        encode(
            write_samples(rows),
            tmp_path / "out.arrow",
            mean(room=0, message="shapes cannot be multiplied"),
        )


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (np.nan, r"not finite, as the encoder 'broken' gives them\. Leave these samples out"),
        (1e6, r"too large for float16 \(up to 1e\+06\)\. Set 'precision' .*'broken' to float32"),
    ],
)
def test_latents_that_are_not_finite_are_named(rows, write_samples, tmp_path, value, words):
    class Broken(Mean):
        def prepare(self, sample, show):
            prepared = super().prepare(sample, show)
            return prepared * 0 + value if sample["id"] in ("s05", "s06") else prepared

    encoder = Broken(EncoderOptions(name="broken", precision="float16"))
    with pytest.raises(LatentmapError, match=f"latents of s05, s06 .*{words}"):
        encode(write_samples(rows), tmp_path / "out.arrow", encoder)
    assert not (tmp_path / "out.arrow").exists()


def test_an_unreadable_image_is_named_and_stops_the_threads(rows, write_samples, tmp_path):
    rows[7]["image"] = b"broken"
    with pytest.raises(LatentmapError, match="'s07' cannot be read"):
        encode(write_samples(rows), tmp_path / "out.arrow", mean(batch_size=2))
    deadline = time.monotonic() + 5
    while preparing() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not preparing()


def preparing() -> bool:
    return any("ThreadPool" in thread.name for thread in threading.enumerate())


def test_an_empty_shard_gives_an_empty_file_and_loads_nothing(write_samples, tmp_path):
    encoder = mean()
    shard = encode(write_samples([]), tmp_path / "out.arrow", encoder)
    assert shard.ids == []
    assert shard.values.shape == (0, 1)
    assert shard.metadata["calibration"] is None
    assert encoder.loaded == 0


def test_images_are_prepared_while_the_model_runs_but_never_far_ahead(
    make_sample, write_samples, tmp_path
):
    """Without overlap the model would wait for every image; without a bound memory would fill."""
    prepared: list[str] = []
    ahead: list[int] = []

    class Slow(Mean):
        def prepare(self, sample, show):
            prepared.append(sample["id"])
            return np.zeros(3, np.float32)

        def encode(self, batch):
            time.sleep(0.02)
            done = sum(self.batches)
            ahead.append(len(prepared) - done - len(batch))
            return super().encode(batch)

    rows = [make_sample(number) for number in range(20)]
    encode(write_samples(rows), tmp_path / "out.arrow", Slow(EncoderOptions(batch_size=2)))
    assert max(ahead) == 4
    assert ahead[0] > 0


def test_out_of_range_latents_are_in_the_log(rows, write_samples, tmp_path, caplog):
    class Stated(Mean):
        def statistics(self):
            return StatedStatistics((0.0,) * 3, (1.0,) * 3)

    encode(write_samples(rows), tmp_path / "out.arrow", Stated(EncoderOptions(name="stated")))
    assert "not where the model's own are" in caplog.text


def test_the_log_tells_speed_and_time_left(rows, write_samples, tmp_path, caplog, monkeypatch):
    monkeypatch.setattr(loop, "SECONDS_BETWEEN_LINES", 0)
    with caplog.at_level(logging.INFO):
        encode(write_samples(rows), tmp_path / "out.arrow", mean(), "boxes")
    lines = [record.getMessage() for record in caplog.records]
    assert lines[0].startswith("mean boxes: 4 of 11 samples, ")
    assert "samples/s" in lines[0]
    assert lines[-1].startswith("mean boxes: 11 of 11 samples, ")
    assert lines[-1].endswith(" 0 s left")


def test_a_batch_grows_back_when_memory_is_there_again(make_sample, write_samples, tmp_path):
    """Another process had the memory for a while; tries that fail become rarer."""

    class Beside(Mean):
        def encode(self, batch):
            self.room = 10**6 if sum(self.batches) >= 700 else 4
            return super().encode(batch)

    encoder = Beside(EncoderOptions(name="beside", batch_size=8, precision="float32"))
    rows = [make_sample(number) for number in range(30)]
    shard = encode(write_samples(rows * 40), tmp_path / "out.arrow", encoder)
    sizes = encoder.batches
    assert set(sizes) == {4, 8}
    grown = sizes.index(8)
    assert sum(sizes[:grown]) >= 700
    assert set(sizes[grown:]) == {8}
    assert shard.metadata["batch_size"] == 4
