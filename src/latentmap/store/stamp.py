"""Stamps: what a file of ours says of itself, so that no damage to it is read as a result.

A stamp holds the version of our formats, the file's place in its run, and checksums (CRC-32) of all
other bytes of the file. Damage anywhere, the stamp included, is found before a value is used; so
is a file that was put in the place of another one. `checked` stamps Arrow and Parquet files; a text
carries its stamp as one line, in a comment or as a value.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote
from zlib import crc32

from latentmap.errors import LatentmapError

VERSION = 2
"""Raised whenever the same bytes of a file come to mean something else."""

RUN = "run.txt"
"""The file in a run's folder that holds the name under which the run was begun."""

ENTRIES = frozenset(
    (
        *(RUN, "run.json", "plan.json", "samples", "thumbnails", "latents", "embeddings"),
        *("neighbors", "metrics", "projections", "inspection", "report"),
    )
)
"""What is stamped in the folder of a run."""

NO_STAMP = "has no checksums: it is damaged, or of an earlier version of latentmap"
LINE = "latentmap file, version {version}, place {place}, crc32 {checksum:08x}"
STAMPED = re.compile(r"latentmap file, version (\d+), place ([^\s,]*), crc32 ([0-9a-f]{8})")


def damaged(path: Path | str, what: str) -> LatentmapError:
    """Return the error that says in one line what is wrong with a file of ours."""
    return LatentmapError(f"{path} {what}. Delete it and run again.")


def unreadable(path: Path | str, error: OSError) -> LatentmapError:
    """Return the error that says in one line that a file of ours is not there, or not readable."""
    if isinstance(error, FileNotFoundError):
        return LatentmapError(f"{path}: no such file. Run again to have it made.")
    reason = error.strerror or error
    return LatentmapError(f"{path} cannot be read ({reason}). Check its disk and its permissions.")


def place_of(path: Path | str) -> str:
    """Return the name of a file's run and its path there, `{run}:{path}`, for a stamp.

    Outside of a run a file has no path there: it may be kept anywhere, and is read from there.
    """
    parts = Path(path).parts
    starts = [index for index, part in enumerate(parts) if part in ENTRIES]
    if not starts:
        return ":"
    name, inside = Path(*parts[: starts[-1]], RUN), parts[starts[-1] :]
    has_name = inside != (RUN,) and name.exists()
    run = read_stamped_text(name).partition("\n")[0] if has_name else ""
    return f"{quote(run)}:{quote('/'.join(inside))}"


def check_place(path: Path | str, version: int, place: str) -> None:
    """Check what a stamp says against where the file is, and who reads it.

    Raises:
        LatentmapError: the file is of another version, or was written to another place.
    """
    if version != VERSION:
        raise damaged(path, f"is of version {version}, and this latentmap reads {VERSION}")
    run, _, written = place.rpartition(":")
    run_here, _, here = place_of(path).rpartition(":")
    if (run and run_here and run != run_here) or (written and here and written != here):
        of = f" of the run '{run}'" if run else ""
        raise damaged(path, f"was written as {written}{of}: it is in the place of another file")


def stamped_text(path: Path | str, start: str, end: str) -> str:
    """Return the text of a file with the line of its stamp between `start` and `end`."""
    line = {"version": VERSION, "place": place_of(path)}
    checksum = crc32(f"{start}{LINE.format(**line, checksum=0)}{end}".encode())
    return f"{start}{LINE.format(**line, checksum=checksum)}{end}"


def read_stamped_text(path: Path | str) -> str:
    """Read a text that has a stamp.

    Raises:
        LatentmapError: the file is missing, is not what was written, or is of another place or
            version.
    """
    try:
        text = Path(path).read_bytes().decode()
    except OSError as error:
        raise unreadable(path, error) from None
    except UnicodeDecodeError:
        raise damaged(path, "is damaged: it is no text") from None
    found = list(STAMPED.finditer(text))
    if not found:
        raise damaged(path, NO_STAMP if text else "is empty")
    version, place, checksum = found[-1].groups()
    start, end = found[-1].span(3)
    if crc32(f"{text[:start]}{0:08x}{text[end:]}".encode()) != int(checksum, 16):
        raise damaged(path, "is damaged: it is not what was written")
    check_place(path, int(version), place)
    return text
