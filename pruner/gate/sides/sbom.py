"""A side from an SBOM: what its reader says, less what only planning needs."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

from pruner.gate.keys import key_of_package
from pruner.gate.sides.entries import entries_of_image
from pruner.gate.sides.packages import gathered
from pruner.gate.types import Binary, Side, SideFile, SideKind
from pruner.model import FileType, Selection
from pruner.read import lacks
from pruner.read.identify import inventory_of
from pruner.read.identity import identity_of
from pruner.read.source import read_input

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pruner.gate.types import PackageKey
    from pruner.model import File, Inventory, PackageId

_SYFT = "syft-json"


def side_of_sbom(location: str) -> Side:
    """The side that the SBOM at `location` states. Raises `InputError` as `read_sbom` does."""
    document = read_input(location)
    origin = identity_of(document.data)
    inventory = inventory_of(document)
    del document
    keys = {package.id: key_of_package(package, inventory.distro) for package in inventory.packages}
    files = _files(inventory, keys) if inventory.files else None
    binaries = _binaries(inventory.files, inventory) if inventory.format == _SYFT and files is not None else None
    return Side(
        kind=SideKind.SBOM,
        name="standard input" if location == "-" else PurePath(location).name,
        packages=gathered(inventory.packages, keys, inventory.files, inventory.owners),
        files=files,
        entries=entries_of_image(inventory.image, inventory.files),
        distro=f"{inventory.distro.id} {inventory.distro.version_id}".strip(),
        origin={
            **origin,
            "name": PurePath(inventory.name).name if inventory.name.startswith("/") else inventory.name,
            "tool": inventory.tool,
            "format": inventory.format,
        },
        lacks=inventory.lacks,
        complete=inventory.selection is Selection.ALL,
        lists_owned=inventory.selection is not Selection.NONE,
        binaries=binaries,
    )


def _files(inventory: Inventory, keys: Mapping[PackageId, PackageKey]) -> dict[str, SideFile]:
    """The listing with None for what the format or the release does not state."""
    owners = inventory.owners
    stated = inventory.format == _SYFT
    sized = stated and lacks.NO_SIZES not in inventory.lacks
    partial = inventory.selection is not Selection.ALL
    found: dict[str, SideFile] = {}
    for path, file in inventory.files.items():
        holders = owners.get(path)
        owner = keys[holders[0]] if holders else None
        # Executables that no package owns come without metadata where only owned files were selected.
        bare = not file.bytes and file.digest is None and (partial or (sized and file.executable))
        if not stated or bare:
            found[path] = SideFile(path=path, type=file.type, digest=file.digest, owner=owner)
            continue
        found[path] = SideFile(
            path=path,
            type=file.type,
            mode=file.mode,
            uid=file.uid,
            gid=file.gid,
            bytes=file.bytes if sized and file.type is FileType.REGULAR else None,
            target=file.target,
            hardlink=file.hardlink,
            digest=file.digest,
            owner=owner,
        )
    return found


def _binaries(files: Mapping[str, File], inventory: Inventory) -> dict[str, Binary]:
    stated = lacks.NO_LIBRARIES not in inventory.lacks
    return {
        path: Binary(starts=file.has_entrypoint or not stated, libraries=file.libraries if stated else None)
        for path, file in files.items()
        if file.executable
    }
