"""Planned names as a tar: owners, modes, times and hostile names in one file that no shell has to read."""

from __future__ import annotations

import io
import tarfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pruner.model import FileType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pruner.plan.types import FilePlan

_TYPES = {
    FileType.REGULAR: tarfile.REGTYPE,
    FileType.DIRECTORY: tarfile.DIRTYPE,
    FileType.SYMLINK: tarfile.SYMTYPE,
    FileType.CHARACTER_DEVICE: tarfile.CHRTYPE,
    FileType.BLOCK_DEVICE: tarfile.BLKTYPE,
    FileType.FIFO: tarfile.FIFOTYPE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One name of an archive."""

    file: FilePlan
    """Anything but a socket, which no archive holds."""
    content: bytes = b""
    modified: int = 0
    """Seconds since the epoch."""
    attributes: Mapping[str, bytes] = field(default_factory=dict)
    """Extended ones, by name."""
    link: str | None = None
    """The path of the member before it that it is a hard link to; it has no content then."""


def tar_of(members: Iterable[Member], *, always_pax: bool = False, top: int | None = None) -> bytes:
    """A tar of `members` in their order, `./` before every name, numeric owners; first the top itself with time `top`.

    GNU format: its long and undecodable names are read by GNU, BSD and busybox tar alike, and busybox passes over PAX
    headers. PAX with `always_pax`, and where there are extended attributes, which only PAX carries (`SCHILY.xattr`).
    """
    members = tuple(members)
    is_pax = always_pax or any(member.attributes for member in members)
    form = tarfile.PAX_FORMAT if is_pax else tarfile.GNU_FORMAT
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form, encoding="utf-8", errors="surrogateescape") as archive:
        if top is not None:
            root = tarfile.TarInfo(".")
            root.type, root.mode, root.mtime = tarfile.DIRTYPE, 0o755, top
            archive.addfile(root)
        for member in members:
            archive.addfile(_header(member), io.BytesIO(member.content))
    return buffer.getvalue()


def _header(member: Member) -> tarfile.TarInfo:
    file = member.file
    header = tarfile.TarInfo(f".{file.path}")
    header.type, header.linkname = _TYPES[file.type], file.target or ""
    if member.link is not None:
        header.type, header.linkname = tarfile.LNKTYPE, f".{member.link}"
    header.mode, header.uid, header.gid = file.mode, file.uid, file.gid
    header.mtime, header.size = member.modified, len(member.content)
    header.devmajor, header.devminor = file.device or (0, 0)
    header.pax_headers = {
        f"SCHILY.xattr.{name}": value.decode("utf-8", "surrogateescape") for name, value in member.attributes.items()
    }
    return header
