"""Debian's relationship fields.

Debian policy 7.1 (syntax) and 7.5 (virtual packages), deb-control(5), and the multiarch qualifiers `:any`, `:native`
and `:ARCH` (Ubuntu's MultiarchSpec).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pruner.model import Package, PackageId

_END_OF_NAME = str.maketrans("([<", "   ")


def alternatives(clause: str) -> tuple[tuple[str, str], ...]:
    """Name and architecture qualifier (empty where none) of each alternative of `clause`.

    `libc6:any (>= 2.34) [amd64] | libc7` gives `(("libc6", "any"), ("libc7", ""))`.
    """
    found = []
    for text in clause.split("|"):
        words = text.translate(_END_OF_NAME).split(None, 1)
        if words:
            name, _, qualifier = words[0].partition(":")
            found.append((name, qualifier))
    return tuple(found)


def resolve(
    packages: Sequence[Package], _everything: Sequence[Package]
) -> Mapping[PackageId, tuple[tuple[PackageId, ...], ...]]:
    """The clauses of Debian packages, Pre-Depends before Depends."""
    known = _Names(packages)
    return {package.id: known.clauses(package) for package in packages}


class _Names:
    """What is installed under each name, by itself or by Provides."""

    __slots__ = ("_native", "_providers")

    def __init__(self, packages: Sequence[Package]) -> None:
        providers: defaultdict[str, list[Package]] = defaultdict(list)
        for package in packages:
            providers[package.name].append(package)
        for package in packages:
            for field in package.provides:
                for text in field.split(","):
                    for name, _ in alternatives(text):
                        if package not in providers[name]:
                            providers[name].append(package)
        self._providers = providers
        counted = Counter(package.architecture for package in packages if package.architecture not in (None, "all"))
        self._native = min(counted, key=lambda name: (-counted[name], name or "")) if counted else None

    def clauses(self, package: Package) -> tuple[tuple[PackageId, ...], ...]:
        found = []
        for field in (*package.pre_depends, *package.depends):
            for clause in field.split(","):
                wanted = alternatives(clause)
                options = dict.fromkeys(
                    option for name, qualifier in wanted for option in self._satisfying(name, qualifier, package)
                )
                if wanted and package.id not in options:
                    found.append(tuple(options))
        return tuple(dict.fromkeys(found))

    def _satisfying(self, name: str, qualifier: str, dependant: Package) -> list[PackageId]:
        """Packages of the asked architecture where there are any, of every one otherwise.

        `Multi-Arch: foreign`, which lets another architecture satisfy a plain name, is not in an SBOM.
        """
        candidates = self._providers.get(name, ())
        if len(candidates) > 1 and qualifier != "any":
            own = dependant.architecture if dependant.architecture != "all" else self._native
            architecture = qualifier if qualifier not in ("", "native") else own
            fitting = [package for package in candidates if package.architecture in (architecture, "all", None)]
            candidates = fitting or candidates
        return [package.id for package in candidates]
