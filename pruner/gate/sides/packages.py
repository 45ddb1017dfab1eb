"""Packages of a side: the same package found twice is one, several versions of one name are several."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from pruner.bytewise import bytewise
from pruner.gate.keys import plain_version, purl_text
from pruner.gate.types import SidePackage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pruner.gate.types import PackageKey
    from pruner.model import File, Package, PackageId


def gathered(
    packages: Iterable[Package],
    keys: Mapping[PackageId, PackageKey],
    files: Mapping[str, File],
    owners: Mapping[str, tuple[PackageId, ...]],
) -> dict[PackageKey, tuple[SidePackage, ...]]:
    """The packages by key, sorted, with the files that they own; `owners` is in bytewise order of paths."""
    owned: defaultdict[PackageId, list[str]] = defaultdict(list)
    for path, holders in owners.items():
        for holder in holders:
            owned[holder].append(path)
    same: defaultdict[tuple[PackageKey, str], list[Package]] = defaultdict(list)
    for package in packages:
        key = keys[package.id]
        same[key, plain_version(key.type, package.version)].append(package)
    found: defaultdict[PackageKey, list[SidePackage]] = defaultdict(list)
    for (key, version), members in sorted(same.items()):
        found[key].append(_united(key, version, members, files, owned))
    return {key: tuple(found[key]) for key in sorted(found)}


def _directories(key: PackageKey, package: Package) -> tuple[str, ...]:
    """Of packages without a list of files, which own all that lies in a directory."""
    return package.whole_directories if key.type in {"gem", "npm"} else ()


def _united(
    key: PackageKey,
    version: str,
    members: list[Package],
    files: Mapping[str, File],
    owned: Mapping[PackageId, list[str]],
) -> SidePackage:
    paths = owned.get(members[0].id, [])
    if len(members) > 1:
        paths = bytewise({path for member in members for path in owned.get(member.id, ())})
    return SidePackage(
        key=key,
        version=version,
        purl=min(purl_text(key, version, member.purl) for member in members),
        bytes=sum(file.bytes for path in paths if (file := files[path]).hardlink is None),
        files=tuple(paths),
        licenses=tuple(sorted({text for member in members for text in member.licenses})),
        evidence=tuple(bytewise({path for member in members for path in member.locations})),
        directories=tuple(bytewise({path for member in members for path in _directories(key, member)})),
        states_files=any(member.files or member.whole_directories for member in members),
    )
