"""What each slice lists: paths of archives, state that chisel can make, and what is left over."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pruner.model import FileType
from pruner.slices.arches import Architectures
from pruner.slices.concatenation import mutation_of
from pruner.slices.directories import listed_directories
from pruner.slices.paths import Claim, spelled_paths
from pruner.slices.patterns import is_pattern
from pruner.slices.statepaths import (
    Leftover,
    comment_of,
    leftover_of,
    made_directory,
    owner_comment,
    problem_of_name,
    state_content,
)
from pruner.slices.types import Content, PathKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pruner.slices.types import SliceKey, SliceSource, SourceFile

__all__ = ["Body", "Contents", "Leftover", "contents_of"]

_USUAL_MODES = {FileType.REGULAR: {0o644, 0o755}, FileType.DIRECTORY: {0o755}}
_EXTRACTED = frozenset({FileType.REGULAR, FileType.SYMLINK})


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """What a slice holds besides its essentials."""

    contents: tuple[Content, ...] = ()
    """Sorted bytewise by path."""
    mutate: str = ""
    """Starlark; empty for none."""
    comment: str = ""
    """What the slice lacks, one line each; empty for nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """Bodies of all slices, and what chisel can't express."""

    bodies: Mapping[SliceKey, Body]
    leftovers: tuple[Leftover, ...] = ()
    """Sorted bytewise by path."""


@dataclass(slots=True)
class _Draft:
    """What is known of slices so far."""

    plain: dict[str, tuple[SliceKey, SourceFile]] = field(default_factory=dict)
    """Names that archives ship where the root has them, directories with a trailing slash."""
    made: defaultdict[SliceKey, dict[str, Content]] = field(default_factory=lambda: defaultdict(dict))
    """Everything else by path."""
    scripts: defaultdict[SliceKey, list[str]] = field(default_factory=lambda: defaultdict(list))
    leftovers: list[tuple[SliceKey, Leftover]] = field(default_factory=list)

    def claims(self) -> list[Claim]:
        """The paths that no pattern of another package may match."""
        return [
            Claim(content.path, key.package, extracted=content.kind in {PathKind.COPY, PathKind.GLOB})
            for key, made in self.made.items()
            for content in made.values()
        ]


def contents_of(parts: Mapping[SliceKey, Sequence[SourceFile]], source: SliceSource) -> Contents:
    """The bodies of the slices that `parts` are the files of, each file in one slice of its own package.

    Every file is a content of its slice or a leftover, or a directory that comes with what is below it.
    """
    draft = _placed(parts, source)
    bodies: defaultdict[SliceKey, list[Content]] = defaultdict(list)
    for key, made in draft.made.items():
        bodies[key] += made.values()
    keys = {name: key for name, (key, _) in draft.plain.items()}
    spelled = spelled_paths(keys, draft.claims(), source.listed, source.architecture)
    for group in spelled:
        kind = PathKind.GLOB if is_pattern(group.path) else PathKind.COPY
        comment = owner_comment(draft.plain[group.names[0]][1]) if kind is PathKind.COPY else ""
        bodies[group.key].append(Content(path=group.path, kind=kind, comment=comment))
    for name in keys.keys() - {name for group in spelled for name in group.names}:
        key, file = draft.plain[name]
        draft.leftovers.append((key, leftover_of(file, key, "name", problem_of_name(name))))
    return _assembled(parts, bodies, draft, Architectures(source))


def _placed(parts: Mapping[SliceKey, Sequence[SourceFile]], source: SliceSource) -> _Draft:
    """Every file of `parts` as what it becomes."""
    draft = _Draft()
    files = [(key, file) for key in sorted(parts) for file in parts[key]]
    for key, file in files:
        if file.type is not FileType.DIRECTORY:
            _place(draft, key, file)
    for key, file in files:
        if file.path in source.concatenations and file.shipped is None and file.type is FileType.REGULAR:
            _place_concatenation(draft, key, file, source)
    left = {leftover.path for _, leftover in draft.leftovers}
    for key, file in listed_directories(parts, source.needs, left):
        _place_directory(draft, key, file)
    draft.leftovers += [(key, leftover) for key, file in files for leftover in _attributes(file, key)]
    return draft


