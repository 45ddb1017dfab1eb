"""Which paths the slices of a release bring, and which of them stand in each other's way."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from pruner.slices.patterns import is_pattern, literal_prefix, matches, overlap
from pruner.slices.types import PathKind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from pruner.slices.types import Content, Release, SliceKey

_ARCHIVED = frozenset({PathKind.COPY, PathKind.GLOB})
"""Kinds that come out of the package's archive."""
_STANDS_FOR = {"*": ("", "x", "x" * 99), "**": ("", "x", "x/x/" + "x" * 99), "?": ("x",)}
"""What a wildcard may become: a pattern that matches all of these where another one has the wildcard, contains it."""


class Entry(NamedTuple):
    """A path of a slice."""

    key: SliceKey
    content: Content


class Paths:
    """The paths of a release, to look up what brings a path and what conflicts with it."""

    def __init__(self, release: Release) -> None:
        self._plain: defaultdict[str, list[Entry]] = defaultdict(list)
        self._patterns: defaultdict[str, list[Entry]] = defaultdict(list)
        for package in release.packages.values():
            for one in package.slices:
                for content in one.contents:
                    self._add(Entry(one.key, content))
        self._names = sorted(self._plain)
        self._prefixes = sorted(self._patterns)

    def _add(self, entry: Entry) -> None:
        path = entry.content.path
        if is_pattern(path):
            self._patterns[literal_prefix(path)].append(entry)
        else:
            self._plain[path].append(entry)

    def meeting(self, path: str) -> Iterator[Entry]:
        """Every entry that can bring a path which `path`, a pattern or none, can bring."""
        prefix = literal_prefix(path)
        starts = [prefix[:length] for length in range(len(prefix) + 1)]
        if not is_pattern(path):
            yield from self._plain.get(path, ())
        else:
            starts += (start for start in _starting(self._prefixes, prefix) if start != prefix)
            for name in _starting(self._names, prefix):
                if matches(path, name):
                    yield from self._plain[name]
        for start in starts:
            for entry in self._patterns.get(start, ()):
                if overlap(path, entry.content.path):
                    yield entry

    def covering(self, content: Content, package: str, architectures: Collection[str]) -> list[Entry]:
        """The entries that bring all that `content` of a slice of `package` brings, which is on `architectures`."""
        return [
            entry
            for entry in self.meeting(content.path)
            if _covers(entry, content, package) and _has_arch(entry.content, content, architectures)
        ]

    def conflicts(self, content: Content, package: str) -> list[Entry]:
        """The entries beside which chisel refuses `content` in a slice of `package`."""
        return [entry for entry in self.meeting(content.path) if _conflict(entry, content, package)]


def _starting(names: Sequence[str], prefix: str) -> Iterator[str]:
    """Those of the sorted `names` that start with `prefix`."""
    for place in range(bisect_left(names, prefix), len(names)):
        if not names[place].startswith(prefix):
            return
        yield names[place]


def contains(pattern: str, other: str) -> bool:
    """Whether every path that `other` can match is surely matched by `pattern`; in doubt it is not."""
    if pattern == other:
        return True
    return all(matches(pattern, path) for path in _examples(other))


def _examples(pattern: str) -> list[str]:
    texts = [""]
    place = 0
    while place < len(pattern):
        wild = "**" if pattern.startswith("**", place) else pattern[place]
        place += len(wild)
        texts = [text + more for text in texts for more in _STANDS_FOR.get(wild, (wild,))][:243]
    return texts


def _covers(entry: Entry, content: Content, package: str) -> bool:
    there = entry.content
    if there.until and not content.until:
        return False
    if there.path == content.path:
        return entry.key.package == package if is_pattern(there.path) else _makes_the_same(there, content)
    # A pattern brings what its own package's archive has, and nothing of what a script makes.
    return (
        entry.key.package == package
        and {content.kind, there.kind} <= _ARCHIVED
        and _taken_as_it_is(content)
        and contains(there.path, content.path)
    )


def _makes_the_same(there: Content, content: Content) -> bool:
    """Whether two entries for one path make the same of it, as far as a release tells."""
    if {there.kind, content.kind} <= _ARCHIVED:
        return _source(there) == _source(content)  # a mode has no effect
    if {there.kind, content.kind} == {PathKind.COPY, PathKind.MAKE}:
        # A directory either way; with which mode the archive has it, is not written.
        return _source(there) == _source(content)
    if there.kind is content.kind is PathKind.SYMLINK:
        return there.source == content.source
    return _options(there) == _options(content)


def _taken_as_it_is(content: Content) -> bool:
    return content.source is None or content.source == content.path


def _has_arch(there: Content, content: Content, architectures: Collection[str]) -> bool:
    if not there.arch:
        return True
    return set(content.arch or architectures) <= set(there.arch)


def _conflict(entry: Entry, content: Content, package: str) -> bool:
    """As chisel judges (internal/setup/setup.go, `validate`)."""
    there = entry.content
    own = entry.key.package == package
    if there.path == content.path and not is_pattern(content.path):
        same = _options(there) == _options(content)
        return not same if own else not (same and there.kind not in _ARCHIVED)
    return not (own and there.kind in _ARCHIVED and content.kind in _ARCHIVED)


def _options(content: Content) -> tuple[object, ...]:
    mode = content.mode
    if mode is None:
        mode = {PathKind.MAKE: 0o755, PathKind.TEXT: 0o644}.get(content.kind, 0)
    return content.kind, _source(content), content.text, mode, content.mutable


def _source(content: Content) -> str | None:
    return None if content.source == content.path else content.source
