"""The names that a plan makes itself, as `context/made.tar`: an archive carries owners, modes and hostile names, so
that neither the build nor `apply` has to set them one by one.
"""

from __future__ import annotations

import hashlib
import tarfile
from typing import TYPE_CHECKING

from pruner.emit.artifact import Artifact
from pruner.emit.statetar import Member, tar_of
from pruner.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from pruner.plan.types import FilePlan

MADE_ARCHIVE = "context/made.tar"


def made_archive(files: Iterable[FilePlan]) -> Artifact:
    """A tar of `files` in their order (parents first), with the epoch as time."""
    return Artifact(path=MADE_ARCHIVE, data=tar_of(Member(file=file, content=file.content or b"") for file in files))


def read_made_files(directory: Path, digests: Mapping[str, str]) -> Mapping[str, bytes]:
    """The content of every path of `digests` (`sha256:HEX` by path) from the archive in the plan directory.

    Raises `InputError` when the archive can't be read, lacks one of them, or holds other bytes than the digest says.
    """
    if not digests:
        return {}
    source = directory / MADE_ARCHIVE
    contents: dict[str, bytes] = {}
    try:
        with tarfile.open(source, mode="r:", encoding="utf-8") as archive:
            for member in archive:
                path = member.name.removeprefix(".")
                if path in digests and member.isreg() and (stream := archive.extractfile(member)) is not None:
                    contents[path] = stream.read()
    except (OSError, tarfile.TarError) as error:
        raise InputError(f"{source}: can't be read: {error}", hint="plan again") from None
    for path, digest in digests.items():
        if path not in contents:
            raise InputError(f"{source}: the content of {path} is missing", hint="plan again")
        if digest != f"sha256:{hashlib.sha256(contents[path]).hexdigest()}":
            raise InputError(f"{source}: the content of {path} is not the planned one", hint="plan again")
    return contents


def encoded(path: str) -> bytes:
    """The bytes of a path in the root's own name space; outputs are sorted by them."""
    return path.encode("utf-8", "surrogateescape")
