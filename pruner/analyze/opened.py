"""What a program opens by the absolute paths in its literals.

A literal is evidence, not proof: a file that it names is kept as data, so that nothing hangs from it but its links. A
directory says less; it is kept, and what lies in it only where it is small, without libraries, and belongs to nobody
but the program. The bounds are measured (14 applications): without them one path in a library brought whole trees.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from pruner.analyze.elfimage import MAGIC
from pruner.analyze.literals import Literals, existing
from pruner.model import Edge, EdgeKind, File, FileType, Strength, Unknown, file_node

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pruner.analyze.view import View

PRIVATE_DIRECTORY_BYTES = 1_000_000
"""A private directory with fewer bytes is kept for a literal that names it."""

EXECUTABLES = "named-executables"
DLOPEN = "dlopen-literals"

_RUNTIME_TREES = ("/proc", "/sys", "/dev")
"""Filled by the kernel or the container's runtime; what lies there in an image is no need."""
DISTRIBUTION_TYPES = frozenset({"deb", "apk", "rpm", "alpm"})
"""Ecosystems whose packages declare what their programs need of other packages."""
_STATE_TREES = ("/var", "/run", "/srv")
"""Where programs make files (hier(7)); a name that is missing may be made at run time, if its parent is there."""
_LOGS = "/var/log"
_STANDARD = frozenset(
    {"bin", "boot", "dev", "etc", "home", "lib", "lib32", "lib64", "libx32", "media", "mnt", "opt"}
) | {*("proc", "root", "run", "sbin", "srv", "sys", "tmp", "usr", "var")}
"""Top-level directories of the Filesystem Hierarchy Standard 3.0 (chapter 3)."""
_CONTENT_TREES = ("/srv", "/opt", "/home", "/var/www")
CONTENT = "content"
_LIBRARY = re.compile(r"\.so(?:\.\d+)*\Z")


def edges_of_paths(file: File, literals: Literals, view: View, *, loads: bool) -> Iterator[Edge]:
    """The edges for the absolute paths among the literals of the active program or library `file`.

    `loads` says that the file loads libraries by name, so that a named library counts as loaded.
    """
    missing = set(literals.paths)
    for path, kind in existing(literals.paths, view.tree):
        missing.discard(path)
        if is_runtime(path):
            continue
        if kind is FileType.DIRECTORY:
            yield from edges_of_directory(file, path, view)
        elif kind is FileType.REGULAR:
            yield from _of_file(file, path, view, loads=loads)
    for path in sorted(missing):
        yield from edges_to_parent(file, path, view)
    for pattern in sorted(literals.patterns):
        yield from _of_pattern(file, pattern, view)


def unknown_patterns(file: File, literals: Literals) -> Iterator[Unknown]:
    """Libraries whose path is put together at run time; worth saying where no other literal names a library."""
    for pattern in sorted(literals.patterns):
        if _LIBRARY.search(pattern):
            yield Unknown(kind="dlopen", subject=file.path, detail=f"loads libraries by the pattern {pattern}")


def is_program(path: str, view: View) -> bool:
    """Whether the real path is an executable regular file that can be started: an ELF file or one with a shebang."""
    file = view.tree.get(path)
    if file is None or file.type is not FileType.REGULAR or not (file.mode & 0o111 or file.executable):
        return False
    if _LIBRARY.search(path):
        return False
    data = view.read(path)
    return file.executable if data is None else bytes(data[:4]) == MAGIC or bytes(data[:2]) == b"#!"


def is_elf(path: str, view: View) -> bool:
    """Whether the real path is an ELF file: a program that brings no interpreter with it."""
    data = view.read(path)
    return data is not None and bytes(data[:4]) == MAGIC


def is_akin(file: File, target: str, view: View) -> bool:
    """Whether who packaged `file` also answers for `target`: one package, one source, or a declared dependency."""
    owner, other = view.owner(file.path), view.owner(target)
    if owner is None or other is None:
        return owner is None and other is None and _same_place(file.path, target)
    return other.id in view.siblings(owner) or other.id in view.requirements(owner)


def is_undeclared(file: File, view: View) -> bool:
    """Whether nobody could have declared what `file` needs: it doesn't come from a distribution's package.

    Where a packager could have declared a dependency and did not, an optional edge is refused by default.
    """
    owner = view.owner(file.path)
    return owner is None or owner.type not in DISTRIBUTION_TYPES


def edges_to_executable(file: File, path: str, view: View, *, evidence: str, default: bool) -> tuple[Edge, ...]:
    """Optional exec edges to somebody else's program; a shell is never taken by default, it has to be asked for."""
    return view.edges_to(
        file_node(file.path),
        path,
        EdgeKind.EXEC,
        evidence=evidence,
        strength=Strength.OPTIONAL,
        group=EXECUTABLES,
        default=default and path not in view.shells,
    )


