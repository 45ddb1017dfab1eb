"""Which files hold a package's code, and whether they are known at all.

A database of a distribution lists every file of a package. Of other packages a tool may know the manifest alone: the
`.gemspec` of a default gem, whose code another package owns, or a `package.json` whose neighbours are links into
/usr/share/javascript. That such a file is gone tells nothing of the code.
"""

from __future__ import annotations

import posixpath
from bisect import bisect_left
from functools import cached_property
from itertools import islice, takewhile
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from pruner.gate.keys import DISTRIBUTIONS
from pruner.model import FileType

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pruner.gate.types import Side, SideFile, SidePackage

_MANIFESTS = frozenset({
    "package.json", "package-lock.json", "npm-shrinkwrap.json", ".package-lock.json", "yarn.lock", "pnpm-lock.yaml",
    "bower.json", "component.json", "metadata", "pkg-info", "record", "wheel", "installer", "requested",
    "top_level.txt", "entry_points.txt", "direct_url.json", "pyproject.toml", "setup.cfg", "poetry.lock",
    "composer.json", "composer.lock", "pipfile.lock", "installed.json", "cargo.toml", "cargo.lock", "go.mod",
    "go.sum", "pom.xml", "pom.properties", "manifest.mf", "gemfile", "gemfile.lock", "rakefile", "makefile",
})  # fmt: skip
"""What describes a package (in small letters): names of files that its ecosystem's tools read and nothing runs."""
_MANIFEST_ENDINGS = (".gemspec", ".egg-info", ".nuspec", ".deps.json", ".lock", ".md", ".rst", ".txt", ".map")
_METADATA_DIRECTORIES = (".dist-info", ".egg-info")
"""Directories beside a Python package that hold its metadata alone (PyPA, recording installed projects)."""
_PROSE = frozenset({"copyright", "notice", "readme", "authors", "contributors", "changelog", "changes", "history",
                    "news", "todo"})  # fmt: skip
_LICENSES = ("license", "licence", "copying")
_DEFAULT_GEMS = "/specifications/default/"
"""Where Ruby keeps the specifications of gems whose code is in its own library (Gem.default_specifications_dir),
whatever else lies in their directories: Debian's bundler has its commands there."""
_MOST_LINKS = 40
"""Links in one path, as path_resolution(7) has it."""


class Code:
    """Look-ups for the code of the packages of one side."""

    def __init__(self, side: Side) -> None:
        self._files: Mapping[str, SideFile] = side.files or {}

    def is_known(self, package: SidePackage) -> bool:
        """Whether the side lists at least one file of `package` that can be its code, so that its absence tells.

        Every package of a distribution's database passes: the database lists all that it has.
        """
        if package.key.type in DISTRIBUTIONS:
            return True
        if any(_DEFAULT_GEMS in path for path in package.evidence):
            return False
        found = (self._files[path] for path in self.followed(package.files))
        return any(file.type is FileType.REGULAR and file.bytes != 0 and may_be_code(file.path) for file in found)

    def followed(self, paths: Iterable[str]) -> Iterator[str]:
        """`paths` that are no directories, and what those among them that are links lead to, once each.

        A link to a directory leads to every regular file below it.
        """
        seen, entered = set[str](), set[str]()
        for path in paths:
            file = self._files.get(path)
            if file is None or file.type is FileType.DIRECTORY:
                continue
            for found in (path, *(self._led_to(path, entered) if file.type is FileType.SYMLINK else ())):
                if found not in seen:
                    seen.add(found)
                    yield found

    def _led_to(self, link: str, entered: set[str]) -> tuple[str, ...]:
        """What `link` leads to; directories in `entered` were listed before, and are not again."""
        target = _target(link, self._files)
        if target is None:
            return ()
        if self._files[target].type is not FileType.DIRECTORY:
            return (target,)
        if not entered.isdisjoint(map(str, (target, *PurePosixPath(target).parents))):
            return ()
        entered.add(target)
        return self._below(target)

    @cached_property
    def _paths(self) -> list[str]:
        return sorted(self._files)

    def _below(self, directory: str) -> tuple[str, ...]:
        prefix = directory.rstrip("/") + "/"
        start = bisect_left(self._paths, prefix)
        below = takewhile(lambda path: path.startswith(prefix), islice(self._paths, start, None))
        return tuple(path for path in below if self._files[path].type is FileType.REGULAR)


def _target(path: str, files: Mapping[str, SideFile]) -> str | None:
    """The real path that `path` leads to; None where that is not there, or the links go round."""
    here, pending, links = "/", [part for part in reversed(path.split("/")) if part], 0
    while pending:
        part = pending.pop()
        if part in {".", ".."}:
            here = posixpath.dirname(here) if part == ".." else here
            continue
        step = posixpath.join(here, part)
        file = files.get(step)
        if file is None or file.type is not FileType.SYMLINK:
            here = step
            continue
        links += 1
        if links > _MOST_LINKS or not file.target:
            return None
        here = "/" if file.target.startswith("/") else here
        pending += [name for name in reversed(file.target.split("/")) if name]
    return here if here in files else None


def may_be_code(path: str) -> bool:
    """Whether a file of that name may hold code: all but manifests, licenses and prose."""
    directory, name = posixpath.split(path.lower())
    if name in _MANIFESTS or name in _PROSE or name.endswith(_MANIFEST_ENDINGS) or name.startswith(_LICENSES):
        return False
    return not any(part.endswith(_METADATA_DIRECTORIES) for part in directory.split("/"))
