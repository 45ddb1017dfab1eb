"""Packages that are kept in full for their own sake: every file of theirs, as if somebody used it."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pruner.analyze import is_program_text
from pruner.errors import EntryError, printable
from pruner.model import Edge, EdgeKind, FileType, entry_node, file_node, package_node
from pruner.pipeline.demand import DISTRIBUTION_TYPES
from pruner.plan.materials import is_installed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from pruner.analyze.view import View
    from pruner.model import File, Package
    from pruner.rules import BoundRules


_MOST_MODULES = 100
"""A package with more is a language's own library: its modules name each other, and reading them takes seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InFull:
    """What packages that are kept in full bring."""

    edges: tuple[Edge, ...] = ()
    silent: frozenset[str] = frozenset()
    """Modules of which it is not asked what they import."""


def packages_in_full(names: Sequence[str], view: View, rules: BoundRules) -> InFull:
    """Edges to every file of the packages `names`: programs, libraries, scripts and modules are active, all else inert.

    Documentation classes are left out; what the packages declare a need of comes as it does for a whole package.
    Raises `EntryError` with the nearest names for a package that is not installed.
    """
    if not names:
        return InFull()
    installed = [
        package for package in view.inventory.packages if package.type in DISTRIBUTION_TYPES and is_installed(package)
    ]
    wanted = set(names)
    missing = sorted(wanted - {package.name for package in installed})
    if missing:
        near = difflib.get_close_matches(missing[0], sorted({package.name for package in installed}), n=3)
        raise EntryError(
            f"package '{printable(missing[0])}' is not installed in the root",
            hint=f"did you mean {', '.join(near)}?" if near else "",
        )
    edges: list[Edge] = []
    silent: set[str] = set()
    for package in installed:
        if package.name in wanted:
            paths = [path for path in view.owned(package.id) if path in view.tree.files]
            paths = [path for path in paths if not rules.is_documentation(path)]
            modules = {path for path in paths if is_program_text(path) and not view.tree.files[path].mode & 0o111}
            silent |= modules if len(modules) > _MOST_MODULES else set()
            edges += _edges_to(package, paths, modules, view)
    return InFull(edges=tuple(edges), silent=frozenset(silent))


def _edges_to(package: Package, paths: Iterable[str], modules: Collection[str], view: View) -> Iterator[Edge]:
    whole = entry_node(f"package {package.name}")
    yield Edge(source=whole, target=package_node(package.id), kind=EdgeKind.DATA, evidence="kept in full")
    source = entry_node(f"files of {package.name}")
    for path in paths:
        runs = path in modules or _runs(view.tree.files[path], view)
        yield Edge(
            source=source,
            target=file_node(path),
            kind=EdgeKind.ENTRY if runs else EdgeKind.DATA,
            evidence=f"part of {package.name}, which is kept in full",
        )


def _runs(file: File, view: View) -> bool:
    """Whether something of the file is run or loaded once its package is used."""
    if file.type is FileType.SYMLINK:
        return True
    if file.type is not FileType.REGULAR or not file.bytes:
        return False
    if file.executable or file.mode & 0o111:
        return True
    if view.knows_executables:
        return False
    data = view.read(file.path)
    return data is not None and bytes(data[:4]) == b"\x7fELF"
