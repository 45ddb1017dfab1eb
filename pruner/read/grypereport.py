"""Grype's JSON (grype/presenter/models): matches, what was ignored, and the database in `descriptor.db`.

It has no schema version. It lists no packages without findings, and no distribution where it recognised none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from pruner.read.fields import decoded
from pruner.read.reported import ReportDocument, Reported, image_digests, severity_word

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class _Id(msgspec.Struct):
    id: str = ""


class _Fix(msgspec.Struct):
    versions: list[str] | None = None


class _GrypeVulnerability(msgspec.Struct):
    id: str
    severity: str = ""
    fix: _Fix | None = None


class _Location(msgspec.Struct):
    path: str = ""


class _GrypeArtifact(msgspec.Struct):
    name: str
    version: str
    type: str = ""
    purl: str = ""
    locations: list[_Location] | None = None


class _GrypeMatch(msgspec.Struct):
    vulnerability: _GrypeVulnerability
    artifact: _GrypeArtifact
    related: list[_Id] | None = msgspec.field(default=None, name="relatedVulnerabilities")


class _GrypeSource(msgspec.Struct):
    target: Any = None


class _GrypeDistro(msgspec.Struct):
    name: str = ""
    version: str = ""


class _GrypeDescriptor(msgspec.Struct):
    name: str = ""
    version: str = ""
    db: Any = None


class _Grype(msgspec.Struct):
    matches: list[_GrypeMatch]
    ignored: list[_GrypeMatch] | None = msgspec.field(default=None, name="ignoredMatches")
    source: _GrypeSource | None = None
    distro: _GrypeDistro | None = None
    descriptor: _GrypeDescriptor = msgspec.field(default_factory=_GrypeDescriptor)


_GRYPE = msgspec.json.Decoder(_Grype)


def read_grype(data: bytes, name: str) -> ReportDocument:
    """The report that Grype wrote. Raises `InputError`."""
    document = decoded(_GRYPE, data, name)
    target = document.source.target if document.source is not None else None
    image = target if isinstance(target, dict) else {}
    distro = document.distro or _GrypeDistro()
    database = document.descriptor.db if isinstance(document.descriptor.db, dict) else {}
    nested = database.get("status")
    status = nested if isinstance(nested, dict) else database
    repositories = image.get("repoDigests")
    stated = [
        image.get("imageID"),
        image.get("manifestDigest"),
        *(repositories if isinstance(repositories, list) else ()),
    ]
    return ReportDocument(
        file=name,
        scanner=document.descriptor.name or "grype",
        version=document.descriptor.version,
        database=" ".join(str(status[key]) for key in ("schemaVersion", "built") if status.get(key)),
        distro=f"{distro.name} {distro.version}".strip(),
        sees_system=bool(distro.name),
        digests=image_digests(stated),
        reported=(
            *_grype_findings(document.matches, name, "matches", ignored=False),
            *_grype_findings(document.ignored or (), name, "ignoredMatches", ignored=True),
        ),
    )


def _grype_findings(matches: Iterable[_GrypeMatch], name: str, key: str, *, ignored: bool) -> Iterator[Reported]:
    for index, match in enumerate(matches):
        artifact, vulnerability = match.artifact, match.vulnerability
        yield Reported(
            id=vulnerability.id,
            aliases=tuple(other.id for other in match.related or () if other.id),
            severity=severity_word(vulnerability.severity, name, f"$.{key}[{index}].vulnerability.severity"),
            purl=artifact.purl,
            type=artifact.type,
            name=artifact.name,
            version=artifact.version,
            fixed_in=tuple((vulnerability.fix.versions or ()) if vulnerability.fix is not None else ()),
            paths=tuple(location.path for location in artifact.locations or () if location.path),
            ignored=ignored,
        )
