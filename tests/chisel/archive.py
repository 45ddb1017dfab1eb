"""A signed archive of Debian packages on the loopback address, as chisel wants one.

chisel fetches from fixed hosts only, but through `HTTP_PROXY`; so this is a proxy that answers for any host whose path
starts with `/ubuntu/`. What it serves: `dists/SUITE/InRelease`, clear-signed, with the `Label: Ubuntu` that chisel asks
for; `dists/SUITE/COMPONENT/binary-ARCH/Packages.gz`; and the pool. canonical/chisel, internal/archive/archive.go.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import subprocess
import tempfile
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tests.chisel.debs import Deb

COMPONENTS = ("main", "contrib", "non-free", "non-free-firmware", "restricted", "universe", "multiverse")
"""All of them are in every suite; the packages are in the first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """A served archive."""

    key: Path
    """The armored public key that signs it."""
    environment: Mapping[str, str]
    """What a process needs to fetch from it."""
    requests: list[str]
    """Paths that were asked for, in order."""


@contextmanager
def served(debs: Iterable[Deb], home: Path) -> Iterator[Archive]:
    """Serve `debs` until the end; `home` is an empty directory for the key and for what chisel caches."""
    packages = sorted(set(debs))
    architecture = next((deb.architecture for deb in packages if deb.architecture != "all"), "amd64")
    files = {f"pool/{deb.path.name}": deb.path for deb in packages}
    indexes = {name: index(packages) if name == COMPONENTS[0] else b"" for name in COMPONENTS}
    release = _release(architecture, indexes)
    with _signer(home) as (armor, sign):
        signed = sign(release)
    key = home / "archive-key.asc"
    key.write_text(armor)
    requests: list[str] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(signed, indexes, files, requests))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    (home / "cache").mkdir()
    inherited = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    inherited.pop("REQUEST_METHOD", None)  # with it, Go takes itself for a CGI program and ignores the proxy
    proxy = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield Archive(
            key=key,
            environment={**inherited, "HTTP_PROXY": proxy, "XDG_CACHE_HOME": str(home / "cache")},
            requests=requests,
        )
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def index(debs: Iterable[Deb]) -> bytes:
    """The `Packages` of `debs`: the fields that chisel reads."""
    return "".join(
        f"Package: {deb.name}\nVersion: {deb.version}\nArchitecture: {deb.architecture}\n"
        f"Filename: pool/{deb.path.name}\nSHA256: {_digest(deb.path)}\n\n"
        for deb in debs
    ).encode()


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _release(architecture: str, indexes: Mapping[str, bytes]) -> str:
    lines = ["Origin: Tests", "Label: Ubuntu", "Suite: any", "Codename: any", "Date: Mon, 01 Jul 2024 12:00:00 UTC"]
    lines += [f"Architectures: {architecture}", f"Components: {' '.join(indexes)}", "SHA256:"]
    lines += [
        f" {hashlib.sha256(text).hexdigest()} {len(text)} {component}/binary-{architecture}/Packages"
        for component, text in indexes.items()
    ]
    return "\n".join(lines) + "\n"


@contextmanager
def _signer(home: Path) -> Iterator[tuple[str, object]]:
    """The armor of a new key's public half, and what clear-signs a text with it.

    RSA, for chisel knows no EdDSA, and without subkeys, which it would count as further keys.
    """
    keys = Path(tempfile.mkdtemp(prefix="pruner-gpg-"))  # short: the agent's socket lies there
    command = ["gpg", "--homedir", str(keys), "--batch", "--quiet", "--no-tty", "--passphrase", ""]

    def gpg(*words: str, text: str = "") -> str:
        done = subprocess.run([*command, *words], input=text, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    try:
        gpg("--pinentry-mode", "loopback", "--quick-gen-key", "Tests <tests@example.org>", "rsa3072", "sign", "never")
        yield (
            gpg("--armor", "--export"),
            lambda text: gpg("--pinentry-mode", "loopback", "--digest-algo", "SHA256", "--clearsign", text=text),
        )
    finally:
        subprocess.run(["gpgconf", "--homedir", str(keys), "--kill", "all"], check=False, capture_output=True)
        shutil.rmtree(keys, ignore_errors=True)


def _handler(
    release: str, indexes: Mapping[str, bytes], files: Mapping[str, Path], requests: list[str]
) -> type[BaseHTTPRequestHandler]:
    packed = {name: gzip.compress(text, mtime=0) for name, text in indexes.items()}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = unquote(urlsplit(self.path).path)  # absolute-form: RFC 9112, section 3.2.2
            requests.append(path)
            body = self._answer(path.removeprefix("/ubuntu/")) if path.startswith("/ubuntu/") else None
            self.send_response(200 if body is not None else 404)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def _answer(self, path: str) -> bytes | None:
            if path in files:
                return files[path].read_bytes()
            match path.split("/"):
                case ["dists", _, "InRelease"]:
                    return release.encode()
                case ["dists", _, component, _, "Packages.gz"]:
                    return packed.get(component)
            return None

        def log_message(self, *_words: object) -> None:
            pass

    return Handler
