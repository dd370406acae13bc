"""What the `meta.json` of a cache of embeddings says of it, and whether that fits."""

from __future__ import annotations

import pickletools
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from latentmap.errors import LatentmapError
from latentmap.samples.caches import EMBEDDINGS, METADATA, EmbeddingCache
from latentmap.samples.cells import as_text
from latentmap.samples.remarks import NOTED, Remark
from latentmap.samples.spelling import plain_name
from latentmap.store.arrays import UNREADABLE
from latentmap.store.files import read_plain_json

META = "meta.json"

DIMS = {"d", "dim", "dims", *(f"{what}_dim" for what in ("embed", "embedding", "feat", "feature"))}
"""Keys under which such a file says how many dimensions vectors have, without a plural's s."""

COUNTS = {"n", "count", *(f"{n}_{what}" for n in ("n", "num") for what in ("sample", "embedding"))}
"""Keys under which it says how many vectors there are."""

CHECKPOINTS = {name + end for name in ("ckpt", "checkpoint") for end in ("", "_path", "_file")}
"""Keys under which it says which weights made them."""

LENGTH = 200
"""Characters of a value that the report shows."""


def cache_facts(cache: EmbeddingCache) -> dict[str, str]:
    """Return what `meta.json` says, as text; nothing if it cannot be read, which a remark says."""
    try:
        said = _said(cache)
    except LatentmapError:
        return {}
    return {
        plain_name(str(name)): plain_name(as_text(value) or "")[:LENGTH]
        for name, value in said.items()
    }


def fact_remarks(caches: Mapping[str, EmbeddingCache]) -> list[Remark]:
    """Say where `meta.json` does not fit its cache, or that of another.

    Args:
        caches: by name.
    """
    return [*_misfits(caches), *_shared(caches)]


def _misfits(caches: Mapping[str, EmbeddingCache]) -> Iterator[Remark]:
    remedy = "Make the cache again, if it is not what it should be."
    for name, cache in caches.items():
        what = f"{META} of {name}"
        try:
            said = _said(cache)
        except LatentmapError as error:
            yield Remark(what, 1, str(error), "Nothing has to be done.", action=NOTED)
            continue
        shape = _shape(cache)
        found = {
            "rows": (COUNTS, len(cache.metadata)),
            "dimensions": (DIMS, shape[1:] and shape[1]),
        }
        for noun, (keys, number) in found.items():
            for key, value in _numbers(said, keys):
                if number and value != number:
                    held = METADATA if noun == "rows" else EMBEDDINGS
                    reason = f"{key} is {value}, and {held} has {number} {noun}"
                    yield Remark(what, 1, reason, remedy, action=NOTED)


def _shared(caches: Mapping[str, EmbeddingCache]) -> Iterator[Remark]:
    made: dict[str, list[str]] = defaultdict(list)
    for name, cache in caches.items():
        for key, value in cache_facts(cache).items():
            if _singular(key) in CHECKPOINTS and value:
                made[value].append(name)
    for checkpoint, names in made.items():
        if len(names) > 1:
            yield Remark(
                "caches",
                len(names),
                f"made by one checkpoint, {checkpoint}",
                "Check that these are the models to compare.",
                tuple(names),
                action=NOTED,
            )


def _said(cache: EmbeddingCache) -> dict[Any, Any]:
    path = cache.folder / META
    found = read_plain_json(path) if path.is_file() else {}
    return found if isinstance(found, dict) else {}


def _numbers(said: Mapping[Any, Any], keys: Iterable[str]) -> Iterator[tuple[str, int]]:
    for key, value in said.items():
        if _singular(str(key)) in keys and type(value) is int:
            yield plain_name(str(key)), value


def _singular(key: str) -> str:
    return key.lower().removesuffix("s")


def _shape(cache: EmbeddingCache) -> tuple[int, ...]:
    """Return the shape of the vectors as their file says it; nothing where it does not.

    It is looked up in the pickle of the archive without running it: after the values comes where
    they begin, and the two numbers of the shape.
    """
    try:
        with zipfile.ZipFile(cache.folder / EMBEDDINGS) as archive:
            name = next(name for name in archive.namelist() if name.endswith("data.pkl"))
            steps = list(pickletools.genops(archive.read(name)))
    except (StopIteration, *UNREADABLE):
        return ()
    names = [step.name for step, _, _ in steps]
    if "BINPERSID" not in names or "TUPLE2" not in names[names.index("BINPERSID") :]:
        return ()
    end = names.index("TUPLE2", names.index("BINPERSID"))
    shape = [argument for _, argument, _ in steps[end - 2 : end] if isinstance(argument, int)]
    return tuple(shape) if len(shape) == 2 else ()
