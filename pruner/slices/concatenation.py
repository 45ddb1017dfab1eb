"""State that is other files of its package one after the other, such as a bundle of certificates, by a mutation script.

Starlark with `content.read`, `content.write` and `content.list`: canonical/chisel, internal/scripts/scripts.go at v1.4.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pruner.slices.patterns import is_pattern
from pruner.slices.statepaths import made_text, problem_of_name
from pruner.slices.types import Content, PathKind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from pruner.slices.types import SourceFile

_UNMERGED = ("/bin/", "/lib", "/sbin/")
"""Names that may lie elsewhere in the root than in the archive: https://wiki.debian.org/UsrMerge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutation:
    """How chisel makes a concatenation."""

    target: Content
    """Empty text that the script fills."""
    parts: tuple[Content, ...]
    """Those that go away afterwards."""
    script: str
    """Starlark."""


def mutation_of(
    file: SourceFile, parts: Sequence[str], listed: Mapping[str, Collection[str]], kept: Collection[str]
) -> Mutation | None:
    """The mutation that makes `file` of `parts`, names that its package ships; None where chisel can't.

    `listed` is what every package ships. Parts that are `kept`, contents of the slice anyway, stay.
    """
    package = frozenset(listed.get(file.package, ()))
    if not parts or any(problem_of_name(name) for name in (file.path, *parts)) or not package.issuperset(parts):
        return None
    if any(part.startswith(_UNMERGED) for part in parts):
        return None
    directory = posixpath.dirname(parts[0])
    inside = {name for names in listed.values() for name in names if posixpath.dirname(name) == directory}
    in_full = sorted(inside) == list(parts)
    going = [part for part in parts if part not in kept]
    if going == list(parts) and in_full and (common := _common_pattern(parts, package)):
        contents = [Content(path=common, kind=PathKind.GLOB, until="mutate")]
    else:
        contents = [Content(path=part, until="mutate") for part in going]
    script = _script(file.path, parts, posixpath.join(directory, "") if in_full else "")
    return Mutation(target=made_text(file, "", mutable=True), parts=tuple(contents), script=script)


def _common_pattern(parts: Sequence[str], listed: Iterable[str]) -> str:
    """`DIRECTORY/*SUFFIX` where that means `parts` and nothing else that is `listed`; else empty."""
    directory, suffix = posixpath.dirname(parts[0]), posixpath.splitext(parts[0])[1]
    if not suffix or is_pattern(directory):
        return ""
    met = {name for name in listed if posixpath.dirname(name) == directory and name.endswith(suffix)}
    return f"{directory}/*{suffix}" if met == set(parts) else ""


def _script(target: str, parts: Sequence[str], directory: str) -> str:
    """Starlark that writes `parts`, one after the other, to `target`.

    Of a `directory` given, all of whose names are parts, it asks for the names, which chisel sorts.
    """
    if directory:
        lines = [
            f"directory = {_quoted(directory)}",
            "parts = [content.read(directory + name) for name in content.list(directory)]",
        ]
    else:
        lines = ["paths = [", *(f"  {_quoted(part)}," for part in parts), "]"]
        lines.append("parts = [content.read(path) for path in paths]")
    lines.append('lines = [part if part.endswith("\\n") else part + "\\n" for part in parts]')
    lines.append(f'content.write({_quoted(target)}, "".join(lines))')
    return "".join(f"{line}\n" for line in lines)


def _quoted(text: str) -> str:
    """A Starlark string literal: https://github.com/bazelbuild/starlark/blob/master/spec.md#string-literals."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return f'"{escaped}"'
