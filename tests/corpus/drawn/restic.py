"""restic: backups to a directory and to a REST server over TLS, restored, compared, thinned out and checked."""

from __future__ import annotations

import json
import shutil
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import TYPE_CHECKING, Any

import trustme

from tests.corpus.model import App, Needed, expect, same
from tests.corpus.roots import authority
from tests.corpus.sandbox import HOST

if TYPE_CHECKING:
    from tests.corpus.sandbox import Box

LOCAL = "/volume/local"


def smoke(box: Box) -> None:
    (box.volume / "password").write_text("otvor sa\n")
    folder = box.volume / "data"
    (folder / "photos").mkdir(parents=True)
    (folder / "letter.txt").write_text("dobrý deň\n" * 1000)
    (folder / "photos/sky.raw").write_bytes(bytes(range(256)) * 8192)
    (folder / "latest").symlink_to("letter.txt")
    (folder / "cache.tmp").write_text("not wanted")
    expect("created restic repository" in restic(box, LOCAL, "init"), "no word about a new repository")
    history(box)
    restoring(box)
    thinning(box)
    remote(box)


def history(box: Box) -> None:
    """Two snapshots with tags, an exclusion, and the difference between them."""
    words = ("backup", "/volume/data", "--exclude", "*.tmp", "--host", "box")
    first = said(box, LOCAL, *words, "--tag", "monday")[-1]
    same((first["message_type"], first["files_new"]), ("summary", 2), "the first backup")
    (box.volume / "data/letter.txt").write_text("dobrý večer\n")
    second = said(box, LOCAL, *words, "--tag", "tuesday")[-1]
    same((second["files_changed"], second["files_unmodified"]), (1, 1), "the second backup")
    (snapshots,) = said(box, LOCAL, "snapshots")
    same([found["tags"] for found in snapshots], [["monday"], ["tuesday"]], "tags")
    same({(found["username"], found["hostname"]) for found in snapshots}, {("root", "box")}, "user and host")
    changed = restic(box, LOCAL, "diff", first["snapshot_id"], second["snapshot_id"])
    expect("M    /volume/data/letter.txt" in changed, f"the change is not shown: {changed!r}")
    listed = restic(box, LOCAL, "snapshots", "--compact", "--tag", "monday", TZ="Pacific/Chatham")
    utc = snapshots[0]["time"]
    expect("monday" in listed and "tuesday" not in listed, f"another list: {listed!r}")
    expect("+" in utc or utc.endswith("Z"), f"no zone in the time: {utc!r}")


def restoring(box: Box) -> None:
    """Files come back as they were, as a tree, one by one, and as a tar archive."""
    restic(box, LOCAL, "restore", "latest", "--tag", "monday", "--target", "/volume/back", "--verify")
    back = box.volume / "back/volume/data"
    same((back / "letter.txt").read_text(), "dobrý deň\n" * 1000, "the letter of Monday")
    same(str((back / "latest").readlink()), "letter.txt", "the link")
    expect(not (back / "cache.tmp").exists(), "what was excluded came back")
    same(restic(box, LOCAL, "dump", "latest", "/volume/data/letter.txt"), "dobrý večer", "the letter of Tuesday")
    archive = box.run("restic", "--repo", LOCAL, "dump", "latest", "/volume/data", env=environment()).raw
    expect(b"photos/sky.raw" in archive and len(archive) > 2 << 20, "the archive lacks the photo")
    found = said(box, LOCAL, "find", "sky.*")[0]
    expect(any(match["path"].endswith("/photos/sky.raw") for part in found for match in part["matches"]), f"{found!r}")
    names = restic(box, LOCAL, "ls", "latest", "/volume/data/photos").splitlines()
    expect("/volume/data/photos/sky.raw" in names, f"the photo is not listed: {names}")


