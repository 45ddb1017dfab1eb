"""Writes a pruned root as a reproducible tar."""

from __future__ import annotations

import os
import tarfile
from typing import TYPE_CHECKING

from pruner.model import FileType

if TYPE_CHECKING:
    from pathlib import Path

    from pruner.apply.source import Item, Source

_TYPES = {
    FileType.REGULAR: tarfile.REGTYPE,
    FileType.DIRECTORY: tarfile.DIRTYPE,
    FileType.SYMLINK: tarfile.SYMTYPE,
    FileType.CHARACTER_DEVICE: tarfile.CHRTYPE,
    FileType.BLOCK_DEVICE: tarfile.BLKTYPE,
    FileType.FIFO: tarfile.FIFOTYPE,
}


class _Stream:
    """What `tarfile` reads the bytes of a member from, without a copy of the whole."""

    def __init__(self, data: memoryview) -> None:
        self._data = data

    def read(self, size: int) -> memoryview:
        piece, self._data = self._data[:size], self._data[size:]
        return piece


def write_tar(source: Source, place: Path) -> tuple[str, ...]:
    """Write all items of `source` to the new file `place`; the answer is what a tar can't hold.

    PAX format, order of the tree, numeric owners, file capabilities as `SCHILY.xattr`; the same plan and root
    give the same bytes.
    """
    sockets = []
    descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    with (
        os.fdopen(descriptor, "wb") as file,
        tarfile.open(
            fileobj=file,
            mode="w",
            format=tarfile.PAX_FORMAT,
            encoding="utf-8",
            errors="surrogateescape",
        ) as tar,
    ):
        for item in source.items:
            if item.type is FileType.SOCKET:
                sockets.append(item.path)
            else:
                _add(tar, item, source)
    return (f"sockets: {len(sockets)} names, first {sockets[0]}",) if sockets else ()


def _add(tar: tarfile.TarFile, item: Item, source: Source) -> None:
    info = tarfile.TarInfo(item.path[1:])
    info.type = _TYPES[item.type] if item.link is None else tarfile.LNKTYPE
    info.mode, info.uid, info.gid = item.mode, item.uid, item.gid
    info.mtime = item.modified
    info.linkname = item.link[1:] if item.link is not None else item.target or ""
    info.devmajor, info.devminor = item.device or (0, 0)
    if item.link is None:
        info.pax_headers = {
            f"SCHILY.xattr.{name}": value.decode("utf-8", "surrogateescape")
            for name, value in source.attributes(item).items()
        }
    if item.type is not FileType.REGULAR or item.link is not None:
        tar.addfile(info)
        return
    data = source.content(item)
    info.size = len(data)
    tar.addfile(info, _Stream(data))  # type: ignore[arg-type]  # read is all that is called
