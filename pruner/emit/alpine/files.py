"""The files beside `install.sh`: what packages bring, and archives of what they do not."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pruner.emit.alpine.installation import content_of
from pruner.emit.artifact import Artifact
from pruner.emit.guarded import guarded_files
from pruner.emit.madefiles import encoded
from pruner.emit.statetar import Member, tar_of
from pruner.model import FileType
from pruner.plan.types import Decision

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from pruner.emit.alpine.installation import Installation
    from pruner.plan.materials import Materials
    from pruner.plan.types import FilePlan

_LETTERS = {FileType.REGULAR: "f", FileType.DIRECTORY: "d", FileType.SYMLINK: "l"}
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
    is_secret = bool(guarded_files(parts.state, parts.directories))
    return Artifact(path=path, data=_archive(parts.state, materials), mode=0o600 if is_secret else 0o644)


def directory_archive(parts: Installation, materials: Materials, path: str) -> Artifact:
    """A tar of every planned directory, parents first."""
    return Artifact(path=path, data=_archive(parts.directories, materials))


def _archive(files: Iterable[FilePlan], materials: Materials) -> bytes:
    """A tar of `files`, sorted; what the plan makes and what has no time of its own gets the epoch."""
    files = sorted(files, key=lambda file: encoded(file.path))
    there = {file.path for file in files}
    return tar_of(_member(file, there, materials) for file in files)


def _member(file: FilePlan, there: Collection[str], materials: Materials) -> Member:
    link = file.hardlink if file.hardlink in there else None
    has_content = link is None and file.type is FileType.REGULAR
    return Member(
        file=file,
        content=content_of(file, materials) if has_content else b"",
        modified=0 if file.decision is Decision.MAKE else materials.modified.get(file.path, 0),
        attributes=materials.attributes.get(file.path, {}),
        link=link,
    )
