"""The page of an explorer beside its data, and the page that carries its data in itself."""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from latentmap.errors import LatentmapError
from latentmap.explorer.built import BUNDLE, INDEX, SCRIPT, STYLE
from latentmap.explorer.site import MANIFEST, NUMBER, put_copies
from latentmap.report.picture_host import picture_host
from latentmap.store.files import json_text, read_plain_json, write_text

IN_ONE_FILE = "explorer.html"
MOST_SAMPLES = 5000
MOST_BYTES = 50_000_000

STYLE_LINK = f'<link rel="stylesheet" href="{STYLE}">'
SCRIPT_LINK = f'<script src="{SCRIPT}" defer></script>'
DATA = "<!-- data -->"
IMAGES = re.compile(r"img-src [^;]*")
POLICY = re.compile(r'(<meta http-equiv="Content-Security-Policy" content=")[^"]*(">)')

OPTIONAL = ("thumbnails", "neighbors")
"""What a page in one file does without if it would be too large, in this order."""

WORDS = {"pictures": "whole pictures", "thumbnails": "thumbnails", "neighbors": "nearest neighbors"}
"""What a reader calls the parts that a page in one file may lack."""


def write_page(bundle: Path, folder: Path) -> None:
    """Write the page of an explorer, and `explorer.html`, which a report links to.

    Of up to `MOST_SAMPLES` samples that has the data in it, and opens from disk. Of more it is the
    same page, which says what it needs.

    Args:
        bundle: folder of the built page.
        folder: of the explorer, with its data.

    Raises:
        LatentmapError: the built page is not one that this can put data into.
    """
    contents = {name: (bundle / name).read_bytes() for name in BUNDLE}
    host = host_of(read_plain_json(folder / MANIFEST))
    if host is not None:
        contents[INDEX] = _allowing(contents[INDEX].decode(), host).encode()
    for name, content in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        put_copies(path, content)
    page = in_one_file({name: content.decode() for name, content in contents.items()}, folder)
    write_text(folder / IN_ONE_FILE, contents[INDEX].decode() if page is None else page)


def host_of(manifest: Mapping[str, Any]) -> str | None:
    """Return the one host that an explorer's pictures come from; None if they are beside it."""
    host: str | None = (manifest.get("pictures") or {}).get("host")
    return None if host is None else picture_host(host)


def _allowing(page: str, host: str) -> str:
    """Return a page that may load pictures from a host."""
    policy, count = IMAGES.subn(rf"\g<0> {host}", page, count=1)
    if count == 0:
        raise LatentmapError("The explorer's page has no policy for pictures. Build it again.")
    return policy


def in_one_file(contents: Mapping[str, str], folder: Path) -> str | None:
    """Return the page with its data in it; None if that is too large.

    Args:
        contents: files of the built page by their names.
        folder: of the explorer.

    Raises:
        LatentmapError: the built page is not one that this can put data into.
    """
    manifest = read_plain_json(folder / MANIFEST)
    if manifest["count"] > MOST_SAMPLES:
        return None
    page = _with_assets(contents)
    host = host_of(manifest)
    if host is not None:
        page = _allowing(page, host)
    for left_out in range(len(OPTIONAL) + 1):
        told = _without(manifest, OPTIONAL[:left_out])
        elements = "".join(_elements(told, folder))
        if len(page) + len(elements) <= MOST_BYTES:
            return page.replace(DATA, elements)
    return None


def _with_assets(contents: Mapping[str, str]) -> str:
    """Return the page with script and style in it, and a policy that allows just these."""
    page, script, style = contents[INDEX], contents[SCRIPT], contents[STYLE]
    # Neither may end the element that it is in.
    script = script.replace("</script", r"<\/script").replace("<!--", r"<\!--")
    policy = "; ".join(
        [
            "default-src 'none'",
            f"script-src '{_sha256(script)}'",
            f"style-src '{_sha256(style)}'",
            "img-src data: blob:",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        ]
    )
    for part in (STYLE_LINK, SCRIPT_LINK, DATA):
        if page.count(part) != 1:
            raise LatentmapError(f"The explorer's page has no {part}. Build it again.")
    page = POLICY.sub(lambda found: f"{found[1]}{policy}{found[2]}", page)
    page = page.replace(STYLE_LINK, f"<style>{style}</style>")
    return page.replace(SCRIPT_LINK, f"<script>{script}</script>")


def _sha256(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _without(manifest: Mapping[str, Any], parts: tuple[str, ...]) -> dict[str, Any]:
    """Return the manifest of a page in one file, without some parts, which says so."""
    missing = list(manifest["missing"])
    told = {**manifest, "latents": []}
    lost = parts
    if manifest["pictures"] is not None and host_of(manifest) is None:
        lost = ("pictures", *parts)
        told["pictures"] = None
    missing += [
        {
            "what": name,
            "why": f"This page is one file, which has no {WORDS[name]}.",
            "remedy": f"Open the explorer of the run: latentmap view results/{manifest['run']}",
        }
        for name in lost
    ]
    if "thumbnails" in parts:
        told["thumbnails"] = None
    if "neighbors" in parts:
        told["methods"] = [{**method, "neighbors": None} for method in manifest["methods"]]
    return {**told, "missing": missing}


def _elements(manifest: Mapping[str, Any], folder: Path) -> Iterator[str]:
    """Yield an element for each file that a manifest names, and for itself."""
    yield _element(MANIFEST, json_text(manifest).encode())
    for file in files_of(manifest):
        yield _element(file, (folder / file).read_bytes())


def _element(file: str, content: bytes) -> str:
    packed = base64.b64encode(gzip.compress(content, mtime=0)).decode()
    return f'<script type="application/octet-stream" id="file:{file}">{packed}</script>\n'


def files_of(manifest: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
    """Return length and checksum of every table that a manifest names, by its path."""
    maps = manifest["maps"]
    befores = (entry["before"] for entry in maps)
    found = {
        entry["file"]: (entry["bytes"], entry["crc32"])
        for entry in [*maps, *filter(None, befores), *manifest["columns"]]
    }
    chunked = [manifest[name] for name in ("ids", "samples", "thumbnails")]
    chunked += [method["neighbors"] for method in manifest["methods"]]
    for entry in filter(None, chunked):
        for number, facts in enumerate(zip(entry["bytes"], entry["crc32"], strict=True)):
            found[entry["file"].replace(NUMBER, str(number))] = facts
    return found
