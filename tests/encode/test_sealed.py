"""One job encodes many shards; what is done when it is killed stays done."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from latentmap.draw.boxes import DrawOptions
from latentmap.encode import shard as shards
from latentmap.encode.encoder import Encoder, EncoderOptions
from latentmap.encode.sealed import Shard, made_with
from latentmap.encode.shard import ShardEncoder, encode_shard

SHARDS, ROWS, BATCH = 4, 6, 2
SINCE = time.time() - 60


class Counting(Encoder[EncoderOptions]):
    """Gives the mean colour, and notes each sample in a file; stays in the batch it is told to."""

    rank = "map"

    def __init__(self, notes: Path, stays_in: str = "", breaks_at: str = ""):
        super().__init__(EncoderOptions(name="counting", batch_size=BATCH, precision="float32"))
        self.notes, self.stays_in, self.breaks_at, self.loads = notes, stays_in, breaks_at, 0

    def load(self):
        self.loads += 1

    def prepare(self, sample, show):
        mean = np.asarray(show(sample)).mean(axis=(0, 1), dtype=np.float64).astype(np.float32)
        return np.array([(sample["id"], mean)], [("id", "U9"), ("mean", np.float32, 3)])

    def encode(self, batch):
        ids = [str(one["id"][0]) for one in batch]
        if self.breaks_at in ids:
            raise RuntimeError("the kernel of this batch is broken")
        with self.notes.open("a") as file:
            file.write("".join(f"{name}\n" for name in ids))
        while self.stays_in in ids:
            time.sleep(0.1)
        return np.concatenate([one["mean"] for one in batch])[:, :, None, None]

    def encoded(self) -> list[str]:
        return self.notes.read_text().split() if self.notes.exists() else []


@pytest.fixture
def work(make_sample, write_samples, tmp_path):
    """Four shards of six samples to encode."""
    (tmp_path / "latents").mkdir()
    made = []
    for number in range(SHARDS):
        rows = [make_sample(number * ROWS + row) for row in range(ROWS)]
        samples = write_samples(rows, f"{number:04}-{number:016x}.arrow")
        made.append(Shard(samples, tmp_path / "latents" / samples.name, "abc"))
    return made


def job(work, encoder, first: int = 0, since: float = SINCE) -> None:
    """Do what the job of one shard does while all others wait or are done."""
    shards = ShardEncoder(encoder, "plain", DrawOptions(), 2)
    shards.encode_with_waiting(work[first], work[first + 1 :] + work[:first], since)


def alone(one: Shard, folder: Path) -> bytes:
    """What a job of its own writes."""
    path = folder / "alone" / one.output.relative_to(folder)
    encode_shard(one.samples, path, Counting(folder / "notes-alone"), "plain", DrawOptions())
    return path.read_bytes()


def test_one_job_encodes_all_that_wait_and_their_jobs_take_it(work, tmp_path):
    encoder = Counting(tmp_path / "notes")
    job(work, encoder)
    assert encoder.loads == 1
    assert len(encoder.encoded()) == SHARDS * ROWS
    # Only its own output is where Snakemake looks: it would delete the others before their jobs.
    assert [one.output.exists() for one in work] == [True, False, False, False]
    later = Counting(tmp_path / "later")
    for number in range(1, SHARDS):
        job(work, later, number)
    assert later.loads == 0
    assert [one.output.read_bytes() for one in work] == [alone(one, tmp_path) for one in work]
    assert sorted((tmp_path / "latents").iterdir()) == [one.output for one in work]


ELSEWHERE = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from test_sealed import Counting, Shard, job
work = [Shard(Path(s), Path(o), m) for s, o, m in {work!r}]
job(work, Counting(Path({notes!r}), stays_in={stays_in!r}))
"""


def elsewhere(work, notes: Path, stays_in: str) -> subprocess.Popen:
    """Start the job of the first shard in another process."""
    plain = [(str(one.samples), str(one.output), one.made_with) for one in work]
    tests = str(Path(__file__).parent)
    script = ELSEWHERE.format(tests=tests, work=plain, notes=str(notes), stays_in=stays_in)
    return subprocess.Popen([sys.executable, "-c", script])


def wait_until(there) -> None:
    deadline = time.monotonic() + 120
    while not there():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_killed_job_loses_the_shard_it_was_at_and_no_other(work, tmp_path):
    notes = tmp_path / "killed"
    with elsewhere(work, notes, stays_in="s13") as process:
        # s13 is in the third shard: the two before it are sealed while it stays there.
        wait_until(
            lambda: notes.exists() and "s13" in notes.read_text() and work[1].sealed.exists()
        )
        os.kill(process.pid, signal.SIGKILL)
    assert not any(one.output.exists() for one in work)
    encoder = Counting(tmp_path / "again")
    for number in range(SHARDS):
        job(work, encoder, number)
    assert encoder.encoded() == [f"s{number:02}" for number in range(2 * ROWS, SHARDS * ROWS)]
    assert [one.output.read_bytes() for one in work] == [alone(one, tmp_path) for one in work]


def test_what_is_wrong_with_a_shard_that_waits_is_said_by_its_own_job(work, tmp_path, caplog):
    encoder = Counting(tmp_path / "notes", breaks_at="s08")
    job(work, encoder)
    assert work[0].output.exists() and not work[1].sealed.exists()
    assert "left to their own jobs: the kernel of this batch is broken" in caplog.text
    with pytest.raises(RuntimeError, match="kernel"):
        job(work, encoder, 1)
    job(work, encoder, 2)
    assert work[2].output.exists() and work[3].sealed.exists()


def test_a_damaged_shard_that_waits_fails_no_other(work, tmp_path):
    work[1].samples.write_bytes(b"damaged")
    job(work, Counting(tmp_path / "notes"))
    assert work[0].output.exists() and not work[1].sealed.exists()


def test_no_shard_is_encoded_twice_by_jobs_beside_one_another(work, tmp_path):
    notes = tmp_path / "both"
    with elsewhere(work, notes, stays_in="s13") as process:
        wait_until(lambda: notes.exists() and "s13" in notes.read_text())
        # The other job is at the third shard: the fourth is left.
        encoder = Counting(tmp_path / "beside")
        job(work[2:][::-1], encoder)
        assert encoder.encoded() == [f"s{number:02}" for number in range(3 * ROWS, SHARDS * ROWS)]
        process.kill()


def test_latents_that_were_made_with_something_else_are_not_taken(work, tmp_path):
    job(work, Counting(tmp_path / "notes"))
    edited = [Shard(one.samples, one.output, "def") for one in work]
    encoder = Counting(tmp_path / "edited")
    job(edited, encoder, 1)
    assert len(encoder.encoded()) == (SHARDS - 1) * ROWS
    assert not work[1].sealed.exists()


def test_a_job_ends_some_day(work, tmp_path, monkeypatch):
    monkeypatch.setattr(shards, "LONGEST_JOB", -1)
    encoder = Counting(tmp_path / "notes")
    job(work, encoder)
    assert len(encoder.encoded()) == ROWS


def test_what_latents_depend_on_beside_their_samples(tmp_path):
    fit = tmp_path / "fit"
    fit.write_text("learned")
    tracked = [{"name": "a", "options": {}}, "revision"]
    known = {made_with(tracked, None), made_with([*tracked, "code"], None), made_with(tracked, fit)}
    fit.write_text("learned otherwise")
    assert len({*known, made_with(tracked, fit)}) == 4
