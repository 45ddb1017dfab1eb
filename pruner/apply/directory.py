"""Writes a pruned root into an empty directory."""

from __future__ import annotations

import errno
import os
import stat
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pruner.model import FileType

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pruner.apply.source import Item, Source

_NODES = {
    FileType.CHARACTER_DEVICE: stat.S_IFCHR,
    FileType.BLOCK_DEVICE: stat.S_IFBLK,
    FileType.FIFO: stat.S_IFIFO,
    FileType.SOCKET: stat.S_IFSOCK,
}
_NOT_ALLOWED = {errno.EPERM, errno.EACCES, errno.EINVAL, errno.ENOTSUP}
"""What the kernel answers to an owner, a device or an attribute that this user or file system can't have."""


class DirectoryWriter:
    """Writes items below `place`, a fresh directory of this process's own.

    Directories come first and links last, so that nothing is ever written through a link of the plan. What this user
    may not do (owners, devices, file capabilities) is left out and told by `losses`.
    """

    def __init__(self, place: Path) -> None:
        self._place = os.fspath(place)
        self._lost: dict[str, list[str]] = {}

    def write(self, source: Source) -> None:
        """Write all items of `source`. Raises `OSError` where the disk or a name does not allow it."""
        directories = [item for item in source.items if item.type is FileType.DIRECTORY]
        for item in directories:
            Path(self._at(item)).mkdir(mode=0o700)
        for item in source.items:
            if item.type is FileType.REGULAR:
                self._write_regular(item, source)
        for item in source.items:
            if item.type in _NODES:
                self._write_node(item)
            elif item.type is FileType.SYMLINK:
                self._write_link(item)
        for item in reversed(directories):  # innermost first: a mode may forbid to enter, a write changes the time
            self._finish(item, self._at(item), source.attributes(item))

    @property
    def losses(self) -> tuple[str, ...]:
        """What the directory lacks, one lowercase sentence each."""
        return tuple(f"{what}: {len(paths)} names, first {min(paths)}" for what, paths in sorted(self._lost.items()))

    def _at(self, item: Item) -> str:
        return self._place + item.path

    def _write_regular(self, item: Item, source: Source) -> None:
        if item.link is not None:
            os.link(self._place + item.link, self._at(item), follow_symlinks=False)
            return
        data = source.content(item)
        descriptor = os.open(self._at(item), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            position = 0
            while position < len(data):
                position += os.write(descriptor, data[position : position + (1 << 24)])
            self._finish(item, descriptor, source.attributes(item))
        finally:
            os.close(descriptor)

    def _write_node(self, item: Item) -> None:
        device = os.makedev(*item.device) if item.device is not None else 0
        if self._allowed("device nodes", item, lambda: os.mknod(self._at(item), _NODES[item.type] | 0o600, device)):
            self._finish(item, self._at(item), {})

    def _write_link(self, item: Item) -> None:
        Path(self._at(item)).symlink_to(item.target or "")
        self._allowed("owners", item, lambda: os.chown(self._at(item), item.uid, item.gid, follow_symlinks=False))
        os.utime(self._at(item), (item.modified, item.modified), follow_symlinks=False)

    def _finish(self, item: Item, place: int | str, attributes: Mapping[str, bytes]) -> None:
        """Owner, attributes, mode, time in this order.

        A change of owner clears setuid bits and file capabilities, and a mode may forbid to set attributes.
        """
        mode = item.mode
        if not self._allowed("owners", item, lambda: os.chown(place, item.uid, item.gid)) and mode & 0o6000:
            self._lost.setdefault("setuid and setgid bits of files whose owner could not be set", []).append(item.path)
            mode &= ~0o6000
        for name, value in attributes.items():
            self._allowed(f"extended attribute {name}", item, partial(os.setxattr, place, name, value))
        os.chmod(place, mode)  # noqa: PTH101  (maybe a descriptor)
        os.utime(place, (item.modified, item.modified))

    def _allowed(self, what: str, item: Item, action: Callable[[], None]) -> bool:
        try:
            action()
        except OSError as error:
            if error.errno not in _NOT_ALLOWED:
                raise
            self._lost.setdefault(what, []).append(item.path)
            return False
        return True
