"""A root filesystem put together from archive members, layer upon layer, without touching the disk."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pruner.errors import InputError
from pruner.model import File, FileType
from pruner.rootfs.tree import MAX_LINKS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pruner.rootfs.region import Region

PATH_MAX = 4095
"""Longest path in bytes that the kernel takes, without the NUL; limits.h."""

WHITEOUT = ".wh."
OPAQUE = ".wh..wh..opq"
_AUFS_METADATA = ".wh..wh."


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """Where the bytes of a regular file lie."""

    data: Region
    """What the archive stores."""
    size: int
    """Apparent size in bytes."""
    holes: tuple[tuple[int, int], ...] | None = None
    """For a sparse file: offset and length of each stored piece, in the order of `data`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One member of an archive, its name checked and split into components; no components for the root itself."""

    parts: tuple[str, ...]
    type: FileType
    mode: int
    uid: int
    gid: int
    modified: int = 0
    target: str | None = None
    device: tuple[int, int] | None = None
    content: Content | None = None
    attributes: Mapping[str, bytes] = field(default_factory=dict)
    link: tuple[str, ...] | None = None
    """Components of the other name when this is a hard link; nothing else of the member counts then."""

    @property
    def name(self) -> str:
        """The path in the root, for messages."""
        return "/" + "/".join(self.parts)


class _Name:
    """A name in a directory: what it stands for, and the layer that put it there."""

    __slots__ = ("inode", "layer")

    def __init__(self, inode: _Inode, layer: int) -> None:
        self.inode = inode
        self.layer = layer


class _Inode:
    """What one or more names stand for; `names` only for a directory."""

    __slots__ = ("member", "names")

    def __init__(self, member: Member) -> None:
        self.member = member
        self.names: dict[str, _Name] | None = {} if member.type is FileType.DIRECTORY else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The finished root."""

    files: Mapping[str, File]
    contents: Mapping[str, Content]
    """By path, for every name of a regular file."""
    attributes: Mapping[str, Mapping[str, bytes]]
    """Extended attributes by path, only where there are any."""
    modified: Mapping[str, int]
    """Modification time in seconds by path."""


