"""A server of one finished run on this machine: its explorer and its report, to read only."""

from __future__ import annotations

import re
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import formatdate
from functools import cached_property, partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote, unquote, urlsplit

from latentmap.errors import LatentmapError
from latentmap.explorer.page import host_of
from latentmap.store.files import read_plain_json
from latentmap.store.results import EXPLORER

HOME = "127.0.0.1"
STARTS = {"explorer": "index.html", "report": "summary_report.html", "latents": ""}
"""The folders of a run that are served, and what each is opened with."""

ENCODINGS = {"br": ".br", "gzip": ".gz"}
"""Content codings by preference, and the suffixes of the copies that have them."""

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".csv": "text/csv; charset=utf-8",
    ".arrow": "application/vnd.apache.arrow.file",
    ".parquet": "application/vnd.apache.parquet",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".avif": "image/avif",
    ".svg": "image/svg+xml",
    ".pdf": "application/pdf",
}

POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    ]
)
"""Of the explorer's page. Pages with scripts in them carry a policy of their own."""

OWN_POLICY = "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
CODING = re.compile(r"\s*([\w*-]+)\s*(?:;\s*q=(\d(?:\.\d*)?)\s*)?")
TAG = re.compile(r'(?:W/)?("[^"]*")')

PIECE = 2**16


def make_server(run: Path, port: int = 0) -> ThreadingHTTPServer:
    """Return a server of a run's explorer and report on this machine, not yet started.

    Args:
        run: folder of the run.
        port: to listen on; a free one by default.
    """
    run = run.resolve()
    return _Server((HOME, port), partial(_Handler, run, _policy_of(run)))


def _policy_of(run: Path) -> str:
    """Return the policy of a run's explorer, which may load pictures from the one host it names."""
    try:
        manifest = read_plain_json(run / EXPLORER.pattern)
        host = host_of(manifest) if isinstance(manifest, dict) else None
    except (OSError, LatentmapError):
        host = None
    return POLICY if host is None else POLICY.replace("img-src 'self'", f"img-src 'self' {host}")


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a browser that went away."""


@dataclass(frozen=True)
class _File:
    """A file as it is sent.

    Attributes:
        path: of it.
        coding: the content coding that it has; none of the plain file.
    """

    path: Path
    coding: str = ""

    @cached_property
    def _stat(self) -> Any:
        return self.path.stat()

    @property
    def size(self) -> int:
        """Bytes of it."""
        return int(self._stat.st_size)

    @property
    def tag(self) -> str:
        """What changes with its content, as an entity tag."""
        return f'"{self.written:x}-{self.size:x}{self.coding and "-" + self.coding}"'

    @property
    def written(self) -> int:
        """When it was written, in nanoseconds."""
        return int(self._stat.st_mtime_ns)

    @property
    def modified(self) -> str:
        """When it was written, as HTTP has it."""
        return formatdate(self._stat.st_mtime, usegmt=True)


class _Handler(BaseHTTPRequestHandler):
    """Answers one connection.

    Args:
        run: folder of the run, without links in it.
        policy: of the explorer's page.
    """

    protocol_version = "HTTP/1.1"
    server_version = "latentmap"
    sys_version = ""
    server: ThreadingHTTPServer

    def __init__(self, run: Path, policy: str, *arguments: Any) -> None:
        self._run = run
        self._explorer_policy = policy
        super().__init__(*arguments)

    def do_GET(self) -> None:
        """Send a file."""
        self._answer()

    def do_HEAD(self) -> None:
        """Send what a file would be sent with."""
        self._answer()

    def log_message(self, format: str, *arguments: Any) -> None:
        """Print nothing: the terminal says where to look, and no more."""

    def _answer(self) -> None:
        # A page of another site can reach this machine by a name of its own, but then says so.
        if not self._is_here(self.headers.get("Host", "")):
            self._end(HTTPStatus.FORBIDDEN)
            return
        parts = _parts(urlsplit(self.path).path)
        if parts == []:
            self._end(HTTPStatus.FOUND, {"Location": f"/{next(iter(STARTS))}/"})
        elif parts is not None and len(parts) == 1 and parts[0] in STARTS:
            self._end(HTTPStatus.FOUND, {"Location": f"/{parts[0]}/"})
        else:
            path = None if parts is None else self._found(parts)
            if path is None:
                self._end(HTTPStatus.NOT_FOUND)
            else:
                self._send(path)

    def _is_here(self, host: str) -> bool:
        port = self.server.server_port
        return host.lower() in {f"{name}:{port}" for name in (HOME, "localhost")}

    def _found(self, parts: list[str]) -> Path | None:
        """Return the file that a path names; None if it is none of those that are served."""
        folder, *inside = parts
        if folder not in STARTS:
            return None
        if inside == [""]:
            inside = [STARTS[folder]]
        root = self._run / folder
        try:
            path = root.joinpath(*inside).resolve()
            served = path.is_relative_to(root) and stat.S_ISREG(path.stat().st_mode)
        except (OSError, ValueError):
            return None
        return path if served else None

    def _send(self, path: Path) -> None:
        asked = self.headers.get("Range")
        file = _File(path)
        if asked is None:
            file = _encoded(file, self.headers.get("Accept-Encoding", ""))
        headers = {
            "Content-Type": TYPES.get(path.suffix, "application/octet-stream"),
            "ETag": file.tag,
            "Last-Modified": file.modified,
            "Cache-Control": "no-cache",
            "Vary": "Accept-Encoding",
            "Accept-Ranges": "bytes",
            "Content-Security-Policy": self._policy(path),
        }
        if file.coding:
            headers["Content-Encoding"] = file.coding
        known = self.headers.get("If-None-Match")
        if known is not None and _matches(known, file.tag):
            self._end(HTTPStatus.NOT_MODIFIED, headers)
            return
        span = range(file.size)
        status = HTTPStatus.OK
        if asked is not None and self.headers.get("If-Range", file.tag) == file.tag:
            wanted = _span(asked, file.size)
            if wanted is not None and not wanted:
                headers = {"Content-Range": f"bytes */{file.size}"}
                self._end(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, headers)
                return
            if wanted is not None:
                span, status = wanted, HTTPStatus.PARTIAL_CONTENT
                headers["Content-Range"] = f"bytes {span[0]}-{span[-1]}/{file.size}"
        headers["Content-Length"] = str(len(span))
        with file.path.open("rb") as content:
            self._head(status, headers)
            if self.command != "HEAD":
                for piece in _pieces(content, span):
                    self.wfile.write(piece)

    def _policy(self, path: Path) -> str:
        own = path.parent != self._run / "explorer" or path.name != STARTS["explorer"]
        return OWN_POLICY if own and path.suffix == ".html" else self._explorer_policy

    def _end(self, status: HTTPStatus, headers: dict[str, str] | None = None) -> None:
        """Answer without a file."""
        text = b"" if status == HTTPStatus.NOT_MODIFIED else f"{status.phrase}\n".encode()
        told = {} if status == HTTPStatus.NOT_MODIFIED else {"Content-Length": str(len(text))}
        told |= {"Content-Type": "text/plain; charset=utf-8"} if text else {}
        self._head(status, told | (headers or {}))
        if self.command != "HEAD":
            self.wfile.write(text)

    def _head(self, status: HTTPStatus, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("X-Frame-Options", "DENY")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        self.end_headers()


def _parts(path: str) -> list[str] | None:
    """Return the parts of a URL's path, empty where it ends in a slash; None of one to refuse."""
    try:
        parts = unquote(path, errors="strict").split("/")
    except UnicodeDecodeError:
        return None
    if parts[0] != "" or any(
        part.startswith(".") or "\\" in part or "\0" in part for part in parts
    ):
        return None
    if "" in parts[1:-1]:
        return None
    return [] if parts == ["", ""] else parts[1:]