def thinning(box: Box) -> None:
    """Old snapshots go, the rest is whole; a damaged repository and a wrong password are told."""
    restic(box, LOCAL, "forget", "--keep-last", "1", "--prune")
    same(len(said(box, LOCAL, "snapshots")[0]), 1, "snapshots after forgetting")
    expect("no errors were found" in restic(box, LOCAL, "check", "--read-data"), "errors in the repository")
    restic(box, LOCAL, "key", "add", "--new-password-file", "/volume/data/latest")
    same(len(said(box, LOCAL, "key", "list")[0]), 2, "keys")
    (box.volume / "wrong").write_text("nothing")
    refused = box.run("restic", "--repo", LOCAL, "snapshots", env=environment("/volume/wrong"), code=None)
    expect(refused.code != 0 and "wrong password or no key found" in refused.err, f"let in: {refused.err!r}")
    pack = max((box.volume / "local/data").rglob("?" * 64), key=lambda path: path.stat().st_size)
    pack.chmod(0o600)
    pack.write_bytes(pack.read_bytes()[:-100])
    broken = box.run("restic", "--repo", LOCAL, "check", env=environment(), code=1)
    expect("unexpected file size" in broken.err or "does not match" in broken.err, f"not noticed: {broken.err!r}")


def remote(box: Box) -> None:
    """A REST server over TLS, vouched for by the system's authorities; one that nobody vouches for is refused."""
    store = box.volume / "server"
    place = f"rest:https://{HOST}:9443/"
    with box.serve(repository(store), 9443, tls=authority()):
        restic(box, place, "init")
        restic(box, place, "backup", "/volume/data/photos")
        restic(box, place, "restore", "latest", "--target", "/volume/remote")
        expect("no errors were found" in restic(box, place, "check"), "errors in the remote repository")
    copy = box.volume / "remote/volume/data/photos/sky.raw"
    same(copy.read_bytes(), bytes(range(256)) * 8192, "the photo from the server")
    with box.serve(repository(store), 9444, tls=trustme.CA()):
        other = f"rest:https://{HOST}:9444/"
        refused = box.run("restic", "--repo", other, "cat", "config", env=environment(), code=None, timeout=60)
    expect("certificate signed by unknown authority" in refused.err, f"an unknown authority: {refused.err!r}")
    shutil.rmtree(store)


def restic(box: Box, repository: str, *words: str, **env: str) -> str:
    """What restic prints about a repository."""
    return box.run("restic", "--repo", repository, *words, env={**environment(), **env}).out.strip()


def said(box: Box, repository: str, *words: str) -> list[Any]:
    """The JSON documents that restic prints, by line."""
    return [json.loads(line) for line in restic(box, repository, *words, "--json").splitlines() if line.strip()]


def environment(password: str = "/volume/password") -> dict[str, str]:
    return {"RESTIC_PASSWORD_FILE": password, "RESTIC_CACHE_DIR": "/volume/cache"}


def repository(store: Path) -> type[BaseHTTPRequestHandler]:
    """A server of restic's REST protocol, version 1 (restic documentation, "REST Backend"), that stores below `store`."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if not self.path.endswith("?create=true"):
                self._file.parent.mkdir(parents=True, exist_ok=True)
                self._file.write_bytes(body)
            self._answer(200, b"")

        def do_HEAD(self) -> None:
            self._answer(200 if self._file.is_file() else 404, self._content())

        def do_GET(self) -> None:
            if self._file.is_dir() or self.path.endswith("/"):
                self._answer(200, json.dumps(sorted(file.name for file in self._file.glob("*"))).encode())
                return
            content = self._content()
            first, _, last = self.headers.get("Range", "").removeprefix("bytes=").partition("-")
            part = content[int(first) : int(last) + 1 if last else None] if first else content
            self._answer(404 if not self._file.is_file() else 206 if first else 200, part)

        def do_DELETE(self) -> None:
            self._file.unlink()
            self._answer(200, b"")

        @property
        def _file(self) -> Path:
            return store / Path("/", self.path.partition("?")[0]).relative_to("/")

        def _content(self) -> bytes:
            return self._file.read_bytes() if self._file.is_file() else b""

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Type", "application/vnd.x.restic.rest.v1")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, *_words: object) -> None:
            """Say nothing: the client's answers are what counts."""

    return Handler


APP = App(
    name="restic",
    packages=("restic",),
    entries=("cmd:restic",),
    smoke=smoke,
    needed=(
        Needed(kind="program", glob="/usr/bin/restic"),
        Needed(kind="state", glob="/etc/ssl/certs"),
        Needed(kind="state", glob="/etc/passwd"),
    ),
)
