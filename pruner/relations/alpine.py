"""apk's dependency syntax, as apk-world(5) and apk-package(5) describe it.

A name, `so:LIBRARY`, `cmd:COMMAND`, `pc:MODULE` or a path, each with an optional version constraint; `!name` is a
conflict.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pruner.relations.names import Names

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pruner.model import Package, PackageId

_OPERATOR = re.compile(r"[<>=~@]")


def name_of(dependency: str) -> str:
    """The name in a dependency or provide, without version constraint and repository tag."""
    return _OPERATOR.split(dependency.strip(), maxsplit=1)[0].strip()


def resolve(
    packages: Sequence[Package], _everything: Sequence[Package]
) -> Mapping[PackageId, tuple[tuple[PackageId, ...], ...]]:
    """The clauses of Alpine packages; conflicts are left out."""
    wanted = {
        package.id: tuple(
            name_of(word) for field in package.depends for word in field.split() if word and not word.startswith("!")
        )
        for package in packages
    }
    known = Names(packages, lambda text: tuple(name_of(word) for word in text.split()), wanted.values())
    return {package.id: known.clauses(package, wanted[package.id]) for package in packages}
