"""`packages.lock.json`: packages in exact versions, so that the same root can be made again.

One package a line, sorted, so that two locks can be compared with `diff`. `pruner.read.packagelock` reads it back.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pruner
from pruner.candidate import LOCK_SCHEMA_VERSION
from pruner.emit.artifact import Artifact

if TYPE_CHECKING:
    from pruner.candidate import Lock, LockedPackage

LOCK_FILE = "packages.lock.json"

_encode = json.JSONEncoder(separators=(", ", ": "), check_circular=False).encode


def lock_artifact(lock: Lock, path: str = LOCK_FILE) -> Artifact:
    """The lock file of `lock` at `path`, relative to the plan directory.

    Names of files that are not UTF-8 carry lone surrogates, as `os.fsdecode` makes them.
    """
    packages = sorted(lock.packages, key=lambda package: (package.name, package.architecture, package.version))
    head = {
        "schema": LOCK_SCHEMA_VERSION,
        "tool": f"pruner {pruner.__version__}",
        "ecosystem": lock.ecosystem,
        "architecture": lock.architecture,
        "distribution": lock.distribution,
    }
    lines = [f"{_encode(key)}: {_encode(value)}" for key, value in head.items()]
    listed = ",\n".join(_encode(_record(package)) for package in packages)
    lines.append(f'"packages": [\n{listed}\n]' if listed else '"packages": []')
    text = ",\n".join(lines)
    return Artifact(path=path, data=f"{{\n{text}\n}}\n".encode("ascii"))


def _record(package: LockedPackage) -> dict[str, Any]:
    record: dict[str, Any] = {
        "name": package.name,
        "version": package.version,
        "architecture": package.architecture,
        "source": package.source,
        "source_version": package.source_version,
        "filename": package.filename,
        "checksum": package.checksum,
        "download_bytes": package.download_bytes,
        "installed_kib": package.installed_kib,
        "decision": "whole" if package.paths is None else "slice",
    }
    return record if package.paths is None else {**record, "paths": package.paths}


def lock_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a lock. Sizes are bytes and KiB, as the names say."""
    text = {"type": "string"}
    number = {"type": "integer", "minimum": 0}
    package = {
        "type": "object",
        "properties": {
            "name": {"type": "string", "minLength": 1},
            "version": {"type": "string", "minLength": 1},
            "architecture": {"type": "string", "minLength": 1},
            "source": text,
            "source_version": text,
            "filename": text,
            "checksum": {"type": "string", "pattern": "^(|sha256:[0-9a-f]{64}|Q[12][A-Za-z0-9+/]+=*)$"},
            "download_bytes": number,
            "installed_kib": number,
            "decision": {"enum": ["whole", "slice"]},
            "paths": {"type": "array", "items": {"type": "string", "pattern": "^/[^/]"}},
        },
        "required": ["name", "version", "architecture", "decision"],
        "additionalProperties": False,
        "if": {"properties": {"decision": {"const": "slice"}}},
        "then": {"required": ["paths"]},
        "else": {"properties": {"paths": False}},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Package lock of pruner",
        "type": "object",
        "properties": {
            "schema": {"const": LOCK_SCHEMA_VERSION},
            "tool": text,
            "ecosystem": {"enum": ["deb", "apk", "rpm"]},
            "architecture": {"type": "string", "minLength": 1},
            "distribution": text,
            "packages": {"type": "array", "items": package},
        },
        "required": ["schema", "ecosystem", "architecture", "packages"],
        "additionalProperties": False,
    }
