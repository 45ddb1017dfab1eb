"""Packages that are kept in full for their own sake: every file of theirs, as if somebody used it."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msgspec import structs

from pruner.analyze import is_program_text, joined
from pruner.errors import EntryError, printable
from pruner.model import Edge, EdgeKind, FileType, Findings, entry_node, file_node, package_node, requires_node
from pruner.pipeline.demand import DISTRIBUTION_TYPES
from pruner.pipeline.made import made_by_packages
from pruner.pipeline.runtimes import edges_to_interpreter
from pruner.plan.materials import is_installed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from pruner.analyze.view import View
    from pruner.closure import EdgesOf
    from pruner.model import File, Node, Package
    from pruner.rules import BoundRules


_MOST_MODULES = 100
"""A package with more is a language's own library: its modules name each other, and reading them takes seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InFull:
    """What packages that are kept in full bring."""

    edges: tuple[Edge, ...] = ()
    silent: frozenset[str] = frozenset()
    """Modules of which it is not asked what they import."""
    needs: Mapping[Node, tuple[Edge, ...]] = field(default_factory=dict)
    """What silent modules need in place of what they import: what their package declares."""

    def edges_of(self, node: Node, active: bool, ask: EdgesOf) -> Findings:
        """What `ask` says that `node` needs, with what is declared in place of what silent modules import."""
        found = ask(node, active and node not in self.silent)
        more = self.needs.get(node, ()) if active else ()
        return joined([found, Findings(edges=more)]) if more else found


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
            f"{printable(view.inventory.name)}: holds no package '{printable(missing[0])}'",
            hint=f"did you mean {', '.join(near)}?" if near else "",
        )
    edges: list[Edge] = []
    silent: set[str] = set()
    needs: dict[Node, tuple[Edge, ...]] = {}
    made = made_by_packages([package for package in installed if package.name in wanted], view)
    for package in installed:
        if package.name in wanted:
            paths = [path for path in view.owned(package.id) if path in view.tree.files]
            paths = [path for path in paths if not rules.is_documentation(path)]
            modules = {path for path in paths if is_program_text(path) and not view.tree.files[path].mode & 0o111}
            is_silent = len(modules) > _MOST_MODULES
            silent |= modules if is_silent else set()
            needs |= _declared(package, modules, view) if is_silent else {}
            edges += _edges_to(package, paths, modules, view)
            edges += _edges_besides(package, modules, made.get(package.name, ()), view, rules)
    return InFull(edges=tuple(edges), silent=frozenset(silent), needs=needs)


def _declared(package: Package, modules: Iterable[str], view: View) -> dict[Node, tuple[Edge, ...]]:
    """By module of `package` edges to the packages that it declares a need of."""
    needed = [requires_node(clause[0]) for clause in view.clauses(package.id) if clause]
    evidence = f"{package.name} declares a dependency"
    return {
        node: tuple(Edge(source=node, target=one, kind=EdgeKind.DEPENDS, evidence=evidence) for one in needed)
        for node in map(file_node, modules if needed else ())
    }


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


def _edges_besides(
    package: Package, modules: Collection[str], made: Iterable[str], view: View, rules: BoundRules
) -> Iterator[Edge]:
    """Edges to the interpreters of the `modules`, and to what scripts of the package have `made` but documentation."""
    source = entry_node(f"files of {package.name}")
    for edge in edges_to_interpreter(package, sorted(modules), view):
        yield structs.replace(edge, source=source)
    evidence = f"made by the maintainer scripts of {package.name}, which is kept in full"
    for path in made:
        if not _is_documentation(path, view, rules):
            yield Edge(source=source, target=file_node(path), kind=EdgeKind.STATE, evidence=evidence)


def _is_documentation(path: str, view: View, rules: BoundRules) -> bool:
    """Whether state is of a documentation class, or leads to such a file as the alternatives of manual pages do."""
    end = view.resolved(path)
    return rules.is_documentation(path) or (end is not None and rules.is_documentation(end.path))


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
