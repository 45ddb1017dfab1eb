"""Packages that exist only in a test: written as Debian writes them, answered by the real `Universe`."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from pruner.candidate import Candidate
from pruner.relations.universe import Universe
from pruner.syntax import clauses, relations


class ListIndex:
    """An index that was never a file."""

    def __init__(self, candidates: Iterable[Candidate], *, ecosystem: str = "deb", architecture: str = "amd64") -> None:
        self._candidates = tuple(candidates)
        self.ecosystem = ecosystem
        self.architecture = architecture

    def named(self, name: str) -> tuple[Candidate, ...]:
        return tuple(one for one in self._candidates if one.name == name)

    def providing(self, name: str) -> tuple[Candidate, ...]:
        return tuple(
            one for one in self._candidates if one.name != name and name in {provided.name for provided in one.provides}
        )

    def essential(self) -> tuple[Candidate, ...]:
        return tuple(one for one in self._candidates if one.essential)

    def triggered(self) -> tuple[Candidate, ...]:
        return tuple(one for one in self._candidates if one.install_if)

    def names(self) -> Collection[str]:
        return {one.name for one in self._candidates}


def package(
    name: str,
    kib: int = 1,
    *,
    version: str = "1",
    depends: str = "",
    pre_depends: str = "",
    recommends: str = "",
    conflicts: str = "",
    breaks: str = "",
    provides: str = "",
    essential: bool = False,
    download: int = 0,
    architecture: str = "amd64",
) -> Candidate:
    """One Debian package of `kib` KiB."""
    return Candidate(
        ecosystem="deb",
        name=name,
        version=version,
        architecture=architecture,
        installed_kib=kib,
        download_bytes=download,
        pre_depends=clauses("deb", pre_depends),
        depends=clauses("deb", depends),
        recommends=clauses("deb", recommends),
        conflicts=relations("deb", conflicts),
        breaks=relations("deb", breaks),
        provides=relations("deb", provides),
        essential=essential,
    )


def universe(*candidates: Candidate) -> Universe:
    """A Debian archive for amd64 that holds `candidates`."""
    return Universe([ListIndex(candidates)], ecosystem="deb", architecture="amd64")


def apk_package(
    name: str, kib: int = 1, *, version: str = "1", depends: str = "", provides: str = "", install_if: str = ""
) -> Candidate:
    """One Alpine package of `kib` KiB; `depends` with its `!conflicts`."""
    return Candidate(
        ecosystem="apk",
        name=name,
        version=version,
        architecture="x86_64",
        installed_kib=kib,
        depends=clauses("apk", depends),
        conflicts=relations("apk", depends, conflicts=True),
        provides=relations("apk", provides),
        install_if=relations("apk", install_if),
    )


def apk_universe(*candidates: Candidate) -> Universe:
    """An Alpine repository for x86_64 that holds `candidates`."""
    return Universe(
        [ListIndex(candidates, ecosystem="apk", architecture="x86_64")], ecosystem="apk", architecture="x86_64"
    )
