"""Directories that an SBOM's list of files leaves out, from what rpm's database says about its packages' files.

An SBOM of owned files (Syft's default) holds regular files alone. rpm states the type and mode of every file, so the
directories that programs keep their state in are known without it. Links are stated too, but not where they lead.
"""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from pruner.bytewise import bytewise
from pruner.model import File, FileType
from pruner.read.paths import absolute_path

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from pruner.model import Package


def with_directories(files: Mapping[str, File], packages: Iterable[Package], name: str) -> Mapping[str, File]:
    """`files` with the directories that rpm packages declare, in bytewise order; nothing is added to no files.

    Their owners are taken to be root, since the SBOM names users and does not number them. A path below a declared link
    is left out: it has another name. Raises `InputError` naming the input `name` for a path that no root can hold.
    """
    modes = {
        file.path: file.mode
        for package in packages
        if package.type == "rpm"
        for file in package.files
        if file.mode is not None
    }
    links = {path for path, mode in modes.items() if stat.S_ISLNK(mode)}
    stated = {
        absolute_path(path, name, "$.artifacts[*].metadata.files"): mode
        for path, mode in modes.items()
        if stat.S_ISDIR(mode)
    }
    added = {
        path: File(path=path, type=FileType.DIRECTORY, mode=stat.S_IMODE(mode))
        for path, mode in stated.items()
        if path != "/" and path not in files and not _is_below(path, links)
    }
    if not files or not added:
        return files
    united = {**files, **added}
    return {path: united[path] for path in bytewise(united)}


def _is_below(path: str, links: Collection[str]) -> bool:
    parent = path
    while parent := parent.rpartition("/")[0]:
        if parent in links:
            return True
    return False
