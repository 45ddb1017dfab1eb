"""VEX documents: OpenVEX 0.2.0 (its specification, OPENVEX-SPEC.md) and CycloneDX 1.6.

OpenVEX names what is gone as a subcomponent of the product. CycloneDX refers by BOM-Link to the components of the SBOM
of before; its word for code that was removed is `code_not_present`.
"""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pruner
from pruner.errors import InputError, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cyclonedx.model.vulnerability import Vulnerability as CycloneVulnerability

    from pruner.gate.vex import Statement
    from pruner.read.bomlinks import BomLinks

OPENVEX_CONTEXT = "https://openvex.dev/ns/v0.2.0"
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:pruner:vex")


def openvex_text(statements: Sequence[Statement], *, product: str, author: str, epoch: int) -> str:
    """An OpenVEX document about `product` (a purl or another IRI), written at `epoch` (seconds since 1970).

    Its id is made from its content.
    """
    content = {
        "@context": OPENVEX_CONTEXT,
        "@id": "",
        "author": author,
        "timestamp": datetime.fromtimestamp(epoch, UTC).isoformat().replace("+00:00", "Z"),
        "version": 1,
        "tooling": f"pruner {pruner.__version__}",
        "statements": [_openvex_statement(statement, product) for statement in statements],
    }
    identifier = uuid.uuid5(_NAMESPACE, json.dumps(content))
    return json.dumps({**content, "@id": f"urn:uuid:{identifier}"}, indent=2) + "\n"


def _openvex_statement(statement: Statement, product: str) -> dict[str, Any]:
    found = statement.vulnerability
    vulnerability: dict[str, Any] = {"name": printable(found.id)}
    if found.aliases:
        vulnerability["aliases"] = [printable(alias) for alias in found.aliases]
    purl = printable(statement.purl)
    return {
        "vulnerability": vulnerability,
        "products": [{"@id": product, "subcomponents": [{"@id": purl, "identifiers": {"purl": purl}}]}],
        "status": "not_affected",
        "justification": statement.justification,
        "impact_statement": statement.detail,
    }


def cyclonedx_text(statements: Sequence[Statement], links: BomLinks, *, epoch: int | None) -> str:
    """A CycloneDX 1.6 document of vulnerabilities alone, whose `affects` are BOM-Links into the SBOM of before.

    Its serial number is made from its content. Raises `InputError` when that SBOM has no component with a purl that a
    statement names.
    """
    from cyclonedx.model.bom import Bom
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.output.json import JsonV1Dot6

    bom = Bom(serial_number=_NAMESPACE, vulnerabilities=_cyclonedx_vulnerabilities(statements, links))
    bom.metadata.timestamp = None if epoch is None else datetime.fromtimestamp(epoch, UTC)  # type: ignore[assignment]
    bom.metadata.tools.components.add(
        Component(type=ComponentType.APPLICATION, name="pruner", version=pruner.__version__)
    )
    placeholder = str(_NAMESPACE)
    text = str(JsonV1Dot6(bom).output_as_string(indent=2))
    serial = uuid.uuid5(_NAMESPACE, text.replace(placeholder, ""))
    return text.replace(placeholder, str(serial)) + "\n"


def _cyclonedx_vulnerabilities(statements: Iterable[Statement], links: BomLinks) -> list[CycloneVulnerability]:
    """One for each vulnerability: consumers keep the last of several with one id."""
    from cyclonedx.model.impact_analysis import ImpactAnalysisJustification, ImpactAnalysisState
    from cyclonedx.model.vulnerability import (
        BomTarget,
        Vulnerability,
        VulnerabilityAnalysis,
        VulnerabilityReference,
        VulnerabilitySource,
    )

    by_id: dict[str, list[Statement]] = {}
    for statement in statements:
        by_id.setdefault(statement.vulnerability.id, []).append(statement)
    return [
        Vulnerability(
            bom_ref=printable(name),
            id=printable(name),
            references=[
                VulnerabilityReference(id=printable(alias), source=VulnerabilitySource(name="scanner report"))
                for alias in sorted({alias for statement in group for alias in statement.vulnerability.aliases})
            ],
            analysis=VulnerabilityAnalysis(
                state=ImpactAnalysisState.NOT_AFFECTED,
                justification=ImpactAnalysisJustification.CODE_NOT_PRESENT,
                detail=" ".join(dict.fromkeys(statement.detail for statement in group)),
            ),
            affects=[BomTarget(ref=link) for statement in group for link in _links(statement, links)],
        )
        for name, group in sorted(by_id.items())
    ]


def _links(statement: Statement, links: BomLinks) -> tuple[str, ...]:
    found = links.of_purl(statement.purl)
    if not found:
        raise InputError(
            f"{links.name}: has no component {printable(statement.purl)}",
            hint="give the CycloneDX SBOM of before, scanned from the same image",
        )
    return found
