"""Which files of a plan directory's archives are not for everybody: a world-readable copy would give them away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pruner.model import FileType

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pruner.plan.types import FilePlan


def guarded_files(files: Iterable[FilePlan], tree: Iterable[FilePlan]) -> tuple[FilePlan, ...]:
    """The regular ones of `files` that others than owner and group can't read in the finished root.

    By their own mode (`/etc/shadow`), or because a directory of `tree` above them lets nobody else in
    (a token in a home of mode 0700; path_resolution(7)).
    """
    closed = tuple(f"{file.path}/" for file in tree if file.type is FileType.DIRECTORY and not file.mode & 0o001)
    return tuple(
        file
        for file in files
        if file.type is FileType.REGULAR and (not file.mode & 0o004 or file.path.startswith(closed))
    )
