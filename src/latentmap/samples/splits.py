"""Splits of a data set in a local folder: which files are whose, and which are passed over."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from latentmap.config import unknown
from latentmap.errors import LatentmapError
from latentmap.samples.listing import Listing, list_files
from latentmap.samples.pictures import picture_suffixes
from latentmap.samples.remarks import NAMED, Remark, passed_over
from latentmap.samples.tables.contents import PACKED_SUFFIXES
from latentmap.samples.tables.rows import COLUMNAR_SUFFIXES, JSON_LINES_SUFFIXES, TEXT_SUFFIXES
from latentmap.store.files import read_plain_json

# As the library `datasets` tells splits: huggingface.co/docs/datasets/repository_structure
WORDS = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev"),
    "test": ("test", "testing", "eval", "evaluation"),
}
"""Names of splits, and the words that stand for them."""

CANONICAL = {word: name for name, words in WORDS.items() for word in words}

KINDS = ((".parquet",), COLUMNAR_SUFFIXES, JSON_LINES_SUFFIXES, TEXT_SUFFIXES)
"""Suffixes of tables: of the files in a folder, those of the first kind that is there are taken."""


INSTEAD = "Set it to the other to take these instead."


@dataclass(frozen=True)
class Split:
    """The files of one split.

    Attributes:
        files: in order.
        remarks: on what is passed over beside them.
        pictures: paths of pictures beside them, relative to the folder, which rows may name.
    """

    files: Sequence[Path]
    remarks: Sequence[Remark] = ()
    pictures: Sequence[str] = ()


def canonical(split: str) -> str:
    """Return the name that a split goes by: `validation` of `val`, `valid` and `dev`."""
    return CANONICAL.get(split.lower(), split)


def split_of(path: str) -> str | None:
    """Tell the split of a file by its path in a data set; null if it names none.

    In the layouts of the hub, `data/{split}-00000-of-00001.parquet` or
    `{config}/{split}/0000.parquet`; else by a word for a split in the file's name or a folder's.
    """
    *folders, name = PurePosixPath(path).parts
    stem = name.partition(".")[0]
    if numbered := re.fullmatch(r"(\w+)-\d{5}-of-\d{5}.*", stem):
        return canonical(numbered[1])
    if stem.isdecimal() and folders:
        return canonical(folders[-1].removeprefix("partial-"))
    for part in (stem, *reversed(folders)):
        words = re.split(r"[^a-z0-9]|_", part.lower())
        if found := next((CANONICAL[word] for word in words if word in CANONICAL), None):
            return found
    return None


def pick_split(wanted: str | None, found: Iterable[str], origin: str) -> str:
    """Return the name of the split that is wanted, or of the only one.

    Args:
        wanted: a name, or null for the only one.
        found: names of the splits that there are.
        origin: what to name in the message.

    Raises:
        LatentmapError: there are several, or not this one.
    """
    names = list(found)
    if wanted is None and len(names) == 1:
        return names[0]
    if wanted is None:
        raise LatentmapError(f"{origin} has the splits {', '.join(names)}. Set 'split' to one.")
    same = [name for name in names if canonical(name) == canonical(wanted)]
    if wanted not in names and len(same) != 1:
        raise LatentmapError(f"{origin}: {unknown('split', wanted, names)}")
    return wanted if wanted in names else same[0]


def find_split(
    path: Path, split: str | None, config: str | None = None, follow_links: bool = False
) -> Split:
    """Find the files of a split of a local data set.

    Args:
        path: a file, a folder of files, or one that `save_to_disk` wrote.
        split: which split; null for the only one.
        config: which of several configurations, which are folders.
        follow_links: whether links that lead out of the folder are followed.

    Raises:
        LatentmapError: there is no such file, split or configuration, or several to choose from.
    """
    if path.is_file():
        return _as_wanted(path, split, split_of(path.name), [path])
    if not path.is_dir():
        raise LatentmapError(f"{path}: no such file. Check 'input'.")
    if (path / "dataset_dict.json").is_file():
        names: list[str] = _state(path / "dataset_dict.json", "splits")["splits"]
        picked = pick_split(split, names, str(path))
        others = [_other_split(name, [name], picked) for name in names if name != picked]
        return Split(_saved(path / picked), others)
    if (path / "state.json").is_file():
        return _as_wanted(path, split, _state(path / "state.json").get("_split"), _saved(path))
    return _in_folder(path, split, config, follow_links)


def _as_wanted(path: Path, split: str | None, own: str | None, files: Sequence[Path]) -> Split:
    """Return files that are one split, if it is not known to be another than is wanted."""
    if split is not None and own is not None:
        pick_split(split, [own], str(path))
    return Split(files)


def _saved(path: Path) -> list[Path]:
    files = _state(path / "state.json", "_data_files")["_data_files"]
    return [path / file["filename"] for file in files]


def _in_folder(path: Path, split: str | None, config: str | None, follow_links: bool) -> Split:
    listing, names = _tables(path, follow_links)
    pictures = [
        name
        for suffix in sorted(picture_suffixes() & listing.other.keys())
        for name in listing.other.pop(suffix)
    ]
    remarks = listing.remarks("no tables like those that are taken", "Nothing has to be done.")
    if not names:
        found = "; ".join(remark.in_short() for remark in remarks) or "nothing"
        raise LatentmapError(
            f"{path} holds neither tables nor a data set saved by 'save_to_disk'. What is there: "
            f"{found}."
        )
    names, others = _of_config(path, names, config)
    remarks += others
    by_split: dict[str | None, list[str]] = defaultdict(list)
    for name in names:
        by_split[split_of(name)].append(name)
    picked = _pick(path, split, by_split)
    remarks += [
        _other_split(name, files, picked) for name, files in by_split.items() if name != picked
    ]
    return Split([path / name for name in by_split[picked]], remarks, pictures)


def _tables(path: Path, follow_links: bool) -> tuple[Listing, list[str]]:
    """List a folder, and name the tables in it of the first kind that is there."""
    for kind in KINDS:
        suffixes = {f"{suffix}{packed}" for suffix in kind for packed in ("", *PACKED_SUFFIXES)}
        listing = list_files(path, suffixes, follow_links)
        if listing.names:
            break
    return listing, listing.names


def _of_config(
    path: Path, names: Sequence[str], config: str | None
) -> tuple[list[str], list[Remark]]:
    """Return the files of a configuration, and what there is to say of the others."""
    by_config: dict[str | None, list[str]] = defaultdict(list)
    for name in names:
        parts = PurePosixPath(name).parts
        is_numbered = len(parts) > 2 and parts[-1].partition(".")[0].isdecimal()
        folder = parts[-3] if is_numbered else None
        by_config[config if config in parts[:-1] else folder].append(name)
    found = [str(name) for name in by_config if name is not None]
    if config is None and len(found) > 1:
        raise LatentmapError(
            f"{path} has the configurations {', '.join(found)}. Set 'config' to one."
        )
    if config is not None and config not in found:
        raise LatentmapError(f"{path}: {unknown('config', config, found)}")
    if config is None:
        return list(names), []
    remarks = [
        passed_over(f"files of the configuration {name}", files, f"'config' is {config}", INSTEAD)
        for name, files in by_config.items()
        if name != config
    ]
    return by_config[config], remarks


def _pick(
    path: Path, split: str | None, by_split: Mapping[str | None, Sequence[str]]
) -> str | None:
    """Return which of the splits is taken; null if no file is named after one."""
    named = [name for name in by_split if name is not None]
    if not named and split is None:
        return None
    if not named:
        raise LatentmapError(
            f"{path}: no file is named after a split, as '{split}' is. Leave 'split' out to take "
            "all files."
        )
    if split is None and None in by_split:
        raise LatentmapError(
            f"{path} has the splits {', '.join(named)}, and files of none ("
            f"{', '.join(by_split[None][:NAMED])}). Set 'split' to one, or 'input' to one file."
        )
    return pick_split(split, named, str(path))


def _other_split(name: str | None, files: Sequence[str], picked: str | None) -> Remark:
    what = f"files of the split {name}" if name else "files of no split"
    return passed_over(what, files, f"'split' is {picked}", INSTEAD)


def _state(path: Path, *keys: str) -> dict[str, Any]:
    """Read an object that `save_to_disk` wrote, which must have these keys."""
    state = read_plain_json(path)
    if not isinstance(state, dict) or not state.keys() >= set(keys):
        raise LatentmapError(f"{path} is damaged. Save the data set again.")
    return state
