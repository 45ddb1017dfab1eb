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

_NAME = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9+._-]{0,254}")
_VERSION = re.compile(r"[^\s\x00-\x1f\x7f-\x9f]{1,256}")
"""Wider than Debian policy 5.6 and apk-package(5); what is wider still is no part of a file's name, as both become."""

_HINT = "fetch or write the index anew"
_SHA256 = re.compile(r"[0-9A-Fa-f]{64}")


def debian_candidate(stanza: str) -> Candidate | None:
    """The package that a stanza of a Packages file or of dpkg's status describes; None for one that is not on disk.

    Raises `InputError` for a relationship that can't be read, and without a name and version that a package can have.
    """
    fields = {name: value.strip() for name, value in control_fields(stanza).items()}
    if (fields.get("status", "").split() or ["installed"])[-1] in NOT_INSTALLED:
        return None
    name, version = fields["package"], fields.get("version", "")
    try:
        return _debian(name, version, fields)
    except InputError as error:
        raise _of_package(name, version, error) from None


def _debian(name: str, version: str, fields: Mapping[str, str]) -> Candidate:
    _check(name, version, "Version")
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


def _check(name: str, version: str, field: str) -> None:
    if not version:
        raise InputError(f"a stanza without {field}", hint=_HINT)
    if not _NAME.fullmatch(name):
        raise InputError("it has a name that no package can have", hint=_HINT)
    if not _VERSION.fullmatch(version):
        raise InputError("it has a version that no package can have", hint=_HINT)


def _multi_arch(value: str) -> str:
    return value.lower() if value.lower() in {"same", "foreign", "allowed"} else ""


def alpine_candidate(stanza: str) -> Candidate:
    """The package that a block of an APKINDEX or of apk's installed database describes.

    Its archive is `NAME-VERSION.apk` beside the index (apk-tools, src/package.c). Raises `InputError` as
    `debian_candidate` does.
    """
    fields = apk_fields(stanza)
    name, version = fields["P"], fields.get("V", "")
    try:
        return _alpine(name, version, fields)
    except InputError as error:
        raise _of_package(name, version, error) from None


def _alpine(name: str, version: str, fields: Mapping[str, str]) -> Candidate:
    _check(name, version, "V:")
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
    return InputError(f"{printable(f'{name[:80]} {version[:80]}'.strip())}: {error.fact}", hint=error.hint)
