"""aria2: downloads over HTTP, TLS and SFTP, from several sources at once, a torrent, a metalink, and the RPC service."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import signal
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any

import trustme

from tests.corpus.model import App, Needed, expect, same
from tests.corpus.roots import authority
from tests.corpus.sandbox import HOST

if TYPE_CHECKING:
    from tests.corpus.sandbox import Box, Done

DATA = random.Random(1).randbytes(3_000_000)
SHA256 = hashlib.sha256(DATA).hexdigest()
PIECE = 1 << 18


class Shelf(BaseHTTPRequestHandler):
    """`/data.bin` with ranges, `/auth/data.bin` with a password, and a redirection."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/moved":
            self._answer(302, b"", ("Location", "/data.bin"))
        elif self.path == "/auth/data.bin" and self.headers.get("Authorization") != "Basic YW5uYTpvdHZvcg==":
            self._answer(401, b"", ("WWW-Authenticate", 'Basic realm="corpus"'))
        elif self.path.endswith("data.bin"):
            first, _, last = self.headers.get("Range", "").removeprefix("bytes=").partition("-")
            if first:
                end = int(last) if last else len(DATA) - 1
                part = DATA[int(first) : end + 1]
                self._answer(206, part, ("Content-Range", f"bytes {first}-{end}/{len(DATA)}"))
            else:
                self._answer(200, DATA)
        else:
            self._answer(404, b"")

    def _answer(self, status: int, body: bytes, *fields: tuple[str, str]) -> None:
        self.send_response(status)
        for name, value in (("Content-Length", str(len(body))), ("Accept-Ranges", "bytes"), *fields):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words: object) -> None:
        """Say nothing: the files that arrive are what counts."""


def smoke(box: Box) -> None:
    with box.serve(Shelf, 9080), box.serve(Shelf, 9443, tls=authority()), box.serve(Shelf, 9444, tls=trustme.CA()):
        web(box)
        descriptions(box)
        service(box)
    sftp(box)


def web(box: Box) -> None:
    """Parts from two servers, resumed, with a password, with a checksum that holds and one that does not."""
    plain, secure = f"http://{HOST}:9080", f"https://{HOST}:9443"
    aria2(box, "--split=4", "--min-split-size=1M", "--out=two", f"{plain}/data.bin", f"{secure}/data.bin")
    arrived(box, "two")
    (box.volume / "half").write_bytes(DATA[:1_000_000])
    aria2(box, "--continue=true", "--out=half", f"{plain}/data.bin")
    arrived(box, "half")
    aria2(box, "--http-user=anna", "--http-passwd=otvor", "--out=auth", f"{plain}/auth/data.bin")
    arrived(box, "auth")
    aria2(box, f"--checksum=sha-256={SHA256}", "--out=moved", f"{secure}/moved")
    arrived(box, "moved")
    wrong = aria2(box, f"--checksum=sha-256={'0' * 64}", "--out=wrong", f"{plain}/data.bin", code=None)
    expect(wrong.code == 32 and "Checksum error detected" in wrong.out, f"a wrong checksum: {wrong.code} {wrong.out!r}")
    aria2(box, "--out=absent", f"{plain}/absent", code=3)
    refused = aria2(box, "--out=refused", f"https://{HOST}:9444/data.bin", code=1)
    expect("issuer is not known" in refused.out, f"an unknown authority was not refused as such: {refused.out!r}")


def descriptions(box: Box) -> None:
    """A metalink (RFC 5854), an input file with options, and a torrent with a web seed (BEP 19)."""
    url = f"http://{HOST}:9080/data.bin"
    (box.volume / "data.meta4").write_text(
        '<?xml version="1.0" encoding="UTF-8"?>\n<metalink xmlns="urn:ietf:params:xml:ns:metalink"><file name="linked">'
        f'<size>{len(DATA)}</size><hash type="sha-256">{SHA256}</hash><url>{url}</url></file></metalink>\n'
    )
    aria2(box, "--metalink-file=/volume/data.meta4")
    arrived(box, "linked")
    (box.volume / "list").write_text(f"{url}\n  out=listed\n  checksum=sha-256={SHA256}\n")
    aria2(box, "--input-file=/volume/list")
    arrived(box, "listed")
    pieces = b"".join(hashlib.sha1(DATA[start : start + PIECE]).digest() for start in range(0, len(DATA), PIECE))
    torrent = {
        "info": {"length": len(DATA), "name": "seeded", "piece length": PIECE, "pieces": pieces},
        "url-list": url,
    }
    (box.volume / "data.torrent").write_bytes(bencoded(torrent))
    shown = box.run("aria2c", "--show-files", "/volume/data.torrent").out
    expect("./seeded" in shown and hashlib.sha1(bencoded(torrent["info"])).hexdigest() in shown, f"shown: {shown!r}")
    aria2(box, "--seed-time=0", "--enable-dht=false", "--bt-enable-lpd=false", "/volume/data.torrent")
    arrived(box, "seeded")


