"""What an Alpine install plan consists of: locked packages, the names that they bring, and the state beside them."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pruner.candidate import Lock, LockedPackage
from pruner.emit.madefiles import encoded
from pruner.errors import printable
from pruner.model import FileType
from pruner.plan.materials import is_installed
from pruner.plan.types import Decision

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pruner.model import Package, PackageId
    from pruner.plan.materials import Materials
    from pruner.plan.types import FilePlan, PackagePlan, Plan

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_+.-]*")
"""What abuild takes for a package's name; one with a dot in front is of a virtual package, which has no archive."""
_VERSION = re.compile(r"[0-9][0-9A-Za-z_.~-]*")
_CHECKSUM = re.compile(r"Q[12][A-Za-z0-9+/]+=*")
_ARCHITECTURE = re.compile(r"[A-Za-z0-9_]+")
_OF_MACHINE = {
    "amd64": "x86_64", "arm64": "aarch64", "386": "x86", "arm": "armv7", "ppc64le": "ppc64le", "s390x": "s390x",
    "riscv64": "riscv64", "loong64": "loongarch64",
}  # fmt: skip
"""apk's word for what an image configuration calls the architecture (GOARCH)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """The parts that together make the planned root; every kept name is in exactly one of the last four."""

    lock: Lock
    shipped: tuple[FilePlan, ...]
    """Names that the archives of the lock bring as they are; no directories."""
    directories: tuple[FilePlan, ...]
    state: tuple[FilePlan, ...]
    """Names that no archive brings, or not so: made ones, and kept ones whose content or target is known."""
    left_out: tuple[tuple[str, str], ...]
    """What can't be installed, and why: a path or `package NAME`, and one lowercase phrase."""


def installation(plan: Plan, materials: Materials) -> Installation | None:
    """The Alpine installation of `plan`; None where it keeps no installed apk package."""
    of_type = {package.id: package for package in materials.inventory.packages if package.type == "apk"}
    kept = [package for package in plan.packages if package.decision is not Decision.DROP and package.id in of_type]
    own = [package for package in kept if is_installed(of_type[package.id])]
    named = {package.id: package for package in own if _is_nameable(package)}
    if not named:
        return None
    shipped, directories, state, left_out = [], [], [], [_odd(package) for package in kept if package.id not in named]
    for file in plan.files:
        if file.decision is Decision.DROP:
            continue
        if file.type is FileType.DIRECTORY:
            directories.append(file)
        elif (source := materials.shipped.get(file.path)) is not None:
            reason = _why_not_shipped(file, named, source.package)
            shipped.extend([] if reason else [file])
            left_out.extend([(file.path, reason)] if reason else [])
        elif reason := _why_unknown(file, materials):
            left_out.append((file.path, reason))
        else:
            state.append(file)
    return Installation(
        lock=_lock(plan, named.values(), of_type, shipped),
        shipped=tuple(shipped),
        directories=tuple(directories),
        state=tuple(state),
        left_out=tuple(left_out),
    )


def world_lines(lock: Lock) -> Iterator[str]:
    """`NAME=VERSION` of every package (apk-world(5)), sorted."""
    return (f"{package.name}={package.version}" for package in lock.packages)


def content_of(file: FilePlan, materials: Materials) -> bytes:
    """The bytes of a regular file of the state."""
    return file.content if file.content is not None else materials.contents[file.path]


def _is_nameable(package: PackagePlan) -> bool:
    return _NAME.fullmatch(package.name) is not None and _VERSION.fullmatch(package.version) is not None


def _odd(package: PackagePlan) -> tuple[str, str]:
    why = "it is of a root within the root" if _is_nameable(package) else "no archive can have such a name or version"
    return f"package {package.name} {package.version}", why


def _why_not_shipped(file: FilePlan, named: Mapping[PackageId, PackagePlan], package: PackageId) -> str:
    """Why apk does not bring a name that a package declares; empty where it does."""
    if package not in named:
        return "its package can't be installed"
    return "apk lists no name with a line break" if "\n" in file.path else ""


def _why_unknown(file: FilePlan, materials: Materials) -> str:
    """Why a name that no archive brings can't be made from the plan; empty where it can."""
    if file.type is FileType.SOCKET:
        return "a socket is made by whoever listens on it"
    if file.type is FileType.REGULAR and file.content is None and file.path not in materials.contents:
        return materials.unread.get(file.path, "its bytes are not known")
    if file.type in (FileType.CHARACTER_DEVICE, FileType.BLOCK_DEVICE) and file.device is None:
        return "which device it is, is not known"
    return ""


def _lock(
    plan: Plan, packages: Iterable[PackagePlan], known: Mapping[PackageId, Package], shipped: Iterable[FilePlan]
) -> Lock:
    paths: dict[PackageId, list[str]] = {}
    for file in shipped:
        if file.package is not None:
            paths.setdefault(file.package, []).append(file.path)
    locked = sorted(
        (_locked(package, known[package.id], paths.get(package.id, [])) for package in packages),
        key=lambda package: (package.name, package.architecture, package.version),
    )
    return Lock(
        ecosystem="apk",
        architecture=_architecture(plan, locked),
        distribution=printable(f"{plan.distro.id} {plan.distro.version_id}".strip()),
        packages=tuple(locked),
    )


def _locked(package: PackagePlan, known: Package, paths: Iterable[str]) -> LockedPackage:
    return LockedPackage(
        name=package.name,
        version=package.version,
        architecture=package.architecture or "noarch",
        source=known.source or package.name,
        source_version=known.source_version or package.version,
        filename=f"{package.name}-{package.version}.apk",
        checksum=known.checksum if _CHECKSUM.fullmatch(known.checksum) else "",
        download_bytes=known.download_bytes,
        installed_kib=-(-known.installed_bytes // 1024),
        paths=None if package.kept_files == package.files else tuple(sorted(paths, key=encoded)),
    )


def _architecture(plan: Plan, packages: Iterable[LockedPackage]) -> str:
    """What apk calls the architecture of the root: that of its packages, or of the image."""
    counted = Counter(package.architecture for package in packages if package.architecture != "noarch")
    found = sorted((name for name in counted if _ARCHITECTURE.fullmatch(name)), key=lambda name: (-counted[name], name))
    image = plan.image.architecture if plan.image is not None else ""
    return next(iter(found), None) or _OF_MACHINE.get(image, "noarch")
