"""What is installed under each name, and which of it satisfies a clause; gems, whose dependencies are plain names."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

from pruner.candidate import Clause, Relation
from pruner.errors import InputError
from pruner.relations.versions import satisfies
from pruner.syntax import clauses

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pruner.model import Package, PackageId

    Narrowed = Callable[[Relation, Sequence[Package]], Sequence[Package]]

_VERSION = re.compile(r"(?<!\s)\s+\(?(?:[<>=~!]|[0-9]).*\Z", re.DOTALL)
_QUALIFIERS = {"deb": re.compile(r"\([^)]*\)?|\[[^\]]*\]?|<[^>]*>?"), "apk": re.compile(r"[<>=~@]\S*")}


class Names:
    """What is installed under each name: by itself, by a provide, or as the path of a declared file."""

    __slots__ = ("_ecosystem", "_providers")

    def __init__(self, ecosystem: str, packages: Sequence[Package], paths: Iterable[str] = ()) -> None:
        """`paths` are the files that clauses name."""
        providers: defaultdict[str, dict[PackageId, tuple[Package, list[str]]]] = defaultdict(dict)
        for package in packages:
            providers[package.name][package.id] = (package, [package.version])
        for package in packages:
            for text in package.provides:
                for relation in (relation for clause in stated(ecosystem, text) for relation in clause):
                    providers[relation.name].setdefault(package.id, (package, []))[1].append(relation.version)
        wanted = set(paths) - providers.keys()
        if wanted:
            for package in packages:
                for file in package.files:
                    if file.path in wanted:
                        providers[file.path][package.id] = (package, [])
        self._ecosystem = ecosystem
        self._providers = dict(providers)

    def satisfying(self, clause: Clause, narrowed: Narrowed = lambda _, found: found) -> tuple[PackageId, ...]:
        """The packages that satisfy an alternative of `clause`; those of its names where no version fits.

        What is installed was installed together, so a version that seems not to fit is no reason to have nothing.
        `narrowed` takes a relation and what has its name, and leaves what else the ecosystem asks of it.
        """
        options = [
            (relation, package.id) for relation in clause for package in narrowed(relation, self._named(relation))
        ]
        found = tuple(dict.fromkeys(package for _, package in options))
        if len(found) < 2:
            return found
        return tuple(dict.fromkeys(package for relation, package in options if self._fits(relation, package))) or found

    def _named(self, relation: Relation) -> Sequence[Package]:
        return [package for package, _ in self._providers.get(relation.name, {}).values()]

    def _fits(self, relation: Relation, package: PackageId) -> bool:
        _, versions = self._providers[relation.name][package]
        return not relation.operator or any(_satisfies(self._ecosystem, version, relation) for version in versions)


def _satisfies(ecosystem: str, version: str, relation: Relation) -> bool:
    """A provide without version satisfies no versioned relation; what is no version in an SBOM rules nothing out."""
    if not version:
        return False
    try:
        return satisfies(ecosystem, version, relation.operator, relation.version)
    except InputError:
        return True


def stated(ecosystem: str, text: str) -> tuple[Clause, ...]:
    """The clauses of `text`, without versions and qualifiers where those are in no known syntax.

    What is no relationship even so is an empty clause, which nothing satisfies.
    """
    if ecosystem not in _QUALIFIERS:
        name = _VERSION.sub("", text.strip())
        return ((Relation(name=name),),) if name else ()
    try:
        return clauses(ecosystem, text)
    except InputError:
        try:
            return clauses(ecosystem, _QUALIFIERS[ecosystem].sub("", text))
        except InputError:
            return ((),)


def resolve(
    packages: Sequence[Package], _everything: Sequence[Package]
) -> Mapping[PackageId, tuple[tuple[PackageId, ...], ...]]:
    """The clauses of gems."""
    return resolved("gem", packages)


def resolved(ecosystem: str, packages: Sequence[Package]) -> Mapping[PackageId, tuple[tuple[PackageId, ...], ...]]:
    """The clauses of packages without those that a package satisfies itself, in declared order, each one once."""
    wanted = {
        package.id: tuple(clause for text in package.depends for clause in stated(ecosystem, text))
        for package in packages
    }
    paths = (
        relation.name
        for stated_clauses in wanted.values()
        for clause in stated_clauses
        for relation in clause
        if relation.name.startswith("/")
    )
    known = Names(ecosystem, packages, paths)
    return {
        package: tuple(dict.fromkeys(found for clause in asked if package not in (found := known.satisfying(clause))))
        for package, asked in wanted.items()
    }
