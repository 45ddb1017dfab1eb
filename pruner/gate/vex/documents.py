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
from pruner.gate.vex import NOT_SEEN
from pruner.read.purls import plain_purl

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
    # Consumers want every qualifier of a statement's purl in their own, and scanners' differ: one has as few as can be.
    subcomponent = {"@id": printable(statement.purl), "identifiers": {"purl": printable(plain_purl(statement.purl))}}
    return {
        "vulnerability": vulnerability,
        "products": [{"@id": product, "subcomponents": [subcomponent]}],
        "status": "not_affected",
        "status_notes": NOT_SEEN,
        "justification": statement.justification,
        "impact_statement": statement.detail,
    }


def cyclonedx_text(statements: Sequence[Statement], links: BomLinks, *, image: str, epoch: int | None) -> str:
    """A CycloneDX 1.6 document about the pruned `image`, whose `affects` are BOM-Links into the SBOM of before.

    It has no components; its serial number is made from its content. `statements` are those that `linkable` returned.
    """
    from cyclonedx.model.bom import Bom
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.output.json import JsonV1Dot6

    bom = Bom(serial_number=_NAMESPACE, vulnerabilities=_cyclonedx_vulnerabilities(statements, links))
    bom.metadata.component = Component(type=ComponentType.CONTAINER, name=printable(image), bom_ref="pruned-image")
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
                detail=" ".join((*dict.fromkeys(statement.detail for statement in group), NOT_SEEN)),
            ),
            affects=[BomTarget(ref=link) for statement in group for link in links.of_purl(statement.purl)],
        )
        for name, group in sorted(by_id.items())
    ]


def linkable(statements: Sequence[Statement], links: BomLinks) -> tuple[tuple[Statement, ...], tuple[str, ...]]:
    """The statements whose package `links` has a component of, and a note about each of the others.

    Raises `InputError` when it has none of any: it is the SBOM of another image.
    """
    found = tuple(statement for statement in statements if links.of_purl(statement.purl))
    if statements and not found:
        raise InputError(
            f"{links.name}: has no component {printable(statements[0].purl)}",
            hint="give the CycloneDX SBOM of before, scanned from the same image",
        )
    missing = sorted({statement.purl for statement in statements} - {statement.purl for statement in found})
    return found, tuple(f"{links.name}: has no component {printable(purl)}: nothing is said of it" for purl in missing)
