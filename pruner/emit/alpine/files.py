"""The files beside `install.sh`: what packages bring, and archives of what they do not."""

from __future__ import annotations

import io
import re
import tarfile
from typing import TYPE_CHECKING

from pruner.emit.alpine.installation import content_of
from pruner.emit.artifact import Artifact
from pruner.emit.madefiles import encoded
from pruner.model import FileType
from pruner.plan.types import Decision

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pruner.emit.alpine.installation import Installation
    from pruner.plan.materials import Materials
    from pruner.plan.types import FilePlan

_LETTERS = {FileType.REGULAR: "f", FileType.DIRECTORY: "d", FileType.SYMLINK: "l"}
_TYPES = {
    FileType.REGULAR: tarfile.REGTYPE,
    FileType.DIRECTORY: tarfile.DIRTYPE,
    FileType.SYMLINK: tarfile.SYMTYPE,
    FileType.CHARACTER_DEVICE: tarfile.CHRTYPE,
    FileType.BLOCK_DEVICE: tarfile.BLKTYPE,
    FileType.FIFO: tarfile.FIFOTYPE,
}
_SUM = re.compile(r"sha256:[0-9a-f]{64}")
_SUMMABLE = re.compile(r"[^\\\n\r]+")
"""Names that sha256sum writes as they are: GNU's escapes the others, and busybox's reads no escapes."""


def path_list(parts: Installation) -> Iterator[str]:
    """`TYPE MODE UID GID ./PATH` of every planned directory and of every name that packages bring; `TYPE` is `f`, `d`,
    `l` or `o` for the rest.

    Directories whose names hold a line break are left out: no package brings them.
    """
    files = [file for file in (*parts.shipped, *parts.directories) if "\n" not in file.path]
    for file in sorted(files, key=lambda file: encoded(file.path)):
        yield f"{_LETTERS.get(file.type, 'o')} {file.mode:04o} {file.uid} {file.gid} .{file.path}"


def sum_list(parts: Installation) -> Iterator[str]:
    """The list for `sha256sum -c` of what packages bring, as far as the SBOM states digests."""
    for file in parts.shipped:
        if file.type is FileType.REGULAR and _SUM.fullmatch(file.digest or "") and _SUMMABLE.fullmatch(file.path):
            yield f"{(file.digest or '').rpartition(':')[2]}  .{file.path}"


def state_archive(parts: Installation, materials: Materials, path: str) -> Artifact:
    """A tar of the state, readable only for its owner when something in it is (`/etc/shadow`)."""
    is_secret = any(file.type is FileType.REGULAR and not file.mode & 0o004 for file in parts.state)
    return Artifact(path=path, data=_archive(parts.state, materials), mode=0o600 if is_secret else 0o644)


def directory_archive(parts: Installation, materials: Materials, path: str) -> Artifact:
    """A tar of every planned directory, parents first."""
    return Artifact(path=path, data=_archive(parts.directories, materials))


def _archive(files: Iterable[FilePlan], materials: Materials) -> bytes:
    """A tar of `files` with modes, numeric owners and times; what has no time of its own gets the epoch.

    In GNU format, whose long and undecodable names busybox reads too; only extended attributes need PAX, and GNU tar.
    """
    files = sorted(files, key=lambda file: encoded(file.path))
    has_attributes = any(file.path in materials.attributes for file in files)
    form = tarfile.PAX_FORMAT if has_attributes else tarfile.GNU_FORMAT
    there = {file.path for file in files}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form, encoding="utf-8", errors="surrogateescape") as archive:
        for file in files:
            content = b""
            member = _member(file, materials)
            if file.hardlink in there:
                member.type, member.linkname = tarfile.LNKTYPE, f".{file.hardlink}"
            elif file.type is FileType.REGULAR:
                content = content_of(file, materials)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def _member(file: FilePlan, materials: Materials) -> tarfile.TarInfo:
    member = tarfile.TarInfo(f".{file.path}")
    member.type, member.mode = _TYPES[file.type], file.mode
    member.uid, member.gid = file.uid, file.gid
    member.mtime = 0 if file.decision is Decision.MAKE else materials.modified.get(file.path, 0)
    member.linkname = file.target or ""
    member.devmajor, member.devminor = file.device or (0, 0)
    member.pax_headers = {
        f"SCHILY.xattr.{name}": value.decode("utf-8", "surrogateescape")
        for name, value in materials.attributes.get(file.path, {}).items()
    }
    return member
