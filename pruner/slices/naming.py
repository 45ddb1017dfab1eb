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
_ABI = re.compile(r"\.(?:cpython|pypy)[-0-9][^.]*|\.abi3(?=\.|\Z)")
"""What an extension module of Python is built for: PEP 3149, PEP 384."""
_ARCHITECTURE = (
    r"(?:aarch64|amd64|arm64|armel|armhf|i[3-6]86|loong(?:arch)?64|mips(?:64)?(?:el)?|ppc64(?:el|le)?|riscv64|s390x"
    r"|x86[-_]64)"
)
_BUILT_FOR = re.compile(
    rf"[-_.](?:{_ARCHITECTURE}|arm)-(?:linux|kfreebsd|gnu)[a-z0-9]*(?:-[a-z]+[0-9]*)?(?=[-_.]|\Z)"
    rf"|[-_.]{_ARCHITECTURE}\Z"
)
"""A multiarch triplet (https://wiki.debian.org/Multiarch/Tuples), or an architecture alone at the end."""
_ORDER = re.compile(r"\A(?:[0-9]+[-_])?_*")
"""A number that files are read in order by, and what marks a module as private."""
_PLACES = frozenset({
    "bin", "boot", "dev", "etc", "games", "home", "include", "lib", "lib32", "lib64", "libexec", "local", "mnt",
    "opt", "run", "sbin", "share", "src", "srv", "sys", "tmp", "usr", "var",
})  # fmt: skip
"""Names of the Filesystem Hierarchy Standard: what lies in such a place is told by other words."""


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


def subject(base: str) -> str:
    """What a file of the name `base` is about: without its extension, what it was built for, and `lib` before it."""
    name = _BUILT_FOR.sub("", _ABI.sub("", _SUFFIX.sub("", base)))
    name = _ORDER.sub("", name) or base
    return name[3:] if ".so" in base and re.match("lib[a-z]", name) else name


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
        directory, base = posixpath.split(largest.path)
        if not base.startswith("__"):  # __init__.py is about its directory
            candidates.append(subject(base))
            if sanitized(subject(base)) not in KINDS:
                candidates.append(f"{kind}-{sanitized(subject(base))}")
        candidates += [subject(name) for name in reversed(directory.split("/"))]
    for candidate in candidates:
        name = sanitized(candidate)
        if _NAME.match(name) and name not in KINDS and name not in _PLACES:
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
