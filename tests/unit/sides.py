"""Small sides for the gate's tests: syft-json documents of a few packages and files, and values made by hand."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pruner.gate.sides import read_side
from pruner.gate.types import Binary, PackageKey, Side, SideFile, SideKind, SidePackage
from pruner.model import FileType
from tests.unit.sboms import deb, document, entry

TOOL = PackageKey("deb", "debian", "tool", "amd64")


def file_of(path: str, content: str = "x", **metadata: Any) -> dict[str, Any]:
    """A regular file of the document's with the digest and size of `content`."""
    digest = hashlib.sha256(content.encode()).hexdigest()
    return entry(path, size=len(content), digests=[{"algorithm": "sha256", "value": digest}], **metadata)


def program(path: str, *libraries: str, content: str = "elf", starts: bool = True, mode: int = 755) -> dict[str, Any]:
    """An ELF file of the document's."""
    executable = {
        "format": "elf",
        "hasExports": not starts,
        "hasEntrypoint": starts,
        "importedLibraries": list(libraries),
    }
    return file_of(path, content, mode=mode, executable=executable)


def debian(name: str, version: str, files: Iterable[str], **fields: Any) -> dict[str, Any]:
    """A Debian package of the document's in `version`."""
    purl = f"pkg:deb/debian/{name}@{version}?arch=amd64&distro=debian-12"
    return deb(name, list(files), version=version, **{"purl": purl, **fields})


def other(kind: str, name: str, version: str, location: str, purl: str, **fields: Any) -> dict[str, Any]:
    """A package of another ecosystem, found at `location`."""
    return {
        "id": f"{kind}:{name}:{version}:{location}",
        "name": name,
        "version": version,
        "type": kind,
        "foundBy": f"{kind}-cataloger",
        "locations": [{"path": location}],
        "purl": purl,
        **fields,
    }


def written(place: Path, content: Mapping[str, Any] | str, name: str = "sbom.json") -> str:
    """The path of a file in `place` with that content."""
    path = place / name
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return str(path)


def side(
    place: Path, artifacts: Iterable[Mapping[str, Any]], files: Iterable[Mapping[str, Any]] = (), **fields: Any
) -> Side:
    """The side of a document of these packages and files."""
    return read_side(written(place, document(list(artifacts), list(files), **fields)))


def made_side(packages: Iterable[SidePackage] = (), files: Iterable[SideFile] | None = (), **fields: Any) -> Side:
    """A side from values; files in bytewise order of their ASCII paths."""
    by_key: dict[PackageKey, tuple[SidePackage, ...]] = {}
    for package in sorted(packages, key=lambda package: (package.key, package.version)):
        by_key[package.key] = (*by_key.get(package.key, ()), package)
    listed = None if files is None else {file.path: file for file in sorted(files, key=lambda file: file.path)}
    values = {"kind": SideKind.ROOT, "name": "root", "binaries": {}, **fields}
    return Side(packages=by_key, files=listed, **values)


def regular(path: str, mode: int = 0o644, **fields: Any) -> SideFile:
    """A regular file of a side."""
    values = {"uid": 0, "gid": 0, "bytes": 1, "digest": "sha256:0", "capabilities": b"", **fields}
    return SideFile(path=path, type=FileType.REGULAR, mode=mode, **values)


def link(path: str, target: str) -> SideFile:
    """A symbolic link of a side."""
    return SideFile(path=path, type=FileType.SYMLINK, mode=0o777, uid=0, gid=0, target=target)


def package(key: PackageKey = TOOL, version: str = "1.0-1", files: Iterable[str] = (), **fields: Any) -> SidePackage:
    """A package of a side."""
    return SidePackage(
        key=key, version=version, purl=f"pkg:{key.type}/{key.name}@{version}", files=tuple(files), **fields
    )


ELF = Binary(starts=True, libraries=())