def _assembled(
    parts: Mapping[SliceKey, Sequence[SourceFile]],
    bodies: Mapping[SliceKey, Sequence[Content]],
    draft: _Draft,
    architectures: Architectures,
) -> Contents:
    lacks: defaultdict[SliceKey, list[Leftover]] = defaultdict(list)
    ordered = sorted(draft.leftovers, key=lambda one: (one[1].path.encode("utf-8", "surrogateescape"), one[1].what))
    for key, leftover in ordered:
        if leftover.what not in {"owner", "attributes", "mode"}:
            lacks[key].append(leftover)
    done = {}
    for key in parts:
        contents = (there for content in bodies.get(key, ()) for there in architectures.spread(content, key.package))
        done[key] = Body(
            contents=tuple(sorted(contents, key=lambda content: content.path)),
            mutate="".join(draft.scripts[key]),
            comment=comment_of(lacks[key]),
        )
    return Contents(bodies=done, leftovers=tuple(leftover for _, leftover in ordered))


def _place(draft: _Draft, key: SliceKey, file: SourceFile) -> None:
    """Put a name that is no directory where it belongs."""
    if file.shipped is None or file.type not in _EXTRACTED:
        content = state_content(file, key)
        if isinstance(content, Leftover):
            draft.leftovers.append((key, content))
        else:
            draft.made[key][content.path] = content
    elif file.shipped == file.path:
        draft.plain[file.path] = (key, file)
    elif problem := problem_of_name(file.path) or problem_of_name(file.shipped):
        draft.leftovers.append((key, leftover_of(file, key, "name", problem)))
    else:
        copy = Content(path=file.path, kind=PathKind.COPY, source=file.shipped, comment=owner_comment(file))
        draft.made[key][file.path] = copy


def _place_concatenation(draft: _Draft, key: SliceKey, file: SourceFile, source: SliceSource) -> None:
    """Have a script make the file where chisel can."""
    made = draft.made[key]
    kept = {name for name, (holder, _) in draft.plain.items() if holder == key} | made.keys()
    parts = source.concatenations[file.path]
    mutation = mutation_of(file, parts, source.listed, kept)
    if mutation is None:
        return
    made[file.path] = mutation.target
    made |= {part.path: part for part in mutation.parts}
    draft.scripts[key].append(mutation.script)
    draft.leftovers[:] = [one for one in draft.leftovers if one[1].path != file.path]


def _place_directory(draft: _Draft, key: SliceKey, file: SourceFile) -> None:
    """Put a directory that has to be listed where it belongs."""
    if file.shipped == file.path:
        draft.plain[f"{file.path}/"] = (key, file)
    elif problem := problem_of_name(file.path):
        draft.leftovers.append((key, leftover_of(file, key, "name", problem)))
    else:
        content = made_directory(file)
        draft.made[key][content.path] = content


def _attributes(file: SourceFile, key: SliceKey) -> Iterator[Leftover]:
    """Owner and extended attributes, which chisel sets of nothing, and modes that may not be the archive's.

    A maintainer script may have changed the mode of what was unpacked, and no list of a package says what it was.
    Nearly all are shipped with the usual ones.
    """
    if file.shipped is not None and file.mode not in _USUAL_MODES.get(file.type, {file.mode}):
        yield leftover_of(file, key, "mode", f"its mode is {file.mode:04o}")
    if file.uid or file.gid:
        yield leftover_of(file, key, "owner", f"it belongs to {file.uid}:{file.gid}")
    if file.attributes:
        names = ", ".join(file.attributes)
        yield leftover_of(file, key, "attributes", f"it has extended attributes: {names}")
