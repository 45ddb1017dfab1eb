"""Packages that extend another package by convention: they put modules beside its own and require it.

DBI loads `DBD::SQLite` and LWP loads `LWP::Protocol::https` by a name that they compute, and the package that ships the
module is recommended at most, which no SBOM tells. Such a package declares a need of the one it extends and has modules
in a directory in which that one has modules, below the directories that the language searches.
"""

from __future__ import annotations

from functools import lru_cache
from posixpath import dirname
from typing import TYPE_CHECKING

from pruner.model import Edge, EdgeKind, Strength, package_node

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pruner.analyze.view import View
    from pruner.model import Node, PackageId


def plugin_edges(
    source: Node, extended: Iterable[PackageId], view: View, *, search: tuple[str, ...], suffix: str, group: str
) -> Iterator[Edge]:
    """Optional edges from `source` to the packages that extend those in `extended`, and what extends those in turn.

    `search` are the real directories that the language searches, `suffix` the ending of module files.
    """
    waiting = sorted(extended)
    seen = set(waiting)
    while waiting:
        base = waiting.pop()
        for other, directory in _extensions(view, search, suffix).get(base, ()):
            if other in seen:
                continue
            seen.add(other)
            waiting.append(other)
            name, plugin = view.packages[base].name, view.packages[other].name
            evidence = f"{plugin} puts modules into {directory} of {name}, which may load them by a computed name"
            yield Edge(
                source=source,
                target=package_node(other),
                kind=EdgeKind.IMPORT,
                strength=Strength.OPTIONAL,
                evidence=evidence,
                group=group,
            )


@lru_cache(maxsize=8)
def _extensions(
    view: View, search: tuple[str, ...], suffix: str
) -> Mapping[PackageId, tuple[tuple[PackageId, str], ...]]:
    """For each package those that extend it, with one directory that they share."""
    directories = {package: _module_directories(package, search, suffix, view) for package in view.packages}
    found: dict[PackageId, list[tuple[PackageId, str]]] = {}
    for package, own in sorted(directories.items()):
        if not own:
            continue
        for clause in view.clauses(package):
            for base in clause:
                shared = own & directories[base]
                if shared and base != package:
                    found.setdefault(base, []).append((package, min(shared)))
    return {base: tuple(others) for base, others in found.items()}


def _module_directories(package: PackageId, search: tuple[str, ...], suffix: str, view: View) -> frozenset[str]:
    """Directories below the search path, relative to it, in which the package has modules."""
    found = set()
    for path in view.owned(package):
        if path.endswith(suffix):
            top = next((place for place in search if path.startswith(place + "/")), None)
            relative = "" if top is None else dirname(path[len(top) + 1 :])
            if relative:
                found.add(relative)
    return frozenset(found)
