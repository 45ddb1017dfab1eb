"""Names of slices: by kind, by tool, by the place in a language's runtime, else after what a part is about."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pruner.model import FileType
from pruner.slices.meaning import BINS, KINDS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from pruner.slices.grouping import Group
    from pruner.slices.types import SourceFile

LARGE = 50
"""So many modules make a package part of a language's runtime, where an interpreter needs them."""
_NAME = re.compile(r"[a-z](?:-?[a-z0-9]){2,}\Z")
_ALNUM = re.compile(r"[^a-z0-9]+")
_SUFFIX = re.compile(r"(?:\.so(?:\.[^/]*)?|\.[a-z][a-z0-9]{0,4})\Z")


@dataclass(frozen=True, slots=True)
class Described:
    """What a slice is named by."""

    groups: Collection[Group]
    files: Sequence[SourceFile]
    """One at least."""
    function: str | None = None
    """Its place in a language's runtime: `minimal`, `core`, `standard`."""


def plain_name(part: Described) -> str:
    """What the slice is called if no other of its package is: its kind, or its tool, of several the largest program."""
    kind = min((group.kind for group in part.groups), key=_rank)
    tools = {group.tool for group in part.groups if group.kind == kind}
    if "" in tools:
        return kind
    size = {posixpath.basename(file.path): file.bytes for file in part.files}
    return tool_name(min(tools, key=lambda tool: (-size.get(tool, 0), tool)))


def tool_name(tool: str) -> str:
    """A slice name for a program; never that of a kind. Names of one or two characters get `-bin`."""
    name = sanitized(tool)
    if not name:
        return BINS
    if name in KINDS or len(name) < 3:
        name += "-bin"
    return name if _NAME.match(name) else f"bin-{name}"


def sanitized(text: str) -> str:
    """`text` in lower-case letters, digits and single dashes."""
    return _ALNUM.sub("-", text.lower()).strip("-")


def part_name(kind: str, files: Sequence[SourceFile], elsewhere: Collection[str]) -> str:
    """A name for a further part of a kind: after the directory that it has for itself, else its largest file.

    `elsewhere` are the directories of the other parts.
    """
    directories = {posixpath.dirname(file.path) for file in files} - set(elsewhere)
    shared = posixpath.commonpath(sorted(directories)) if directories else "/"
    candidates = []
    if len(files) > 1 and shared in directories and shared.count("/") > 2:  # /usr/lib tells nothing
        candidates.append(posixpath.basename(shared))
    named = [file for file in files if file.type is FileType.REGULAR] or list(files)
    largest = min(named, key=lambda file: (-file.bytes, file.path), default=None)
    if largest is not None:
        candidates.append(_SUFFIX.sub("", posixpath.basename(largest.path)))
    for candidate in candidates:
        name = sanitized(candidate)
        if _NAME.match(name) and name not in KINDS:
            return name
    return f"{kind}-more"


def unique(name: str, taken: Collection[str]) -> str:
    """`name`, numbered where another slice has it."""
    number, found = 2, name
    while found in taken:
        found = f"{name}-{number}"
        number += 1
    return found


def _rank(kind: str) -> int:
    return KINDS.index(kind) if kind in KINDS else -1


def names_of(parts: Mapping[int, Described], users: Mapping[int, int]) -> dict[int, str]:
    """The name of each part of one package, by number.

    Of parts that would be called alike, the one with the most `users` gets the plain name.
    """
    names: dict[int, str] = {}
    taken: set[str] = set()
    order = sorted(parts, key=lambda part: (-users.get(part, 0), -len(parts[part].files), parts[part].files[0].path))
    wanted = {part: parts[part].function or plain_name(parts[part]) for part in order}
    for part in order:
        name = wanted[part]
        if name in taken:
            elsewhere = {
                posixpath.dirname(file.path) for other in order if other != part for file in parts[other].files
            }
            name = unique(part_name(name, parts[part].files, elsewhere), {*taken, *wanted.values()})
        names[part] = name
        taken.add(name)
    return names
