"""Debian's dependencies among installed packages.

Debian policy 7.1 (syntax) and 7.5 (virtual packages), and the multiarch qualifiers `:any`, `:native` and `:ARCH`
(Ubuntu's MultiarchSpec).
"""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

from pruner.relations.names import Names, stated

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pruner.candidate import Relation
    from pruner.model import Package, PackageId


def resolve(
    packages: Sequence[Package], _everything: Sequence[Package]
) -> Mapping[PackageId, tuple[tuple[PackageId, ...], ...]]:
    """The clauses of Debian packages, Pre-Depends before Depends, without those that a package satisfies itself."""
    known, native = Names("deb", packages), _native(packages)
    found: dict[PackageId, tuple[tuple[PackageId, ...], ...]] = {}
    for package in packages:
        own = package.architecture if package.architecture != "all" else native
        narrowed = partial(_of_architecture, own=own)
        options = (
            known.satisfying(clause, narrowed)
            for field in (*package.pre_depends, *package.depends)
            for clause in stated("deb", field)
        )
        found[package.id] = tuple(dict.fromkeys(option for option in options if package.id not in option))
    return found


def _native(packages: Sequence[Package]) -> str | None:
    counted = Counter(package.architecture for package in packages if package.architecture not in (None, "all"))
    return min(counted, key=lambda name: (-counted[name], name or "")) if counted else None


def _of_architecture(relation: Relation, candidates: Sequence[Package], *, own: str | None) -> Sequence[Package]:
    """Packages of the asked architecture where there are any, of every one otherwise.

    `Multi-Arch: foreign`, which lets another architecture satisfy a plain name, is not in an SBOM.
    """
    if len(candidates) < 2 or relation.qualifier == "any":
        return candidates
    asked = relation.qualifier if relation.qualifier not in {"", "native"} else own
    return [package for package in candidates if package.architecture in {asked, "all", None}] or candidates
