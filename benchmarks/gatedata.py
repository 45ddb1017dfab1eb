"""SBOMs as large as those of big images, made from nothing: what Syft writes of a Debian image, in its proportions."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

FILES = 100_000
PACKAGES = 1_200
_LAYER = "sha256:0"
_SCHEMA = "16.0.18"
_SCHEMAS = "https://raw.githubusercontent.com/anchore/syft/main/schema/json"
"""By which Syft knows its own documents."""


def write_large_sbom(path: Path, *, seed: int, pruned: bool = False) -> None:
    """Write a syft-json document of 100,000 files and 1,200 packages, some 60 MB, to `path`.

    `seed` gives ids and an order of their own, as two releases of Syft do; `pruned` leaves out every tenth package,
    and gives every tenth of the others a newer version and other files.
    """
    artifacts, files, relationships = list[Any](), list[Any](), list[Any]()
    directories: dict[str, None] = {}
    each = FILES // PACKAGES
    for number in range(PACKAGES):
        if pruned and number % 10 == 0:
            continue
        newer = pruned and number % 10 == 1
        name, version = f"libsample{number}-1", f"1.{number}-{2 if newer else 1}"
        identity = hashlib.sha256(f"{seed}:{name}".encode()).hexdigest()[:16]
        listed = []
        for index in range(each):
            place = _place(name, index, directories)
            content = hashlib.sha256(f"{place}:{newer}".encode()).hexdigest()
            listed.append({"path": place, "digest": {"algorithm": "md5", "value": content[:32]}, "isConfigFile": False})
            file = hashlib.sha256(f"{seed}:{place}".encode()).hexdigest()[:16]
            files.append(_file(file, place, content, index))
            relationships.append({"parent": identity, "child": file, "type": "contains"})
        artifacts.append(_artifact(identity, name, version, listed))
    files += [_directory(path, seed) for path in directories]
    document = {
        "artifacts": artifacts[::-1] if seed % 2 else artifacts,
        "artifactRelationships": relationships,
        "files": files[::-1] if seed % 2 else files,
        "source": {"id": str(seed), "name": "sample", "version": "1", "type": "image",
                   "metadata": {"userInput": "sample:1", "imageID": _LAYER, "layers": [{"digest": _LAYER}]}},
        "distro": {"prettyName": "Debian 12", "id": "debian", "versionID": "12"},
        "descriptor": {"name": "syft", "version": "1.18.1", "configuration": {"files": {"selection": "all"}}},
        "schema": {"version": _SCHEMA, "url": f"{_SCHEMAS}/schema-{_SCHEMA}.json"},
    }  # fmt: skip
    path.write_text(json.dumps(document, separators=(",", ":")))


def _place(name: str, index: int, directories: dict[str, None]) -> str:
    folder = ("/usr/lib/x86_64-linux-gnu", f"/usr/share/{name}/data", f"/usr/share/doc/{name}")[index % 3]
    if index == 0:
        return f"/usr/bin/{name}"
    directories[folder] = None
    return f"{folder}/{name}-{index}{'.so.1.0.0' if index % 3 == 0 else '.txt'}"


def _file(identity: str, path: str, content: str, index: int) -> dict[str, Any]:
    binary = index % 3 == 0
    entry: dict[str, Any] = {
        "id": identity,
        "location": {"path": path, "layerID": _LAYER},
        "metadata": {"mode": 755 if index == 0 else 644, "type": "RegularFile", "userID": 0, "groupID": 0,
                     "mimeType": "application/x-sharedlib" if binary else "text/plain", "size": 1000 + index},
        "digests": [{"algorithm": "sha256", "value": content}],
    }  # fmt: skip
    if binary:
        entry["executable"] = {
            "format": "elf", "hasExports": index > 0, "hasEntrypoint": index == 0, "importedLibraries": ["libc.so.6"],
            "elfSecurityFeatures": {"symbolTableStripped": True, "stackCanary": True, "nx": True, "relRO": "full",
                                    "pie": True, "dso": True, "safeStack": False},
        }  # fmt: skip
    return entry


def _directory(path: str, seed: int) -> dict[str, Any]:
    return {
        "id": hashlib.sha256(f"{seed}:{path}".encode()).hexdigest()[:16],
        "location": {"path": path, "layerID": _LAYER},
        "metadata": {"mode": 20000000755, "type": "Directory", "userID": 0, "groupID": 0, "mimeType": "", "size": 0},
    }


def _artifact(identity: str, name: str, version: str, listed: list[Any]) -> dict[str, Any]:
    return {
        "id": identity, "name": name, "version": version, "type": "deb", "foundBy": "dpkg-db-cataloger",
        "locations": [{"path": "/var/lib/dpkg/status", "layerID": _LAYER, "accessPath": "/var/lib/dpkg/status",
                       "annotations": {"evidence": "primary"}}],
        "licenses": [{"value": "MIT", "spdxExpression": "MIT", "type": "declared", "urls": [], "locations": []}],
        "language": "", "cpes": [],
        "purl": f"pkg:deb/debian/{name}@{version}?arch=amd64&distro=debian-12",
        "metadataType": "dpkg-db-entry",
        "metadata": {"package": name, "source": "", "version": version, "sourceVersion": "", "architecture": "amd64",
                     "maintainer": "Nobody <nobody@example.org>", "installedSize": 100, "depends": ["libc6 (>= 2.34)"],
                     "files": listed},
    }  # fmt: skip
