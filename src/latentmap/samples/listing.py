"""The files below a folder: those that a source takes, and what it passes over."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from latentmap.errors import LatentmapError
from latentmap.samples.remarks import Remark, passed_over
from latentmap.samples.tables.contents import PACKED_SUFFIXES

HIDDEN = "hidden files and folders"
OUTSIDE = "links that lead out of the folder"
LOOPS = "links to a folder above them"
SPECIAL = "pipes, sockets and devices"

REASONS = {
    HIDDEN: ("their names begin with a dot", "Rename those that are data."),
    OUTSIDE: (
        "what they lead to is not part of the data",
        "Set 'follow_links' to true if it is.",
    ),
    LOOPS: ("they have no end", "Remove them."),
    SPECIAL: ("they are no files", "Remove them."),
}


@dataclass
class Listing:
    """What is below a folder.

    Attributes:
        names: paths of the files that are taken, relative to the folder, sorted.
        missed: paths of what is passed over, by what it is.
        other: the same of files with other suffixes, by suffix.
    """

    names: list[str] = field(default_factory=list)
    missed: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    other: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def remarks(self, reason: str, remedy: str) -> list[Remark]:
        """Remark on what is passed over.

        Args:
            reason: why files with other suffixes are.
            remedy: what to do with them.
        """
        suffixes = [
            passed_over(f"{suffix} files" if suffix else "files without suffix", n, reason, remedy)
            for suffix, n in sorted(self.other.items())
        ]
        return suffixes + [passed_over(what, n, *REASONS[what]) for what, n in self.missed.items()]


def list_files(
    folder: Path, suffixes: Collection[str], follow_links: bool, known: Collection[Path] = ()
) -> Listing:
    """List the files with these suffixes below a folder.

    Links inside the folder are followed, and so are those that lead out of it if `follow_links`. A
    link to nothing counts as a file: its row is set aside.

    Args:
        folder: where to look; it may itself be a link.
        suffixes: lower case, with their dot.
        follow_links: whether what links lead to outside the folder is taken.
        known: files that are read in another role, which are neither taken nor passed over.

    Raises:
        LatentmapError: a folder cannot be read, or a file that is taken has no UTF-8 name.
    """
    listing = Listing()
    skipped = {path.resolve() for path in known}
    limit = None if follow_links else boundary(folder)
    for name in _walk(folder, [folder.resolve()], limit, listing):
        suffix = suffix_of(name)
        if suffix in suffixes:
            listing.names.append(_checked(folder, name))
        elif not skipped or (folder / name).resolve() not in skipped:
            listing.other[suffix].append(_shown(name))
    listing.names.sort()
    return listing


def suffix_of(name: str) -> str:
    """Return the suffix of a file, lower case, with that before it if it is packed: `.csv.gz`."""
    stem, suffix = os.path.splitext(name)  # noqa: PTH122 - a hundred thousand paths take seconds
    if suffix.lower() in PACKED_SUFFIXES:
        suffix = Path(stem).suffix + suffix
    return suffix.lower()


def boundary(folder: Path) -> Path:
    """Return the folder that links in a folder of data must not lead out of.

    A snapshot in the cache of the Hugging Face hub is made of links to the files beside it.
    """
    folder = folder.resolve()
    for parent in folder.parents:
        if parent.name == "snapshots" and (parent.parent / "blobs").is_dir():
            return parent.parent
    return folder


def _walk(
    folder: Path, above: list[Path], limit: Path | None, listing: Listing, name: str = ""
) -> Iterator[str]:
    """Yield the files below a folder, relative to the topmost one, in any order.

    Args:
        folder: where to look.
        above: it and the folders above it, without links.
        limit: what links must not lead out of.
        listing: takes what is passed over.
        name: of the folder, relative to the topmost one.
    """
    try:
        entries = list(os.scandir(folder))
    except OSError as error:
        raise LatentmapError(
            f"{error.filename}: {error.strerror}. Make it readable, or move it away."
        ) from None
    for entry in entries:
        inner = f"{name}{entry.name}"
        if entry.name.startswith("."):
            listing.missed[HIDDEN].append(_shown(inner))
        elif entry.is_symlink() and limit is not None and not _leads_into(limit, entry):
            listing.missed[OUTSIDE].append(_shown(inner))
        elif _is_folder(entry):
            real = above[-1] / entry.name
            if entry.is_symlink():
                real = real.resolve()
            if real in above:
                listing.missed[LOOPS].append(_shown(inner))
            else:
                yield from _walk(Path(entry.path), [*above, real], limit, listing, f"{inner}/")
        elif _is_special(entry):
            listing.missed[SPECIAL].append(_shown(inner))
        else:
            yield inner


def _leads_into(limit: Path, link: os.DirEntry[str]) -> bool:
    return Path(link.path).resolve().is_relative_to(limit)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a folder that may not be looked at, or a link that leads to itself
        return False


def _is_special(entry: os.DirEntry[str]) -> bool:
    try:
        # `os.path.exists` is false of what may not be looked at: that is no reason to pass it over.
        return not entry.is_file() and os.path.exists(entry.path)  # noqa: PTH110
    except OSError:
        return False


def _checked(folder: Path, name: str) -> str:
    if _shown(name) != name:
        raise LatentmapError(f"{folder}: the file name {name!r} is not UTF-8. Rename it.")
    return name


def _shown(name: str) -> str:
    """Return a name as text that can be stored, whatever bytes it has."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")
