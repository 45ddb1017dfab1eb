"""memcached as its package starts it, by its configuration, and by TLS and with passwords of SASL."""

from __future__ import annotations

import contextlib
import signal
import socket
import ssl
import struct
from typing import TYPE_CHECKING

from tests.corpus.model import App, Needed, expect, same
from tests.corpus.roots import Build, authority
from tests.corpus.sandbox import HOST

if TYPE_CHECKING:
    from tests.corpus.sandbox import Box

WRAPPER = "/usr/share/memcached/scripts/systemd-memcached-wrapper"
TOOL = "/usr/share/memcached/scripts/memcached-tool"
CONFIGURATION = """\
# memory in megabytes
-m 32
-p 11211
-u memcache
-l 127.0.0.1
-c 64
-I 2m
-o modern
"""
SASL = "mech_list: plain\npwcheck_method: auxprop\nauxprop_plugin: sasldb\nsasldb_path: /etc/sasl2/memcached-sasldb2\n"
MEMORY = ("-m", "16", "-u", "memcache", "-l", "127.0.0.1")
TLS = ("memcached", *MEMORY, "-p", "11212", "-Z", "-o", "ssl_chain_cert=/etc/memcached.pem,ssl_key=/etc/memcached.pem")


def setup(build: Build) -> None:
    """The user who logs in, and the certificate."""
    base = "/etc/sasl2/memcached-sasldb2"
    build.inside(
        "sh", "-c", f"echo otvor | saslpasswd2 -p -c -a memcached -u box -f {base} anna && chown memcache {base}"
    )
    place = build.root / "etc/memcached.pem"
    authority().issue_cert(HOST).private_key_and_cert_chain_pem.write_to_path(str(place))
    place.chmod(0o644)


def smoke(box: Box) -> None:
    service = box.start(WRAPPER, "/etc/memcached.conf")
    service.ready(11211)
    values(box)
    numbers(box)
    settings(box)
    tools(box)
    service.stop(signal.SIGTERM)
    encrypted(box)
    passwords(box)


def values(box: Box) -> None:
    """Values stored, replaced only when they are what they were, extended, expired, and removed."""
    body = b"x" * 1_500_000
    same(ask(box, b"set big 5 0 1500000\r\n" + body + b"\r\n"), "STORED", "a value of 1.5 MB")
    expect(box.talk(11211, b"get big\r\n").startswith(b"VALUE big 5 1500000\r\nxxx"), "the big value does not return")
    more = b"set more 0 0 2200000\r\n" + bytes(2_200_000) + b"\r\n"
    same(ask(box, more), "SERVER_ERROR object too large for cache", "a value of 2.2 MB")
    same(ask(box, b"add a 0 0 4\r\n" + b"zaba\r\n"), "STORED", "add")
    same(ask(box, b"add a 0 0 4\r\n" + b"sova\r\n"), "NOT_STORED", "add again")
    same(ask(box, b"append a 0 0 1\r\n!\r\nprepend a 0 0 1\r\n-\r\nget a\r\n"),
         "STORED\r\nSTORED\r\nVALUE a 0 6\r\n-zaba!\r\nEND", "append and prepend")  # fmt: skip
    token = ask(box, b"gets a\r\n").splitlines()[0].split()[-1].encode()
    same(ask(box, b"cas a 0 0 1 " + token + b"\r\n1\r\n"), "STORED", "a swap")
    same(ask(box, b"cas a 0 0 1 " + token + b"\r\n2\r\n"), "EXISTS", "a swap that comes late")
    same(ask(box, b"touch a -1\r\nget a\r\n"), "TOUCHED\r\nEND", "an expired value")
    same(ask(box, b"delete big\r\ndelete big\r\n"), "DELETED\r\nNOT_FOUND", "delete")
    same(ask(box, b"ms meta 2 T60\r\nhi\r\nmg meta v t s\r\n"), "HD\r\nVA 2 t60 s2\r\nhi", "meta commands")


def numbers(box: Box) -> None:
    """Counters, and one that is none."""
    same(ask(box, b"set n 0 0 2\r\n41\r\nincr n 1\r\ndecr n 50\r\n"), "STORED\r\n42\r\n0", "a counter")
    same(ask(box, b"set w 0 0 1\r\nw\r\nincr w 1\r\n").splitlines()[1][:12], "CLIENT_ERROR", "no counter")


def settings(box: Box) -> None:
    """The configuration is in force, the process has the user's id, and all is counted."""
    stats = dict(line.split()[1:3] for line in ask(box, b"stats settings\r\n").splitlines()[:-1])
    same((stats["maxbytes"], stats["maxconns"], stats["item_size_max"]), ("33554432", "64", "2097152"), "settings")
    counted = dict(line.split()[1:3] for line in ask(box, b"stats\r\n").splitlines()[:-1])
    expect(int(counted["cmd_get"]) >= 4 and counted["cas_badval"] == "1", f"statistics: {counted}")
    status = (box.root / "proc" / counted["pid"] / "status").read_text()
    wanted = next(
        line.split(":")[2] for line in (box.root / "etc/passwd").read_text().splitlines() if "memcache:" in line
    )
    expect(f"Uid:\t{wanted}\t" in status, f"another user than {wanted}: {status!r}")


