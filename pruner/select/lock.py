"""A selection as a lock, for `pruner fetch` and for who installs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pruner.candidate import Lock, LockedPackage

if TYPE_CHECKING:
    from pruner.select.types import Selection


def lock_of(selection: Selection, *, ecosystem: str, architecture: str, distribution: str = "") -> Lock:
    """The packages of `selection`, whole and in their exact versions."""
    packages = tuple(
        LockedPackage(
            name=one.name,
            version=one.version,
            architecture=one.architecture,
            source=one.source,
            source_version=one.source_version,
            filename=one.filename,
            checksum=one.checksum,
            download_bytes=one.download_bytes,
            installed_kib=one.installed_kib,
        )
        for one in selection.packages
    )
    return Lock(ecosystem=ecosystem, architecture=architecture, distribution=distribution, packages=packages)
