"""What data is, and which ready configuration it takes, told by a look at it."""

from __future__ import annotations

import re
import zipfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from latentmap.errors import LatentmapError
from latentmap.samples.caches import find_caches
from latentmap.samples.cells import is_blank
from latentmap.samples.columns import ColumnMap, texts, values
from latentmap.samples.images import unpack
from latentmap.samples.listing import list_files
from latentmap.samples.pictures import picture_suffixes
from latentmap.samples.sources.hub import HubColumns
from latentmap.samples.splits import find_split
from latentmap.samples.tables.file import HIDDEN
from latentmap.samples.tables.rows import (
    COLUMNAR_SUFFIXES,
    JSON_LINES_SUFFIXES,
    SUFFIXES,
    Rows,
)
from latentmap.samples.vectors import holds_lists, numbered_columns

HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
"""What the id of a data set on the Hugging Face hub looks like."""

HEAD = 500
"""Rows of a table that are looked at."""

WIDE = 8
"""So many numbered columns are vectors, whatever else a table holds."""

LONG = 20
"""Mean number of characters from which on the cells of an unknown column are taken for texts."""

KNOWN: Mapping[str, Sequence[str]] = {
    "text": (
        *("text", "prefix.messages", "prompt", "messages", "conversations", "conversation"),
        *("question", "instruction", "sentence", "content", "chosen", "document", "body"),
        *("review", "caption", "comment", "abstract", "title"),
    ),
    "label": (
        *("label", "labels", "category", "class", "target", "topic", "src", "subject"),
        *("qa_info.category", "label_text", "label_name", "intent", "sentiment"),
    ),
    "source_group": ("source_group", "group", "group_id"),
    "id": ("id", "uid", "uuid"),
}
"""Columns that are taken for a role, the first that is there and holds something."""

BESIDE = (".npy", ".csv", ".tsv", ".jsonl", ".parquet")
"""Suffixes of files of labels beside an array."""


REMEDIES = {
    ".pdf": "make pictures of their pages (pdftoppm -png) or a table with their texts",
    **dict.fromkeys((".mp4", ".avi", ".mov", ".mkv"), "make pictures of their frames (ffmpeg)"),
    **dict.fromkeys((".wav", ".mp3", ".flac"), "encode them, and give the vectors as .npy"),
    **dict.fromkeys((".doc", ".docx", ".html"), "make a table with their texts"),
    **dict.fromkeys((".xls", ".xlsx", ".ods"), "save them as CSV"),
    **dict.fromkeys((".pkl", ".pickle"), "save the arrays as .npy, the tables as CSV or Parquet"),
    **dict.fromkeys((".tar", ".zip"), "unpack them"),
    **dict.fromkeys((".npy", ".npz"), "give one file"),
    **dict.fromkeys((".dcm", ".nii", ".mat"), "make pictures of them (PNG) or arrays (.npy)"),
}
"""What to do with files that are often there and are not read, by suffix."""


class Found(NamedTuple):
    """What data is taken for.

    Attributes:
        what: in words.
        config: name of the ready configuration.
        source: options of its source that differ from those.
        input: what the run's `input` is; the data itself by default.
        changes: other keys of the configuration that differ.
    """

    what: str
    config: str
    source: Mapping[str, Any] = {}
    input: Path | None = None
    changes: Mapping[str, Any] = {}


Columns = Mapping[str, str | None]
"""Which column holds what, as the user says."""


def look_at(data: Path, columns: Columns, split: str | None = None) -> Found:
    """Tell what data is.

    Args:
        data: a file or folder.
        columns: roles that the user has given a column, or none.
        split: of a data set in a folder.

    Raises:
        LatentmapError: says in one line why it cannot be told, and what to do.
    """
    if not data.exists():
        hub = " A data set on the hub is named in a configuration: config/relations.yaml."
        is_id = HUB_ID.fullmatch(str(data)) is not None
        raise LatentmapError(f"{data}: no such file or folder.{hub if is_id else ''}")
    if data.is_dir():
        return _folder(data, columns, split)
    suffix = data.suffix.lower()
    if suffix == ".npz":
        return _archive(data, columns)
    if suffix == ".npy":
        return _array(data, columns)
    if suffix in (".txt", ".text"):
        return Found("lines of text", "jsonl", {"kind": "lines"}, changes=_encoders())
    if suffix in (".pt", ".pth"):
        raise LatentmapError(
            f"{data} is a file of torch. Give the folder of a cache of embeddings "
            "(embeddings.pt, labels.pt, metadata.csv), or save the array as .npy."
        )
    return _table([data], data, columns)


