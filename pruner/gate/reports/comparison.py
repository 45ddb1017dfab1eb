"""A comparison as plain values, for JSON. Everything is sorted, and nothing in it depends on the machine."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pruner.gate.compare.surface import items_beyond
from pruner.gate.totals import links_differ, regular_files, totals_of_side

if TYPE_CHECKING:
    from pruner.gate.types import (
        Comparison,
        FileChange,
        PackageChange,
        PackageKey,
        Side,
        SideFile,
        SidePackage,
        Surface,
        SurfaceItem,
        VulnerabilityChange,
    )


def comparison_document(comparison: Comparison) -> dict[str, Any]:
    """`comparison` as objects, arrays and scalars; sizes in bytes, modes as four octal digits."""
    every_name = links_differ(comparison.before, comparison.after)
    document: dict[str, Any] = {
        "before": _side(comparison.before, every_name),
        "after": _side(comparison.after, every_name),
        "packages": [_package_change(change, comparison) for change in comparison.packages],
        "files": None if comparison.files is None else [_file_change(change) for change in comparison.files],
        "surface": {
            "before": _surface(comparison.surface_before),
            "after": _surface(comparison.surface_after),
            "added": [
                _item(item)
                for item in items_beyond(comparison.surface_after, comparison.surface_before, comparison.before)
            ],
            "removed": [
                _item(item)
                for item in items_beyond(comparison.surface_before, comparison.surface_after, comparison.after)
            ],
        },
        "notes": list(comparison.notes),
    }
    if comparison.vulnerabilities is not None:
        document["vulnerabilities"] = [_vulnerability_change(change) for change in comparison.vulnerabilities]
    if comparison.conformity is not None:
        document["conformity"] = [_file_change(change) for change in comparison.conformity]
    return document


def _vulnerability_change(change: VulnerabilityChange) -> dict[str, Any]:
    found = change.vulnerability
    return {
        "fate": str(change.fate),
        "detail": change.detail,
        "id": found.id,
        "aliases": list(found.aliases),
        "severity": found.severity,
        "package": key_document(found.package),
        "fixed_in": list(found.fixed_in),
        "paths": list(found.paths),
        "before": None if change.before is None else change.before.version,
        "after": None if change.after is None else change.after.version,
    }


def _side(side: Side, every_name: bool) -> dict[str, Any]:
    return {
        "kind": str(side.kind),
        "name": side.name,
        "distro": side.distro,
        "origin": dict(sorted(side.origin.items())),
        **asdict(totals_of_side(side, every_name=every_name)),
        "complete": side.complete,
        "entries": list(side.entries),
    }


def _package_change(change: PackageChange, comparison: Comparison) -> dict[str, Any]:
    return {
        "change": str(change.change),
        "visibility": change.visibility,
        **key_document(change.key),
        "before": _package(change.before, comparison.before),
        "after": _package(change.after, comparison.after),
        "remaining": list(change.remaining),
    }


def key_document(key: PackageKey) -> dict[str, str]:
    """The parts of a package's key."""
    return dict(key._asdict())


def _package(package: SidePackage | None, side: Side) -> dict[str, Any] | None:
    if package is None:
        return None
    return {
        "version": package.version,
        "purl": package.purl,
        "bytes": package.bytes,
        "files": regular_files(package, side),
        "licenses": list(package.licenses),
        "sliced": package.sliced,
    }


def _file_change(change: FileChange) -> dict[str, Any]:
    return {
        "path": change.path,
        "change": str(change.change),
        "what": list(change.what),
        "before": _file(change.before),
        "after": _file(change.after),
    }


def _file(file: SideFile | None) -> dict[str, Any] | None:
    if file is None:
        return None
    return {
        "type": str(file.type),
        "mode": None if file.mode is None else f"{file.mode:04o}",
        "uid": file.uid,
        "gid": file.gid,
        "bytes": file.bytes,
        "target": file.target,
        "digest": file.digest,
        "owner": None if file.owner is None else key_document(file.owner),
        "capabilities": None if file.capabilities is None else file.capabilities.hex(),
    }


def _surface(surface: Surface) -> dict[str, Any]:
    """Numbers of known categories alone: of the others some items may be listed, and more be there."""
    counts = {name: number for name, number in surface.counts().items() if number is not None}
    return {"counts": counts, "unknown": list(surface.unknown)}


def _item(item: SurfaceItem) -> dict[str, Any]:
    owner = None if item.owner is None else key_document(item.owner)
    return {"category": item.category, "path": item.path, "owner": owner, "detail": item.detail}
