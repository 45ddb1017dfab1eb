"""Downloads exactly the packages of a lock through the host's own package manager.

fetch(read_lock("packages.lock.json"), Path("debs"))
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pruner.apply.partial import partial_sibling
from pruner.errors import EnvironmentFault, InputError, NegativeAnswer, UsageError
from pruner.fetch.apk import download_apk
from pruner.fetch.apt import download_apt
from pruner.rootfs.apkfile import parts_of_apk
from pruner.rootfs.region import Region

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pruner.candidate import Lock, LockedPackage

__all__ = ["Fetched", "fetch"]

_DOWNLOADS = {"deb": download_apt, "apk": download_apk}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What was downloaded."""

    packages: int
    bytes: int
    unverified: tuple[str, ...] = ()
    """`NAME VERSION` of those for which the lock states no checksum; the package manager has checked them."""


def fetch(lock: Lock, destination: Path) -> Fetched:
    """Download the packages of `lock` into `destination`, which is missing or an empty directory.

    Written beside it and renamed: it is there completely or not at all. Raises `NegativeAnswer` for a version that the
    archive no longer has and for an archive whose checksum is not the lock's, `EnvironmentFault` where apt or apk is
    missing or fails, `InputError` for a lock without packages or of another ecosystem, `UsageError` for a destination
    that is taken.
    """
    if lock.ecosystem not in _DOWNLOADS:
        raise InputError(f"{lock.ecosystem} packages can't be fetched", hint="deb and apk packages can")
    if not lock.packages:
        raise InputError("the lock holds no packages", hint="write it anew with pruner select … --lock FILE")
    final = Path(os.path.realpath(destination))
    if os.path.lexists(final) and not (final.is_dir() and not any(final.iterdir())):
        raise UsageError(f"{destination}: is there already", hint="choose another destination")
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        with partial_sibling(final) as partial:
            partial.mkdir()
            files = _DOWNLOADS[lock.ecosystem](lock.packages, partial)
            sizes = [_check(package, file) for package, file in files]
            _check_exact(partial, (file for _, file in files))
            partial.replace(final)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise EnvironmentFault(
            f"{destination}: {reason}", hint="nothing was changed; check space and permissions"
        ) from None
    unverified = tuple(f"{package.name} {package.version}" for package in lock.packages if not package.checksum)
    return Fetched(packages=len(sizes), bytes=sum(sizes), unverified=unverified)


def _check(package: LockedPackage, file: Path) -> int:
    """The size of a downloaded archive whose checksum is the lock's, where the lock states one."""
    what = f"{package.name} {package.version}"
    if not file.is_file() or file.is_symlink():
        raise EnvironmentFault(f"{what} was not downloaded", hint="see the package manager's own messages")
    data = Region.of_descriptor(os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW))
    if package.checksum and _checksum(package.checksum, data, file.name) != package.checksum:
        raise NegativeAnswer(
            f"{what}: the checksum of the archive is not the lock's", hint="the archive was changed; make a new lock"
        )
    return data.size


def _checksum(like: str, data: Region, name: str) -> str:
    if like.startswith("Q1"):
        return parts_of_apk(data, name).checksum
    digest = hashlib.sha256()
    for chunk in data.chunks():
        digest.update(chunk)
    return f"sha256:{digest.hexdigest()}"


def _check_exact(directory: Path, files: Iterable[Path]) -> None:
    """Nothing but the packages lies in the directory: a manager's leftovers are removed."""
    wanted = {file.name for file in files}
    for path in directory.iterdir():
        if path.name not in wanted:
            path.unlink()