# ---- folders -----------------------------------------------------------------------------------


def _folder(folder: Path, columns: Columns, split: str | None) -> Found:
    if (cached := _caches(folder)) is not None:
        return cached
    if (folder / "embeddings.npy").is_file():
        return Found("a folder of embeddings and what is known of them", "vectors")
    pictures = list_files(folder, picture_suffixes(), False).names
    is_saved = any((folder / name).is_file() for name in ("state.json", "dataset_dict.json"))
    if is_saved or list_files(folder, COLUMNAR_SUFFIXES, False).names:
        return _table(_files_of(folder, split), folder, columns)
    if pictures:
        return _pictures(folder, pictures, columns)
    tables = list_files(folder, SUFFIXES, False).names
    if len(tables) == 1:
        table = folder / tables[0]
        return _table([table], table, columns)
    if tables:
        raise LatentmapError(f"{folder} holds several tables. Give one: {', '.join(tables[:5])}.")
    raise LatentmapError(f"{folder} holds {_found_in(folder)}")


def _found_in(folder: Path) -> str:
    """Say what a folder without data holds, and what could be made of it."""
    suffixes = Counter(path.suffix.lower() for path in folder.rglob("*") if path.is_file())
    if not suffixes:
        return "no files."
    (commonest, count), *others = suffixes.most_common()
    kind = commonest or "without a suffix"
    files = f"{count:,} file{'s' if count > 1 else ''} {kind}{' and others' if others else ''}"
    remedy = REMEDIES.get(
        commonest, "pictures, tables, arrays (.npy, .npz) and embeddings are read"
    )
    return f"{files}, which are no data that is known: {remedy}."


def _files_of(folder: Path, split: str | None) -> Sequence[Path]:
    try:
        return find_split(folder, split).files
    except LatentmapError as error:
        hint = " For `latentmap run`: --source split=NAME." if "Set 'split'" in str(error) else ""
        raise LatentmapError(f"{error}{hint}") from None


def _caches(folder: Path) -> Found | None:
    """Take a folder for caches of embeddings, or of coordinates."""
    try:
        caches = find_caches(str(folder))
    except LatentmapError:
        return None
    count = "a cache" if len(caches) == 1 else f"{len(caches)} caches"
    if all(cache.has_vectors for cache in caches.values()):
        return Found(f"{count} of embeddings", "embedding_cache")
    files = sorted(path.name for path in next(iter(caches.values())).folder.glob("*.npy"))
    given = {"kind": "given", "file": files[0]}
    return Found(
        f"{count} of coordinates, {files[0]}",
        "coordinates",
        changes={
            "encoders": [{"kind": "coordinates", "file": files[0]}],
            "projections": {"pca": None, "tsne": None, "umap": given},
        },
    )


def _pictures(folder: Path, names: Sequence[str], columns: Columns) -> Found:
    """Take a folder for pictures: with a table of labels, in class folders, or without labels."""
    classes = {name.split("/")[0] for name in names if "/" in name}
    count = f"{len(names):,} picture{'s' if len(names) > 1 else ''}"
    table = _labels_of(folder, has_classes=bool(classes))
    if table is not None:
        return _named_pictures(table, folder, columns)
    if classes and columns.get("label", "") is not None:
        folders = "one folder" if len(classes) == 1 else f"{len(classes)} folders"
        return Found(f"{count} in {folders}", "folder")
    return Found(f"{count} without labels", "folder", {"columns": {"label": None}})


def _labels_of(folder: Path, has_classes: bool) -> Path | None:
    """Return the table of labels beside pictures: `metadata` or `labels`, or the only one."""
    tables = [p for p in sorted(folder.iterdir()) if p.name.lower().endswith(SUFFIXES)]
    named = [p for p in tables if p.name.split(".")[0] in ("metadata", "labels")]
    usable = named or ([] if has_classes else tables)
    return usable[0] if named or len(usable) == 1 else None


