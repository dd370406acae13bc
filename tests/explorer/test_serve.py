"""The server of a finished run, asked as browsers and others ask."""

from __future__ import annotations

import gzip
import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pyarrow as pa
import pytest

from latentmap.errors import LatentmapError
from latentmap.explorer.check import check_explorer, last_explored
from latentmap.explorer.serve import make_server
from latentmap.explorer.write import write_explorer

sys.path.insert(0, str(Path(__file__).parent))

from planted import Planted

TEXT = b"0123456789" * 300


class Client:
    """Asks a server."""

    def __init__(self, server) -> None:
        self.port = server.server_address[1]

    def __call__(self, path: str, method: str = "GET", **headers: str):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.putrequest(method, path, skip_host="Host" in headers, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders()
        answer = connection.getresponse()
        answer.body = answer.read()
        connection.close()
        return answer


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    """A folder with what is served, what is not, and links between them."""
    run = tmp_path_factory.mktemp("runs") / "demo"
    explorer, report = run / "explorer", run / "report"
    (explorer / "maps").mkdir(parents=True)
    (report / "assets").mkdir(parents=True)
    (explorer / "index.html").write_text("the explorer")
    (explorer / "explorer.html").write_text("all in one")
    (explorer / "maps" / "a.arrow").write_bytes(TEXT)
    (explorer / "maps" / "a.arrow.gz").write_bytes(gzip.compress(TEXT, mtime=0))
    brotli = pa.Codec("brotli").compress(TEXT, asbytes=True)
    (explorer / "maps" / "a.arrow.br").write_bytes(brotli)
    (explorer / "empty.json").write_bytes(b"")
    (explorer / "maps" / "größe 1.arrow").write_bytes(b"big")
    (report / "summary_report.html").write_text("the report")
    (run / "latents" / "vae").mkdir(parents=True)
    (run / "latents" / "vae" / "x.arrow").write_bytes(TEXT)
    (run / "secret.txt").write_text("secret")
    (run.parent / "outside.txt").write_text("secret")
    (run / "samples").mkdir()
    (run / "samples" / "x.arrow").write_bytes(b"secret")
    (explorer / "out.txt").symlink_to(run.parent / "outside.txt")
    (explorer / "out").symlink_to(run / "samples")
    (explorer / "inside.arrow").symlink_to(explorer / "maps" / "a.arrow")
    (explorer / ".hidden").write_text("secret")
    os.mkfifo(explorer / "pipe")
    return run


@pytest.fixture(scope="module")
def ask(run):
    with make_server(run) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield Client(server)
        server.shutdown()
        thread.join()


def test_it_opens_with_the_explorer_and_serves_the_report(ask):
    assert (ask("/").status, ask("/").headers["Location"]) == (302, "/explorer/")
    assert ask("/report").headers["Location"] == "/report/"
    assert ask("/explorer/").body == b"the explorer"
    assert ask("/explorer/?map=x#y").body == b"the explorer"
    assert ask("/report/").body == b"the report"
    assert ask("/explorer/maps/gr%C3%B6%C3%9Fe%201.arrow").body == b"big"
    assert ask("/explorer/inside.arrow").body == TEXT
    assert ask("/latents/vae/x.arrow", Range="bytes=10-14").body == TEXT[10:15]


@pytest.mark.parametrize(
    "path",
    [
        "/secret.txt",
        "/samples/x.arrow",
        "/latents/",
        "/explorer/../secret.txt",
        "/explorer/%2e%2e/secret.txt",
        "/explorer/..%2fsecret.txt",
        "/explorer/maps/../../secret.txt",
        "/explorer/..\\secret.txt",
        "//etc/passwd",
        "/explorer//etc/passwd",
        "/explorer/%2fetc/passwd",
        "/explorer/x%00.html",
        "/explorer/%ff",
        "/explorer/out.txt",
        "/explorer/out/x.arrow",
        "/explorer/.hidden",
        "/explorer/pipe",
        "/explorer/maps",
        "/explorer/maps/",
        "/explorer/nothing.html",
        "/explorer/" + "a" * 5000,
    ],
)
def test_nothing_else_is_served(ask, path):
    answer = ask(path)
    assert answer.status == 404
    assert b"secret" not in answer.body


@pytest.mark.parametrize("host", ["evil.example", "evil.example:{port}", "127.0.0.1:1", ""])
def test_pages_of_other_sites_are_refused(ask, host):
    assert ask("/explorer/", Host=host.format(port=ask.port)).status == 403
    assert ask("/explorer/", Host=f"localhost:{ask.port}").status == 200


def test_it_only_listens_on_this_machine(run):
    with make_server(run) as server:
        assert server.server_address[0] == "127.0.0.1"
        assert server.socket.family == socket.AF_INET


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "MKCOL"])
def test_it_only_reads(ask, run, method):
    assert ask("/explorer/maps/a.arrow", method).status == 501
    assert (run / "explorer" / "maps" / "a.arrow").read_bytes() == TEXT


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=10-19", 10, 20),
        ("bytes=2990-", 2990, 3000),
        ("bytes=2990-99999", 2990, 3000),
        ("bytes=-7", 2993, 3000),
        ("bytes=-99999", 0, 3000),
    ],
)
def test_parts_of_files_are_sent_plain(ask, asked, start, end):
    answer = ask("/explorer/maps/a.arrow", Range=asked, Accept_Encoding="gzip, br")
    assert answer.status == 206
    assert answer.body == TEXT[start:end]
    assert answer.headers["Content-Range"] == f"bytes {start}-{end - 1}/3000"
    assert answer.headers["Content-Encoding"] is None


