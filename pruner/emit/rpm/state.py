"""Which kept names the packages bring, and the archive of those that none brings."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pruner.emit.artifact import Artifact
from pruner.emit.madefiles import encoded
from pruner.emit.statetar import Member, tar_of
from pruner.model import FileType
from pruner.plan.materials import is_installed
from pruner.plan.types import Decision, FilePlan

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from pruner.model import PackageId
    from pruner.plan.materials import Materials
    from pruner.plan.types import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class RpmFiles:
    """The kept names of a plan by where an installation gets them; each in the plan's order."""

    brought: tuple[FilePlan, ...]
    """By the archives of kept packages."""
    made: tuple[FilePlan, ...]
    """Directories, links, devices, and files whose bytes are known."""
    unknown: Mapping[str, str]
    """What can't be made, with the reason: a lowercase phrase."""
    altered: Mapping[str, str]
    """Of `brought`, files that the image has otherwise than the package, with the difference: a lowercase phrase."""


def rpm_files(plan: Plan, materials: Materials) -> RpmFiles:
    """The kept names of `plan`, told apart. A directory that a kept package ships comes from it, owner and mode too."""
    ghosts = {declared.path for package in materials.inventory.packages for declared in package.files if declared.ghost}
    own = {package.id for package in materials.inventory.packages if package.type == "rpm" and is_installed(package)}
    installed = {package.id for package in plan.packages if package.decision is not Decision.DROP and package.id in own}
    brought, made, unknown = list[FilePlan](), list[FilePlan](), dict[str, str]()
    for file in plan.files:
        if file.decision is Decision.DROP or file.path in materials.databases:
            continue  # rpm writes a database of its own
        if _is_brought(file, materials, installed) and file.path not in ghosts:
            brought.append(file)
        elif file.type is FileType.SOCKET:
            unknown[file.path] = "a socket, which whoever listens on it makes"
        elif file.type is not FileType.REGULAR or file.content is not None or file.path in materials.contents:
            made.append(file)
        else:
            unknown[file.path] = materials.unread.get(file.path, "no package brings it, and its bytes are not known")
    return RpmFiles(
        brought=tuple(brought), made=tuple(made), unknown=unknown, altered=dict(_altered(brought, materials))
    )


def _is_brought(file: FilePlan, materials: Materials, installed: Collection[PackageId]) -> bool:
    if file.type is FileType.DIRECTORY:
        return file.decision is Decision.KEEP and file.package in installed
    shipped = materials.shipped.get(file.path)
    return shipped is not None and shipped.package in installed


def _altered(brought: Iterable[FilePlan], materials: Materials) -> Iterator[tuple[str, str]]:
    """Files whose digest in the image, or mode, is not the one in rpm's database."""
    declared = {
        (package.id, file.path): file for package in materials.inventory.packages for file in package.files if file.mode
    }
    for file in brought:
        shipped = materials.shipped.get(file.path)
        own = declared.get((shipped.package, shipped.name)) if shipped is not None else None
        if own is None or file.type is not FileType.REGULAR:
            continue
        if own.digest and file.digest and _differ(own.digest, file.digest):
            yield file.path, "other content"
        elif own.mode and stat.S_IMODE(own.mode) != file.mode:
            yield file.path, f"mode {file.mode:04o}"


def _differ(one: str, other: str) -> bool:
    """Whether two digests of one algorithm differ; nothing is known of two algorithms."""
    return one.partition(":")[0] == other.partition(":")[0] and one != other


def kept_names(files: Iterable[FilePlan]) -> bytes:
    """The names with `./` before and NUL behind each, parents before what is in them, as `tar --null -T` reads them."""
    names = [encoded(f".{file.path}") for file in files]
    return b"".join(name + b"\0" for name in sorted(names, key=lambda name: name.replace(b"/", b"\0")))


def state_archive(files: Iterable[FilePlan], materials: Materials) -> Artifact:
    """A tar of `files` with owners, modes, times, and, where the root had any, extended attributes."""
    files = tuple(files)
    there = {file.path for file in files}
    return Artifact(path="state.tar", data=tar_of(_member(file, there, materials) for file in files))


def _member(file: FilePlan, there: Collection[str], materials: Materials) -> Member:
    link = file.hardlink if file.hardlink in there else None
    content = b""
    if link is None and file.type is FileType.REGULAR:
        content = file.content if file.content is not None else materials.contents.get(file.path, b"")
    return Member(
        file=file,
        content=content,
        modified=materials.modified.get(file.path, 0),
        attributes=materials.attributes.get(file.path, {}),
        link=link,
    )