def _named_pictures(table: Path, folder: Path, columns: Columns) -> Found:
    """Take a table for one that names pictures in files beside it."""
    head = _head([table])
    image = _picture_column(head)
    if image is None:
        raise LatentmapError(
            f"{table}: no column names pictures. There are: {', '.join(_names(head))}."
        )
    mapped = {**_roles(head, columns, ("label", "source_group")), "image": image, "id": image}
    return Found(
        f"pictures that {table.name} names, {_labels_in(mapped)}",
        "folder",
        {"labels": table.name, "columns": mapped},
        input=folder,
    )


# ---- arrays ------------------------------------------------------------------------------------


def _archive(path: Path, columns: Columns) -> Found:
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name.removesuffix(".npy") for name in archive.namelist()]
    except (OSError, zipfile.BadZipFile):
        raise LatentmapError(f"{path} is no .npz file that can be read. Save it again.") from None
    if "latents" in names:
        return Found("latents that are encoded already", "npz", _chosen(columns))
    labelled = {"label", "labels", "qa_category"} & set(names)
    return _vectors(path, f"vectors in {', '.join(names[:4])}", bool(labelled), columns)


def _array(path: Path, columns: Columns) -> Found:
    try:
        shape = np.load(path, mmap_mode="r", allow_pickle=False).shape
    except (OSError, ValueError):
        raise LatentmapError(f"{path} is no array of numbers that can be read.") from None
    if len(shape) == 4:
        raise LatentmapError(
            f"{path} holds latents {shape}. Say what they are of: np.savez('latents.npz', "
            "latents=…, metadata=json.dumps([{'id': …, 'label': …}, …])), and run that file."
        )
    if len(shape) != 2:
        raise LatentmapError(f"{path} has the shape {shape}; vectors are (N, D).")
    return _vectors(path, f"{shape[0]:,} vectors of {shape[1]:,} numbers", False, columns)


def _vectors(path: Path, what: str, labelled: bool, columns: Columns) -> Found:
    """Take a file for vectors, with labels in it, in a file beside it, or without."""
    stems = (f"{path.stem}_labels", f"{path.stem}.labels", "labels")
    beside = [path.with_name(f"{stem}{suffix}") for stem in stems for suffix in BESIDE]
    labels = next((file for file in beside if file.is_file()), None)
    if labelled or columns.get("label"):
        return Found(f"{what}, with labels", "vectors", _chosen(columns))
    if labels is None:
        return Found(f"{what}, without labels", "vectors", {"columns": {"label": None, **columns}})
    mapped = dict(columns)
    if labels.suffix != ".npy":
        mapped = _roles(_head([labels]), columns, ("label", "source_group", "id"))
    return Found(
        f"{what}, with labels in {labels.name}",
        "vectors",
        {"labels": labels.name, **_chosen(mapped)},
    )


# ---- tables ------------------------------------------------------------------------------------


def _table(paths: Sequence[Path], data: Path, columns: Columns) -> Found:
    """Take tables of one layout for vectors, questions about pictures, pictures or texts."""
    head = _head(paths)
    names = _names(head)
    count = f"{len(Rows(paths)):,} rows"
    if not columns and not HubColumns().missing(head):
        return Found(f"{count} of questions about regions of pictures", "relations")
    lists = [name for name in names if holds_lists(head[name]) and "box" not in name.lower()]
    numbered = max(numbered_columns(head, names).values(), key=len, default=[])
    text = _known(head, "text")
    if len(lists) == 1 or len(numbered) >= WIDE or (len(numbered) > 1 and text is None):
        mapped = _roles(head, columns, ("label", "source_group", "id"))
        held = lists[0] if lists else f"{numbered[0]} to {numbered[-1]}"
        what = f"{count} with vectors in {held}, {_labels_in(mapped)}"
        return Found(what, "vectors", {"columns": mapped})
    if (image := _embedded_picture(head)) is not None:
        mapped = _roles(head, columns, ("id", "label", "source_group", "text"))
        empty = dict.fromkeys(("id", "source_group", "boxes", "text"))
        return Found(
            f"{count} of pictures in {image}, {_labels_in(mapped)}",
            "folder",
            {"kind": "hub", "columns": {**empty, **mapped, "image": image}},
        )
    if text is None and "text" not in columns and _picture_column(head) and len(paths) == 1:
        return _named_pictures(paths[0], paths[0].parent, columns)
    return _texts(head, data, count, columns)