class Overlay:
    """Applies archives one upon the other, as a container engine unpacks layers (image-spec, layer.md).

    Later members win; a directory keeps its contents when it is named again. Links in the parents of a member are
    followed inside the root, missing parents are made. Raises `InputError` for members that can't be placed.
    `name` is what the user gave, for messages.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._root: dict[str, _Name] = {}
        self._layer = 0

    def apply(self, members: Iterable[Member], *, archive: str, whiteouts: bool, keeps_links: bool = False) -> None:
        """Apply one archive, called `archive` in messages; `whiteouts` tells whether `.wh.` names hide lower ones.

        With `keeps_links` a directory does not take the place of a link to a directory, as with dpkg and apk.
        """
        self._layer += 1
        for member in members:
            if not member.parts or (whiteouts and _is_aufs_metadata(member.parts)):
                continue
            name = member.parts[-1]
            names = self._directory(member, member.parts[:-1], archive)
            if keeps_links and self._is_linked_directory(names.get(name), member, archive):
                continue
            if not (whiteouts and name.startswith(WHITEOUT)):
                self._place(names, member, archive)
            elif name == OPAQUE:
                self._hide_lower(names)
            else:
                self._whiteout(names, name.removeprefix(WHITEOUT))

    def listing(self) -> Listing:
        """Everything that is there, in bytewise order of paths."""
        found = self._walk()
        found.sort(key=lambda pair: os.fsencode(pair[0]))
        first_names: dict[int, str] = {}
        files: dict[str, File] = {}
        contents: dict[str, Content] = {}
        attributes: dict[str, Mapping[str, bytes]] = {}
        modified: dict[str, int] = {}
        for path, inode in found:
            if len(os.fsencode(path)) > PATH_MAX:
                raise InputError(
                    f"{self._name}: {path[:60]}… is longer than a path can be", hint="the archive is hostile"
                )
            first = first_names.setdefault(id(inode), path)
            member = inode.member
            files[path] = _file(path, member, None if first == path or member.content is None else first)
            modified[path] = member.modified
            if member.content is not None:
                contents[path] = member.content
            if member.attributes:
                attributes[path] = member.attributes
        return Listing(files=files, contents=contents, attributes=attributes, modified=modified)

    def _walk(self) -> list[tuple[str, _Inode]]:
        found: list[tuple[str, _Inode]] = []
        pending = [("", self._root)]
        while pending:
            directory, names = pending.pop()
            for name, entry in names.items():
                path = f"{directory}/{name}"
                found.append((path, entry.inode))
                if entry.inode.names is not None:
                    if len(os.fsencode(path)) > PATH_MAX:
                        raise InputError(
                            f"{self._name}: {path[:60]}… is longer than a path can be", hint="the archive is hostile"
                        )
                    pending.append((path, entry.inode.names))
        return found

    def _place(self, names: dict[str, _Name], member: Member, archive: str) -> None:
        name = member.parts[-1]
        if member.link is not None:
            names[name] = _Name(self._linked(member, member.link, archive), self._layer)
            return
        existing = names.get(name)
        if existing is not None and existing.inode.names is not None and member.type is FileType.DIRECTORY:
            existing.inode.member = member
            existing.layer = self._layer
        else:
            names[name] = _Name(_Inode(member), self._layer)

    def _is_linked_directory(self, existing: _Name | None, member: Member, archive: str) -> bool:
        """Whether the directory `member` is there already, through a link."""
        if existing is None or existing.inode.member.target is None or member.type is not FileType.DIRECTORY:
            return False
        self._directory(member, member.parts, archive)  # raises for a link to anything else
        return True

    def _linked(self, member: Member, link: tuple[str, ...], archive: str) -> _Inode:
        entry = self._directory(member, link[:-1], archive).get(link[-1]) if link else None
        where = f"{archive}: {member.name} is a hard link to /{'/'.join(link)}"
        if entry is None:
            raise InputError(f"{where}, which is not there", hint="the archive is incomplete or in the wrong order")
        if entry.inode.names is not None:
            raise InputError(f"{where}, a directory")
        return entry.inode

    def _directory(self, member: Member, parts: tuple[str, ...], archive: str) -> dict[str, _Name]:
        """The names in the directory at `parts`, links followed inside the root; made where it is missing."""
        trail = [self._root]
        pending = list(parts[::-1])
        links = 0
        while pending:
            part = pending.pop()
            if part in {"", "."}:
                continue
            if part == "..":
                trail = trail[:-1] or trail  # the root is its own parent
                continue
            entry = trail[-1].get(part)
            if entry is None:
                made = Member(parts=(part,), type=FileType.DIRECTORY, mode=0o755, uid=0, gid=0)
                entry = trail[-1][part] = _Name(_Inode(made), self._layer)
            target = entry.inode.member.target
            if target is not None:
                links += 1
                if links > MAX_LINKS:
                    raise InputError(f"{archive}: {member.name} lies below a loop of symbolic links")
                trail = trail[:1] if target.startswith("/") else trail
                pending.extend(target.split("/")[::-1])
            elif entry.inode.names is not None:
                trail.append(entry.inode.names)
            else:
                raise InputError(f"{archive}: {member.name} lies below /{'/'.join(parts)}, which is not a directory")
        return trail[-1]

    def _whiteout(self, names: dict[str, _Name], name: str) -> None:
        """Hide `name` of the lower layers; what this layer put there stays (image-spec, layer.md, Whiteouts)."""
        entry = names.get(name)
        if entry is None:
            return
        if entry.layer != self._layer:
            del names[name]
        elif entry.inode.names is not None:
            self._hide_lower(entry.inode.names)

    def _hide_lower(self, names: dict[str, _Name]) -> None:
        """Remove every name of lower layers from the directory `names` and the directories in it."""
        directories = [names]
        for current in directories:
            directories.extend(entry.inode.names for entry in current.values() if entry.inode.names is not None)
        for current in reversed(directories):  # innermost first, so that a parent knows what is left in a child
            for name, entry in tuple(current.items()):
                if entry.layer != self._layer and not entry.inode.names:
                    del current[name]


def _is_aufs_metadata(parts: tuple[str, ...]) -> bool:
    """Bookkeeping that old Docker versions left in layers, and that engines skip."""
    return parts[-1] != OPAQUE and any(part.startswith(_AUFS_METADATA) for part in parts)


def _file(path: str, member: Member, hardlink: str | None) -> File:
    return File(
        path=path,
        type=member.type,
        mode=member.mode,
        uid=member.uid,
        gid=member.gid,
        bytes=0 if member.content is None else member.content.size,
        target=member.target,
        hardlink=hardlink,
        device=member.device,
    )
