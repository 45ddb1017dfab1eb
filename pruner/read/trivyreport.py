"""Trivy's JSON (pkg/types/report.go, SchemaVersion 2): results by target. It does not name its database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from pruner.read.fields import decoded
from pruner.read.reported import ReportDocument, Reported, image_digests, severity_word

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Identifier(msgspec.Struct):
    purl: str = msgspec.field(default="", name="PURL")


class _TrivyVulnerability(msgspec.Struct):
    id: str = msgspec.field(name="VulnerabilityID")
    name: str = msgspec.field(name="PkgName")
    vendors: list[str] | None = msgspec.field(default=None, name="VendorIDs")
    path: str = msgspec.field(default="", name="PkgPath")
    identifier: _Identifier = msgspec.field(default_factory=_Identifier, name="PkgIdentifier")
    version: str = msgspec.field(default="", name="InstalledVersion")
    fixed: str = msgspec.field(default="", name="FixedVersion")
    severity: str = msgspec.field(default="", name="Severity")


class _TrivyModified(msgspec.Struct):
    type: str = msgspec.field(default="", name="Type")
    finding: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="Finding")


class _TrivyResult(msgspec.Struct):
    target: str = msgspec.field(default="", name="Target")
    kind: str = msgspec.field(default="", name="Class")
    type: str = msgspec.field(default="", name="Type")
    vulnerabilities: list[_TrivyVulnerability] | None = msgspec.field(default=None, name="Vulnerabilities")
    modified: list[_TrivyModified] | None = msgspec.field(default=None, name="ExperimentalModifiedFindings")


class _TrivyOS(msgspec.Struct):
    family: str = msgspec.field(default="", name="Family")
    name: str = msgspec.field(default="", name="Name")


class _TrivyMetadata(msgspec.Struct):
    os: _TrivyOS | None = msgspec.field(default=None, name="OS")
    image: str = msgspec.field(default="", name="ImageID")
    repositories: list[str] | None = msgspec.field(default=None, name="RepoDigests")


class _TrivyItself(msgspec.Struct):
    version: str = msgspec.field(default="", name="Version")


class _Trivy(msgspec.Struct):
    itself: _TrivyItself = msgspec.field(default_factory=_TrivyItself, name="Trivy")
    metadata: _TrivyMetadata = msgspec.field(default_factory=_TrivyMetadata, name="Metadata")
    results: list[_TrivyResult] | None = msgspec.field(default=None, name="Results")


_TRIVY = msgspec.json.Decoder(_Trivy)
_TRIVY_FINDING = msgspec.json.Decoder(_TrivyVulnerability)


def read_trivy(data: bytes, name: str) -> ReportDocument:
    """The report that Trivy wrote. Raises `InputError`."""
    document = decoded(_TRIVY, data, name)
    system = document.metadata.os
    if system is not None and system.family in {"", "none"}:  # as some releases write what they did not recognise
        system = None
    return ReportDocument(
        file=name,
        scanner="trivy",
        version=document.itself.version,
        distro=f"{system.family} {system.name}".strip() if system is not None else "",
        sees_system=system is not None,
        digests=image_digests([document.metadata.image, *(document.metadata.repositories or ())]),
        reported=tuple(_trivy_findings(document, name)),
    )


def _trivy_findings(document: _Trivy, name: str) -> Iterator[Reported]:
    for number, result in enumerate(document.results or ()):
        at = f"$.Results[{number}]"
        for index, stated in enumerate(result.vulnerabilities or ()):
            yield _trivy_finding(stated, result, name, f"{at}.Vulnerabilities[{index}]", ignored=False)
        for index, modified in enumerate(result.modified or ()):
            if modified.type == "vulnerability":
                place = f"{at}.ExperimentalModifiedFindings[{index}].Finding"
                silenced = decoded(_TRIVY_FINDING, modified.finding, name, place)
                yield _trivy_finding(silenced, result, name, place, ignored=True)


def _trivy_finding(stated: _TrivyVulnerability, result: _TrivyResult, name: str, at: str, *, ignored: bool) -> Reported:
    return Reported(
        id=stated.id,
        aliases=tuple(stated.vendors or ()),
        severity=severity_word(stated.severity, name, f"{at}.Severity"),
        purl=stated.identifier.purl,
        type=result.type,
        name=stated.name,
        version=stated.version,
        fixed_in=tuple(part.strip() for part in stated.fixed.split(",") if part.strip()),
        paths=(f"/{stated.path.lstrip('/')}",) if stated.path else (),
        ignored=ignored,
    )