def _texts(head: pa.Table, data: Path, count: str, columns: Columns) -> Found:
    mapped = _roles(head, columns, ("id", "text", "label", "source_group"))
    mapped.setdefault("text", _longest(head))
    if mapped["text"] is None:
        raise LatentmapError(
            f"{data}: no column is known to hold texts, vectors or pictures. Name one: "
            f"--columns text={_names(head)[0]}. There are: {', '.join(_names(head))}."
        )
    plain = data.name.lower().removesuffix(".gz").removesuffix(".zst")
    is_json = plain.endswith((*JSON_LINES_SUFFIXES, ".json"))
    return Found(
        f"{count} of texts in {mapped['text']}, {_labels_in(mapped)}",
        "jsonl",
        {"kind": "jsonl" if is_json else "table", "columns": mapped},
        changes=_encoders(),
    )


def _encoders() -> dict[str, Any]:
    """Leave the encoder of sentences out where the extra that brings it is not installed."""
    if find_spec("sentence_transformers") is not None:
        return {}
    return {"encoders": [{"kind": "tfidf"}]}


def _head(paths: Sequence[Path]) -> pa.Table:
    rows = Rows(paths)
    return rows.take(range(min(len(rows), HEAD)))


def _names(table: pa.Table) -> list[str]:
    return [name for name in table.column_names if name not in HIDDEN]


def _roles(table: pa.Table, columns: Columns, roles: Iterable[str]) -> dict[str, str | None]:
    """Return the column of each role: as the user says, or the first known one.

    A label that is nowhere is none; any other role that is nowhere is left out.
    """
    found = {role: _known(table, role) for role in roles}
    told = {role: path for role, path in found.items() if path is not None or role == "label"}
    return {**told, **columns}


def _known(table: pa.Table, role: str) -> str | None:
    """Return the first known column of a role that holds something; an id is in no two rows."""
    for path in KNOWN[role]:
        asked = ColumnMap(**{role: path})
        if asked.missing(table):
            continue
        read = texts(table, asked) if role == "text" else values(table, asked, role)
        held = [value for value in read if value not in (None, "")]
        if held and (role != "id" or len(set(map(str, held))) == len(read)):
            return path
    return None


def _longest(table: pa.Table) -> str | None:
    """Return the column with the longest texts, if they are no mere names."""
    lengths: dict[str, float] = {}
    for name in _names(table):
        if pa.types.is_string(table[name].type) or pa.types.is_large_string(table[name].type):
            read = [text for text in table[name].to_pylist() if not is_blank(text)]
            lengths[name] = sum(map(len, read)) / max(len(read), 1)
    longest = max(lengths, key=lambda name: lengths[name], default=None)
    return longest if longest is not None and lengths[longest] >= LONG else None


def _embedded_picture(table: pa.Table) -> str | None:
    """Return the column whose cells are pictures: bytes, or bytes beside a path."""
    for name in _names(table):
        kind = table[name].type
        is_struct = pa.types.is_struct(kind) and "bytes" in [field.name for field in kind]
        if is_struct or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
            return name
    return None


def _picture_column(table: pa.Table) -> str | None:
    """Return the column whose cells name pictures by their suffixes."""
    suffixes = tuple(picture_suffixes())
    for name in _names(table):
        paths = [unpack(cell)[1] for cell in table[name].to_pylist() if isinstance(cell, str)]
        if paths and all(path and path.strip().lower().endswith(suffixes) for path in paths):
            return name
    return None


def _labels_in(mapped: Columns) -> str:
    label = mapped.get("label")
    return f"labels in {label}" if label else "without labels"


def _chosen(columns: Columns) -> dict[str, Any]:
    return {"columns": dict(columns)} if columns else {}