def _of_file(file: File, path: str, view: View, *, loads: bool) -> tuple[Edge, ...]:
    source, real = file_node(file.path), view.tree.resolve(path).path or path
    evidence = f"names {path}"
    if real == file.path:
        return ()
    is_library = loads and _LIBRARY.search(real) is not None
    if is_library or is_program(real, view):
        kind = EdgeKind.LOAD if is_library else EdgeKind.EXEC
        if is_akin(file, real, view):
            return view.edges_to(source, path, kind, evidence=evidence)
        default = is_undeclared(file, view)
        if kind is EdgeKind.EXEC:
            return edges_to_executable(file, path, view, evidence=evidence, default=default)
        optional = Strength.OPTIONAL
        return view.edges_to(
            source, path, kind, evidence=evidence, strength=optional, group=DLOPEN, default=default
        )  # fmt: skip
    return view.edges_to(source, path, EdgeKind.DATA, evidence=evidence)


def edges_of_directory(file: File, path: str, view: View) -> Iterator[Edge]:
    """A directory that `file` names is kept as such, and with all that lies below it where it is private."""
    source = file_node(file.path)
    yield from view.edges_to(source, path, EdgeKind.STATE, evidence=f"names the directory {path}")
    real = view.tree.resolve(path).path
    if real is None or not is_private(file, real, view):
        return
    yield from view.edges_to(source, real, EdgeKind.STATE, evidence=f"names the directory {path}")
    for below in view.tree.under(real):
        yield from view.edges_to(source, below, EdgeKind.DATA, evidence=f"in its private directory {path}")


def is_private(file: File, directory: str, view: View) -> bool:
    """Whether the real path is a small directory of data that nobody but the package of `file` uses."""
    owner = view.owner(file.path)
    siblings = view.siblings(owner) if owner is not None else frozenset()
    if not siblings.issuperset(view.inventory.owners.get(directory, ())):
        return False  # before its tree is measured, since this holds for /usr/lib and the like
    extent = view.extent(directory)
    if extent.libraries or extent.bytes >= PRIVATE_DIRECTORY_BYTES or not extent.files:
        return False
    if not extent.owners <= siblings:
        return False
    if extent.owners and not extent.unowned:
        return True
    names = {posixpath.basename(file.path)} | ({owner.name, owner.source or owner.name} if owner is not None else set())
    return bool(names & set(directory.split("/"))) or (owner is None and _same_place(file.path, directory))


def _of_pattern(file: File, pattern: str, view: View) -> Iterator[Edge]:
    prefix = posixpath.dirname(pattern.partition("*")[0])
    real = view.tree.resolve(prefix).path if prefix.count("/") > 1 else None
    if real is None or not is_private(file, real, view):
        return
    for path in view.tree.glob(_glob(pattern)):
        yield from view.edges_to(file_node(file.path), path, EdgeKind.DATA, evidence=f"names {pattern}")


def _glob(pattern: str) -> str:
    return pattern.replace("[", "[[]").replace("?", "[?]")


def edges_to_parent(file: File, path: str, view: View) -> tuple[Edge, ...]:
    """The nearest directory that exists above a missing name in a tree where programs make files."""
    if not _is_under(path, _STATE_TREES):
        return ()
    parent = posixpath.dirname(path)
    while parent.count("/") > 1 and view.tree.resolve(parent).path is None:
        parent = posixpath.dirname(parent)
    if parent in ("", "/"):
        return ()
    return view.edges_to(
        file_node(file.path), parent, EdgeKind.STATE, evidence=f"names {path}, which may be made at run time"
    )


def _same_place(path: str, other: str) -> bool:
    """Whether both lie in one tree outside the distribution's own, such as /opt/NAME."""
    first, second = path.split("/")[:3], other.split("/")[:3]
    return first == second and first[1:2] not in (["usr"], ["bin"], ["sbin"], ["lib"], ["lib64"], ["etc"], ["var"])


def is_content(path: str) -> bool:
    """Whether an application's own files lie there: in a top-level directory of its own, or below /srv, /opt, …."""
    top = path.split("/")[1]
    return (top != "" and top not in _STANDARD) or any(path.startswith(f"{tree}/") for tree in _CONTENT_TREES)


def is_log(path: str) -> bool:
    """Whether the file is a log: its directory is needed, what was logged before is not."""
    return _is_under(path, (_LOGS,))


def edges_of_content(file: File, path: str, view: View) -> Iterator[Edge]:
    """Everything below a directory of the application's own that a configuration file names: a document root."""
    real = view.tree.resolve(path).path
    if real is None or not is_content(real):
        return
    for below in view.tree.under(real):
        yield from view.edges_to(
            file_node(file.path),
            below,
            EdgeKind.DATA,
            strength=Strength.OPTIONAL,
            group=CONTENT,
            evidence=f"below {path}, which is named and holds the application's own files",
        )


def is_runtime(path: str) -> bool:
    """Whether the path lies where the kernel or the container's runtime puts its own files."""
    return _is_under(path, _RUNTIME_TREES)


def _is_under(path: str, trees: tuple[str, ...]) -> bool:
    return any(path == tree or path.startswith(f"{tree}/") for tree in trees)
