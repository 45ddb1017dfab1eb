"""From the file that a module name was resolved to, to the edges that keep it.

A module of an installed package names the package, which is kept whole; a module that no package owns is a file of the
application itself and is looked at in turn.
"""

from __future__ import annotations

from functools import lru_cache
from posixpath import basename, dirname
from typing import TYPE_CHECKING

from pruner.analyze.opened import DISTRIBUTION_TYPES
from pruner.model import Edge, EdgeKind, FileType, Strength, file_node, package_node
from pruner.relations.node import folder_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pruner.analyze.view import View
    from pruner.model import Node, Package

MAXIMUM_SOURCE_BYTES = 8 << 20
"""A larger source file is not parsed: no hand writes one, and parsers need many times the size in memory."""

COMPUTED = "computed-modules"
"""Group of optional edges: an application's own modules that it loads by a computed name."""
MINIMUM_DEPTH = 2
"""Directories nearer to the root are nobody's namespace."""


def owner_of(path: str, view: View) -> Package | None:
    """The package that the file at the real `path` was installed with, by its list of files or by its folder.

    An npm package outside of a `node_modules` folder is an application under its own name: nothing installed it.
    """
    owner = view.owner(path)
    if owner is None:
        folders = _packages_by_folder(view)
        folder = path
        while folders and owner is None and len(folder) > 1:
            folder = dirname(folder)
            owner = folders.get(folder)
    return None if owner is None or _is_application(owner) else owner


def _is_application(package: Package) -> bool:
    folder = folder_of(package) if package.type == "npm" else None
    return folder is not None and not {"node_modules", "nodejs"} & set(folder.split("/"))


@lru_cache(maxsize=2)
def _packages_by_folder(view: View) -> Mapping[str, Package]:
    return {
        folder.rstrip("/"): package for package in view.inventory.packages[::-1] for folder in package.whole_directories
    }


def library_above(path: str, view: View) -> Iterator[str]:
    """`lib` directories beside and above the file, where applications keep their own libraries."""
    folder = dirname(path)
    while len(folder) > 1:
        if basename(folder) == "lib":
            yield folder
        elif view.tree.get(f"{folder}/lib") is not None and owner_of(f"{folder}/lib", view) is None:
            yield f"{folder}/lib"
        folder = dirname(folder)


def module_edges(
    source: Node,
    path: str,
    view: View,
    *,
    evidence: str,
    kind: EdgeKind = EdgeKind.IMPORT,
    strength: Strength = Strength.HARD,
    group: str | None = None,
) -> tuple[Edge, ...]:
    """The edges from `source` to what keeps the module at `path`: its package, or the file and the links on the way."""
    resolution = view.tree.resolve(path)
    file = None if resolution.path is None else view.tree.get(resolution.path)
    if file is None or file.type is not FileType.REGULAR:
        return ()
    owner = owner_of(file.path, view)
    if owner is None:
        return view.edges_to(source, path, kind, strength=strength, evidence=evidence, group=group)
    target = package_node(owner.id)
    links = (link for link in resolution.links if owner_of(link, view) is not owner)
    return (
        Edge(source=source, target=target, kind=kind, strength=strength, evidence=evidence, group=group),
        *link_edges(source, links, evidence=evidence, strength=strength, group=group),
    )


def is_own(path: str, source: str, view: View) -> bool:
    """Whether the file at the real `path` belongs to the application that the file at the real path `source` is of.

    Both come from one source package of a distribution, or no package owns either.
    """
    owner, other = view.owner(source), owner_of(path, view)
    if owner is None or other is None:
        return owner is None and other is None
    return owner.type in DISTRIBUTION_TYPES and other.id in view.siblings(owner)


def own_edges(
    source: str,
    path: str,
    view: View,
    *,
    evidence: str,
    strength: Strength = Strength.HARD,
    group: str | None = None,
) -> tuple[Edge, ...]:
    """The edges that make the module at `path` active where the package of the file at `source` ships it too.

    A package is kept whole with inert files, so that what a dependency's modules could do brings nothing; but the
    modules of an application that a distribution packaged are the application.
    """
    found = view.resolved(path)
    if found is None or found.type is not FileType.REGULAR or view.owner(source) is None:
        return ()
    if not is_own(found.path, source, view):
        return ()
    kind = EdgeKind.IMPORT
    return view.edges_to(file_node(source), path, kind, strength=strength, evidence=evidence, group=group)


def namespace_edges(source: str, directories: Iterable[str], suffix: str, view: View, name: str) -> Iterator[Edge]:
    """Optional edges from the file at `source` to the application's modules below `directories`.

    One of them is loaded by a name that `source` computes and of which it only says that it begins with `name`.
    """
    for directory in directories:
        folder = view.tree.resolve(directory).path
        for path in () if folder is None or folder.count("/") < MINIMUM_DEPTH else view.tree.under(folder):
            if path.endswith(suffix) and path != source and is_own(path, source, view):
                yield from view.edges_to(
                    file_node(source),
                    path,
                    EdgeKind.IMPORT,
                    strength=Strength.OPTIONAL,
                    evidence=f"loads modules whose computed name begins with {name}",
                    group=COMPUTED,
                )


def link_edges(
    source: Node, links: Iterable[str], *, evidence: str, strength: Strength = Strength.HARD, group: str | None = None
) -> tuple[Edge, ...]:
    """Edges from `source` to symbolic links on the way to something it needs."""
    kind = EdgeKind.LINK
    return tuple(
        Edge(source=source, target=file_node(link), kind=kind, strength=strength, evidence=evidence, group=group)
        for link in links
    )


def tree_edges(source: Node, directory: str, view: View, *, kind: EdgeKind, evidence: str) -> tuple[Edge, ...]:
    """Edges from `source` to every file below the real path `directory`."""
    return tuple(
        Edge(source=source, target=file_node(path), kind=kind, evidence=evidence)
        for path in view.tree.under(directory)
        if view.tree.files[path].type is not FileType.DIRECTORY
    )


def without_repeats(edges: Iterable[Edge]) -> tuple[Edge, ...]:
    """The first edge of each target and kind, hard ones before optional ones: one import is reason enough."""
    kept: dict[tuple[Node, EdgeKind], Edge] = {}
    for edge in sorted(edges, key=lambda edge: edge.strength is not Strength.HARD):
        if edge.target != edge.source:
            kept.setdefault((edge.target, edge.kind), edge)
    return tuple(kept.values())