@pytest.mark.parametrize("asked", ["bytes=3000-", "bytes=-0", "bytes=9999-10000"])
def test_parts_beyond_the_end_are_refused(ask, asked):
    answer = ask("/explorer/maps/a.arrow", Range=asked)
    assert (answer.status, answer.headers["Content-Range"]) == (416, "bytes */3000")


@pytest.mark.parametrize(
    "asked",
    ["bytes=5-2", "bytes=-", "bytes=a-b", "lines=1-2", "bytes=0-1,4-5", "bytes=" + "9" * 5000],
)
def test_what_is_no_single_range_is_answered_with_the_whole(ask, asked):
    answer = ask("/explorer/maps/a.arrow", Range=asked)
    assert (answer.status, answer.body) == (200, TEXT)


def test_a_range_of_another_content_is_answered_with_the_whole(ask):
    tag = ask("/explorer/maps/a.arrow").headers["ETag"]
    path, asked = "/explorer/maps/a.arrow", {"Range": "bytes=0-4"}
    assert ask(path, **asked, If_Range=tag).status == 206
    assert ask(path, **asked, If_Range='"other"').status == 200


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("", None),
        ("gzip", "gzip"),
        ("gzip, deflate, br, zstd", "br"),
        ("br;q=0, gzip;q=0.5", "gzip"),
        ("*", "br"),
        ("br;q=0, *;q=0", None),
        ("identity", None),
        ("br;q=1..2", None),
    ],
)
def test_compressed_copies_are_sent_to_whom_they_suit(ask, accepted, coding):
    answer = ask("/explorer/maps/a.arrow", Accept_Encoding=accepted)
    assert answer.headers["Content-Encoding"] == coding
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert len(answer.body) == int(answer.headers["Content-Length"])
    plain = {
        None: lambda body: body,
        "gzip": gzip.decompress,
        "br": lambda body: pa.Codec("brotli").decompress(body, len(TEXT)).to_pybytes(),
    }
    assert plain[coding](answer.body) == TEXT


def test_a_copy_of_what_a_file_was_before_is_not_sent(ask, run):
    file = run / "explorer" / "maps" / "again.arrow"
    file.write_bytes(TEXT[::-1])
    for suffix, packed in (
        (".gz", gzip.compress(TEXT)),
        (".br", pa.Codec("brotli").compress(TEXT)),
    ):
        file.with_name(file.name + suffix).write_bytes(bytes(packed))
        os.utime(file.with_name(file.name + suffix), (1e9, 1e9))
    answer = ask("/explorer/maps/again.arrow", Accept_Encoding="gzip, br")
    assert answer.headers["Content-Encoding"] is None
    assert answer.body == TEXT[::-1]
    os.utime(file, (1e9, 1e9))
    answer = ask("/explorer/maps/again.arrow", Accept_Encoding="gzip, br")
    assert answer.headers["Content-Encoding"] == "br"


def test_copies_are_never_older_than_their_files(explored):
    written = {path: path.stat().st_mtime_ns for path in explored.rglob("*") if path.is_file()}
    copies = [path for path in written if path.suffix in (".gz", ".br")]
    assert any(path.name.startswith("manifest.json") for path in copies)
    assert all(written[path] >= written[path.with_suffix("")] for path in copies)


