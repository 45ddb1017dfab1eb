"""Reports of vulnerability scanners, told apart: Grype JSON, Trivy JSON and CycloneDX with vulnerabilities.

What a scanner was told to ignore is read too: a finding that somebody silenced is no finding that went away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from pruner.errors import InputError, printable
from pruner.read.cyclonedxreport import read_cyclonedx_report, read_cyclonedx_report_xml
from pruner.read.fields import decoded
from pruner.read.grypereport import read_grype
from pruner.read.source import read_input
from pruner.read.trivyreport import read_trivy

if TYPE_CHECKING:
    from pruner.read.reported import ReportDocument
    from pruner.read.source import Input

_ACCEPTED = "accepted are Grype JSON, Trivy JSON (SchemaVersion 2) and CycloneDX (JSON, XML) with vulnerabilities"
_TRIVY_SCHEMA = 2


def read_vulnerabilities(location: str) -> ReportDocument:
    """The report at `location`; `-` is standard input; gzip and zstd are seen through.

    Raises `InputError` with the file and the JSON path when it is damaged, when a severity is no known word, and when
    it is something else: an SBOM, a plan, an older schema.
    """
    source = read_input(location)
    start = source.data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    if not start:
        raise InputError(f"{source.name}: empty", hint=_ACCEPTED)
    if start.startswith(b"<"):
        return read_cyclonedx_report_xml(source.data, source.name)
    if start.startswith(b"["):
        raise InputError(f"{source.name}: a list, as Trivy wrote before SchemaVersion 2", hint="scan with Trivy 0.20+")
    return _json(source)


class _Probe(msgspec.Struct):
    matches: msgspec.Raw = msgspec.Raw()
    trivy_schema: Any = msgspec.field(default=None, name="SchemaVersion")
    bom: Any = msgspec.field(default=None, name="bomFormat")
    artifacts: msgspec.Raw = msgspec.Raw()
    spdx: Any = msgspec.field(default=None, name="spdxVersion")
    schema: Any = None
    openvex: Any = msgspec.field(default=None, name="@context")


_PROBE = msgspec.json.Decoder(_Probe)


def _json(source: Input) -> ReportDocument:
    data, name = source.data.removeprefix(b"\xef\xbb\xbf"), source.name
    probe = decoded(_PROBE, data, name)
    if bytes(probe.matches):
        return read_grype(data, name)
    if probe.trivy_schema is not None:
        if probe.trivy_schema != _TRIVY_SCHEMA:
            shown = printable(str(probe.trivy_schema))
            raise InputError(f"{name}: Trivy's SchemaVersion {shown} is not read", hint=_ACCEPTED)
        return read_trivy(data, name)
    if probe.bom == "CycloneDX":
        return read_cyclonedx_report(data, name)
    if bytes(probe.artifacts) or probe.spdx is not None:
        raise InputError(f"{name}: an SBOM, not a scanner's report", hint=_ACCEPTED)
    if isinstance(probe.schema, dict) and "name" in probe.schema:
        raise InputError(f"{name}: a plan, not a scanner's report", hint=_ACCEPTED)
    if probe.openvex is not None:
        raise InputError(f"{name}: an OpenVEX document, not a scanner's report", hint=_ACCEPTED)
    raise InputError(f"{name}: JSON, but no scanner's report", hint=_ACCEPTED)
