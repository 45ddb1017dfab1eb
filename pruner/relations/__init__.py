"""Declared dependencies: each ecosystem's syntax, resolved to the packages that are installed.

`resolve` answers for a whole inventory at once; `universe` for packages that could be installed. Versions choose
between several installed packages, and never rule out the only one: what is installed was installed together. The
ecosystems: Debian policy chapter 7 (deb), apk-world(5) (apk), names, provides and files (rpm), PEP 508 (python), Node's
directory lookup (npm), names (gem).
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from pruner.relations import alpine, debian, names, node, python, rpm

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pruner.model import Package, PackageId

__all__ = ["Clauses", "resolve"]

Clauses = tuple[tuple["PackageId", ...], ...]
"""What one package needs: all clauses, of each clause any one of the packages. An empty clause is satisfied by nothing
that is installed; a clause that a package satisfies itself is left out."""

_RESOLVERS: Mapping[str, Callable[[Sequence[Package], Sequence[Package]], Mapping[PackageId, Clauses]]] = {
    "deb": debian.resolve,
    "apk": alpine.resolve,
    "rpm": rpm.resolve,
    "python": python.resolve,
    "npm": node.resolve,
    "gem": names.resolve,
}


def resolve(packages: Sequence[Package]) -> Mapping[PackageId, Clauses]:
    """For every package of `packages` its clauses in declared order, each the installed packages that satisfy it.

    Alternatives, virtual and versioned Provides are taken into account; a real package comes before one that provides
    the name. A dependency never crosses ecosystems. Packages of an ecosystem without declared dependencies have none.
    """
    by_type: defaultdict[str, list[Package]] = defaultdict(list)
    for package in packages:
        by_type[package.type].append(package)
    clauses: dict[PackageId, Clauses] = {package.id: () for package in packages}
    for kind, members in by_type.items():
        resolver = _RESOLVERS.get(kind)
        if resolver is not None:
            clauses.update(resolver(members, packages))
    return clauses
