"""The one order of packages."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pruner.model import Package


def ordered(packages: Iterable[Package]) -> tuple[Package, ...]:
    """Sorted by type, name, version, architecture and first location; the id decides between equals."""
    return tuple(
        sorted(
            packages,
            key=lambda package: (
                package.type,
                package.name,
                package.version,
                package.architecture or "",
                package.locations[:1],
                package.id,
            ),
        )
    )
