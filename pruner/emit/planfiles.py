"""The files of a `plan.json`: the part that decides what is written where, so that it is checked most closely."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pruner.emit.madefiles import read_made_files
from pruner.emit.table import NONE, Table
from pruner.model import FileType
from pruner.plan.types import Decision, FilePlan

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_MODE = re.compile(r"[0-7]{4}")
_PATH = re.compile(r"(?:/(?!\.{1,2}(?:/|\Z))[^/\0]+)+", re.DOTALL)
_THERE = (Decision.KEEP, Decision.MAKE)


def file_plans(table: Table, directory: Path) -> tuple[FilePlan, ...]:
    """The files of `table`, with the contents of made ones from the plan directory. Raises `InputError`."""
    paths = _paths(table, "path")
    types = table.converted("type", FileType, "a type of file")
    decisions = table.converted("decision", Decision, "a decision")
    _check_tree(table, paths, types, decisions)
    rows = zip(
        paths,
        types,
        table.converted("mode", _mode, "a mode of four octal digits"),
        table.natural("uid"),
        table.natural("gid"),
        table.natural("bytes"),
        _targets(table, types),
        _hardlinks(table, paths, types),
        _devices(table, types),
        table.column("owner", str, NONE),
        table.optional("package", str),
        decisions,
        table.column("reason", str),
        table.column("from", str, NONE),
        table.optional("digest", str),
        _contents(table, directory, types, decisions),
        strict=True,
    )
    return tuple(
        FilePlan(
            path=path,
            type=kind,
            mode=mode,
            uid=uid,
            gid=gid,
            bytes=size,
            target=target,
            hardlink=hardlink,
            device=device,
            owner=owner,
            package=package,
            decision=decision,
            reason=reason,
            origin=origin,
            digest=digest,
            content=content,
        )
        for (
            path, kind, mode, uid, gid, size, target, hardlink, device,
            owner, package, decision, reason, origin, digest, content,
        ) in rows
    )  # fmt: skip


def _mode(text: str) -> int:
    if not _MODE.fullmatch(text):
        raise ValueError
    return int(text, 8)


def _paths(table: Table, key: str) -> list[str]:
    paths: list[str] = table.column(key, str)
    # One search over all of them; only a file that is not in order is looked at path by path.
    text = "\0".join(["", *paths, ""])
    odd = any(part in text for part in ("//", "/\0", "/./", "/../", "/.\0", "/..\0"))
    if odd or text.count("\0/") != len(paths) or text.count("\0") != len(paths) + 1:
        index = next(index for index, path in enumerate(paths) if not _PATH.fullmatch(path))
        raise table.error(index, key, f"is {paths[index]!r}, not an absolute and normal path")
    return paths


def _check_tree(table: Table, paths: Sequence[str], types: Sequence[FileType], decisions: Sequence[Decision]) -> None:
    """Nothing is named twice, and what is kept lies in directories that are kept: then no link is on its way."""
    if len(set(paths)) != len(paths):
        seen: set[str] = set()
        index = next(index for index, path in enumerate(paths) if path in seen or seen.add(path))  # type: ignore[func-returns-value]
        raise table.error(index, "path", f"is {paths[index]!r} for the second time")
    there = [decision in _THERE for decision in decisions]
    rows = zip(paths, types, there, strict=True)
    directories = {path for path, kind, kept in rows if kept and kind is FileType.DIRECTORY} | {""}
    for index, path in enumerate(paths):
        if there[index] and path[: path.rindex("/")] not in directories:
            raise table.error(index, "path", f"is {path!r}, which does not lie in a kept directory")


def _targets(table: Table, types: Sequence[FileType]) -> list[str | None]:
    targets: list[str | None] = table.column("target", str, NONE)
    for index, (target, kind) in enumerate(zip(targets, types, strict=True)):
        if (kind is FileType.SYMLINK) != bool(target) or (target and "\0" in target):
            raise table.error(index, "target", "is not what its type asks for: text for a symlink, else null")
    return targets


def _hardlinks(table: Table, paths: Sequence[str], types: Sequence[FileType]) -> list[str | None]:
    links: list[str | None] = table.optional("hardlink", str)
    if any(links):
        kinds = dict(zip(paths, types, strict=True))
        for index, link in enumerate(links):
            if link is not None and (kinds.get(link) is not types[index] or types[index] is FileType.DIRECTORY):
                raise table.error(index, "hardlink", f"is {link!r}, which is no file of the plan of the same type")
    return links


def _devices(table: Table, types: Sequence[FileType]) -> list[tuple[int, int] | None]:
    devices: list[list[int] | None] = table.optional("device", list)
    checked: list[tuple[int, int] | None] = []
    for index, (device, kind) in enumerate(zip(devices, types, strict=True)):
        node = kind in (FileType.CHARACTER_DEVICE, FileType.BLOCK_DEVICE)
        if device is None:
            checked.append(None)
        elif node and len(device) == 2 and all(type(number) is int and number >= 0 for number in device):
            checked.append((device[0], device[1]))
        else:
            raise table.error(index, "device", "is not the major and minor number of a device node")
    return checked


def _contents(
    table: Table, directory: Path, types: Sequence[FileType], decisions: Sequence[Decision]
) -> Sequence[bytes | None]:
    digests: list[str | None] = table.optional("content", str)
    wanted = {table.rows[index]["path"]: digest for index, digest in enumerate(digests) if digest is not None}
    for index, (kind, decision) in enumerate(zip(types, decisions, strict=True)):
        made = decision is Decision.MAKE and kind is FileType.REGULAR
        if made != (digests[index] is not None):
            raise table.error(index, "content", "belongs to every made regular file and to no other")
    contents = read_made_files(directory, wanted)
    return [contents.get(row["path"]) for row in table.rows]
