"""Take latents over that only code has outdated, when some of their samples give the same again."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from latentmap.draw.boxes import show
from latentmap.encode.encoder import ENCODERS, Encoder, FittedEncoder
from latentmap.encode.loop import Table, encode
from latentmap.encode.shard import described
from latentmap.errors import LatentmapError
from latentmap.given import config_text, read_config
from latentmap.home import HOME, default_config
from latentmap.run import TEXTS, Run, created, load_run
from latentmap.store.latents import read_latents, read_metadata
from latentmap.store.results import CONFIG, LATENTS, MANIFEST, RUN, SAMPLES, Key, Results
from latentmap.store.tables import numbers, read_arrow

SHARDS = 3
"""Shards of which one batch each is encoded anew: the first, the one in the middle, the last."""

TOLERANCE = 0.01
"""Of the standard deviation of the latents, which other kernels or batches may change."""

ENCODING = ("encode_samples", "encode_samples_on_gpu")
FILES_AT_ONCE = 1000
THREADS = 2


def adopt(
    folder: Path, configfiles: Sequence[str] = (), config_args: Sequence[str] = ()
) -> Iterator[str]:
    """Take over the latents of a run that its next run would make anew; yield what to say of them.

    Their samples are read anew first, where that has to be. One batch of up to three shards of each
    encoder and variant is encoded anew and compared with what is stored. What agrees is from then
    on, for Snakemake, made by the code that is here.

    Args:
        folder: of the run's results, below the current folder.
        configfiles: its configuration; by default what `latentmap run` has left in the folder.
        config_args: `key=value` over these.

    Raises:
        LatentmapError: it is no folder of a run, or of another configuration; or latents differ,
            and those that agree are taken over all the same.
    """
    used = folder / CONFIG
    files: Sequence[Path | str] = configfiles or [used if used.exists() else default_config()]
    config = read_config(files, config_args, TEXTS)
    run = load_run(config)
    if not RUN.below(folder).exists() or run.results.folder.resolve() != folder.resolve():
        raise LatentmapError(
            f"{folder} is not the run of {', '.join(map(str, files))}, which is "
            f"{run.results.folder} of the current folder. Give --configfile and --config as for "
            "the run, where it was run."
        )
    with _snakemake(config) as snakemake:
        snakemake(str(MANIFEST.below(run.results.folder)))
        results = Results.open(run.results.folder)
        outdated = _outdated(snakemake, run, results)
        differing = []
        for encoder, variant in dict.fromkeys(key[:2] for key in outdated):
            keys = [key for key in outdated if key[:2] == (encoder, variant)]
            what = f"{encoder} ({variant}), {len(keys):,} shards"
            reason = None
            try:
                found = _compared(run, results, keys)
            except LatentmapError as error:
                reason = str(error)
            if reason is None:
                _touch(snakemake, [results.address(LATENTS, *key) for key in keys])
                yield f"{what}: taken over. {found}"
            else:
                differing.append(f"{what}: not taken over. {reason}")
    if differing:
        raise LatentmapError("\n".join([*differing, "The next run encodes these anew."]))
    if not outdated:
        yield f"Nothing to take over: no latents of {folder} would be encoded anew."


@contextmanager
def _snakemake(config: Mapping[str, Any]) -> Iterator[Any]:
    """Give a function that runs Snakemake on a configuration, and returns what it prints."""
    with TemporaryDirectory() as temporary:
        file = Path(temporary) / "config.yaml"
        file.write_text(config_text(config), "utf-8")
        command = [sys.executable, "-m", "snakemake", "--snakefile", str(HOME / "Snakefile")]

        def run(*arguments: str) -> str:
            done = subprocess.run(
                [*command, "--cores", "all", *arguments, "--configfile", str(file)],
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                said = done.stderr.strip().splitlines() or ["nothing"]
                raise LatentmapError(f"Snakemake failed: {said[-1].removeprefix('Error: ')}")
            return done.stdout

        yield run


def _outdated(snakemake: Any, run: Run, results: Results) -> list[Key]:
    """Return (encoder, variant, shard) of the latents that are there and would be made anew."""
    printed = snakemake("--summary", "latents", "--allowed-rules", "latents", *ENCODING)
    header, *rows = [line.split("\t") for line in printed.splitlines() if "\t" in line]
    path, plan = header.index("output_file"), header.index("plan")
    pending = {Path(row[path]) for row in rows if row[plan].startswith("update pending")}
    return [
        key
        for key in results.keys(LATENTS)
        if results.address(LATENTS, *key) in pending
        and results.address(LATENTS, *key).exists()
        and not isinstance(_encoder(run, key[0]), FittedEncoder)
    ]


def _encoder(run: Run, name: str) -> Encoder[Any]:
    return ENCODERS.create(**created(run.encoder(name)))


def _compared(run: Run, results: Results, keys: Sequence[Key]) -> str:
    """Encode some samples anew; return how they agree with what is stored.

    Raises:
        LatentmapError: they do not, or another model or other options made what is stored.
    """
    name, variant, _ = keys[0]
    encoder = _encoder(run, name)
    for key in keys:
        _check_origin(results.address(LATENTS, *key), described(encoder, variant, run.draw))
    encoder.be_loaded()
    chosen = dict.fromkeys(keys[round(at)] for at in np.linspace(0, len(keys) - 1, SHARDS))
    count, largest = 0, 0.0
    for key in chosen:
        samples = read_arrow(results.address(SAMPLES, key[2]))
        stored = read_latents(results.address(LATENTS, *key))
        if samples["id"].to_pylist() != stored.ids:
            raise LatentmapError(f"{stored.path} is of other samples.")
        if not stored.ids:
            continue
        order = encoder.order(samples)
        rows = np.arange(len(samples)) if order is None else order
        rows = rows[: encoder.options.batch_size]
        table = Table(samples.take(numbers(rows)), str(stored.path))
        draw = partial(show, variant=variant, options=run.draw)
        [new] = encode([table], encoder, draw, THREADS, f"{name} {variant}")
        old = stored.values[rows].astype(np.float64)
        if new.latents.shape != old.shape:
            raise LatentmapError(f"Latents are {new.latents.shape[1:]} now, not {old.shape[1:]}.")
        spread = old.std() or 1.0
        largest = max(largest, float(np.abs(new.latents.astype(np.float64) - old).max() / spread))
        count += len(rows)
    if largest > TOLERANCE:
        raise LatentmapError(
            f"Of {count} samples encoded anew, latents differ by up to {largest:.2g} of their "
            f"standard deviation; {TOLERANCE:g} is allowed."
        )
    if largest == 0:
        return f"{count} samples encoded anew gave the same latents, bit by bit."
    return (
        f"{count} samples encoded anew differ by at most {largest:.2g} of the standard deviation "
        f"of latents; {TOLERANCE:g} is allowed."
    )


def _check_origin(path: Path, now: Mapping[str, Any]) -> None:
    """Check that what is known of how latents were made is what would make them now.

    An option that there was not then is no difference.
    """
    then, now = _facts(read_metadata(path)), _facts(now)
    for key in sorted(then.keys() & now.keys()):
        if then[key] != now[key]:
            raise LatentmapError(
                f"{path} was made with {key} {then[key]!r}, now it is {now[key]!r}."
            )


def _facts(metadata: Mapping[str, Any]) -> dict[str, Any]:
    encoder = {**metadata["encoder"]}
    return {**encoder.pop("settings"), **encoder, **(metadata["draw"] or {})}


def _touch(snakemake: Any, files: Sequence[Path]) -> None:
    """Let Snakemake note that files are what would be made now, and what follows from them stay."""
    for start in range(0, len(files), FILES_AT_ONCE):
        some = files[start : start + FILES_AT_ONCE]
        times = {path: path.stat() for path in some}
        snakemake("--touch", *map(str, some), "--allowed-rules", *ENCODING)
        for path, time in times.items():
            os.utime(path, ns=(time.st_atime_ns, time.st_mtime_ns))
