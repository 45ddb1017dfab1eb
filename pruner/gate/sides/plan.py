"""A side from a plan: the image as it would be after pruning."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from typing import TYPE_CHECKING

from pruner.errors import InputError, printable
from pruner.gate.keys import key_of_plan, plain_version
from pruner.gate.sides import is_plan
from pruner.gate.sides.entries import entries_of_plan
from pruner.gate.types import Side, SideFile, SideKind, SidePackage
from pruner.model import FileType
from pruner.plan.types import Decision

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pruner.gate.types import PackageKey
    from pruner.model import PackageId
    from pruner.plan.types import FilePlan, Plan


def read_plan(place: Path) -> Plan:
    """The plan in the directory `place`, or whose `plan.json` is `place`. Raises `InputError`."""
    from pruner.emit.planfile import load_plan

    if place.is_dir():
        return load_plan(place)
    if place.is_file() and not is_plan(place):
        raise InputError(f"{printable(str(place))}: no plan", hint="give the directory that `pruner plan` wrote")
    if not place.exists():
        raise InputError(
            f"{printable(str(place))}: no such file or directory", hint="give the directory that `pruner plan` wrote"
        )
    if place.name != "plan.json":
        raise InputError(
            f"{printable(str(place))}: a plan is read from its own directory", hint="name it plan.json again"
        )
    return load_plan(place.parent)


def side_of_plan(place: Path) -> Side:
    """The side of what the plan at `place` keeps and makes. Raises `InputError`."""
    return plan_side(read_plan(place), name=place.parent.name if place.name == "plan.json" else place.name)


def plan_side(plan: Plan, *, name: str) -> Side:
    """The side of what `plan` keeps and makes."""
    keys = {package.id: key_of_plan(package, plan.distro) for package in plan.packages}
    files: dict[str, SideFile] = {}
    owned: defaultdict[PackageId, list[str]] = defaultdict(list)
    for file in plan.files:
        if file.decision is Decision.DROP:
            continue
        files[file.path] = planned_file(file, keys)
        if file.package is not None:
            owned[file.package].append(file.path)
    return Side(
        kind=SideKind.PLAN,
        name=name or "plan",
        packages=_packages(plan, keys, owned),
        files=files,
        entries=entries_of_plan(plan),
        distro=f"{plan.distro.id} {plan.distro.version_id}".strip(),
        origin={"name": name, "format": "plan"},
        lacks=plan.lacks,
    )


def planned_file(file: FilePlan, keys: Mapping[PackageId, PackageKey]) -> SideFile:
    """The file as the plan has it; `keys` are those of its packages."""
    return SideFile(
        path=file.path,
        type=file.type,
        mode=file.mode,
        uid=file.uid,
        gid=file.gid,
        bytes=file.bytes if file.type is FileType.REGULAR else None,
        target=file.target,
        hardlink=file.hardlink,
        digest=file.digest if file.content is None else f"sha256:{hashlib.sha256(file.content).hexdigest()}",
        owner=None if file.package is None else keys.get(file.package),
    )


def _packages(
    plan: Plan, keys: dict[PackageId, PackageKey], owned: dict[PackageId, list[str]]
) -> dict[PackageKey, tuple[SidePackage, ...]]:
    found: defaultdict[PackageKey, dict[str, SidePackage]] = defaultdict(dict)
    for package in plan.packages:
        if package.decision is Decision.DROP:
            continue
        key = keys[package.id]
        version = plain_version(key.type, package.version)
        other = found[key].get(version)
        found[key][version] = SidePackage(
            key=key,
            version=version,
            purl=package.purl,
            bytes=package.kept_bytes + (other.bytes if other else 0),
            files=tuple(sorted({*owned.get(package.id, ()), *(other.files if other else ())})),
            sliced=package.decision is Decision.SLICE or (other is not None and bool(other.sliced)),
        )
    return {key: tuple(found[key][version] for version in sorted(found[key])) for key in sorted(found)}
