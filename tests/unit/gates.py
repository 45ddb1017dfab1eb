"""Small sides, comparisons and scanner reports for the tests of the gate."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pruner.gate.compare import compare
from pruner.gate.sides import read_side
from pruner.gate.types import Comparison
from tests.unit.sboms import deb, document, edge, entry

SUID = 40000755


def package(name: str, version: str = "1.0-1", files: Sequence[str] = (), **fields: Any) -> dict[str, Any]:
    """A Debian package with a version of its own."""
    return deb(
        name,
        files,
        version=version,
        purl=f"pkg:deb/debian/{name.replace('+', '%2B')}@{version}?arch=amd64&distro=debian-12",
        **fields,
    )


def sbom(
    place: Path,
    name: str,
    packages: Sequence[Mapping[str, Any]],
    others: Sequence[Mapping[str, Any]] = (),
    **fields: Any,
) -> Path:
    """A syft-json SBOM whose packages own the files that they declare; `others` are files besides."""
    listed: dict[str, Mapping[str, Any]] = {item["location"]["path"]: item for item in others}
    edges = []
    for item in packages:
        for stated in item["metadata"]["files"]:
            path = stated["path"]
            listed.setdefault(path, entry(path, size=10, digests=[{"algorithm": "sha256", "value": _digest(path)}]))
            edges.append(edge(item["id"], f"file:{path}"))
    status = entry("/var/lib/dpkg/status", size=5)
    path = place / name
    made = document(packages, [status, *listed.values()], **{"artifactRelationships": edges, **fields})
    path.write_text(json.dumps(made))
    return path


def _digest(path: str) -> str:
    import hashlib

    return hashlib.sha256(path.encode()).hexdigest()


def program(path: str, *, mode: int = 755, size: int = 100) -> dict[str, Any]:
    """An executable among the document's `files`."""
    executable = {"format": "elf", "hasEntrypoint": True, "hasExports": False, "importedLibraries": []}
    return entry(
        path, mode=mode, size=size, executable=executable, digests=[{"algorithm": "sha256", "value": _digest(path)}]
    )


def compared(before: Path, after: Path) -> Comparison:
    """The comparison of two SBOMs."""
    return compare(read_side(str(before)), read_side(str(after)))


def match(
    name: str, version: str, vulnerability: str, severity: str = "High", related: Sequence[str] = (), **fields: Any
) -> dict[str, Any]:
    """One of Grype's `matches`, in a Debian package."""
    return {
        "vulnerability": {"id": vulnerability, "severity": severity, "fix": {"versions": ["9.9-1"], "state": "fixed"}},
        "relatedVulnerabilities": [{"id": other} for other in related],
        "artifact": {
            "name": name,
            "version": version,
            "type": "deb",
            "purl": f"pkg:deb/debian/{name}@{version}?arch=amd64&distro=debian-12",
            "locations": [{"path": "/var/lib/dpkg/status"}],
        },
        **fields,
    }


def grype(place: Path, name: str, matches: Sequence[Mapping[str, Any]], **fields: Any) -> Path:
    """A report as Grype 0.100 writes it."""
    path = place / name
    made = {
        "matches": list(matches),
        "source": {"type": "image", "target": {"userInput": "app:1", "imageID": "", "repoDigests": []}},
        "distro": {"name": "debian", "version": "12", "idLike": []},
        "descriptor": {
            "name": "grype",
            "version": "0.100.0",
            "db": {"status": {"schemaVersion": "v6.1.0", "built": "2026-01-02T03:04:05Z", "valid": True}},
        },
        **fields,
    }
    path.write_text(json.dumps(made))
    return path
