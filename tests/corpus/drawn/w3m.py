"""w3m: pages rendered to text and on a terminal, over HTTP and TLS, in several encodings, forms and local files."""

from __future__ import annotations

import gzip
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import trustme

from tests.corpus.drawn.terminal import terminal
from tests.corpus.model import App, Needed, expect, same
from tests.corpus.roots import authority
from tests.corpus.sandbox import HOST

if TYPE_CHECKING:
    from tests.corpus.sandbox import Box, Done

PAGE = """\
<html><head><title>Záhrada</title></head><body>
<h1>Kvety</h1>
<p>Ruže &amp; tulipány, <a href="/next">ďalšia strana</a></p>
<table border="1"><tr><td>ruža</td><td>5</td></tr><tr><td>tulipán</td><td>12</td></tr></table>
<ul><li>prvý</li><li>druhý</li></ul>
<form action="/form" method="post"><input name="meno" value=""><input type="submit" value="Poslať"></form>
</body></html>
"""
UTF8 = "text/html; charset=utf-8"


class Site(BaseHTTPRequestHandler):
    """A page, the same in an older encoding and compressed, a form, a cookie and a redirection."""

    def do_GET(self) -> None:
        pages = {
            "/": (UTF8, PAGE.encode(), ()),
            "/latin2": ("text/html; charset=iso-8859-2", PAGE.encode("iso-8859-2"), ()),
            "/gzip": (UTF8, gzip.compress(PAGE.encode()), (("Content-Encoding", "gzip"),)),
            "/next": (UTF8, "<title>Ďalšia</title><p>Koniec cesty</p>".encode(), ()),
            "/cookie": (UTF8, f"<p>cookie: {self.headers.get('Cookie')}".encode(), ()),
        }
        if self.path == "/away":
            self._answer(302, UTF8, b"", ("Location", "/next"))
        elif self.path == "/set":
            self._answer(302, UTF8, b"", ("Location", "/cookie"), ("Set-Cookie", "garden=open; path=/"))
        elif self.path in pages:
            kind, body, fields = pages[self.path]
            self._answer(200, kind, body, *fields)
        else:
            self._answer(404, UTF8, b"<p>nothing here")

    do_HEAD = do_GET

    def do_POST(self) -> None:
        sent = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self._answer(200, UTF8, f"<p>Ahoj {sent.get('meno', ['?'])[0]}</p>".encode())

    def _answer(self, status: int, kind: str, body: bytes, *fields: tuple[str, str]) -> None:
        self.send_response(status)
        for name, value in (("Content-Type", kind), ("Content-Length", str(len(body))), *fields):
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_words: object) -> None:
        """Say nothing: what the browser shows is what counts."""


def smoke(box: Box) -> None:
    with box.serve(Site, 9080), box.serve(Site, 9443, tls=authority()), box.serve(Site, 9444, tls=trustme.CA()):
        dumps(box)
        session(box)
    local(box)


def dumps(box: Box) -> None:
    """Pages as plain text: layout, encodings, compression, redirection, forms, cookies and authorities."""
    url = f"http://{HOST}:9080"
    text = dump(box, f"{url}/").out
    for part in ("Kvety", "Ruže & tulipány, ďalšia strana", "• druhý"):
        expect(part in text, f"the page lacks {part!r}: {text!r}")
    expect("│ruža    │5 │" in text, f"the table is drawn otherwise: {text!r}")
    same(dump(box, f"{url}/latin2").out, text, "the page in ISO-8859-2")
    same(dump(box, f"{url}/gzip").out, text, "the page compressed")
    same(dump(box, f"https://{HOST}:9443/").out, text, "the page over TLS")
    latin = box.run("w3m", "-dump", "-O", "ISO-8859-2", f"{url}/", env={"LANG": "C.UTF-8"}).raw
    expect("tulipány, ďalšia".encode("iso-8859-2") in latin, f"not in ISO-8859-2: {latin!r}")
    same(dump(box, f"{url}/away").out.strip(), "Koniec cesty", "the page after a redirection")
    head = box.run("w3m", "-dump_head", f"{url}/absent").out
    expect("404 Not Found" in head, f"another status: {head!r}")
    same(dump(box, "-cookie", f"{url}/set").out.strip(), "cookie: garden=open", "the cookie sent back")
    (box.volume / "form").write_text("meno=Anna")
    same(dump(box, "-post", "/volume/form", f"{url}/form").out.strip(), "Ahoj Anna", "the answer to a form")
    refused = dump(box, f"https://{HOST}:9444/")
    expect("Koniec" not in refused.out and "Kvety" not in refused.out, f"an unknown authority passed: {refused.out!r}")
    expect("unable to get local issuer certificate" in refused.err, f"another complaint: {refused.err!r}")


def session(box: Box) -> None:
    """On a terminal: the page, a link followed, back, a search, the form filled in, and the end."""
    command = ("w3m", f"http://{HOST}:9080/")
    with terminal(box, command, env={"LANG": "C.UTF-8"}) as screen:
        screen.until("Záhrada")
        screen.until("tulipán")
        screen.press("\t\r")
        screen.until("Koniec")  # blanks are skipped by moving the cursor
        screen.press("B")
        screen.until("Kvety")
        screen.press("/druh\r")
        screen.until("druh")
        screen.press("\t\r")
        screen.until("TEXT:")
        screen.press("Anna\r")
        screen.press("\t\r")
        screen.until("Ahoj")
        screen.press("q")
        screen.until("exit")
        screen.press("y")
        screen.end()


def local(box: Box) -> None:
    """Local files: text from a pipe, a compressed page, a directory's list, and the help."""
    piped = box.run("w3m", "-T", "text/html", "-cols", "20", "-dump", stdin=PAGE.encode(), env={"LANG": "C.UTF-8"}).out
    expect("Ruže & tulipány," in piped.splitlines(), f"not folded at 20 columns: {piped!r}")
    (box.volume / "pages").mkdir()
    (box.volume / "pages/page.html").write_text(PAGE)
    (box.volume / "pages/list.html.gz").write_bytes(gzip.compress(PAGE.encode()))
    expect("Kvety" in dump(box, "/volume/pages/page.html", "-I", "UTF-8").out, "the local page is not shown")
    expect("Kvety" in dump(box, "/volume/pages/list.html.gz", "-I", "UTF-8").out, "the compressed page is not shown")
    listed = dump(box, "/volume/pages/").out
    expect("page.html" in listed and "list.html.gz" in listed, f"the directory is not listed: {listed!r}")
    with terminal(box, ("w3m", "/volume/pages/page.html"), term="vt100", env={"LANG": "C.UTF-8"}) as screen:
        screen.until("Kvety")
        screen.press("H")
        screen.until("SHIFT_RIGHT")
        screen.press("Q")
        screen.end()


def dump(box: Box, *words: str) -> Done:
    """A page as text of 80 columns in UTF-8."""
    return box.run("w3m", "-dump", "-cols", "80", *words, env={"LANG": "C.UTF-8"})


APP = App(
    name="w3m",
    packages=("w3m",),
    entries=("cmd:w3m",),
    smoke=smoke,
    needed=(
        Needed(kind="library", glob="/usr/lib/*-linux-gnu/libgc.so.1*"),
        Needed(kind="program", glob="/usr/lib/w3m/cgi-bin/dirlist.cgi"),
        Needed(kind="data", glob="/usr/lib/terminfo/x/xterm-256color"),
        Needed(kind="state", glob="/etc/ssl/certs"),
    ),
)
