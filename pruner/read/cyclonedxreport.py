"""CycloneDX documents with `vulnerabilities` (https://cyclonedx.org/docs/1.6/json/#vulnerabilities).

A vulnerability points to components of the same document, or by BOM-Link (`urn:cdx:SERIAL/VERSION#REFERENCE`) to
those of an SBOM that another file holds.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from pruner.errors import InputError, printable
from pruner.read.cyclonedxelements import json_shape
from pruner.read.fields import decoded
from pruner.read.nested import flat
from pruner.read.purls import full_version, parsed_purl
from pruner.read.reported import SEVERITIES, ReportDocument, Reported, image_digests, severity_word

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_SILENT = frozenset({"not_affected", "false_positive", "resolved", "resolved_with_pedigree"})
"""States of an analysis that a scanner does not list as findings (schema 1.6, impactAnalysisState)."""

_BOM_LINK = re.compile(r"urn:cdx:(?P<serial>[0-9a-fA-F-]{36})/[0-9]+(?:#(?P<reference>.*))?", re.DOTALL)
_KNOWN = ("grype", "trivy")
_EXTENSION = b"http://cyclonedx.org/schema/ext/vulnerability/"
_SYSTEM = ("pkg:deb/", "pkg:apk/", "pkg:rpm/")
_LAYER = ":DiffID"
"""Ending of the property with the digest of a layer (Trivy, pkg/sbom/core); images share layers."""


class _Named(msgspec.Struct):
    name: str = ""
    version: str = ""
    value: str = ""


class _Component(msgspec.Struct):
    name: str
    reference: str = msgspec.field(default="", name="bom-ref")
    type: str = ""
    group: str = ""
    version: str = ""
    purl: str = ""
    properties: list[_Named] | None = None
    components: list[_Component] | None = None


class _Tools(msgspec.Struct):
    components: list[_Named] | None = None


class _Metadata(msgspec.Struct):
    component: _Component | None = None
    tools: _Tools | list[_Named] | None = None


class _Source(msgspec.Struct):
    name: str = ""


class _Reference(msgspec.Struct):
    id: str = ""


class _Rating(msgspec.Struct):
    severity: str = ""
    source: _Source | None = None


class _Version(msgspec.Struct):
    version: str = ""
    status: str = "affected"


class _Affected(msgspec.Struct):
    ref: str
    versions: list[_Version] | None = None


class _Analysis(msgspec.Struct):
    state: str = ""


class _Vulnerability(msgspec.Struct):
    id: str
    source: _Source | None = None
    references: list[_Reference] | None = None
    ratings: list[_Rating] | None = None
    affects: list[_Affected] | None = None
    analysis: _Analysis | None = None


class _Document(msgspec.Struct):
    vulnerabilities: list[_Vulnerability] | None = None
    components: list[_Component] | None = None
    metadata: _Metadata = msgspec.field(default_factory=_Metadata)


_DOCUMENT = msgspec.json.Decoder(_Document)


def read_cyclonedx_report(data: bytes, name: str) -> ReportDocument:
    """The report of a CycloneDX JSON document. Raises `InputError`, also for one without `vulnerabilities`."""
    return _report(decoded(_DOCUMENT, data, name), name)


def read_cyclonedx_report_xml(data: bytes, name: str) -> ReportDocument:
    """The report of a CycloneDX XML document; a document type is refused. Raises `InputError`."""
    from xml.etree.ElementTree import ParseError

    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    try:
        root = fromstring(data, forbid_dtd=True)
    except DefusedXmlException:
        raise InputError(f"{name}: XML with a document type", hint="a report needs none; it is refused") from None
    except (ParseError, ValueError, LookupError, RecursionError) as error:
        raise InputError(f"{name}: not valid XML: {printable(str(error))}", hint="write it anew") from None
    namespace, _, tag = root.tag.rpartition("}")
    if tag != "bom" or "cyclonedx" not in namespace:
        raise InputError(f"{name}: XML, but not a CycloneDX document", hint="its root element must be bom")
    if _EXTENSION in data:
        raise InputError(
            f"{name}: vulnerabilities as an extension of CycloneDX 1.3 or older, which is not read",
            hint="scan with a newer release of the scanner",
        )
    try:
        return _report(msgspec.convert(json_shape(root), _Document), name)
    except msgspec.ValidationError as error:
        raise InputError(f"{name}: {printable(str(error))}", hint="the document is damaged") from None


def _report(document: _Document, name: str) -> ReportDocument:
    if document.vulnerabilities is None:
        raise InputError(
            f"{name}: a CycloneDX document without vulnerabilities, so an SBOM and not a scanner's report",
            hint="let a scanner write it: `grype -o cyclonedx-json`, `trivy --format cyclonedx --scanners vuln`",
        )
    subject = document.metadata.component
    listed = [*([subject] if subject is not None else []), *(document.components or ())]
    everything = list(flat(listed))
    components = {component.reference: component for component in everything if component.reference}
    systems = [
        component
        for component in everything
        if component.type == "operating-system" and component.name.lower() not in {"", "none"}
    ]
    scanner, version = _scanner(document.metadata.tools)
    properties = (subject.properties or ()) if subject is not None else ()
    stated = [item.value for item in properties if not item.name.endswith(_LAYER)]
    links = (_BOM_LINK.fullmatch(affected.ref) for item in document.vulnerabilities for affected in item.affects or ())
    reported = tuple(_findings(document.vulnerabilities, components, name))
    return ReportDocument(
        file=name,
        scanner=scanner,
        version=version,
        distro=f"{systems[0].name} {systems[0].version}".strip() if systems else "",
        # Packages of a distribution alone don't show it: a scanner that did not recognise it lists them all the same.
        # What it found in one does, and some write no component for the system.
        sees_system=bool(systems) or any(item.purl.startswith(_SYSTEM) for item in reported),
        digests=image_digests([*stated, subject.version if subject is not None else ""]),
        serials=tuple(sorted({f"urn:uuid:{link['serial'].lower()}" for link in links if link is not None})),
        reported=reported,
    )


def _findings(
    vulnerabilities: Iterable[_Vulnerability], components: dict[str, _Component], name: str
) -> Iterator[Reported]:
    for index, item in enumerate(vulnerabilities):
        severity = _severity(item, name, f"$.vulnerabilities[{index}]")
        for number, affected in enumerate(item.affects or ()):
            link = _BOM_LINK.fullmatch(affected.ref)
            reference = affected.ref if link is None else _unquoted(link["reference"] or "")
            component = components.get(reference)
            purl = component.purl if component is not None else reference.partition("#")[0]
            parsed = parsed_purl(purl)
            if component is None and parsed is None:
                raise InputError(
                    f"{name}: $.vulnerabilities[{index}].affects[{number}].ref: '{printable(affected.ref[:80])}' names "
                    "no component of the document",
                    hint="the document is damaged, or the SBOM that it belongs to is in another file without purls",
                )
            yield Reported(
                id=item.id,
                aliases=tuple(other.id for other in item.references or () if other.id),
                severity=severity,
                purl=purl,
                name=_name(component, parsed),
                version=_version(component, parsed, affected),
                ignored=item.analysis is not None and item.analysis.state in _SILENT,
            )


def _name(component: _Component | None, purl: Any) -> str:
    if component is None:
        return str(purl.name)
    return f"{component.group}/{component.name}" if component.group else component.name


def _version(component: _Component | None, purl: Any, affected: _Affected) -> str:
    stated = component.version if component is not None else full_version(purl)
    listed = [item.version for item in affected.versions or () if item.version and item.status == "affected"]
    return str(stated or (listed[0] if listed else ""))


def _severity(item: _Vulnerability, name: str, at: str) -> str:
    """The rating of the source that reported the vulnerability, else the worst of all."""
    rated = [
        (rating, severity_word(rating.severity, name, f"{at}.ratings[{index}].severity"))
        for index, rating in enumerate(item.ratings or ())
    ]
    own = [
        word
        for rating, word in rated
        if item.source is not None and rating.source is not None and rating.source.name == item.source.name
    ]
    return max(own or [word for _, word in rated] or ["unknown"], key=SEVERITIES.index)


def _scanner(tools: _Tools | list[_Named] | None) -> tuple[str, str]:
    listed = tools if isinstance(tools, list) else (tools.components or []) if tools is not None else []
    for tool in sorted(listed, key=lambda tool: (tool.name not in _KNOWN, tool.name)):
        return tool.name, tool.version
    return "unknown", ""


def _unquoted(reference: str) -> str:
    from urllib.parse import unquote

    return unquote(reference)
