"""apk's dependencies among installed packages.

A name, `so:LIBRARY`, `cmd:COMMAND`, `pc:MODULE` or a path, each with an optional version (apk-world(5)).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pruner.relations.names import resolved

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pruner.model import Package, PackageId


def resolve(
    packages: Sequence[Package], _everything: Sequence[Package]
) -> Mapping[PackageId, tuple[tuple[PackageId, ...], ...]]:
    """The clauses of Alpine packages; conflicts are left out."""
    return resolved("apk", packages)
