"""`debian/slices.json`: what slice definitions need beside the plan, so that its directory alone gives them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec

from pruner.bytewise import bytewise
from pruner.emit.artifact import Artifact
from pruner.errors import InputError
from pruner.model import FileType
from pruner.plan.materials import is_installed
from pruner.plan.slicefacts import ArchiveFacts, SliceFacts
from pruner.plan.types import Decision

if TYPE_CHECKING:
    from pathlib import Path

    from pruner.model import Package
    from pruner.plan.materials import Materials
    from pruner.plan.types import Plan

SLICES_FILE = "debian/slices.json"
_SCHEMA = {"name": "pruner-slices", "version": "1"}


def slices_artifact(plan: Plan, materials: Materials) -> Artifact:
    """The facts of `plan` as JSON, one package a line; `load_slice_facts` reads them back without loss."""
    facts = slice_facts(plan, materials)
    lines = [f'"schema": {_encoded(_SCHEMA)}']
    for name in SliceFacts.__struct_fields__:
        value = getattr(facts, name)
        rows = ",\n".join(map(_encoded, value)) if name in {"archives", "answered"} else ""
        lines.append(f'"{name}": ' + (f"[\n{rows}\n]" if rows else _encoded(value)))
    return Artifact(path=SLICES_FILE, data=("{\n" + ",\n".join(lines) + "\n}\n").encode("ascii"))


def load_slice_facts(directory: Path) -> SliceFacts:
    """The facts in the plan directory. Raises `InputError` where there are none, or of another shape."""
    path = directory / SLICES_FILE
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise InputError(
            f"{directory}: no {SLICES_FILE} can be read: {(error.strerror or str(error)).lower()}",
            hint="slices are made of plans of Debian packages; plan again with this version",
        ) from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not JSON: {error}", hint="plan again") from None
    if not isinstance(document, dict) or document.pop("schema", None) != _SCHEMA:
        raise InputError(f"{path}: not what pruner writes, or of another version", hint="plan again")
    try:
        return msgspec.convert(document, SliceFacts)
    except msgspec.ValidationError as error:
        raise InputError(f"{path}: {error}", hint="plan again") from None


def slice_facts(plan: Plan, materials: Materials) -> SliceFacts:
    """The facts of `plan` about the Debian packages that the root's own dpkg installed.

    Those that the plan keeps, and those whose scripts may have made what it keeps.
    """
    there = {package.id for package in plan.packages if package.decision is not Decision.DROP}
    told = [
        package
        for package in materials.inventory.packages
        if package.type == "deb" and (package.id in there or package.id in materials.scripts) and is_installed(package)
    ]
    own = {package.id for package in told if package.id in there}
    brought = {
        path: found.name
        for path, found in (*materials.shipped.items(), *materials.attributed.items())
        if found.package in own
    }
    parts = {part for of_one in materials.concatenations.values() for part in of_one}
    spelled = {
        path: file.shipped or file.path
        for package in told
        for file in package.files
        if parts and (path := materials.tree.locate(file.path).path) in parts
    }
    names = [file for file in plan.files if file.decision is Decision.KEEP and file.type is not FileType.DIRECTORY]
    return SliceFacts(
        state=tuple(file.path for file in names if file.path not in brought),
        renamed={path: name for path, name in sorted(brought.items()) if path != name},
        attributes={path: tuple(sorted(found)) for path, found in sorted(materials.attributes.items())},
        elf=tuple(bytewise(materials.elf)),
        programs=tuple(bytewise(materials.programs)),
        makers=dict(sorted(materials.made_by.items())),
        concatenations={
            path: tuple(spelled.get(part, part) for part in parts)
            for path, parts in sorted(materials.concatenations.items())
        },
        answered=materials.answered,
        archives=tuple(
            sorted(
                (_archive(package, materials, kept=package.id in there) for package in told),
                key=lambda one: (one.name, one.architecture),
            )
        ),
    )


def _archive(package: Package, materials: Materials, *, kept: bool) -> ArchiveFacts:
    names = {file.shipped or file.path: file.conffile for file in package.files if not file.ghost}
    return ArchiveFacts(
        name=package.name,
        version=package.version,
        architecture=package.architecture or "",
        listed=tuple(bytewise(names)),
        conffiles=tuple(bytewise(name for name, conffile in names.items() if conffile)),
        scripts=materials.scripts.get(package.id, {}),
        kept=kept,
    )


def _encoded(value: Any) -> str:
    """ASCII JSON; names that are not UTF-8 carry lone surrogates, which msgspec does not write."""
    try:
        data = msgspec.json.encode(value)
    except UnicodeEncodeError:
        return json.dumps(msgspec.to_builtins(value), separators=(",", ":"))
    return data.decode("ascii") if data.isascii() else json.dumps(json.loads(data), separators=(",", ":"))
