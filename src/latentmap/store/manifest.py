"""The name of a run, and its manifest: the ordered list of its sealed shards."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from latentmap.store.files import read_json, reading, write_json, write_stamped_text
from latentmap.store.stamp import RUN


@dataclass(frozen=True)
class Shard:
    """One sealed file of samples.

    Attributes:
        id: name of its files; carries the digest of what it was made from.
        rows: samples in it.
        quarantined: rows that were set aside when it was made.
        digest: digest of the file's content.
        reader: fingerprint of the code that made it.
    """

    id: str
    rows: int
    quarantined: int
    digest: str
    reader: str = ""


def name_run(folder: Path) -> None:
    """Give the run whose results are in a folder the folder's name, unless it has one.

    Its files are stamped with the name, so that none of another run is taken for one of this run.
    A copied or renamed folder keeps the name that it was begun under.
    """
    if not (folder / RUN).exists():
        write_stamped_text(folder / RUN, f"{folder.name}\n", "\n")


def write_manifest(path: Path | str, shards: list[Shard]) -> None:
    """Write the manifest atomically."""
    write_json(path, {"shards": [asdict(shard) for shard in shards]})


def read_manifest(path: Path | str) -> list[Shard]:
    """Read the manifest's shards in order; none if there is no manifest yet."""
    if not Path(path).exists():
        return []
    with reading(path, "a manifest"):
        return [Shard(**entry) for entry in read_json(path)["shards"]]
