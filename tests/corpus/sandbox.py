"""Runs commands and services in a root filesystem the way a container runtime would.

A `Box` has mount, process, network, host name and IPC namespaces of its own, with the loopback
interface up and nothing else. The root under test is the lower layer of an overlay, so it stays as
it is. As a runtime does, the box supplies /proc, a minimal /dev, /etc/hosts, /etc/resolv.conf and
/etc/hostname; everything else, /tmp included, must come from the root. A second root, most
often the fat one, stands beside it in the same namespaces: clients that the root under test lacks
are run from there.
The harness itself can enter the box's network (`network`) and serve or probe from outside any root.
Needs root.
"""

from __future__ import annotations

import ctypes
import json
import os
import shlex
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from tests.corpus.model import SmokeError, expect
from tests.corpus.roots import authority

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from email.message import Message

    import trustme

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
HOST = "service.test"
"""A host name that only the supplied /etc/hosts knows, and that the served certificate names."""
SUPPLIED = {
    "hosts": f"127.0.0.1 localhost {HOST}\n::1 localhost ip6-localhost\n",
    "resolv.conf": "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n",
    "hostname": "box\n",
}
CLONE_NEWNET = 0x40000000  # setns(2)
INSIDE = Path(__file__).with_name("inside.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A finished command: exit code, and both outputs as text (undecodable bytes replaced)."""

    code: int
    out: str
    err: str
    raw: bytes
    """Standard output as it came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An HTTP answer: status, header fields by lower-case name, and body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace")


class Service:
    """A long-running command in a box; its output is kept for messages."""

    def __init__(self, box: Box, process: subprocess.Popen[bytes], log: Path, name: str) -> None:
        self._box, self._process, self._log, self._name = box, process, log, name

    def ready(self, port: int, *, seconds: float = 20) -> None:
        """Wait until `port` accepts connections on 127.0.0.1. Raises `SmokeError`."""
        self.until(lambda: self._box.listens(port), f"port {port} to accept connections", seconds=seconds)

    def until(self, holds: Callable[[], bool], what: str, *, seconds: float = 20) -> None:
        """Wait until `holds()`, while the service lives. Raises `SmokeError`."""
        deadline = time.monotonic() + seconds
        while not holds():
            expect(self._process.poll() is None, f"{self._name} ended with {self._process.returncode}: {self.log}")
            expect(time.monotonic() < deadline, f"{self._name}: waited {seconds:.0f} s for {what}: {self.log}")
            time.sleep(0.05)

    def stop(
        self, number: signal.Signals = signal.SIGTERM, *, codes: Sequence[int] = (0,), seconds: float = 15
    ) -> None:
        """Send a signal, wait for the end, and require one of the exit `codes`. Raises `SmokeError`."""
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        expect(bool(children), f"{self._name} was not running any more: {self.log}")
        os.kill(int(children[0]), number)
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise SmokeError(f"{self._name} did not end within {seconds:.0f} s of {number.name}: {self.log}") from None
        expect(code in codes, f"{self._name} ended with {code} after {number.name}: {self.log}")

    @property
    def log(self) -> str:
        """The last part of what the service printed."""
        return self._log.read_text(errors="replace")[-2000:]


class Box:
    """The namespaces, with `root` as the root under test and `tools` as the place of clients and peers."""

    def __init__(self, root: Path, tools: Path, *, without: Sequence[str] = ()) -> None:
        """`without` names absolute paths to delete from the root under test first (in the overlay)."""
        self._lower = {"root": root, "tools": tools}
        self._without = without
        self._services: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        self._home = Path(tempfile.mkdtemp(prefix="pruner-box-"))
        self._home.chmod(0o755)
        self.volume = self._home / "volume"
        self.volume.mkdir()
        self.volume.chmod(0o1777)
        supplied = self._home / "supplied"
        supplied.mkdir()
        for name, text in SUPPLIED.items():
            (supplied / name).write_text(text)
        roots = [self._layers(name, lower) for name, lower in self._lower.items()]
        setup = {"hostname": "box", "roots": roots, "supplied": str(supplied), "volume": str(self.volume)}
        python = [sys.executable, "-I", "-S", str(INSIDE), "hold"]
        namespaces = ("--mount", "--net", "--pid", "--uts", "--ipc", "--fork", "--kill-child")
        self._holder = subprocess.Popen(
            ["unshare", *namespaces, *python], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._holder.stdin is not None and self._holder.stdout is not None
        self._holder.stdin.write(json.dumps(setup) + "\n")
        self._holder.stdin.flush()
        if self._holder.stdout.readline() != "ready\n":
            self.__exit__()
            raise RuntimeError("the sandbox could not make its namespaces and mounts: are you root?")
        for path in self._without:
            self._delete(path)
        return self

    def __exit__(self, *_error: object) -> None:
        self._holder.kill()
        self._holder.communicate()
        for process in self._services:  # they end with process 1 of their namespace
            process.wait()
        shutil.rmtree(self._home)

    @property
    def root(self) -> Path:
        """The root under test as the harness may read and write it: its overlay's merged view."""
        return Path(f"/proc/{self._holder.pid}/root{self._home}/root/merged")

    def run(self, *argv: str, code: int | None = 0, **how: Any) -> Done:
        """Run a command in the root under test; see `_command` for the options.

        Raises `SmokeError` unless it exits with `code` (any, when None) within `timeout` seconds.
        """
        return self._finish("root", argv, code, **how)

    def tool(self, *argv: str, code: int | None = 0, **how: Any) -> Done:
        """Run a client from the tools root, in the same network; otherwise as `run`."""
        return self._finish("tools", argv, code, **how)

    def start(self, *argv: str, tool: bool = False, **how: Any) -> Service:
        """Start a service in the root under test, or a peer of it from the tools root; it ends with the box at the latest."""
        log = self._home / f"service-{len(self._services)}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                self._command("tools" if tool else "root", argv, **how),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self._services.append(process)
        return Service(self, process, log, shlex.join(argv))

    @contextmanager
    def network(self) -> Iterator[None]:
        """Put the calling thread into the box's network namespace; sockets made there stay there."""
        own_path, box_path = Path("/proc/thread-self/ns/net"), Path(f"/proc/{self._holder.pid}/ns/net")
        with own_path.open() as own, box_path.open() as other:
            _enter_network(other.fileno())
            try:
                yield
            finally:
                _enter_network(own.fileno())

    def listens(self, port: int) -> bool:
        """Whether something accepts TCP connections on 127.0.0.1 in the box."""
        with self.network(), socket.socket() as client:
            return client.connect_ex(("127.0.0.1", port)) == 0

    def talk(self, port: int, request: bytes, *, seconds: float = 5) -> bytes:
        """Send `request` to a TCP port of the box, and return what comes until a pause or the end."""
        with self.network(), socket.create_connection(("127.0.0.1", port), timeout=seconds) as client:
            client.sendall(request)
            client.settimeout(0.3)
            answer = b""
            try:
                while block := client.recv(65536):
                    answer += block
            except TimeoutError:
                pass
            return answer

    def fetch(
        self, url: str, *, data: bytes | None = None, headers: Mapping[str, str] | None = None, status: int = 200
    ) -> Answer:
        """Ask an HTTP service of the box, trusting the corpus' authority. Raises `SmokeError`."""
        context = ssl.create_default_context()
        authority().configure_trust(context)
        request = urllib.request.Request(url, data=data, headers=dict(headers or {}))
        handlers = (urllib.request.HTTPSHandler(context=context), urllib.request.ProxyHandler({}))
        with self.network():
            try:
                with urllib.request.build_opener(*handlers).open(request, timeout=20) as got:
                    answer = Answer(status=got.status, headers=_lower(got.headers), body=got.read())
            except urllib.error.HTTPError as error:
                answer = Answer(status=error.code, headers=_lower(error.headers), body=error.read())
            except OSError as error:
                raise SmokeError(f"{url}: {error}") from error
        expect(answer.status == status, f"{url}: status {answer.status}, not {status}: {answer.text[:500]}")
        return answer

    @contextmanager
    def serve(
        self, handler: type[BaseHTTPRequestHandler], port: int, *, tls: trustme.CA | None = None
    ) -> Iterator[None]:
        """Serve HTTP from outside the roots on a port of the box; over TLS as `HOST`, vouched for by `tls`, if given."""
        with self.network():
            server = _Server(("127.0.0.1", port), handler)
        if tls is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.issue_cert(HOST, "localhost").configure_cert(context)
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def _layers(self, name: str, lower: Path) -> dict[str, str]:
        layers = {"lower": str(lower)}
        for layer in ("upper", "work", "merged"):
            (self._home / name / layer).mkdir(parents=True)
            layers[layer] = str(self._home / name / layer)
        # the overlay's root directory takes mode and owner from the upper layer
        (self._home / name / "upper").chmod(0o755)
        return layers

    def _delete(self, path: str) -> None:
        target = self.root / path.lstrip("/")
        if target.is_dir() and not target.is_symlink():
            shutil.rmtree(target)
        else:
            target.unlink()

    def _finish(
        self,
        where: str,
        argv: Sequence[str],
        code: int | None,
        *,
        timeout: float = 120,
        stdin: bytes = b"",
        **how: Any,
    ) -> Done:
        try:
            process = subprocess.run(
                self._command(where, argv, **how), input=stdin, capture_output=True, timeout=timeout, check=False
            )
        except subprocess.TimeoutExpired:
            raise SmokeError(f"{shlex.join(argv)}: no end within {timeout:.0f} s") from None
        done = Done(
            code=process.returncode, out=process.stdout.decode(errors="replace"),
            err=process.stderr.decode(errors="replace"), raw=process.stdout,
        )  # fmt: skip
        said = f"out {done.out[-800:]!r} err {done.err[-1200:]!r}"
        expect(code is None or done.code == code, f"{shlex.join(argv)}: exit {done.code}, not {code}: {said}")
        return done

    def _command(
        self,
        where: str,
        argv: Sequence[str],
        *,
        user: str = "root",
        env: Mapping[str, str] | None = None,
        cwd: str = "/",
    ) -> list[str]:
        """The host command that runs `argv` in a root as `user` (a name of the tools root's passwd: runtimes resolve it, programs need not)."""
        uid, gid, home = self._account(user)
        order = {
            "root": str(self._home / where / "merged"), "argv": list(argv), "cwd": cwd, "uid": uid, "gid": gid,
            "groups": [gid], "env": {"PATH": PATH, "HOME": home, "HOSTNAME": "box", **(env or {})},
        }  # fmt: skip
        holder = f"/proc/{self._holder.pid}/ns"
        spaces = [f"--{flag}={holder}/{name}" for flag, name in
                  (("mount", "mnt"), ("net", "net"), ("uts", "uts"), ("ipc", "ipc"), ("pid", "pid_for_children"))]  # fmt: skip
        return ["nsenter", *spaces, "--", sys.executable, "-I", "-S", str(INSIDE), "exec", json.dumps(order)]

    def _account(self, user: str) -> tuple[int, int, str]:
        for line in (self._lower["tools"] / "etc/passwd").read_text().splitlines():
            fields = line.split(":")
            if fields[0] == user:
                return int(fields[2]), int(fields[3]), fields[5]
        raise KeyError(user)


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that refuse a certificate hang up, and are meant to."""


def _enter_network(descriptor: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "cannot enter the sandbox's network")


def _lower(headers: Message) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
