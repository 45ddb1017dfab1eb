"""The service that applications of the corpus call: a catalogue of four names, and an echo."""

from __future__ import annotations

import gzip
import json
from http.server import BaseHTTPRequestHandler

NAMES = ("žaba", "čaj", "jablko", "chlieb")
SLOVAK = ("čaj", "chlieb", "jablko", "žaba")
"""The names in Slovak order, where ch follows h and č follows c: not the order of code points."""


class Catalogue(BaseHTTPRequestHandler):
    """`/items` answers with JSON, compressed when asked with `?gzip`; `/echo` with what was posted."""

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        if path != "/items":
            self._answer(404, "text/plain", b"no such page\n")
            return
        body = json.dumps({"items": NAMES}, ensure_ascii=False).encode()
        if query == "gzip" and "gzip" in self.headers.get("Accept-Encoding", ""):
            self._answer(200, "application/json", gzip.compress(body), ("Content-Encoding", "gzip"))
        else:
            self._answer(200, "application/json; charset=utf-8", body)

    def do_POST(self) -> None:
        self._answer(200, "text/plain", self.rfile.read(int(self.headers["Content-Length"])))

    def _answer(self, status: int, kind: str, body: bytes, *fields: tuple[str, str]) -> None:
        self.send_response(status)
        for name, value in (("Content-Type", kind), ("Content-Length", str(len(body))), *fields):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words: object) -> None:
        """Say nothing: the applications' answers are what counts."""
