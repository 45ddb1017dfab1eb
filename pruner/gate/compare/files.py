"""Files added, removed and changed, as far as both sides can tell."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from pruner.bytewise import bytewise
from pruner.gate.types import Change, FileChange, SideKind
from pruner.model import FileType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pruner.gate.types import Side, SideFile

_SPECIAL = frozenset({FileType.CHARACTER_DEVICE, FileType.BLOCK_DEVICE, FileType.FIFO, FileType.SOCKET})
"""What some scans leave out (Syft's of a directory) and others list."""
_RIGHTS = {"setuid": 0o4000, "setgid": 0o2000}
"""Bits by which a file runs with the rights of its owner or its group."""


class Listing:
    """What a side would list if it were there."""

    def __init__(self, side: Side) -> None:
        self._side = side
        self._everything = side.files is not None and side.complete

    @cached_property
    def _special(self) -> bool:
        """A root has device nodes, pipes and sockets; of the others one that has any."""
        files = (self._side.files or {}).values()
        return self._side.kind is SideKind.ROOT or any(file.type in _SPECIAL for file in files)

    def would_have(self, file: SideFile) -> bool:
        """Whether not to see `file` means that it is gone.

        A partial listing has regular files that packages own, and not always the empty ones: Syft writes them into
        SPDX like directories, without a checksum.
        """
        if file.type in _SPECIAL and not self._special:
            return False
        if self._everything:
            return True
        owned = file.type is FileType.REGULAR and file.owner is not None and file.bytes != 0
        return self._side.lists_owned and owned


def file_changes(before: Side, after: Side) -> tuple[FileChange, ...] | None:
    """Every name that differs, in bytewise order; None where a side lists no files."""
    if before.files is None or after.files is None:
        return None
    older, newer = before.files, after.files
    earlier, later = Listing(before), Listing(after)
    found: dict[str, FileChange] = {}
    for path, file in older.items():
        other = newer.get(path)
        if other is None:
            if _both(earlier, later, file):
                found[path] = FileChange(path=path, change=Change.REMOVED, before=file, after=None)
        elif file != other and (what := tuple(differences(file, other))):
            found[path] = FileChange(path=path, change=Change.CHANGED, before=file, after=other, what=what)
    for path, file in newer.items():
        if path not in older and _both(earlier, later, file):
            found[path] = FileChange(path=path, change=Change.ADDED, before=None, after=file)
    return tuple(found[path] for path in bytewise(found))


def _both(one: Listing, other: Listing, file: SideFile) -> bool:
    return one.would_have(file) and other.would_have(file)


def differences(one: SideFile, other: SideFile) -> Iterator[str]:
    """What both state and differ in: `type` alone, else the other words of `FileChange.what`."""
    if one.type is not other.type:
        yield "type"
        return
    if one.type is FileType.REGULAR and not same_content(one, other):
        yield "content"
    if one.mode is not None and other.mode is not None and one.type is not FileType.SYMLINK and one.mode != other.mode:
        yield "mode"
        if one.type is FileType.REGULAR:
            yield from (word for word, bit in _RIGHTS.items() if (one.mode ^ other.mode) & bit)
    if one.uid is not None and other.uid is not None and (one.uid, one.gid) != (other.uid, other.gid):
        yield "owner"
    if one.target is not None and other.target is not None and one.target != other.target:
        yield "target"
    if one.capabilities is not None and other.capabilities is not None and one.capabilities != other.capabilities:
        yield "capabilities"


def same_content(one: SideFile, other: SideFile) -> bool:
    """Whether nothing that both state says otherwise: digests of one algorithm, else sizes."""
    if one.digest is not None and other.digest is not None:
        if one.digest == other.digest:
            return True
        if one.digest.partition(":")[0] == other.digest.partition(":")[0]:
            return False
    return one.bytes is None or other.bytes is None or one.bytes == other.bytes
