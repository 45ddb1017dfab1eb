"""Paths that two slices of a release make in different ways: the same path, or a pattern that may match another's.

Rules: canonical/chisel, internal/setup/setup.go at v1.4.1. Chisel looks at every pair of a pattern and a path; here the
paths stand in a tree of their components, and a pattern walks down it. Checking 2,600 slices of 15,189 paths takes 0.5
seconds; chisel 1.4.1 takes 134 to read the same release.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, NamedTuple

from pruner.errors import printable
from pruner.slices.checkrules import problem
from pruner.slices.patterns import components_overlap, is_pattern, literal_prefix, overlap
from pruner.slices.prefers import Prefers
from pruner.slices.types import Content, PathKind, SliceKey

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping

    from pruner.slices.types import Problem, Release

_FETCHED = (PathKind.COPY, PathKind.GLOB)
"""Kinds that bring what the archive has, so that they agree within one package."""
_PATTERNS = (PathKind.GLOB, PathKind.GENERATE)


class Use(NamedTuple):
    """A path in a slice."""

    key: SliceKey
    content: Content


def path_conflicts(release: Release, unread: Container[str]) -> list[Problem]:
    """Conflicts on one path, each reported where the later of the two slices has it, and on preferences for it.

    What prefers an `unread` package is taken for right.
    """
    files = {name: package.file for name, package in release.packages.items()}
    uses: dict[str, list[Use]] = {}
    for package in release.packages.values():
        for made in package.slices:
            for content in made.contents:
                uses.setdefault(content.path, []).append(Use(made.key, content))
    prefers = Prefers(uses, release.packages, unread)
    problems = [_problem(use, files, "prefer", message) for use, message in prefers.faults()]
    for path, users in uses.items():
        if len(users) > 1:
            problems += _same_path(path, users, files, prefers)
    return problems + [
        _problem(later, files, "path-conflict", _told(earlier, later), _at(earlier, files))
        for earlier, later in _overlapping(uses)
    ]


def _same_path(path: str, users: list[Use], files: Mapping[str, str], prefers: Prefers) -> Iterator[Problem]:
    """Slices that make `path` differently; in one package it is enough to compare with the first."""
    leaders: dict[str, Use] = {}
    for use in sorted(users, key=lambda use: use.key):
        leader = leaders.get(use.key.package)
        if leader is not None:
            if _made(leader.content) != _made(use.content):
                yield _problem(use, files, "path-conflict", _told(leader, use), _at(leader, files))
            continue
        for other in leaders.values():
            settled = prefers.settled(path, other.key.package, use.key.package)
            if settled is None:
                same = _made(other.content) == _made(use.content) and use.content.kind not in _FETCHED
                if not same:
                    hint = "packages of one path need it made alike (make, text, symlink), or 'prefer' between them"
                    yield _problem(use, files, "path-conflict", _told(other, use), f"{_at(other, files)}; {hint}")
                    break
            elif settled:
                yield _problem(use, files, "prefer", settled)
                break
        leaders[use.key.package] = use


def _made(content: Content) -> tuple[object, ...]:
    """What must be the same for two entries to make the same."""
    return content.kind, content.source, content.text, content.mode or 0, content.mutable


def _told(earlier: Use, later: Use) -> str:
    if earlier.content.path == later.content.path:
        return f"slices {earlier.key} and {later.key} conflict on {printable(later.content.path)}"
    paths = f"{printable(earlier.content.path)} and {printable(later.content.path)}"
    return f"slices {earlier.key} and {later.key} conflict on {paths}"


def _at(use: Use, files: Mapping[str, str]) -> str:
    """Where the other one is."""
    return (
        f"{use.key} has it at {printable(files[use.key.package])}:{use.content.line}"
        if use.content.line
        else (f"{use.key} is to have it")
    )


def _problem(use: Use, files: Mapping[str, str], rule: str, message: str, hint: str = "") -> Problem:
    return problem(files[use.key.package], use.content.line, rule, message, hint)


def _overlapping(uses: Mapping[str, list[Use]]) -> Iterator[tuple[Use, Use]]:
    """Pairs of a pattern and another path that it may match, where that is no matter of one package's archive."""
    tree = _Tree(uses)
    for pattern in sorted(path for path, users in uses.items() if users[0].content.kind in _PATTERNS):
        for other in tree.overlapping(pattern):
            both = is_pattern(other)
            if other == pattern or (both and other < pattern):
                continue
            found = _first_pair(uses[pattern], uses[other])
            if found is not None:
                yield found


