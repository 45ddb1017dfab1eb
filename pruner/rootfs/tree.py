"""Names of a root filesystem and where they lead, computed from a listing alone."""

from __future__ import annotations

import fnmatch
import functools
import os
import re
from bisect import bisect_left
from typing import TYPE_CHECKING

import msgspec

from pruner.bytewise import bytewise
from pruner.errors import InputError
from pruner.model import File, FileType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

MAX_LINKS = 40
"""Symbolic links that one look-up may traverse before it fails with ELOOP; path_resolution(7)."""

_ROOT = File(path="/", type=FileType.DIRECTORY, mode=0o755)
_WILDCARD = re.compile(r"[*?\[]")


class Resolution(msgspec.Struct, frozen=True):
    """Where a path leads."""

    path: str | None
    """The real path, `/` for the root itself; None where the path leads nowhere."""
    links: tuple[str, ...]
    """Real paths of the symbolic links that were traversed, in order, each once; also those before a failure."""
    problem: str = ""
    """Empty, `missing`, `loop`, `not-a-directory`, or `outside`: a `..` climbed above `/` and stopped there, as the
    kernel does it in a chroot; the only problem that comes with a path."""


class _NowhereError(Exception):
    """A path leads nowhere: its problem and the links traversed so far."""

    def __init__(self, problem: str, links: Sequence[str]) -> None:
        super().__init__(problem)
        self.problem = problem
        self.links = links


class _Entered(msgspec.Struct, frozen=True):
    """A directory that a path led into."""

    real: str
    """Real path without a trailing slash, so empty for the root."""
    links: tuple[str, ...]
    """As traversed, repetitions included: they count towards the limit."""
    outside: bool


class Tree:
    """Path look-ups over a listing of real paths, with the semantics of a process whose root is this filesystem.

    A directory that the listing lacks but that a listed path implies exists all the same (an SBOM may leave all
    directories out). Names listed below something that is not a directory can't be reached and are never found.
    Raises `InputError` when a path can't be a file name.
    """

    def __init__(self, files: Mapping[str, File]) -> None:
        self.files = files
        try:
            self._paths = bytewise(files)
        except UnicodeEncodeError as error:
            raise InputError(
                f"{error.object!r}: not a file name", hint="the listing is damaged; make it anew"
            ) from None
        self._entered: dict[str, _Entered] = {"": _Entered("", (), outside=False)}

    @functools.cached_property
    def _children(self) -> dict[str, list[str]]:
        return _children_by_parent(self._paths, self.files)  # not needed where every path asked for is a real one

    def get(self, path: str) -> File | None:
        """What is at the real path `path`; a synthetic directory for `/` and for directories that are only implied."""
        found = self.files.get(path)
        if found is not None:
            return found
        if path == "/":
            return _ROOT
        return File(path=path, type=FileType.DIRECTORY, mode=0o755) if path in self._children and path else None

    def resolve(self, path: str, base: str = "/") -> Resolution:
        """Follow every link of `path`, the last component's too; a relative path starts in directory `base`."""
        return self._lookup(path, base, follow=True)

    def locate(self, path: str, base: str = "/") -> Resolution:
        """The real path of the name itself: links in parents are followed, the last component is not.

        As in lstat(2), a trailing slash, `.` or `..` stands for the directory that the name leads to.
        """
        return self._lookup(path, base, follow=False)

    def children(self, directory: str) -> tuple[str, ...]:
        """Real paths directly in the real path `directory`, sorted; empty where it is no directory."""
        return tuple(self._children.get("" if directory == "/" else directory, ()))

    def under(self, directory: str) -> tuple[str, ...]:
        """Every listed path below the real path `directory`, bytewise order."""
        prefix = os.fsencode(directory.rstrip("/"))
        first, end = (bisect_left(self._paths, prefix + mark, key=os.fsencode) for mark in (b"/", b"0"))
        return tuple(self._paths[first:end])

    def glob(self, pattern: str) -> tuple[str, ...]:
        """Sorted real paths that the absolute `pattern` matches; the last component is not followed.

        `*`, `?` and `[…]` match within one component, a leading dot included; a component `**` matches any number of
        directories without following links, and at the end everything below. Other components are followed through
        links. A trailing slash asks for directories.
        """
        literal, components = _split_pattern(pattern)
        if not components:
            located = self.locate(pattern)
            return () if located.path is None else (located.path,)
        start = self.resolve(literal or "/").path
        found: set[str] = set() if start is None else {start.rstrip("/")}
        for component in components[:-1]:
            found = self._descend(found, component)
        last = components[-1]
        if not last:
            return _sorted(path or "/" for path in found)
        if last == "**":
            return _sorted({path for directory in found for path in self.under(directory)})
        return _sorted({path for directory in found for path in self._matches(directory, last)})

    def which(self, name: str, search: Sequence[str]) -> str | None:
        """The located path (maybe a symbolic link) of the first executable regular file called `name`.

        `search` are directories; a name with a slash is not searched for, as in execvp(3).
        """
        if not name:
            return None
        for candidate in (name,) if "/" in name else tuple(f"{directory}/{name}" for directory in search):
            target = self.resolve(candidate).path
            found = None if target is None else self.get(target)
            if found is not None and found.type is FileType.REGULAR and (found.mode & 0o111 or found.executable):
                return self.locate(candidate).path
        return None

    def _lookup(self, path: str, base: str, *, follow: bool) -> Resolution:
        if not path:
            return Resolution(None, (), "missing")
        links: list[str] = []
        outside = False
        text = path if path.startswith("/") else f"{base}/{path}"
        try:
            while True:
                head, _, name = text.rpartition("/")
                entered = self._enter(text if name in {"", ".", ".."} else head)
                links.extend(entered.links)
                outside = outside or entered.outside
                if name in {"", ".", ".."}:
                    return _resolution(entered.real or "/", links, outside=outside)
                real = f"{entered.real}/{name}"
                found = self.files.get(real)
                if found is None and real not in self._children:
                    return _nowhere("missing", links)
                if not follow or found is None or found.type is not FileType.SYMLINK:
                    return _resolution(real, links, outside=outside)
                links.append(real)
                text = _target_text(found, entered.real, links)
        except _NowhereError as nowhere:
            if nowhere.links is not links:
                links.extend(nowhere.links)
            return _nowhere(nowhere.problem, links)

    def _enter(self, text: str) -> _Entered:
        """The directory at the absolute path `text`, all links followed; raises `_NowhereError`."""
        cached = self._entered.get(text)
        if cached is not None:
            return cached
        current, links, outside = "", list[str](), False
        pending = text.split("/")[::-1]
        while pending:
            name = pending.pop()
            if name in {"", "."}:
                continue
            if name == "..":
                outside = outside or not current
                current = current.rpartition("/")[0]
                continue
            real = f"{current}/{name}"
            found = self.files.get(real)
            if found is not None and found.type is FileType.SYMLINK:
                links.append(real)
                target = _target_text(found, current, links)
                current = ""
                pending.extend(target.split("/")[::-1])
            elif real in self._children:
                current = real
            else:
                raise _NowhereError("missing" if found is None else "not-a-directory", links)
        entered = self._entered[text] = _Entered(current, tuple(links), outside)
        return entered

    def _descend(self, directories: Iterable[str], component: str) -> set[str]:
        """The directories that `component` of a pattern leads to from `directories` (real, the root as empty)."""
        found: set[str] = set()
        for directory in directories:
            if component == "**":
                found.update(self._directories_below(directory))
                continue
            for path in self._matches(directory, component):
                target = self.resolve(path).path
                if target is not None and (real := target.rstrip("/")) in self._children:
                    found.add(real)
        return found

    def _matches(self, directory: str, component: str) -> list[str]:
        if not _WILDCARD.search(component):
            located = self.locate(f"{directory}/{component}").path
            return [] if located is None else [located]
        matches = _compiled(component)
        skip = len(directory) + 1
        return [path for path in self._children.get(directory, ()) if matches(path[skip:])]

    def _directories_below(self, directory: str) -> list[str]:
        found = [directory]
        for current in found:
            found.extend(path for path in self._children.get(current, ()) if path in self._children)
        return found


