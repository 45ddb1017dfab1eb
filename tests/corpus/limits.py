"""Sizes of roots and of their parts, in bytes: what a pruned root holds, and what it may hold at most."""

from __future__ import annotations

import json
import os
import re
import stat
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.corpus.model import Runtime

METADATA = re.compile(r"usr/share/doc/[^/]+/copyright|var/lib/dpkg/.*|(usr/)?lib/apk/db/.*")
"""Files that are kept for readers and scanners, not for the application: counted apart."""
DOCUMENTATION = re.compile(r"/usr/share/(doc|man|info|lintian|bug)/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """Apparent sizes of a root's regular files; a file with several names counts once."""

    files: int
    bytes: int
    metadata: int
    """Bytes of copyright files and the package database, which `bytes` and `files` leave out."""


def root_size(root: Path) -> Size:
    """The size of everything below `root`, on its file system."""
    files = content = metadata = 0
    seen: set[int] = set()
    for path in _walk(root):
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode) or status.st_ino in seen:
            continue
        seen.add(status.st_ino)
        if METADATA.fullmatch(str(path.relative_to(root))):
            metadata += status.st_size
        else:
            files += 1
            content += status.st_size
    return Size(files=files, bytes=content, metadata=metadata)


def runtime_bytes(root: Path, sbom: Path, runtime: Runtime) -> int:
    """The most that a runtime and its application can honestly need, in bytes.

    That is the runtime's packages without documentation, the declared distributions with their
    requirements, and every library that the ELF files of both are linked with. `sbom` is syft's report of `root`: the DT_NEEDED entries are read from there.
    """
    parts = {path for name in runtime.packages for path in _package_files(root, name)}
    tree = root / runtime.tree.lstrip("/")
    find = _node_files if tree.name == "node_modules" else _python_files
    parts |= {str(path.relative_to(root)) for path in find(tree, runtime.distributions)}
    parts |= _libraries(root, sbom, parts)
    kept = {status.st_ino: status.st_size for path in parts if stat.S_ISREG((status := (root / path).lstat()).st_mode)}
    return sum(kept.values())


def _walk(root: Path) -> Iterator[Path]:
    for parent, directories, names in os.walk(root):
        directories.sort()
        for name in names:
            yield Path(parent, name)


def _package_files(root: Path, package: str) -> Iterator[str]:
    """What dpkg lists for an installed package, less documentation, links resolved to where the file lies."""
    info = root / "var/lib/dpkg/info"
    lists = [info / f"{package}.list", *info.glob(f"{package}:*.list")]
    for path in next(file for file in lists if file.exists()).read_text().splitlines():
        place = root / path.lstrip("/")
        if place.is_file() and not place.is_symlink() and not DOCUMENTATION.match(path):
            yield str(Path(os.path.realpath(place)).relative_to(root.resolve()))


def _libraries(root: Path, sbom: Path, start: Iterable[str]) -> set[str]:
    """The files of all libraries that `start` needs directly or through others, by name in the usual directories."""
    document = json.loads(sbom.read_bytes())
    needs = {
        file["location"]["path"].lstrip("/"): file["executable"]["importedLibraries"] or ()
        for file in document["files"]
        if "executable" in file and file["executable"].get("importedLibraries")
    }
    directories = [*(root / "usr/lib").glob("*-linux-gnu"), root / "usr/lib", root / "usr/lib64"]
    found: set[str] = set()
    todo = list(start)
    while todo:
        for name in needs.get(todo.pop(), ()):
            for directory in directories:
                library = _resolved(root, directory / name)
                if library is not None:
                    if library not in found:
                        found.add(library)
                        todo.append(library)
                    break
    return found


def _resolved(root: Path, path: Path) -> str | None:
    """Where a path of the root ends, relative to `root`, absolute links taken within it; None when nowhere."""
    for _ in range(40):  # as many as Linux follows, path_resolution(7)
        if not path.is_symlink():
            break
        target = str(path.readlink())
        path = root / target.lstrip("/") if target.startswith("/") else path.parent / target
    real = Path(os.path.realpath(path))
    return str(real.relative_to(root.resolve())) if real.is_file() and real.is_relative_to(root.resolve()) else None


def _python_files(tree: Path, wanted: Iterable[str]) -> Iterator[Path]:
    """The files of Python distributions and of all that they require, by their RECORD."""
    installed = {canonicalize_name(item.name): item for item in distributions(path=[str(tree)])}
    todo, done = [canonicalize_name(name) for name in wanted], set()
    while todo:
        name = todo.pop()
        if name in done or name not in installed:
            continue
        done.add(name)
        for file in installed[name].files or ():
            if (place := Path(os.path.normpath(str(file.locate())))).is_file():
                yield place
        todo.extend(_required(installed[name]))


def _required(distribution: Distribution) -> Iterator[NormalizedName]:
    for text in distribution.requires or ():
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield canonicalize_name(requirement.name)


def _node_files(tree: Path, wanted: Iterable[str]) -> Iterator[Path]:
    """The files of npm packages and of all that they depend on, found as Node's resolution does: upwards."""
    todo, done = [(tree.parent, name) for name in wanted], set()
    while todo:
        start, name = todo.pop()
        levels = (start, *start.parents)
        place = next(
            (level / "node_modules" / name for level in levels if (level / "node_modules" / name).is_dir()), None
        )
        if place is None or place in done:
            continue
        done.add(place)
        for file in _walk(place):
            if "node_modules" not in file.relative_to(place).parts:
                yield file
        todo.extend(
            (place, needed) for needed in json.loads((place / "package.json").read_text()).get("dependencies", {})
        )
