"""Questions that pruner itself puts to a service, from inside the service's network: nothing in its root is needed."""

from __future__ import annotations

import http.client
import socket
import ssl
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pruner.errors import printable
from pruner.verify.types import LONGEST_OUTPUT, Ran

if TYPE_CHECKING:
    from pruner.read.checks import Probe, Ready
    from pruner.verify.box import Box

_CONNECT_SECONDS = 2.0
_PAUSE_SECONDS = 0.5
_HIGHEST_READY_STATUS = 499
"""A service that refuses a request is there; one that fails at it may still be starting."""


def is_ready(ready: Ready, box: Box) -> bool:
    """Whether the service answers by now."""
    if ready.kind == "tcp":
        connection = _connected(int(ready.target), _CONNECT_SECONDS)
        if connection is not None:
            connection.close()
        return connection is not None
    if ready.kind == "http":
        answer = fetch(ready.target, _CONNECT_SECONDS)
        return answer.code is not None and answer.code <= _HIGHEST_READY_STATUS
    if ready.kind == "unix":
        return box.inside(lambda: _accepts(ready.target))
    return box.inside(lambda: Path(ready.target).exists())


def ask(probe: Probe, seconds: float) -> Ran:
    """The answer to a `tcp` or `http` probe."""
    return fetch(probe.target, seconds) if probe.kind == "http" else talk(int(probe.target), probe.send, seconds)


def fetch(url: str, seconds: float) -> Ran:
    """GET `url` without following redirects; any host name means this network's loopback. The code is the status."""
    parts = urlsplit(url)
    title = printable(url)
    try:
        connection = _connection(parts.scheme, parts.hostname or "localhost", parts.port, seconds)
        connection.request("GET", (parts.path or "/") + (f"?{parts.query}" if parts.query else ""))
        response = connection.getresponse()
        body = response.read(LONGEST_OUTPUT)
    except (OSError, ValueError, http.client.HTTPException) as error:
        return Ran(title=title, problem=f"no answer: {printable(str(error) or type(error).__name__).lower()}")
    connection.close()
    return Ran(title=title, code=response.status, out=body)


def talk(port: int, text: str, seconds: float) -> Ran:
    """Send `text` to a TCP port; the output is what comes until the other side pauses or closes."""
    title = f"tcp {port}"
    connection = _connected(port, seconds)
    if connection is None:
        return Ran(title=title, problem="no connection")
    answer = bytearray()
    with connection, suppress(TimeoutError):
        try:
            connection.sendall(text.encode(errors="surrogateescape"))
            while len(answer) < LONGEST_OUTPUT and (data := connection.recv(65536)):
                answer += data
                connection.settimeout(_PAUSE_SECONDS)
        except ConnectionError as error:
            return Ran(title=title, out=bytes(answer), problem=f"no answer: {str(error).lower()}")
    return Ran(title=title, code=0, out=bytes(answer))


def _connected(port: int, seconds: float) -> socket.socket | None:
    for address in ("127.0.0.1", "::1"):
        with suppress(OSError):
            return socket.create_connection((address, port), timeout=seconds)
    return None


def _connection(scheme: str, host: str, port: int | None, seconds: float) -> http.client.HTTPConnection:
    port = port or (443 if scheme == "https" else 80)
    raw = _connected(port, seconds)
    if raw is None:
        raise ConnectionError(f"nothing accepts connections on port {port}")
    if scheme == "https":  # who answers is known: the network holds nothing but the service
        raw = ssl._create_unverified_context().wrap_socket(raw, server_hostname=host)  # noqa: S323, SLF001
    connection = http.client.HTTPConnection(host, port, timeout=seconds)
    connection.sock = raw
    return connection


def _accepts(path: str) -> bool:
    if not stat.S_ISSOCK(Path(path).stat().st_mode):
        return False
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(_CONNECT_SECONDS)
        return client.connect_ex(path) == 0
