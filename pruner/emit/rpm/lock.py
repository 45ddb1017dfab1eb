"""The kept rpm packages in exact versions."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from pruner.bytewise import bytewise
from pruner.candidate import Lock, LockedPackage
from pruner.errors import InputError, printable
from pruner.plan.materials import is_installed
from pruner.plan.types import Decision

if TYPE_CHECKING:
    from pruner.model import Package
    from pruner.plan.materials import Materials
    from pruner.plan.types import PackagePlan, Plan

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]*")
_VERSION = re.compile(r"(?:(?P<epoch>[0-9]+):)?(?P<rest>[A-Za-z0-9._+~^]+-[A-Za-z0-9._+~^]+)")
_ARCHITECTURE = re.compile(r"[A-Za-z0-9_]+")
_ANY = "noarch"


def rpm_lock(plan: Plan, materials: Materials) -> Lock:
    """The kept rpm packages of `plan`, each once; a sliced one with the kept paths that its archive brings.

    Raises `InputError` for a name, version or architecture that no rpm can have (rpm-spec(5)).
    """
    known = {package.id: package for package in materials.inventory.packages}
    brought: dict[str, list[str]] = {}
    for path, shipped in materials.shipped.items():
        brought.setdefault(shipped.package, []).append(path)
    found: dict[str, LockedPackage] = {}
    for package in plan.packages:
        own = known.get(package.id)
        if package.type == "rpm" and package.decision is not Decision.DROP and (own is None or is_installed(own)):
            locked = _locked(package, own, brought.get(package.id, []))
            found.setdefault(label(locked), locked)
    packages = sorted(found.values(), key=lambda locked: (locked.name, locked.architecture, locked.version))
    counted = Counter(locked.architecture for locked in packages if locked.architecture != _ANY)
    return Lock(
        ecosystem="rpm",
        architecture=min(counted, key=lambda name: (-counted[name], name)) if counted else _ANY,
        distribution=f"{plan.distro.id} {plan.distro.version_id}".strip(),
        packages=tuple(packages),
    )


def label(package: LockedPackage) -> str:
    """`NAME-EPOCH:VERSION-RELEASE.ARCHITECTURE`, which dnf takes as exactly this one (dnf(8), Specifying Packages)."""
    version = package.version if ":" in package.version else f"0:{package.version}"
    return f"{package.name}-{version}.{package.architecture}"


def _locked(plan: PackagePlan, package: Package | None, paths: list[str]) -> LockedPackage:
    checks = ((plan.name, _NAME), (plan.version, _VERSION), (plan.architecture or "", _ARCHITECTURE))
    for text, pattern in checks:
        if not pattern.fullmatch(text):
            what = f"rpm package {printable(plan.name)} {printable(plan.version)} ({printable(str(plan.architecture))})"
            raise InputError(f"{what} can't be installed: '{printable(text)}' is not what an rpm has")
    return LockedPackage(
        name=plan.name,
        version=plan.version,
        architecture=plan.architecture or "",
        source=(package.source if package else None) or "",
        source_version=(package.source_version if package else None) or "",
        filename=package.filename if package else "",
        checksum=package.checksum if package else "",
        download_bytes=package.download_bytes if package else 0,
        installed_kib=-(-package.installed_bytes // 1024) if package else 0,
        paths=tuple(bytewise(paths)) if plan.decision is Decision.SLICE else None,
    )
