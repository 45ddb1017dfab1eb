"""Alpine packages by `apk fetch` from the repositories that the host has configured (apk-fetch(8))."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pruner.errors import EnvironmentFault, NegativeAnswer
from pruner.fetch.process import program, run

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pruner.candidate import LockedPackage

_UNABLE = re.compile(r"unable to select package|no such package|not found|required by: world", re.IGNORECASE)
_BROKEN = re.compile(r"BAD signature|BAD archive|checksum|v2 package integrity", re.IGNORECASE)


def download_apk(packages: Sequence[LockedPackage], directory: Path) -> list[tuple[LockedPackage, Path]]:
    """Download `packages` into `directory`; each with its file. Raises as `pruner.fetch.apt.download_apt` does."""
    apk = program("apk", "apk")
    # By name alone: apk 2.14 takes no version here. A repository offers one version of a package, the newest.
    ran = run([apk, "fetch", "--output", str(directory), *(package.name for package in packages)], directory)
    files = [(package, directory / f"{package.name}-{package.version}.apk") for package in packages]
    said = ran.err + ran.out
    if _BROKEN.search(said):
        raise NegativeAnswer(f"an archive is not what its repository says: {ran.complaint}", hint=_ANEW)
    missing = [f"{package.name} {package.version}" for package, file in files if not file.is_file()]
    if missing and (_UNABLE.search(said) or not ran.code):
        raise NegativeAnswer(f"no longer in the archive: {', '.join(missing)}", hint=_ANEW)
    if ran.code:
        raise EnvironmentFault(f"apk fetch failed: {ran.complaint}", hint="nothing was written")
    return files


_ANEW = "run apk update, or make a new lock"
