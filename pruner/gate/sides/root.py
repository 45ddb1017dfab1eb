"""A side from a root filesystem: its names, its bytes, and the packages that its own database lists."""

from __future__ import annotations

import hashlib
import re
import struct
from pathlib import PurePath
from typing import TYPE_CHECKING

import msgspec

from pruner.analyze.elfimage import ET_DYN, ET_EXEC, MAGIC, ElfError, read_elf
from pruner.errors import InputError, printable
from pruner.gate.keys import DISTRIBUTIONS, key_of_package
from pruner.gate.sides.entries import entries_of_image
from pruner.gate.sides.packages import gathered
from pruner.gate.types import Binary, Side, SideFile, SideKind
from pruner.model import FileType
from pruner.read.apk import read_apk
from pruner.read.dpkg import read_dpkg
from pruner.read.owners import owners_of
from pruner.read.packages import inventory_of_packages
from pruner.read.rpmdb import HOMES, OTHER_FORMS, read_rpm
from pruner.rootfs import Tree, open_root
from pruner.rootfs.directory import holds_packages

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pruner.gate.types import PackageKey
    from pruner.model import File, PackageId
    from pruner.rootfs import Root

_CAPABILITY = "security.capability"
_SHEBANG = re.compile(rb"#![ \t]*([^\s\0]{1,4096})")
_NO_DATABASE = "the root holds no package database (dpkg, apk, rpm)"
_NO_OWNERS = "all files are of one user other than root, who may have unpacked them: owners are not told"


def side_of_root(location: str) -> Side:
    """The side of the root filesystem at `location`. Raises `InputError` and `EnvironmentFault` as `open_root` does."""
    if holds_packages(location):
        raise InputError(
            f"{printable(location)}: holds package archives, not a root filesystem",
            hint="give an SBOM, a plan, or the root that they are installed in",
        )
    root = open_root(location)
    try:
        if not root.files:
            raise InputError(f"{printable(location)}: an empty directory, not a root filesystem")
        return _side(root, PurePath(location).name)
    finally:
        root.close()


def _side(root: Root, name: str) -> Side:
    tree = Tree(root.files)
    distro = inventory_of_packages(root).distro
    databases = [found for read in (read_dpkg, read_apk, read_rpm) if (found := read(root, tree)) is not None]
    packages = [package for database in databases for package in database.packages]
    owners = owners_of(packages, tree)
    keys = {package.id: key_of_package(package, distro) for package in packages}
    files, binaries = _files(root, owners, keys)
    owned = not _is_all_somebodys(root)
    if not owned:
        files = {path: msgspec.structs.replace(file, uid=None, gid=None) for path, file in files.items()}
    return Side(
        kind=SideKind.ROOT,
        name=name or "root",
        packages=gathered(packages, keys, root.files, owners),
        files=files,
        entries=entries_of_image(root.image, root.files),
        distro=f"{distro.id} {distro.version_id}".strip(),
        origin={"name": name, "format": "root"},
        lacks=(*root.lacks, *_lacks(packages, tree), *(() if owned else (_NO_OWNERS,))),
        package_types=DISTRIBUTIONS,
        binaries=binaries,
    )


def _is_all_somebodys(root: Root) -> bool:
    """Whether somebody who is not root unpacked the image, so that owners are not the image's."""
    owners = {file.uid for file in root.files.values()}
    return root.image is None and len(owners) == 1 and owners != {0}


def _lacks(packages: Iterable[object], tree: Tree) -> Iterable[str]:
    if not packages:
        yield _NO_DATABASE
    paths = (f"{home}/{form}" for home in HOMES for form in OTHER_FORMS)
    unread = next((path for path in paths if tree.resolve(path).path is not None), None)
    if unread is not None and tree.resolve(f"{unread.rpartition('/')[0]}/rpmdb.sqlite").path is None:
        yield f"the rpm database {unread} is in a form that is not read; an SBOM of the root lists its packages"


def _files(
    root: Root, owners: Mapping[str, tuple[PackageId, ...]], keys: Mapping[PackageId, PackageKey]
) -> tuple[dict[str, SideFile], dict[str, Binary]]:
    files: dict[str, SideFile] = {}
    binaries: dict[str, Binary] = {}
    for path, file in root.files.items():
        regular = file.type is FileType.REGULAR
        digest = None
        if regular and file.hardlink is not None and file.hardlink in files:
            digest = files[file.hardlink].digest
            if file.hardlink in binaries:
                binaries[path] = binaries[file.hardlink]
        elif regular:
            data = root.read(path)
            digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
            binary = _binary(data)
            if binary is not None:
                binaries[path] = binary
        holders = owners.get(path)
        files[path] = SideFile(
            path=path,
            type=file.type,
            mode=file.mode,
            uid=file.uid,
            gid=file.gid,
            bytes=file.bytes if regular else None,
            target=file.target,
            hardlink=file.hardlink,
            digest=digest,
            owner=keys[holders[0]] if holders else None,
            capabilities=_capabilities(root, file),
        )
    return files, binaries


def _capabilities(root: Root, file: File) -> bytes:
    """Of what can be executed: on anything else the kernel does not look at them (capabilities(7))."""
    if file.type is not FileType.REGULAR or not file.mode & 0o111:
        return b""
    return root.extended_attributes(file.path).get(_CAPABILITY, b"")


def _binary(data: memoryview) -> Binary | None:
    start = bytes(data[:4])
    if start[:2] == b"#!":
        found = _SHEBANG.match(bytes(data[:4096]))
        return Binary(starts=True, elf=False, interpreter=found[1].decode("utf-8", "replace")) if found else None
    if start != MAGIC:
        return None
    try:
        image = read_elf(data)
    except ElfError:
        return None
    if image.type not in {ET_EXEC, ET_DYN}:
        return None  # an object file or a core dump, which nothing starts or loads
    order = "<" if image.abi.little else ">"
    # e_entry follows e_type, e_machine and e_version (System V gABI 4.1, chapter 4)
    (entry,) = struct.unpack_from(f"{order}{'Q' if image.abi.bits == 64 else 'I'}", data, 24)
    return Binary(starts=entry != 0, libraries=image.needed, interpreter=image.interpreter or "")
