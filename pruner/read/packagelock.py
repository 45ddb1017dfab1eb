"""`packages.lock.json`: packages in exact versions, as `pruner select` and `pruner plan` write them."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Literal

import msgspec

from pruner.candidate import LOCK_SCHEMA_VERSION, Lock, LockedPackage
from pruner.errors import InputError, printable
from pruner.read.source import read_input

if TYPE_CHECKING:
    import os

_AT = re.compile(r"^(?P<what>.*?)(?: - at `\$?(?P<path>[^`]*)`)?$", re.DOTALL)
_FORMS = {
    "name": re.compile(r"[A-Za-z0-9_][A-Za-z0-9+._-]*"),
    "version": re.compile(r"[A-Za-z0-9][A-Za-z0-9.+:~^_-]*"),
    "architecture": re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*"),
    "checksum": re.compile(r"(|sha256:[0-9a-f]{64}|Q[12][A-Za-z0-9+/]+=*)"),
}
"""What may stand in a lock (Debian Policy 5.6; apk-package(5)). Nothing that a command could take for an option."""
_HINT = "write the lock anew with --lock FILE"


class _Package(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    name: str
    version: str
    architecture: str
    decision: Literal["whole", "slice"]
    source: str = ""
    source_version: str = ""
    filename: str = ""
    checksum: str = ""
    download_bytes: int = 0
    installed_kib: int = 0
    paths: list[str] | None = None


class _Lock(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    schema: str
    ecosystem: Literal["deb", "apk", "rpm"]
    architecture: str
    packages: list[_Package]
    tool: str = ""
    distribution: str = ""


def read_lock(path: str | os.PathLike[str]) -> Lock:
    """The lock in the file `path`, `-` for standard input.

    Raises `InputError` that names the file and, where one is at fault, the JSON path: for what is no lock or damaged,
    for a name or version that no package has, for a package in two versions, for kept paths that leave the root.
    """
    source = read_input(str(path))
    wire = _decoded(source.data, source.name)
    packages = tuple(
        _package(found, f"{source.name}: $.packages[{number}]") for number, found in enumerate(wire.packages)
    )
    _check_single(packages, source.name)
    return Lock(
        ecosystem=wire.ecosystem,
        architecture=_matching("architecture", wire.architecture, f"{source.name}: $"),
        distribution=wire.distribution,
        packages=tuple(sorted(packages, key=lambda package: (package.name, package.architecture, package.version))),
    )


def _decoded(data: bytes, name: str) -> _Lock:
    try:
        document = json.loads(data)  # names of files may hold lone surrogates, which msgspec's decoder refuses
    except (ValueError, RecursionError) as error:
        raise InputError(f"{name}: not valid JSON: {str(error).lower()}", hint=_HINT) from None
    version = document.get("schema") if isinstance(document, dict) else None
    if not isinstance(version, str):
        raise InputError(f"{name}: JSON, but not a package lock", hint=_HINT)
    if version != LOCK_SCHEMA_VERSION:
        raise InputError(
            f"{name}: $.schema: version {printable(version)} can't be read, only {LOCK_SCHEMA_VERSION}", hint=_HINT
        )
    try:
        return msgspec.convert(document, _Lock)
    except msgspec.ValidationError as error:
        found = _AT.match(str(error))
        what, at = (found["what"], found["path"] or "") if found else (str(error), "")
        fact = printable(what.replace("`", ""))
        raise InputError(f"{name}: ${printable(at)}: {fact[:1].lower()}{fact[1:]}", hint=_HINT) from None


def _package(found: _Package, where: str) -> LockedPackage:
    for number, path in enumerate(found.paths or ()):
        parts = path.split("/")
        if len(parts) < 2 or parts[0] or any(part in {"", ".", ".."} or "\0" in part for part in parts[1:]):
            raise InputError(f"{where}.paths[{number}]: {printable(path)} is no path inside a root", hint=_HINT)
    if (found.paths is None) == (found.decision == "slice"):
        raise InputError(f"{where}.paths: only a slice lists paths, and every slice does", hint=_HINT)
    if found.filename.startswith(("/", "-")) or ".." in found.filename.split("/"):
        raise InputError(f"{where}.filename: {printable(found.filename)} is not relative to a repository", hint=_HINT)
    if found.download_bytes < 0 or found.installed_kib < 0:
        raise InputError(f"{where}: a size is negative", hint=_HINT)
    return LockedPackage(
        name=_matching("name", found.name, where),
        version=_matching("version", found.version, where),
        architecture=_matching("architecture", found.architecture, where),
        source=found.source,
        source_version=found.source_version,
        filename=found.filename,
        checksum=_matching("checksum", found.checksum, where),
        download_bytes=found.download_bytes,
        installed_kib=found.installed_kib,
        paths=None if found.paths is None else tuple(found.paths),
    )


def _matching(key: str, value: str, where: str) -> str:
    if not _FORMS[key].fullmatch(value):
        raise InputError(f"{where}.{key}: {printable(value) or 'empty'} is no {key}", hint=_HINT)
    return value


def _check_single(packages: tuple[LockedPackage, ...], name: str) -> None:
    versions: dict[tuple[str, str], str] = {}
    for package in packages:
        other = versions.setdefault((package.name, package.architecture), package.version)
        if other != package.version:
            raise InputError(f"{name}: {package.name} is there as {other} and as {package.version}", hint=_HINT)
    if len(versions) != len(packages):
        raise InputError(f"{name}: a package is there twice", hint=_HINT)
