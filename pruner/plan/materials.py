"""What an install plan needs beside the decisions: which archive brings a kept name, and the bytes of what none brings.

Values only. The pipeline fills them while the root is open; emitters of install plans read them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pruner.model import FileType
from pruner.plan.types import Decision

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pruner.model import Edge, Inventory, Package, PackageId
    from pruner.plan.types import Plan
    from pruner.rootfs import Tree

HOMES = {
    "deb": ("/var/lib/dpkg/",),
    "apk": ("/lib/apk/db/", "/usr/lib/apk/db/"),
    "rpm": ("/var/lib/rpm/", "/usr/lib/sysimage/rpm/", "/usr/share/rpm/", "/var/lib/rpmmanifest/"),
}
"""Where the root's own database of an ecosystem lies."""
INSTALLABLE = frozenset(HOMES)
"""Ecosystems whose packages an install plan fetches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipped:
    """Which archive holds a kept name, and as what."""

    package: PackageId
    name: str
    """Absolute path in the archive: `/lib/x` where the root, merged, has `/usr/lib/x`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageSource:
    """One repository of the root's own package manager, as sources.list(5) describes it."""

    uri: str
    suite: str
    components: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Materials:
    """What install plans are made of. Mappings are by real path, in the plan's order."""

    inventory: Inventory
    tree: Tree
    shipped: Mapping[str, Shipped] = field(default_factory=dict)
    """Kept names that are not directories and that a package's archive brings unchanged."""
    contents: Mapping[str, bytes] = field(default_factory=dict)
    """Bytes of kept regular files that no archive brings, or that differ from what it brings."""
    unread: Mapping[str, str] = field(default_factory=dict)
    """Kept regular files that no archive brings and whose bytes are not here: the reason, one lowercase phrase."""
    attributes: Mapping[str, Mapping[str, bytes]] = field(default_factory=dict)
    """Extended attributes of `contents`, where a file has any."""
    attributed: Mapping[str, Shipped] = field(default_factory=dict)
    """Kept names that a package's archive brings as they are but for their extended attributes."""
    modified: Mapping[str, int] = field(default_factory=dict)
    """When kept names that no archive brings, directories included, were modified: seconds since the epoch."""
    scripts: Mapping[PackageId, Mapping[str, str]] = field(default_factory=dict)
    """Text of the maintainer scripts of kept packages by their names (`postinst`), where the root holds them."""
    made_by: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """In a root that is composed of archives: the package whose script made a kept name, and which script."""
    elf: frozenset[str] = frozenset()
    """Kept ELF files, as far as bytes or the SBOM tell."""
    programs: frozenset[str] = frozenset()
    """Kept files that somebody may execute: ELF programs, and scripts with a `#!` line."""
    concatenations: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """For those of `contents` that are packages' files one after the other the real paths of these, in order."""
    answered: tuple[Edge, ...] = ()
    """What a reached node needs any one of and has because it was kept for another reason."""
    databases: Mapping[str, bytes] = field(default_factory=dict)
    """The root's own package databases in a binary form, by real path."""
    sources: tuple[PackageSource, ...] = ()
    """The repositories that the root was installed from, where it says so."""


def is_installed(package: Package) -> bool:
    """Whether the root's own package manager installed it.

    Not a package of a root within the root, an archive that lies about, or a note in a binary: no repository brings
    those to where they are. Nothing is ruled out for a package whose place is not stated.
    """
    homes = HOMES.get(package.type, ())
    return bool(homes) and (
        not package.locations or any(f"{location}/".startswith(homes) for location in package.locations)
    )


def shipped_names(plan: Plan, inventory: Inventory, tree: Tree) -> dict[str, Shipped]:
    """For every kept name of `plan` that is no directory: the archive that holds it, where a package declares it."""
    kept = {
        file.path: file.package
        for file in plan.files
        if file.decision is Decision.KEEP and file.type is not FileType.DIRECTORY and file.package is not None
    }
    there = {package.id for package in plan.packages if package.decision is not Decision.DROP}
    found: dict[str, Shipped] = {}
    for package in inventory.packages:
        if package.id not in there or not is_installed(package):
            continue
        for declared in package.files:
            if declared.ghost:
                continue
            path = declared.path if declared.path in tree.files else tree.locate(declared.path).path
            if path is not None and kept.get(path) == package.id and path not in found:
                found[path] = Shipped(package=package.id, name=declared.shipped or declared.path)
    return {path: found[path] for path in kept if path in found}
