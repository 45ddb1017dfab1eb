"""Makes package archives for tests, good ones and bad ones, without any packaging tool."""

from __future__ import annotations

import gzip
import hashlib
import lzma
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import zstandard

from tests.unit.archives import link, member, tar

PACKERS: Mapping[str, Any] = {
    "": lambda data: data,
    ".gz": lambda data: gzip.compress(data, mtime=0),
    ".xz": lzma.compress,
    ".zst": zstandard.ZstdCompressor().compress,
}

Member = tuple[Any, bytes | None]


def ar(*members: tuple[str, bytes]) -> bytes:
    """An ar archive (ar(5)) of `members` in order."""
    parts = [b"!<arch>\n"]
    for name, data in members:
        parts.append(f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(data):<10}`\n".encode())
        parts.append(data + b"\n" * (len(data) % 2))
    return b"".join(parts)


def files_of(files: Mapping[str, bytes | str]) -> list[Member]:
    """Members for `files`: a path with a slash at its end is a directory, text `-> TARGET` a link."""
    made = []
    for path, content in files.items():
        name = f".{path}"
        if isinstance(content, str):
            made.append(link(name, content.removeprefix("-> ")))
        elif path.endswith("/"):
            made.append(member(name))
        else:
            made.append(member(name, content, mode=0o755 if "/bin/" in path else 0o644))
    return made


def deb(
    directory: Path,
    name: str,
    files: Mapping[str, bytes | str] | None = None,
    *,
    version: str = "1",
    fields: str = "",
    control: Mapping[str, str] | None = None,
    members: list[Member] | None = None,
    suffix: str = ".xz",
    architecture: str = "all",
) -> Path:
    """Write NAME_VERSION_ARCHITECTURE.deb into `directory`; `control` are further control files, `members` raw ones."""
    text = f"Package: {name}\nVersion: {version}\nArchitecture: {architecture}\nMaintainer: T <t@example.org>\n"
    texts = {"control": f"{text}{fields}Description: of a test\n", **(control or {})}
    pack = PACKERS[suffix]
    inner = tar(*(member(f"./{file}", content.encode()) for file, content in texts.items()))
    data = tar(*files_of(files or {}), *(members or []))
    path = directory / f"{name}_{version.replace(':', '%3a')}_{architecture}.deb"
    path.write_bytes(
        ar(("debian-binary", b"2.0\n"), (f"control.tar{suffix}", pack(inner)), (f"data.tar{suffix}", pack(data)))
    )
    return path


def apk(
    directory: Path,
    name: str,
    files: Mapping[str, bytes | str],
    *,
    version: str = "1-r0",
    fields: str = "",
    scripts: Mapping[str, str] | None = None,
    datahash: str | None = None,
) -> Path:
    """Write NAME-VERSION.apk into `directory`: three gzip members, of which only the last tar has its end."""
    data = gzip.compress(tar(*files_of(files)), mtime=0)
    stated = hashlib.sha256(data).hexdigest() if datahash is None else datahash
    info = f"pkgname = {name}\npkgver = {version}\narch = x86_64\norigin = {name}\n{fields}datahash = {stated}\n"
    texts = {".PKGINFO": info, **(scripts or {})}
    control = _cut(tar(*(member(file, content.encode()) for file, content in texts.items())))
    signature = _cut(tar(member(".SIGN.RSA.test.rsa.pub", b"signature")))
    path = directory / f"{name}-{version}.apk"
    path.write_bytes(gzip.compress(signature, mtime=0) + gzip.compress(control, mtime=0) + data)
    return path


def _cut(archive: bytes) -> bytes:
    """A tar without the zero blocks at its end."""
    return archive.rstrip(b"\0") + b"\0" * (-len(archive.rstrip(b"\0")) % 512)
