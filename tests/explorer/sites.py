"""Sites as docs/explorer-format.md says, written by another hand than the workflow's."""

import base64
import gzip
import io
import json
import zlib
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
from PIL import Image

KEY = "0123456789abcdef"
HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>"
LABELS = ["depth", "height", "count", HOSTILE, "__proto__", "constructor", "\u202egnp.exe", ""]
METHODS = ["mean", "std"]
DIMS = {"umap": 2, "umap3d": 3, "pca": 2}
PALETTE = {
    "categories": ["#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#8107B2"],
    "none": "#999999",
    "numbers": ["#440154", "#3B528B", "#21918C", "#5EC962", "#FDE725"],
    "regions": ["#FF0000", "#0000FF"],
}
BOX, OTHER_BOX = [16.0, 32.0, 128.0, 192.0], [140.0, 20.0, 240.0, 100.0]
COMPARED, OTHER_RUN = "tiny/plain/std/pca", "earlier (reference)"
"""The map on which the samples of another run are, too."""
THREE_BOXES = 6
"""The row whose first and third box are the same."""


class Writer:
    """Writes the files of a site, and notes what the manifest says of each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def table(self, file: str, columns: dict) -> dict:
        path = self.folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        table = pa.table(columns).replace_schema_metadata({"key": KEY})
        with pa.ipc.new_file(path, table.schema) as writer:
            writer.write_table(table)
        content = path.read_bytes()
        return {"file": file, "bytes": len(content), "crc32": zlib.crc32(content)}

    def chunks(self, pattern: str, count: int, size: int, columns) -> dict:
        starts = [*range(0, count, size), count]
        files = [
            self.table(pattern.replace("{}", str(i)), columns(range(start, end)))
            for i, (start, end) in enumerate(pairwise(starts))
        ]
        return {
            "file": pattern,
            "starts": starts,
            "bytes": [file["bytes"] for file in files],
            "crc32": [file["crc32"] for file in files],
        }


def write_site(folder: Path, count: int = 300, seed: int = 0, pictures: bool = True) -> dict:
    """Write a site whose labels are clusters; return its manifest, and what was planted in it.

    The clusters lie on a circle, those of `std` in the other order round it. Neighbors are those
    of the row number within a label.
    """
    draw = np.random.default_rng(seed)
    writer = Writer(folder)
    label = np.sort(draw.integers(0, len(LABELS), count))
    sizes = np.bincount(label, minlength=len(LABELS))
    number = draw.normal(size=count).astype(np.float32)
    number[0] = np.nan
    purity = {
        "mean": (np.arange(count) % 5 / 4).astype(np.float32),
        "std": (np.arange(count) % 3 / 2).astype(np.float32),
    }
    maps, places = [], {}
    for method in METHODS:
        for projection, dims in DIMS.items():
            entry, places[method, projection] = _map(writer, draw, label, method, projection, dims)
            maps.append(entry)
    columns = [
        category(writer, "0", "label", "sample", [LABELS[i] for i in label]),
        category(writer, "1", "split", "sample", list(draw.choice(["train", "test"], count))),
        _number(writer, "2", "weight", "sample", None, number),
        _number(writer, "3", "Density", "method", "tiny/plain/mean", np.arange(count)),
        _number(writer, "4", "Trust", "map", "tiny/plain/mean/umap", np.linspace(0, 1, count)),
        category(writer, "5", "prediction", "annotation", [LABELS[i] for i in (label + 1) % 8]),
        _number(writer, "6", "Purity", "method", "tiny/plain/mean", purity["mean"]),
        _number(writer, "7", "Purity", "method", "tiny/plain/std", purity["std"]),
    ]
    starts = np.cumsum([0, *sizes])
    manifest = {
        "format": "latentmap explorer",
        "version": 1,
        "latentmap": "0",
        "run": f"demo {HOSTILE}",
        "key": KEY,
        "count": count,
        "first": {"map": "tiny/plain/mean/umap", "column": "0"},
        "metric": {"name": "knn_accuracy", "title": "k-NN accuracy"},
        "methods": [
            {
                "id": f"tiny/plain/{method}",
                "encoder": "tiny",
                "variant": "plain",
                "method": method,
                "dims": 8,
                "baseline": False,
                "rank": i + 1,
                "may_be_best": True,
                "value": 0.71 - 0.1 * i,
                "interval": [0.6, 0.8],
                "chance": 0.125,
                "maps": [entry["id"] for entry in maps if entry["method"].endswith(method)],
                "columns": {"density": "3", "purity": "6"} if method == "mean" else {"purity": "7"},
                "neighbors": _neighbors(writer, label, starts, method, count),
            }
            for i, method in enumerate(METHODS)
        ],
        "maps": maps,
        "columns": columns,
        "ids": writer.chunks(
            "ids/{}.arrow", count, 128, lambda rows: {"id": [name(i) for i in rows]}
        ),
        "samples": {
            **writer.chunks(
                "samples/{}.arrow", count, 64, lambda rows: _samples(rows, label, pictures)
            ),
            "columns": [{"name": "c0", "title": "note", "about": "annotation", "kind": "text"}],
        },
        "thumbnails": writer.chunks(
            "thumbnails/{}.arrow",
            count,
            64,
            lambda rows: {
                "jpeg": pa.array([_jpeg(label[i]) for i in rows], pa.binary()).dictionary_encode()
            },
        )
        if pictures
        else None,
        "pictures": {"files": len(LABELS), "bytes": 0} if pictures else None,
        "palette": PALETTE,
        "missing": [],
        "bytes": 0,
    }
    if pictures:
        for i in range(len(LABELS)):
            path = folder / "pictures" / "00" / f"{i}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(_jpeg(i, 256))
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return {
        "manifest": manifest,
        "label": label,
        "number": number,
        "purity": purity,
        "places": places,
    }


def name(row: int) -> str:
    return f"sample-{row:06}"


def centre(label: np.ndarray, method: str) -> np.ndarray:
    """Where the cluster of a label lies on the flat maps of a method, in coordinates of the map."""
    angle = (1 if method == "mean" else -1) * label * 2 * np.pi / len(LABELS)
    return 10 + 4 * np.stack([np.cos(angle), np.sin(angle)], axis=-1)


def _map(writer, draw, label, method, projection, dims) -> tuple[dict, np.ndarray]:
    places = np.zeros((len(label), dims))
    places[:, :2] = centre(label, method)
    places += draw.normal(scale=0.4, size=places.shape)
    low, high = places.min(axis=0), places.max(axis=0)
    scale = float((high - low).max() / 65534)
    stored = np.round((places - low) / scale).astype(np.uint16)
    identity = f"tiny/plain/{method}/{projection}"
    file = writer.table(
        f"maps/{identity}.arrow", {axis: stored[:, i] for i, axis in enumerate("xyz"[:dims])}
    )
    box = np.quantile(places, [0.005, 0.995], axis=0).T
    entry = {
        "id": identity,
        "method": f"tiny/plain/{method}",
        "projection": projection,
        "kind": "umap",
        "dims": dims,
        **file,
        "type": "uint16",
        "offset": low.tolist(),
        "scale": scale,
        "unplaced": 0,
        "box": box.tolist(),
        "extent": np.stack([low, high], axis=1).tolist(),
        "alignment": {"reference": f"tiny/plain/mean/{projection}", "residual": 0.1},
        "trust": {
            "k": 15,
            "recall": 0.42,
            "trustworthiness": 0.9,
            "continuity": 0.9,
            "doubtful": 0,
        },
        "columns": {"trust": "4"} if identity == "tiny/plain/mean/umap" else {},
        "before": None,
        "regions": None,
    }
    if identity == COMPARED:
        entry |= {"before": _before(writer, identity), "regions": _regions(label, method)}
    return entry, places


def _before(writer, identity) -> dict:
    """50 samples of another run in the middle of the map, where none of this one is."""
    places = 10 + np.random.default_rng(7).uniform(-0.3, 0.3, (50, 2))
    file = writer.table(
        f"maps/{identity}.before.arrow",
        {axis: places[:, i].astype(np.float32) for i, axis in enumerate("xy")},
    )
    box = np.stack([places.min(axis=0), places.max(axis=0)], axis=1).tolist()
    return {
        "run": "earlier",
        "count": 50,
        **file,
        "type": "float32",
        "offset": [0, 0],
        "scale": 1,
        "unplaced": 0,
        "box": box,
        "extent": box,
    }


def _regions(label, method) -> dict:
    """Regions around the clusters; of the other run as much lies in each."""
    share = np.bincount(label, minlength=len(LABELS)) / len(label)
    return {
        "sources": [OTHER_RUN, "demo"],
        "centres": centre(np.arange(len(LABELS)), method).tolist(),
        "shares": [[1 / len(LABELS), part] for part in share.tolist()],
        "p_adjusted": [0.001, None, *[0.4] * (len(LABELS) - 2)],
    }


def category(writer, identity, title, about, values) -> dict:
    present = [value for value in values if value is not None]
    order = sorted(set(present), key=lambda value: (-present.count(value), value))
    texts = [*order, None] if len(present) < len(values) else order
    indices = np.array([texts.index(value) for value in values], np.int16)
    encoded = pa.DictionaryArray.from_arrays(indices, pa.array(texts, pa.string()))
    return {
        "id": identity,
        "title": title,
        "description": None,
        "about": about,
        "of": None,
        **writer.table(f"columns/{identity}.arrow", {"value": encoded}),
        "kind": "category",
        "missing": len(values) - len(present),
        "values": len(order),
        "colors": None,
    }


def _number(writer, identity, title, about, of, values) -> dict:
    values = np.asarray(values, np.float32)
    known = ~np.isnan(values)
    percentile = np.full(len(values), 65535, np.uint16)
    ranks = values[known].argsort().argsort()
    percentile[known] = np.round(10_000 * ranks / max(1, known.sum() - 1))
    return {
        "id": identity,
        "title": title,
        "description": None,
        "about": about,
        "of": of,
        **writer.table(f"columns/{identity}.arrow", {"value": values, "percentile": percentile}),
        "kind": "number",
        "missing": int((~known).sum()),
        "low": float(np.nanmin(values)),
        "high": float(np.nanmax(values)),
        "whole": False,
        "unit": None,
    }


def _neighbors(writer, label, starts, method, count, k=4) -> dict:
    def rows_near(row: int) -> list[int]:
        """The next rows of the same label, round the circle; of `std` the ones before."""
        first, size = starts[label[row]], starts[label[row] + 1] - starts[label[row]]
        step = 1 if method == "mean" else -1
        near = [int(first + (row - first + step * i) % size) for i in range(1, k + 1)]
        return near[: max(0, size - 1)] + [-1] * max(0, k - size + 1)

    def columns(rows):
        near = np.array([rows_near(row) for row in rows])
        far = np.where(near < 0, np.inf, np.arange(1, k + 1) / 10).astype(np.float32)
        same = (near == np.array(rows)[:, None] + 1).astype(np.uint8)
        fixed = pa.FixedSizeListArray.from_arrays
        return {
            "neighbor": fixed(near.astype(np.int32).ravel(), k),
            "distance": fixed(far.ravel(), k),
            "same_source": fixed(same.ravel(), k),
        }

    return {
        **writer.chunks(f"neighbors/tiny/plain/{method}/{{}}.arrow", count, 100, columns),
        "k": k,
        "metric": "euclidean",
    }


def _samples(rows, label, pictures: bool) -> dict:
    texts = [
        HOSTILE
        if i == 1
        else "x" * 1_000_000
        if i == 2
        else None
        if i == 3
        else f"What is the {LABELS[label[i]]} of region {i}?"
        for i in rows
    ]
    messages = [
        json.dumps([{"role": "user", "content": HOSTILE}, {"role": "assistant", "content": "No."}])
        if i == 4
        else None
        for i in rows
    ]
    return {
        "id": [name(i) for i in rows],
        "text": pa.array(texts, pa.string()),
        "messages": pa.array(messages, pa.string()),
        "width": pa.array([256 if pictures else None] * len(rows), pa.int32()),
        "height": pa.array([256 if pictures else None] * len(rows), pa.int32()),
        "boxes": pa.array(
            [[BOX, OTHER_BOX, BOX] if i == THREE_BOXES else [BOX] for i in rows],
            pa.list_(pa.list_(pa.float32())),
        ),
        "picture": pa.array(
            [f"00/{label[i]}.jpg" if pictures else None for i in rows], pa.string()
        ),
        "c0": pa.array([f"javascript:alert({i})" if i % 2 else None for i in rows], pa.string()),
    }


def _jpeg(label: int, side: int = 64) -> bytes:
    color = tuple(int(PALETTE["categories"][label % 7][i : i + 2], 16) for i in (1, 3, 5))
    stream = io.BytesIO()
    Image.new("RGB", (side, side * 3 // 4), color).save(stream, "JPEG")
    return stream.getvalue()


def self_contained(folder: Path, bundle: Path) -> str:
    """The page in one file: the bundle's page with script, style and data in it."""
    page = (bundle / "index.html").read_text()
    files = [path for path in sorted(folder.rglob("*")) if path.suffix in (".arrow", ".json")]
    data = "\n".join(
        f'<script type="application/octet-stream" id="file:{path.relative_to(folder)}">'
        f"{base64.b64encode(gzip.compress(path.read_bytes(), mtime=0)).decode()}</script>"
        for path in files
    )
    script = (bundle / "assets" / "explorer.js").read_text().replace("</script", "<\\/script")
    style = (bundle / "assets" / "explorer.css").read_text()
    return (
        page.replace("<!-- data -->", data)
        .replace('<script src="assets/explorer.js" defer></script>', f"<script>{script}</script>")
        .replace('<link rel="stylesheet" href="assets/explorer.css">', f"<style>{style}</style>")
        .replace(
            "script-src 'self'; style-src 'self'",
            "script-src 'unsafe-inline'; style-src 'unsafe-inline'",
        )
    )
