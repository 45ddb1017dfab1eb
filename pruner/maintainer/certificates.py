"""Certificate authorities: what update-ca-certificates(8) and the hook of ca-certificates-java make.

Not made are the links by subject hash in which OpenSSL looks a directory up: Debian's OpenSSL reads the bundle, too
(`/usr/lib/ssl/cert.pem`), and so do GnuTLS, curl and Go.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import posixpath
import re
import struct
from typing import TYPE_CHECKING

from pruner.model import FileType

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pruner.maintainer.disk import Disk
    from pruner.maintainer.machine import Machine, Words
    from pruner.maintainer.statements import Status

_SOURCES = ("/usr/share/ca-certificates", "/usr/local/share/ca-certificates")
_CERTIFICATES = "/etc/ssl/certs"
_CONFIGURATION = "/etc/ca-certificates.conf"
_JAVA_HOOK = "/etc/ca-certificates/update.d/jks-keystore"
_KEYSTORE = "/etc/ssl/certs/java/cacerts"
_PASSWORD = "changeit"  # noqa: S105 - the documented password of every Java runtime's list of public certificates
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----", re.DOTALL)


def update_certificates(machine: Machine, words: Words) -> Status:
    """`update-ca-certificates`: every authority that a package ships is trusted, as its default answer says."""
    del words
    disk = machine.disk
    found = _authorities(disk)
    disk.reason = "made by update-ca-certificates(8) from the authorities of ca-certificates"
    disk.directory(_CERTIFICATES, parents=True)
    bundle = []
    for path, data in found:
        link = f"{_CERTIFICATES}/{_link_name(path)}"
        if disk.file(link, follow=False) is None:
            disk.link(link, path)
        bundle.append(data if data.endswith(b"\n") else data + b"\n")
    disk.write(f"{_CERTIFICATES}/ca-certificates.crt", b"".join(bundle))
    chosen = [path.removeprefix(f"{_SOURCES[0]}/") for path, _ in found if path.startswith(_SOURCES[0])]
    before = disk.read(_CONFIGURATION) or b""
    disk.write(_CONFIGURATION, before + "".join(f"{path}\n" for path in chosen).encode("utf-8", "surrogateescape"))
    return True


def make_keystore(disk: Disk) -> None:
    """What the hook of ca-certificates-java makes where it is there: the same authorities as a Java keystore."""
    if disk.file(_JAVA_HOOK) is None or disk.file(_KEYSTORE) is not None or disk.file(_CERTIFICATES) is None:
        return
    disk.reason = "made by the hook of ca-certificates-java from the authorities of ca-certificates"
    disk.directory(posixpath.dirname(_KEYSTORE), parents=True)
    disk.write(_KEYSTORE, keystore((f"debian:{_link_name(path).lower()}", data) for path, data in _authorities(disk)))


def keystore(authorities: Iterable[tuple[str, bytes]]) -> bytes:
    """A JKS file of trusted certificates by alias, from PEM; times are the epoch.

    The format is that of OpenJDK's sun.security.provider.JavaKeyStore: magic, version 2, entries, and the SHA-1 of
    password, a fixed text and all before.
    """
    entries = []
    for alias, pem in authorities:
        block = _PEM.search(pem)
        if block is None:
            continue
        try:
            der = base64.b64decode(block[1])
        except binascii.Error:
            continue
        entries.append(struct.pack(">I", 2) + _utf(alias) + struct.pack(">Q", 0) + _utf("X.509") + _sized(der))
    content = struct.pack(">III", 0xFEEDFEED, 2, len(entries)) + b"".join(entries)
    digest = hashlib.sha1(_PASSWORD.encode("utf-16-be") + b"Mighty Aphrodite" + content, usedforsecurity=False)
    return content + digest.digest()


def _utf(text: str) -> bytes:
    """Java's DataOutput.writeUTF for text of the basic plane."""
    data = text.encode("utf-8", "replace")
    return struct.pack(">H", len(data)) + data


def _sized(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def _authorities(disk: Disk) -> list[tuple[str, bytes]]:
    """Path and text of every certificate, the packages' before the administrator's, bytewise."""
    found = []
    for home in _SOURCES:
        for path in sorted(name for name in disk.names() if name.startswith(f"{home}/") and name.endswith(".crt")):
            file = disk.get(path)
            data = disk.read(path) if file is not None and file.type is FileType.REGULAR else None
            if data is not None:
                found.append((path, data))
    return found


def _link_name(path: str) -> str:
    """The name of the link to a certificate: update-ca-certificates replaces blanks, parentheses and commas."""
    stem = posixpath.basename(path).removesuffix(".crt")
    return stem.replace(" ", "_").replace("(", "=").replace(")", "=").replace(",", "_") + ".pem"