def tools(box: Box) -> None:
    """The script that shows and dumps what is stored."""
    shown = box.run(TOOL, "127.0.0.1:11211", "display").out
    expect("Item_Size" in shown and "96B" in shown, f"no slabs: {shown!r}")
    dumped = box.run(TOOL, "127.0.0.1:11211", "dump").out
    expect("add meta 0 " in dumped and "\r\nhi\r\n" in dumped, f"no value in the dump: {dumped!r}")


def encrypted(box: Box) -> None:
    """By TLS the certificate is the corpus' and the protocol the same; in the clear nothing is answered."""
    service = box.start(*TLS)
    service.ready(11212)
    context = ssl.create_default_context()
    authority().configure_trust(context)
    with (
        box.network(),
        socket.create_connection(("127.0.0.1", 11212), timeout=5) as plain,
        context.wrap_socket(plain, server_hostname=HOST) as client,
    ):
        client.sendall(b"set t 0 0 3\r\ntls\r\n")
        same(client.recv(100), b"STORED\r\n", "stored by TLS")
        client.sendall(b"get t\r\n")
        same(client.recv(100), b"VALUE t 0 3\r\ntls\r\nEND\r\n", "got by TLS")
    with contextlib.suppress(ConnectionError):  # it may well hang up
        expect(b"VALUE" not in box.talk(11212, b"get t\r\n"), "answered in the clear")
    service.stop()


def passwords(box: Box) -> None:
    """The binary protocol: nothing without a login, a wrong password refused, the right one let in."""
    service = box.start("memcached", *MEMORY, "-p", "11213", "-S")
    service.ready(11213)
    stored = packet(1, b"k", b"secret", struct.pack(">II", 0, 0))
    same(statuses(box, stored), [0x20], "without a login")
    same(statuses(box, packet(0x20)), [b"PLAIN"], "the mechanisms")
    same(statuses(box, packet(0x21, b"PLAIN", b"\0anna\0zavri")), [0x20], "a wrong password")
    same(statuses(box, packet(0x21, b"PLAIN", b"\0anna\0otvor"), stored, packet(0, b"k")),
         [b"Authenticated", 0, b"\0\0\0\0secret"], "a login, a value stored and got")  # fmt: skip
    service.stop()


def ask(box: Box, request: bytes) -> str:
    """What the server of the configuration answers, without the last line's end."""
    return box.talk(11211, request).decode().removesuffix("\r\n")


def packet(operation: int, key: bytes = b"", value: bytes = b"", extras: bytes = b"") -> bytes:
    """A request of the binary protocol."""
    length = len(key) + len(value) + len(extras)
    return struct.pack(">BBHBBHIIQ", 0x80, operation, len(key), len(extras), 0, 0, length, 0, 0) + extras + key + value


def statuses(box: Box, *requests: bytes) -> list[int | bytes]:
    """For each answer its body if all went well and there is one, else its status."""
    found: list[int | bytes] = []
    with box.network(), socket.create_connection(("127.0.0.1", 11213), timeout=5) as client:
        stream = client.makefile("rb")
        for request in requests:
            client.sendall(request)
            answer = stream.read(24)
            expect(len(answer) == 24, f"an answer of {len(answer)} bytes to {request!r}")
            head = struct.unpack(">BBHBBHIIQ", answer)
            body = stream.read(head[6])
            found.append(body if body and not head[5] else head[5])
    return found


APP = App(
    name="memcached",
    packages=("memcached", "libsasl2-modules", "sasl2-bin"),
    files={"/etc/memcached.conf": CONFIGURATION, "/etc/sasl2/memcached.conf": SASL},
    setup=setup,
    entries=(f"cmd:{WRAPPER} /etc/memcached.conf", f"cmd:{' '.join(TLS)}", "cmd:memcached -S", f"cmd:{TOOL}"),
    smoke=smoke,
    needed=(
        Needed(kind="library", glob="/usr/lib/*-linux-gnu/libevent-2.1.so.7*"),
        Needed(kind="plugin", glob="/usr/lib/*-linux-gnu/sasl2/libplain.so*"),
        Needed(kind="plugin", glob="/usr/lib/*-linux-gnu/sasl2/libsasldb.so*"),
        Needed(kind="config", glob="/etc/sasl2/memcached.conf"),
        Needed(kind="config", glob="/etc/memcached.conf"),
        Needed(kind="program", glob="/usr/bin/perl"),
        Needed(kind="state", glob="/etc/passwd"),
    ),
)