def _first_pair(patterns: list[Use], others: list[Use]) -> tuple[Use, Use] | None:
    """The first pair of uses that may not overlap, the earlier first; None where all may."""
    owners = {use.key.package for use in patterns}
    alone = len(owners) == 1 and patterns[0].content.kind is PathKind.GLOB
    for other in others:
        if alone and other.content.kind in _FETCHED and other.key.package in owners:
            continue
        for pattern in patterns:
            fetched = pattern.content.kind is PathKind.GLOB and other.content.kind in _FETCHED
            if not (fetched and other.key.package == pattern.key.package):
                first, second = sorted((pattern, other), key=lambda use: (use.key, use.content.path))
                return first, second
    return None


class _Node:
    """A directory of paths and patterns."""

    __slots__ = ("children", "deep", "path", "sorted", "wild")

    def __init__(self) -> None:
        self.children: dict[str, _Node] = {}
        self.wild: dict[str, list[str]] = {}
        """Components with wildcards, by the text before the first one."""
        self.sorted: list[str] | None = None
        self.deep: list[str] = []
        """Patterns whose next component has a `**`."""
        self.path: str | None = None
        """The path that ends here."""

    def candidates(self, component: str) -> Iterable[str]:
        """Components that may overlap `component`, by their literal beginnings."""
        prefix = literal_prefix(component)
        if prefix == component:
            if component in self.children:
                yield component
        else:
            if self.sorted is None:
                self.sorted = sorted(self.children)
            for position in range(bisect_left(self.sorted, prefix), len(self.sorted)):
                if not self.sorted[position].startswith(prefix):
                    break
                yield self.sorted[position]
        if self.wild:
            # What begins with the prefix was found above, where it is sought at all.
            shorter = range(len(prefix) + (prefix == component))
            for length in shorter:
                yield from self.wild.get(prefix[:length], ())


class _Tree:
    """Paths and patterns by components; those with a `**` stand where it begins."""

    def __init__(self, paths: Iterable[str]) -> None:
        self.root = _Node()
        for path in paths:
            node = self.root
            for component in path[1:].split("/"):
                if "**" in component:
                    node.deep.append(path)
                    break
                child = node.children.get(component)
                if child is None:
                    child = node.children[component] = _Node()
                    if is_pattern(component):
                        node.wild.setdefault(literal_prefix(component), []).append(component)
                node = child
            else:
                node.path = path

    def overlapping(self, pattern: str) -> Iterator[str]:
        """Every path of the tree, but `pattern` itself, that has a path in common with it; each once."""
        nodes = [self.root]
        for component in pattern[1:].split("/"):
            for node in nodes:
                yield from (deep for deep in node.deep if deep != pattern and overlap(deep, pattern))
            if "**" in component:
                for node in nodes:
                    yield from _below(node, pattern)
                return
            nodes = [
                node.children[found]
                for node in nodes
                for found in node.candidates(component)
                if components_overlap(found, component)
            ]
            if not nodes:
                return
        yield from (node.path for node in nodes if node.path is not None and node.path != pattern)


def _below(node: _Node, pattern: str) -> Iterator[str]:
    """Paths at any depth below `node`, whose own deep patterns are known already, that overlap `pattern`."""
    todo = list(node.children.values())
    while todo:
        inner = todo.pop()
        if inner.path is not None and overlap(inner.path, pattern):
            yield inner.path
        yield from (deep for deep in inner.deep if overlap(deep, pattern))
        todo += inner.children.values()
