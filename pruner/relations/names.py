"""Dependencies that are plain names, provides and paths of files: rpm as Syft writes it, and gems.

Syft drops versions of rpm relations and keeps `rpmlib(…)`, which rpm itself satisfies, and rich dependencies
(`(a or b)`, rpm.org: boolean dependencies) as text.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pruner.model import Package, PackageId

_VERSION = re.compile(r"\s+\(?(?:[<>=~!]|[0-9]).*\Z", re.DOTALL)


class Names:
    """What is installed under each name: by itself, by a provide, or as the path of a declared file."""

    __slots__ = ("_providers",)

    def __init__(
        self,
        packages: Sequence[Package],
        provided: Callable[[str], tuple[str, ...]],
        wanted: Iterable[tuple[str, ...]],
    ) -> None:
        """`provided` gives the names in one entry of `Package.provides`; `wanted` are all names that will be asked."""
        providers: defaultdict[str, dict[PackageId, None]] = defaultdict(dict)
        for package in packages:
            providers[package.name][package.id] = None
        for package in packages:
            for text in package.provides:
                for name in provided(text):
                    providers[name][package.id] = None
        paths = {name for names in wanted for name in names if name.startswith("/")} - providers.keys()
        if paths:
            for package in packages:
                for file in package.files:
                    if file.path in paths:
                        providers[file.path][package.id] = None
        self._providers = providers

    def clauses(self, package: Package, wanted: Iterable[str]) -> tuple[tuple[PackageId, ...], ...]:
        """One clause a name, in order, without those that `package` satisfies itself."""
        options = (tuple(self._providers.get(name, ())) for name in wanted if name)
        return tuple(dict.fromkeys(clause for clause in options if package.id not in clause))


def resolve(
    packages: Sequence[Package], _everything: Sequence[Package]
) -> Mapping[PackageId, tuple[tuple[PackageId, ...], ...]]:
    """The clauses of rpm packages and gems; what rpm itself satisfies and rich dependencies are left out."""
    wanted = {
        package.id: tuple(
            _VERSION.sub("", text.strip()) for text in package.depends if not text.startswith(("rpmlib(", "("))
        )
        for package in packages
    }
    known = Names(packages, lambda text: (_VERSION.sub("", text.strip()),), wanted.values())
    return {package.id: known.clauses(package, wanted[package.id]) for package in packages}
