"""BOM-Links to the components of a CycloneDX document (https://cyclonedx.org/capabilities/bomlink/)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec

from pruner.errors import InputError
from pruner.read.fields import decoded
from pruner.read.nested import flat
from pruner.read.purls import parsed_purl, plain_purl
from pruner.read.source import read_input

if TYPE_CHECKING:
    from collections.abc import Mapping

_SERIAL = re.compile(r"urn:uuid:([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class BomLinks:
    """How other documents refer to the components of one."""

    name: str
    """Of the document's file, safe to print."""
    base: str
    """`urn:cdx:SERIAL/VERSION`."""
    references: Mapping[str, tuple[str, ...]]
    """`bom-ref`s by canonical purl, sorted; also by the purl without qualifiers other than the architecture."""

    def of_purl(self, purl: str) -> tuple[str, ...]:
        """The links to the components with that purl; else to those whose other qualifiers alone differ."""
        found = self.references.get(purl) or self.references.get(plain_purl(purl), ())
        return tuple(f"{self.base}#{quote(reference, safe='')}" for reference in found)


class _Component(msgspec.Struct):
    reference: str = msgspec.field(default="", name="bom-ref")
    purl: str = ""
    components: list[_Component] | None = None


class _Document(msgspec.Struct):
    format: str = msgspec.field(default="", name="bomFormat")
    serial: str = msgspec.field(default="", name="serialNumber")
    version: int = 1
    components: list[_Component] | None = None


_DOCUMENT = msgspec.json.Decoder(_Document)


def bom_links(location: str) -> BomLinks:
    """The links into the CycloneDX JSON document at `location`.

    Raises `InputError` for another kind of document, and for one without a serial number, which nothing can link to.
    """
    source = read_input(location)
    if source.data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        raise InputError(f"{source.name}: XML, and links are made to CycloneDX JSON", hint=_HINT)
    document = decoded(_DOCUMENT, source.data.removeprefix(b"\xef\xbb\xbf"), source.name)
    if document.format != "CycloneDX":
        raise InputError(f"{source.name}: not a CycloneDX document, so nothing can link to its components", hint=_HINT)
    serial = _SERIAL.match(document.serial)
    if serial is None:
        raise InputError(f"{source.name}: has no serial number, so nothing can link to its components", hint=_HINT)
    references: dict[str, set[str]] = {}
    for component in flat(document.components or ()):
        purl = parsed_purl(component.purl)
        if purl is not None and component.reference:
            for known in {str(purl), plain_purl(str(purl))}:
                references.setdefault(known, set()).add(component.reference)
    return BomLinks(
        name=source.name,
        base=f"urn:cdx:{serial[1].lower()}/{document.version}",
        references={purl: tuple(sorted(found)) for purl, found in sorted(references.items())},
    )


_HINT = "`syft SOURCE -o cyclonedx-json` writes one; or choose --format openvex"
