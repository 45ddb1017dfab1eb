"""All packages that could be installed: one or several indexes, and what satisfies or excludes what among them."""

from __future__ import annotations

from functools import cmp_to_key
from itertools import chain
from typing import TYPE_CHECKING, Protocol

from pruner.candidate import Relation
from pruner.errors import InputError, printable
from pruner.relations.versions import compare, satisfies

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from pruner.candidate import Candidate

_COMMON = {"all", "noarch", ""}
"""Architectures of packages that suit every architecture."""


class Index(Protocol):
    """A source of packages; `pruner.read.packageindex.PackageIndex` is one."""

    @property
    def ecosystem(self) -> str:
        """`deb`, `apk` or `rpm`."""

    def named(self, name: str) -> tuple[Candidate, ...]:
        """Every version of the package `name`."""

    def providing(self, name: str) -> tuple[Candidate, ...]:
        """The packages that provide `name` without being called so."""

    def essential(self) -> tuple[Candidate, ...]:
        """The packages that their distribution says no installation is without."""

    def triggered(self) -> tuple[Candidate, ...]:
        """The packages that are installed by themselves when others are."""

    def names(self) -> Collection[str]:
        """The names of all packages."""


class Universe:
    """The packages of several indexes; one that two of them list (name, version, architecture) is the first's."""

    def __init__(self, indexes: Sequence[Index], *, ecosystem: str, architecture: str) -> None:
        """`architecture` is the native one, in the ecosystem's words; indexes of other ecosystems are left out."""
        self.ecosystem = ecosystem
        self.architecture = architecture
        self._indexes = tuple(index for index in indexes if index.ecosystem == ecosystem)
        self._named: dict[str, tuple[Candidate, ...]] = {}
        self._providing: dict[str, tuple[Candidate, ...]] = {}
        self._satisfying: dict[tuple[Relation, str], tuple[Candidate, ...]] = {}

    def names(self) -> Collection[str]:
        """The names of all packages."""
        if len(self._indexes) == 1:
            return self._indexes[0].names()
        return frozenset(chain.from_iterable(index.names() for index in self._indexes))

    def named(self, name: str) -> tuple[Candidate, ...]:
        """Every version of the package `name`, newest first.

        Raises `InputError`, as all that follow, for a stanza, version or operator that can't be read.
        """
        if name not in self._named:
            self._named[name] = self._newest_first(_once(index.named(name) for index in self._indexes))
        return self._named[name]

    def providing(self, name: str) -> tuple[Candidate, ...]:
        """The packages that provide `name` without being called so.

        By apk's provider_priority, the highest first, then by name, newest first.
        """
        if name not in self._providing:
            found = self._newest_first(_once(index.providing(name) for index in self._indexes))
            self._providing[name] = tuple(sorted(found, key=lambda one: (-one.provider_priority, one.name)))
        return self._providing[name]

    def essential(self) -> tuple[Candidate, ...]:
        """Debian's essential packages, by name, newest first."""
        found = self._newest_first(_once(index.essential() for index in self._indexes))
        return tuple(sorted(found, key=lambda one: one.name))

    def satisfying(self, relation: Relation, dependant: Candidate | None = None) -> tuple[Candidate, ...]:
        """The packages that satisfy `relation`, those of the name first, then those that provide it.

        A relation with a version is met by a Provides with a fitting version only (policy 7.5; apk-tools,
        apk_dep_is_provided). The architecture is the dependant's, the native one where there is none.
        """
        key = (relation, self._architecture_of(dependant))
        if key not in self._satisfying:
            self._satisfying[key] = tuple(one for one in self._meeting(relation) if self._fits(relation, one, key[1]))
        return self._satisfying[key]

    def conflicting(self, candidate: Candidate, among: Collection[Candidate] | None = None) -> tuple[Candidate, ...]:
        """What `candidate` itself says it can't be installed beside, of `among` where that is given.

        Conflicts and Breaks, in every architecture unless they name one, also against what provides the name; never
        packages of its own name (policy 7.3, 7.4). apk: `!NAME`, and each other package of a name that it or the
        other has or provides with a version (apk-tools, src/solver.c: assign_name).
        """
        declared = (
            other
            for relation in dict.fromkeys((*candidate.conflicts, *candidate.breaks))
            for other in self._meeting(relation)
            if other.name != candidate.name and self._in_named_architecture(relation, other)
        )
        rivals = self._rivals(candidate) if self.ecosystem == "apk" else ()
        found = dict.fromkeys((*declared, *rivals))
        return tuple(other for other in found if among is None or other in among)

    def triggered(self, members: Collection[Candidate]) -> tuple[Candidate, ...]:
        """What `apk add` of `members` adds by itself, as far as that can be: all of its `install_if` is there.

        By name, newest first, whether it is one of `members` or not. One step: what is added may trigger more.
        """
        there = set(members)
        found = self._newest_first(_once(index.triggered() for index in self._indexes))
        return tuple(
            one
            for one in sorted(found, key=lambda one: one.name)
            if one.install_if and all(not there.isdisjoint(self.satisfying(relation)) for relation in one.install_if)
        )

    def _meeting(self, relation: Relation) -> Iterator[Candidate]:
        """What satisfies `relation` in any architecture."""
        for one in self.named(relation.name):
            if self._holds(relation, one, one.version):
                yield one
        for one in self.providing(relation.name):
            if not relation.operator or any(
                self._holds(relation, one, provided.version)
                for provided in one.provides
                if provided.name == relation.name and provided.version
            ):
                yield one

    def _holds(self, relation: Relation, one: Candidate, version: str) -> bool:
        try:
            return satisfies(self.ecosystem, version, relation.operator, relation.version)
        except InputError as error:
            asked = f"{relation.name} {relation.operator} {relation.version}"
            raise InputError(f"{printable(f'{one.label} for {asked}')}: {error.fact}", hint=error.hint) from None

    def _fits(self, relation: Relation, one: Candidate, wanted: str) -> bool:
        """Debian's architectures: a plain name means the dependant's own, or a package that is `foreign`."""
        if self.ecosystem != "deb":
            return True
        if relation.qualifier == "any":
            return one.multi_arch == "allowed"
        if relation.qualifier:
            return self._in_named_architecture(relation, one)
        return one.multi_arch == "foreign" or self._architecture_of(one) == wanted

    def _in_named_architecture(self, relation: Relation, one: Candidate) -> bool:
        if relation.qualifier in {"", "any"}:
            return True
        named = self.architecture if relation.qualifier == "native" else relation.qualifier
        return self._architecture_of(one) == named

    def _architecture_of(self, one: Candidate | None) -> str:
        return self.architecture if one is None or one.architecture in _COMMON else one.architecture

    def _rivals(self, candidate: Candidate) -> Iterator[Candidate]:
        own = (Relation(name=candidate.name, operator="=", version=candidate.version), *candidate.provides)
        for provided in own:
            for other in (*self.named(provided.name), *self.providing(provided.name)):
                same = other.name == provided.name or any(
                    theirs.version for theirs in other.provides if theirs.name == provided.name
                )
                if other is not candidate and (provided.version or same):
                    yield other

    def _newest_first(self, candidates: Iterable[Candidate]) -> tuple[Candidate, ...]:
        return tuple(sorted(candidates, key=cmp_to_key(self._compared), reverse=True))

    def _compared(self, one: Candidate, other: Candidate) -> int:
        try:
            return compare(self.ecosystem, one.version, other.version)
        except InputError as error:
            raise InputError(f"{printable(f'{one.label} and {other.label}')}: {error.fact}", hint=error.hint) from None


def _once(found: Iterable[tuple[Candidate, ...]]) -> Iterator[Candidate]:
    seen = set[tuple[str, str, str]]()
    for one in chain.from_iterable(found):
        key = (one.name, one.version, one.architecture)
        if key not in seen:
            seen.add(key)
            yield one