def _encoded(file: _File, accepted: str) -> _File:
    """Return a copy of a file in a coding that is accepted; the file where there is none.

    A copy that is older than the file is one of what the file was before.
    """
    wanted = _accepted(accepted)
    for coding, suffix in ENCODINGS.items():
        path = file.path.with_name(file.path.name + suffix)
        if wanted(coding) and path.is_file() and not path.is_symlink():
            copy = _File(path, coding)
            if copy.written >= file.written:
                return copy
    return file


def _accepted(header: str) -> Callable[[str], bool]:
    found = {
        match[1].lower(): float(match[2] or 1)
        for match in map(CODING.fullmatch, header.split(","))
        if match
    }
    return lambda coding: found.get(coding, found.get("*", 0)) > 0


def _matches(header: str, tag: str) -> bool:
    return header.strip() == "*" or tag in TAG.findall(header)


def _span(header: str, size: int) -> range | None:
    """Return the bytes of one range, empty if there are none of it; None of what is no range."""
    found = RANGE.fullmatch(header.strip())
    if found is None or found[0] == "bytes=-":
        return None  # several ranges are answered with the whole, too
    first, last = found.groups()
    if not first:
        return range(max(0, size - int(last)), size)
    if last and int(last) < int(first):
        return None
    return range(int(first), min(int(last) + 1, size) if last else size)


def _pieces(content: BinaryIO, span: range) -> Iterator[bytes]:
    content.seek(span.start)
    left = len(span)
    while left > 0 and (piece := content.read(min(PIECE, left))):
        left -= len(piece)
        yield piece


def address(server: ThreadingHTTPServer) -> str:
    """Return the address that a server's explorer has for a browser on this machine."""
    return f"http://{HOME}:{server.server_port}/{quote(next(iter(STARTS)))}/"
