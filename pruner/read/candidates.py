"""Stanzas of package indexes read as packages that could be installed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pruner.candidate import Candidate
from pruner.errors import InputError, printable
from pruner.read.stanzas import apk_fields, control_fields, number, source_of
from pruner.syntax import clauses, relations

if TYPE_CHECKING:
    from collections.abc import Mapping

NOT_INSTALLED = frozenset({"not-installed", "config-files"})
"""Last words of a Status field that say that nothing of the package is on disk; dpkg(1), package states."""

_SHA256 = re.compile(r"[0-9A-Fa-f]{64}")


def debian_candidate(stanza: str) -> Candidate | None:
    """The package that a stanza of a Packages file or of dpkg's status describes; None for one that is not on disk.

    Raises `InputError` for a relationship that can't be read, and without a version.
    """
    fields = control_fields(stanza)
    if (fields.get("status", "").split() or ["installed"])[-1] in NOT_INSTALLED:
        return None
    name, version = fields["package"], fields.get("version", "")
    try:
        return _debian(name, version, fields)
    except InputError as error:
        raise _of_package(name, version, error) from None


def _debian(name: str, version: str, fields: Mapping[str, str]) -> Candidate:
    if not version:
        raise InputError("a stanza without Version", hint="fetch or write the index anew")
    source, source_version = source_of(fields)
    digest = fields.get("sha256", "")
    return Candidate(
        ecosystem="deb",
        name=name,
        version=version,
        architecture=fields.get("architecture", ""),
        installed_kib=number(fields.get("installed-size", "")),
        download_bytes=number(fields.get("size", "")),
        pre_depends=clauses("deb", fields.get("pre-depends", "")),
        depends=clauses("deb", fields.get("depends", "")),
        recommends=clauses("deb", fields.get("recommends", "")),
        conflicts=relations("deb", fields.get("conflicts", "")),
        breaks=relations("deb", fields.get("breaks", "")),
        provides=relations("deb", fields.get("provides", "")),
        essential=fields.get("essential", "").lower() == "yes",
        multi_arch=_multi_arch(fields.get("multi-arch", "")),
        source=source,
        source_version=source_version,
        filename=fields.get("filename", ""),
        checksum=f"sha256:{digest.lower()}" if _SHA256.fullmatch(digest) else "",
    )


def _multi_arch(value: str) -> str:
    return value.lower() if value.lower() in {"same", "foreign", "allowed"} else ""


def alpine_candidate(stanza: str) -> Candidate:
    """The package that a block of an APKINDEX or of apk's installed database describes.

    Its archive is `NAME-VERSION.apk` beside the index (apk-tools, src/package.c). Raises `InputError` for a
    relationship that can't be read, and without a version.
    """
    fields = apk_fields(stanza)
    name, version = fields["P"], fields.get("V", "")
    try:
        return _alpine(name, version, fields)
    except InputError as error:
        raise _of_package(name, version, error) from None


def _alpine(name: str, version: str, fields: Mapping[str, str]) -> Candidate:
    if not version:
        raise InputError("a block without V:", hint="fetch or write the index anew")
    return Candidate(
        ecosystem="apk",
        name=name,
        version=version,
        architecture=fields.get("A", ""),
        installed_kib=-(-number(fields.get("I", "")) // 1024),
        download_bytes=number(fields.get("S", "")),
        depends=clauses("apk", fields.get("D", "")),
        conflicts=relations("apk", fields.get("D", ""), conflicts=True),
        provides=relations("apk", fields.get("p", "")),
        install_if=relations("apk", fields.get("i", "")),
        provider_priority=number(fields.get("k", "")),
        source=fields.get("o") or name,
        source_version=version,
        filename=f"{name}-{version}.apk",
        checksum=fields.get("C", ""),
    )


def _of_package(name: str, version: str, error: InputError) -> InputError:
    return InputError(f"{printable(f'{name} {version}'.strip())}: {error.fact}", hint=error.hint)