def test_what_a_browser_has_is_not_sent_again(ask, run):
    path = "/explorer/maps/a.arrow"
    tag = ask(path).headers["ETag"]
    for known in (tag, f'"x", W/{tag}', "*"):
        answer = ask(path, If_None_Match=known)
        assert (answer.status, answer.body) == (304, b"")
        assert answer.headers["ETag"] == tag
    assert ask(path, If_None_Match='"x"').status == 200
    compressed = ask(path, Accept_Encoding="br").headers["ETag"]
    assert compressed != tag
    assert ask(path, Accept_Encoding="br", If_None_Match=tag).status == 200
    index = run / "explorer" / "index.html"
    before = ask("/explorer/").headers["ETag"]
    index.write_text("another one")
    assert ask("/explorer/", If_None_Match=before).body == b"another one"
    index.write_text("the explorer")


def test_a_head_has_no_body(ask):
    answer = ask("/explorer/maps/a.arrow", "HEAD")
    assert (answer.status, answer.body, answer.headers["Content-Length"]) == (200, b"", "3000")
    assert ask("/explorer/empty.json").body == b""


def test_pages_may_run_no_script_of_others(ask):
    policy = ask("/explorer/").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "require-trusted-types-for 'script'" in policy
    assert "unsafe" not in policy
    for path in ("/explorer/explorer.html", "/report/"):
        assert "frame-ancestors 'none'" in ask(path).headers["Content-Security-Policy"]
        assert "script-src" not in ask(path).headers["Content-Security-Policy"]
    for path in ("/explorer/", "/report/", "/nothing"):
        assert ask(path).headers["X-Content-Type-Options"] == "nosniff"


def test_a_browser_that_goes_away_disturbs_nobody(ask):
    with socket.create_connection(("127.0.0.1", ask.port)) as connection:
        connection.sendall(b"GET /explorer/maps/a.arrow HTTP/1.1\r\nHo")
    assert ask("/explorer/").status == 200


def test_the_command_says_where_to_look_until_it_is_stopped(explored):
    code = "import sys; from latentmap.cli import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "view", str(explored), "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        said = process.stdout.readline()
        port = int(re.search(r"http://127\.0\.0\.1:(\d+)/explorer/", said)[1])
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", "/explorer/")
        assert connection.getresponse().read() == b"page"
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0


# ---- what is wrong with an explorer ------------------------------------------------------------


@pytest.fixture
def explored(tmp_path) -> Path:
    results = Planted(tmp_path / "results" / "one", count=30).write()
    write_explorer(results)
    (results.folder / "explorer" / "index.html").write_text("page")
    return results.folder


def test_a_whole_explorer_is_shown(explored):
    assert check_explorer(explored) == []
    assert last_explored(explored.parent) == explored


def test_a_run_that_is_newer_is_noted(explored):
    os.utime(explored / "metrics" / "ranking.json")
    os.utime(explored / "explorer" / "manifest.json", (1, 1))
    assert "newer than its explorer" in check_explorer(explored)[0]


def test_what_is_missing_is_named_with_what_makes_it(explored, tmp_path):
    folder = explored / "explorer"
    with pytest.raises(LatentmapError, match=r"has no run\.json"):
        check_explorer(tmp_path)
    unknown = explored.parent / "on"
    with pytest.raises(LatentmapError, match=r"results/ has one: latentmap view \S+results/one$"):
        check_explorer(unknown)
    with pytest.raises(LatentmapError, match=r"Make a run .*: latentmap run DATA$"):
        check_explorer(tmp_path / "two" / "on")
    with pytest.raises(LatentmapError, match=r"No run in .* latentmap run DATA$"):
        last_explored(tmp_path)
    file = folder / "maps" / "tower" / "plain" / "mean" / "umap.arrow"
    content = file.read_bytes()
    file.write_bytes(content[:-5])
    with pytest.raises(LatentmapError, match=r"umap\.arrow is missing or .*--forcerun"):
        check_explorer(explored)
    file.write_bytes(content)
    manifest = folder / "manifest.json"
    text = manifest.read_text()
    manifest.write_text(text.replace('"version":1', '"version":0'))
    with pytest.raises(LatentmapError, match=r"not of version 1.*--forcerun write_explorer"):
        check_explorer(explored)
    manifest.write_text("[1")
    with pytest.raises(LatentmapError, match="is no JSON"):
        check_explorer(explored)
    manifest.write_text(text)
    (folder / "index.html").unlink()
    with pytest.raises(LatentmapError, match=r"has no page: .*index\.html"):
        check_explorer(explored)
    (explored / "config.yaml").write_text("run: one")  # as `latentmap run` leaves it
    with pytest.raises(
        LatentmapError, match=r"Run: .* --configfile \S+/one/config.yaml -- explore$"
    ):
        check_explorer(explored)
    (explored / "config.yaml").unlink()
    manifest.unlink()
    with pytest.raises(LatentmapError, match=r"has no data.*CONFIG\.yaml -- explore$"):
        check_explorer(explored)
