"""From arrays to a report and an explorer: a run in a folder, made in this process."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from latentmap.api.assembly import Assembly
from latentmap.api.encoding import image_bytes
from latentmap.api.given import Column, Rows, latents_of, names_of
from latentmap.api.pages import ReportPage, Shown, explorer_of, report_of
from latentmap.api.waiting import bar_of
from latentmap.errors import LatentmapError
from latentmap.explorer.built import built_page
from latentmap.plugins import use_class
from latentmap.run import load_run
from latentmap.store.files import write_text
from latentmap.store.results import CONFIG, RUN

DATA = "data"
"""The folder with what was handed over, below that of the run."""

MARK = f"{DATA}/latentmap.txt"
"""The file by which a folder is known that a later call may replace."""

COLUMNS = ("label", "label_group", "source_group", "text", "image")


@dataclass(frozen=True)
class Given:
    """What was handed over.

    Attributes:
        arrays: by name, (N, C, H, W) or (N, D).
        table: one row per sample: id, what is known of it in `COLUMNS`, and further columns.
    """

    arrays: Mapping[str, NDArray[Any]]
    table: pa.Table


def report(
    X: Rows | Mapping[str, Rows],  # noqa: N803 (as scikit-learn calls it)
    labels: Column | None = None,
    groups: Column | None = None,
    *,
    out: Path | str = "report",
    images: Sequence[Any] | None = None,
    texts: Column | None = None,
    ids: Column | None = None,
    label_groups: Column | None = None,
    columns: Any = None,
    **options: Any,
) -> ReportPage:
    """Write the whole report of arrays: rankings, maps, neighbors, channels, and the explorer.

    The folder is that of a run: `latentmap.open(out)` opens it, `latentmap view` shows its
    explorer, and `config.yaml` in it makes the same by Snakemake. What is there from an earlier
    call is replaced.

    Args:
        X: (N, C, H, W) feature maps, which are pooled by every method, or (N, D) vectors, one
            sample per row; or several of them by name, which are compared.
        labels: (N,) of each sample; None or NaN where it has none.
        groups: (N,) what must not leak, such as the image or the patient that a sample is from.
        out: the folder.
        images: (N,) a picture of each sample, as for `encode`; None where it has none.
        texts: (N,) a text of each sample.
        ids: (N,) unique names; the row numbers by default.
        label_groups: (N,) coarser classes.
        columns: a data frame with further columns, which are shown and can colour maps.
        options: keys of the configuration, such as `methods=["mean", "patch4"]`,
            `maps=["mean"]` or `statistics={"permutations": 200}`; in `plugins` classes of your
            own, too: pooling methods, metrics, pages and others are used as those of latentmap.

    Raises:
        LatentmapError: arrays or lengths do not fit, an option is wrong, or `out` holds something
            else.
    """
    given = _given(X, labels, groups, images, texts, ids, label_groups, columns)
    made = _assemble(Path(out), given, options, everything=True)
    return report_of(made.results)


def explore(
    X: Rows | Mapping[str, Rows],  # noqa: N803 (as scikit-learn calls it)
    labels: Column | None = None,
    groups: Column | None = None,
    *,
    out: Path | str | None = None,
    images: Sequence[Any] | None = None,
    texts: Column | None = None,
    ids: Column | None = None,
    label_groups: Column | None = None,
    columns: Any = None,
    **options: Any,
) -> Shown:
    """Show every sample on maps: hover, click from neighbor to neighbor, select, compare.

    It is made of the same files as the explorer of a run, and the page is the same.

    Args:
        X: as for `report`; feature maps are pooled by their mean unless `methods` says otherwise.
        labels: as for `report`, and so are the others.
        groups: as for `report`.
        out: the folder of the run; by default a temporary one, which lasts as long as the result.
        images: as for `report`.
        texts: as for `report`.
        ids: as for `report`.
        label_groups: as for `report`.
        columns: as for `report`.
        options: keys of the configuration, as for `report`; `projections={"umap": {}}` adds to the
            default maps, and `{"tsne": None}` leaves one out.

    Raises:
        LatentmapError: as for `report`; or the explorer's page is not built and cannot be.
    """
    given = _given(X, labels, groups, images, texts, ids, label_groups, columns)
    if any(array.ndim == 4 for array in given.arrays.values()):
        options = {"methods": ["mean"], **options}
    kept = None
    if out is None:
        kept = TemporaryDirectory(prefix="latentmap-")
        out = Path(kept.name) / "explored"
    made = _assemble(Path(out), given, options, everything=False)
    return replace(explorer_of(made.results), kept=kept)


def _assemble(
    folder: Path, given: Given, options: Mapping[str, Any], *, everything: bool
) -> Assembly:
    """Write the files of a run: all of them, or what an explorer is made of."""
    # First, because it may need a network.
    page = built_page() if options.get("explorer", {}) is not None else None
    _clear(folder)
    own = [one for one in options.get("plugins", ()) if isinstance(one, type)]
    for plugin in own:
        use_class(plugin)
    named = [one for one in options.get("plugins", ()) if one not in own]
    config = _written(folder, given, {**options, "plugins": named})
    with _named_in(folder):
        assembly = Assembly(load_run(config), folder)
        assembly.begin()
        stages = [assembly.samples, assembly.latents, assembly.embeddings, assembly.targets]
        stages.append(assembly.maps)
        if everything:
            stages += [assembly.comparisons, assembly.report]
        if page is not None:
            stages.append(partial(assembly.explorer, page))
        steps = bar_of(stages, "stages", len(stages))
        assembly.say = steps.set_postfix_str
        for stage in steps:
            stage()
    return assembly


def _clear(folder: Path) -> None:
    """Remove what an earlier call left; nothing else.

    Raises:
        LatentmapError: the folder holds something else.
    """
    if not folder.exists():
        return
    if not folder.is_dir() or (any(folder.iterdir()) and not (folder / MARK).exists()):
        raise LatentmapError(f"{folder} holds something else. Give another folder as `out`.")
    shutil.rmtree(folder)


def _written(folder: Path, given: Given, options: Mapping[str, Any]) -> dict[str, Any]:
    """Write what was handed over as a run reads it; return the configuration."""
    import yaml

    data = folder / DATA
    data.mkdir(parents=True)
    write_text(folder / MARK, "Written by latentmap; the next call with this folder replaces it.\n")
    table = data / "samples.parquet"
    pq.write_table(given.table, table)
    encoders = []
    for name, array in given.arrays.items():
        path = data / f"{name}.npy"
        np.save(path, array, allow_pickle=False)
        precision = "float16" if array.dtype == np.float16 else "float32"
        encoders.append(
            {"kind": "arrays", "name": name, "input": str(path), "precision": precision}
        )
    there = given.table.column_names
    roles = {role: role if role in there else None for role in COLUMNS}
    config: dict[str, Any] = {
        "run": re.sub(r"[^A-Za-z0-9._-]|^[^A-Za-z0-9]+", "-", folder.name).lstrip("-._")
        or "arrays",
        "samples": {
            "sources": [{"kind": "arrays", "input": str(table), "columns": {"id": "id", **roles}}]
        },
        "encoders": encoders,
        **options,
    }
    write_text(folder / CONFIG, yaml.safe_dump(config, sort_keys=False))
    return config


@contextmanager
def _named_in(folder: Path) -> Any:
    """Leave no half of a run that looks whole: without its description none is opened."""
    try:
        yield
    except BaseException:
        RUN.below(folder).unlink(missing_ok=True)
        raise


def _given(
    X: Any,  # noqa: N803
    labels: Column | None,
    groups: Column | None,
    images: Sequence[Any] | None,
    texts: Column | None,
    ids: Column | None,
    label_groups: Column | None,
    columns: Any,
) -> Given:
    """Return arrays and what is known of their samples, checked."""
    named = X if isinstance(X, Mapping) else {"latents": X}
    arrays = {name: latents_of(array, name) for name, array in named.items()}
    if not arrays:
        raise LatentmapError("There is nothing to show: give an array.")
    counts = {name: len(array) for name, array in arrays.items()}
    count = next(iter(counts.values()))
    for name, found in counts.items():
        if found != count:
            raise LatentmapError(f"{name} has {found:,} rows and {next(iter(counts))} {count:,}.")
    rows = next(iter(named.values()))
    known = {
        "label": labels,
        "label_group": label_groups,
        "source_group": groups,
        "text": texts,
    }
    table: dict[str, Any] = {
        role: [name or None for name in names_of(given, rows, count, role).tolist()]
        for role, given in known.items()
        if given is not None
    }
    if images is not None:
        table["image"] = _pictures(images, count)
    own = range(count) if ids is None else names_of(ids, rows, count, "ids").tolist()
    return Given(arrays, pa.table({"id": list(map(str, own)), **table, **_further(columns, count)}))


def _pictures(images: Sequence[Any], count: int) -> pa.Array:
    if len(images) != count:
        raise LatentmapError(f"images has {len(images):,} entries for {count:,} samples.")
    files = [None if one is None else image_bytes(one, row) for row, one in enumerate(images)]
    return pa.array(files, pa.large_binary())


def _further(columns: Any, count: int) -> dict[str, Any]:
    """Return further columns of a data frame, or of a mapping of lists."""
    if columns is None:
        return {}
    import polars as pl

    frame = pl.DataFrame(columns) if isinstance(columns, Mapping) else columns
    if not isinstance(frame, pl.DataFrame):
        frame = pl.from_pandas(frame)
    if len(frame) != count:
        raise LatentmapError(f"columns has {len(frame):,} rows for {count:,} samples.")
    table = frame.to_arrow()
    taken = {"id", *COLUMNS}
    return {f"own_{n}" if n in taken else n: table[n] for n in table.column_names}
