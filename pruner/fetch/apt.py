"""Debian packages by `apt-get download` from the sources that the host has configured (apt-get(8))."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pruner.errors import EnvironmentFault, NegativeAnswer
from pruner.fetch.process import Ran, program, run

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pruner.candidate import LockedPackage

_AT_ONCE = 200
"""Packages a call; a command line has room for more, but messages are easier to read."""
_OFFER = re.compile(r"^'[^']*' (?P<file>\S+) \d+ ?(?P<checksum>\S*)$")
_GONE = (
    re.compile(r"^E: Version '(?P<version>[^']+)' for '(?P<name>[^':]+)[^']*' was not found", re.MULTILINE),
    re.compile(r"^E: Can't find a source to download version '(?P<version>[^']+)' of '(?P<name>[^':]+)", re.MULTILINE),
    re.compile(r"^E: Unable to locate package (?P<name>[^\s:]+)", re.MULTILINE),
)
_MISMATCH = re.compile(r"Hash Sum mismatch|has wrong hash|unexpected size", re.IGNORECASE)


def download_apt(packages: Sequence[LockedPackage], directory: Path) -> list[tuple[LockedPackage, Path]]:
    """Download `packages` into `directory`; each with its file.

    Raises `NegativeAnswer` for versions that no source has and for archives that are not what the lock or the source
    says, `EnvironmentFault` where apt-get is missing or fails otherwise.
    """
    apt = program("apt-get", "apt")
    found: list[tuple[LockedPackage, Path]] = []
    for start in range(0, len(packages), _AT_ONCE):
        batch = packages[start : start + _AT_ONCE]
        names = [_argument(package) for package in batch]
        offered = run([apt, "--print-uris", "download", *names], directory)
        _check(offered, batch)
        found += [(package, directory / file) for package, file in _matched(batch, offered)]
        # The directory is another user's than _apt's: downloading as oneself saves a warning for every package.
        _check(run([apt, "--quiet", "-o", "APT::Sandbox::User=root", "download", *names], directory), batch)
    return found


def _argument(package: LockedPackage) -> str:
    qualifier = "" if package.architecture == "all" else f":{package.architecture}"
    return f"{package.name}{qualifier}={package.version}"


def _matched(packages: Sequence[LockedPackage], offered: Ran) -> Iterator[tuple[LockedPackage, str]]:
    """Each package with the name of its file, once the source's checksum is found to be the lock's."""
    offers = {}
    for line in offered.out.splitlines():
        offer = _OFFER.match(line)
        if offer is not None:
            offers[offer["file"]] = offer["checksum"]
    for package in packages:
        file = f"{package.name}_{package.version.replace(':', '%3a')}_{package.architecture}.deb"
        if file not in offers:
            raise NegativeAnswer(
                f"{package.name} {package.version} ({package.architecture}) is not in the archive", hint=_ANEW
            )
        kind, _, value = offers[file].partition(":")
        if kind == "SHA256" and package.checksum not in {"", f"sha256:{value}"}:
            raise NegativeAnswer(
                f"{package.name} {package.version}: the archive has it with another checksum than the lock", hint=_ANEW
            )
        yield package, file


_ANEW = "run apt-get update, or make a new lock"


def _check(ran: Ran, packages: Sequence[LockedPackage]) -> None:
    if not ran.code:
        return
    versions = {package.name: package.version for package in packages}
    gone = sorted({match["name"] for pattern in _GONE for match in pattern.finditer(ran.err)})
    if gone:
        listed = ", ".join(f"{name} {versions.get(name, '')}".strip() for name in gone)
        raise NegativeAnswer(f"no longer in the archive: {listed}", hint=_ANEW)
    if _MISMATCH.search(ran.err):
        raise NegativeAnswer(f"an archive is not what its source says: {ran.complaint}", hint=_ANEW)
    raise EnvironmentFault(f"apt-get failed: {ran.complaint}", hint="nothing was written")