def service(box: Box) -> None:
    """The JSON-RPC service with a secret: a download added, watched to its end, and a session saved."""
    (box.volume / "aria2.conf").write_text(
        "dir=/volume\nenable-rpc=true\nasync-dns=false\nrpc-secret=otvor\nsave-session=/volume/session\n"
    )
    daemon = box.start("aria2c", "--conf-path=/volume/aria2.conf")
    daemon.ready(6800)
    gid = rpc(box, "addUri", [f"https://{HOST}:9443/data.bin"], {"out": "called"})
    daemon.until(lambda: rpc(box, "tellStatus", gid)["status"] == "complete", "the download to be complete")
    arrived(box, "called")
    expect("Metalink" in rpc(box, "getVersion")["enabledFeatures"], "no metalink")
    rpc(box, "addUri", [f"http://{HOST}:9080/data.bin"], {"out": "later", "pause": "true"})
    same(rpc(box, "saveSession"), "OK", "saving the session")
    expect("out=later" in (box.volume / "session").read_text(), "the paused download is not in the session")
    daemon.stop(signal.SIGINT, codes=(0, 7))  # 7: there are unfinished downloads, aria2c(1)


def sftp(box: Box) -> None:
    """A file from a server of the tools root, by password and with its host key known."""
    (box.volume / "remote.bin").write_bytes(DATA)
    box.tool("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/volume/host")
    box.tool("mkdir", "-p", "/run/sshd")
    box.tool("chpasswd", stdin=b"root:otvor\n")
    server = ("/usr/sbin/sshd", "-D", "-e", "-p", "2222", "-h", "/volume/host")
    options = ("-o", "PermitRootLogin=yes", "-o", "PasswordAuthentication=yes")
    box.start(*server, *options, tool=True).ready(2222)
    key = base64.b64decode((box.volume / "host.pub").read_text().split()[1])
    digest = hashlib.sha1(key).hexdigest()
    login = ("--ftp-user=root", "--ftp-passwd=otvor", f"sftp://{HOST}:2222/volume/remote.bin")
    aria2(box, f"--ssh-host-key-md=sha-1={digest}", "--out=secure", *login)
    arrived(box, "secure")
    refused = aria2(box, f"--ssh-host-key-md=sha-1={'0' * 40}", "--out=unsure", *login, code=1)
    expect("Unexpected SSH host key" in refused.out, f"another host key was not refused as such: {refused.out!r}")


def aria2(box: Box, *words: str, code: int | None = 0) -> Done:
    """Download to the volume, without waiting long for what does not come."""
    # its own resolver sees that there is no interface but the loopback, and asks nobody; the C library's answers
    return box.run("aria2c", "--async-dns=false", "--dir=/volume", "--max-tries=2", "--retry-wait=0", *words, code=code)


def arrived(box: Box, name: str) -> None:
    """Raise `SmokeError` unless the file `name` of the volume holds the data."""
    found = (box.volume / name).read_bytes()
    expect(found == DATA, f"{name}: {len(found)} bytes with another content than {len(DATA)}")


def rpc(box: Box, method: str, *parameters: object) -> Any:
    """The result of one call of the JSON-RPC service."""
    call = {"jsonrpc": "2.0", "id": "1", "method": f"aria2.{method}", "params": ["token:otvor", *parameters]}
    return json.loads(box.fetch("http://127.0.0.1:6800/jsonrpc", data=json.dumps(call).encode()).body)["result"]


def bencoded(value: Any) -> bytes:
    """A value in the encoding of torrents (BEP 3)."""
    if isinstance(value, dict):
        return b"d" + b"".join(bencoded(key) + bencoded(value[key]) for key in sorted(value)) + b"e"
    if isinstance(value, int):
        return b"i%de" % value
    data = value.encode() if isinstance(value, str) else value
    return b"%d:%b" % (len(data), data)


APP = App(
    name="aria2",
    packages=("aria2",),
    tools=("openssh-server",),
    entries=("cmd:aria2c",),
    smoke=smoke,
    needed=(
        Needed(kind="library", glob="/usr/lib/*-linux-gnu/libaria2.so.0*"),
        Needed(kind="library", glob="/usr/lib/*-linux-gnu/libssh2.so.1*"),
        Needed(kind="library", glob="/usr/lib/*-linux-gnu/libcares.so.2*"),
        Needed(kind="state", glob="/etc/ssl/certs"),
    ),
)