def _children_by_parent(paths: Sequence[str], files: Mapping[str, File]) -> dict[str, list[str]]:
    """Children of every reachable directory, listed or implied; the root's key is empty.

    `paths` are sorted bytewise, so that a listed directory comes before what is in it.
    """
    children: dict[str, list[str]] = {"": []}
    implied: set[str] = set()  # directories that hold something which is not listed itself, out of turn
    barren: set[str] = set()  # paths that can't have children: no directories, or below such a thing
    for path in paths:
        for ancestor in _new_ancestors(path, children, barren):
            parent = ancestor.rpartition("/")[0]
            if ancestor in files or parent in barren:  # a listed directory would have been met before
                barren.add(ancestor)
            else:
                children[parent].append(ancestor)
                implied.add(parent)
                children[ancestor] = []
        siblings = children.get(path.rpartition("/")[0])
        if siblings is not None and path != "/":
            siblings.append(path)
            if files[path].type is FileType.DIRECTORY:
                children[path] = []
    for parent in implied:
        children[parent] = bytewise(children[parent])
    return children


def _new_ancestors(path: str, children: Mapping[str, list[str]], barren: set[str]) -> list[str]:
    """Ancestors of `path` that were not looked at yet, the outermost first."""
    missing = []
    ancestor = path.rpartition("/")[0]
    while ancestor not in children and ancestor not in barren:
        missing.append(ancestor)
        ancestor = ancestor.rpartition("/")[0]
    return missing[::-1]


def _target_text(link: File, directory: str, links: Sequence[str]) -> str:
    """The absolute, unresolved path that `link` in the real `directory` leads to."""
    if len(links) > MAX_LINKS:
        raise _NowhereError("loop", links)
    if not link.target:
        raise _NowhereError("missing", links)
    return link.target if link.target.startswith("/") else f"{directory}/{link.target}"


def _resolution(path: str, links: Sequence[str], *, outside: bool) -> Resolution:
    if len(links) > MAX_LINKS:
        return _nowhere("loop", links)
    return Resolution(path, tuple(dict.fromkeys(links)) if links else (), "outside" if outside else "")


def _nowhere(problem: str, links: Sequence[str]) -> Resolution:
    return Resolution(None, tuple(dict.fromkeys(links)), problem)


def _split_pattern(pattern: str) -> tuple[str, list[str]]:
    """The leading components without a wildcard, and the rest."""
    wild = _WILDCARD.search(pattern)
    if wild is None:
        return pattern, []
    literal = pattern[: pattern.rfind("/", 0, wild.start()) + 1]
    rest = [part for part in pattern[len(literal) :].split("/") if part not in {"", "."}]
    return literal.rstrip("/"), [*rest, ""] if pattern.endswith("/") else rest


def _sorted(paths: Iterable[str]) -> tuple[str, ...]:
    return tuple(bytewise(paths))


@functools.lru_cache(maxsize=1024)
def _compiled(component: str) -> Callable[[str], object]:
    return re.compile(fnmatch.translate(component)).match
