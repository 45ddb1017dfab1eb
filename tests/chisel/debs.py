"""The packages that a root of the corpus was made of, as archives in the cache.

Below `$PRUNER_CACHE/debs` lies `NAME_VERSION_ARCHITECTURE.deb`, without epoch, compressed by zstd as Ubuntu's are: chisel
unpacks a package anew for every cut, and xz takes it ten times as long.
"""

from __future__ import annotations

import fcntl
import os
import re
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pruner.candidate import Lock, LockedPackage
from pruner.errors import NegativeAnswer
from pruner.fetch import fetch
from tests.corpus.roots import FatRoot, cache_dir, fat_root, forget

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.corpus.model import App

_FIELD = re.compile(r"^(Package|Version|Architecture|Status): (.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Deb:
    """A package in one version, and where its archive lies."""

    name: str
    version: str
    architecture: str
    path: Path


def debs_of(app: App) -> tuple[FatRoot, tuple[Deb, ...]]:
    """The fat root of `app` and the archives of all packages that are installed in it.

    The root is built anew where the distribution no longer has what it was made of. Raises `NegativeAnswer` where it
    lacks what the new one is made of, too.
    """
    fat = fat_root(app)
    try:
        return fat, archives(installed(fat.root))
    except NegativeAnswer:
        forget(app)
        fat = fat_root(app)
        return fat, archives(installed(fat.root))


def installed(root: Path) -> tuple[LockedPackage, ...]:
    """What `root`'s dpkg has installed, by name."""
    stanzas = (root / "var/lib/dpkg/status").read_text().split("\n\n")
    fields = [dict(_FIELD.findall(stanza)) for stanza in stanzas if stanza.strip()]
    found = [
        LockedPackage(name=one["Package"], version=one["Version"], architecture=one["Architecture"])
        for one in fields
        if one["Status"].endswith(" installed")
    ]
    return tuple(sorted(found, key=lambda package: package.name))


def archives(packages: Iterable[LockedPackage]) -> tuple[Deb, ...]:
    """The archives of exactly these versions, downloaded where the cache lacks them. Raises `NegativeAnswer`."""
    home = cache_dir().parent / "debs"
    home.mkdir(exist_ok=True)
    wanted = tuple(packages)
    with (home / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        missing = tuple(package for package in wanted if not (home / file_name(package)).exists())
        if missing:
            with tempfile.TemporaryDirectory(dir=home, prefix=".fetch-") as scratch:
                _download(missing, Path(scratch), home)
    return tuple(
        Deb(name=one.name, version=one.version, architecture=one.architecture, path=home / file_name(one))
        for one in wanted
    )


def file_name(package: LockedPackage) -> str:
    """What the archive of `package` is called in the cache and in the served pool."""
    return f"{package.name}_{package.version.partition(':')[2] or package.version}_{package.architecture}.deb"


def _download(packages: tuple[LockedPackage, ...], scratch: Path, home: Path) -> None:
    fetch(Lock(ecosystem="deb", architecture=packages[0].architecture, packages=packages), scratch / "debs")

    def one(package: LockedPackage) -> None:
        name = f"{package.name}_{package.version.replace(':', '%3a')}_{package.architecture}.deb"
        made = scratch / file_name(package)
        recompress(scratch / "debs" / name, made)
        made.rename(home / made.name)

    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        list(pool.map(one, packages))


def recompress(source: Path, target: Path) -> None:
    """Write the archive `source` to `target` with its data compressed by zstd (deb(5), ar(5))."""
    members = [(name, data) for name, data in _members(source.read_bytes()) if not name.startswith("data.tar")]
    tree = subprocess.run(["dpkg-deb", "--fsys-tarfile", source], capture_output=True, check=True).stdout
    packed = subprocess.run(["zstd", "--quiet", "-3", "--stdout"], input=tree, capture_output=True, check=True).stdout
    with target.open("wb") as out:
        out.write(b"!<arch>\n")
        for name, data in (*members, ("data.tar.zst", packed)):
            out.write(f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(data):<10}`\n".encode())
            out.write(data + b"\n" * (len(data) % 2))


def _members(archive: bytes) -> Iterator[tuple[str, bytes]]:
    place = 8
    while place + 60 <= len(archive):
        name, size = archive[place : place + 16].decode().rstrip(" /"), int(archive[place + 48 : place + 58])
        yield name, archive[place + 60 : place + 60 + size]
        place += 60 + size + size % 2
