"""Telling the formats of SBOMs apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from pruner.errors import InputError, printable
from pruner.read.fields import decoded, present

if TYPE_CHECKING:
    from pruner.model import Inventory
    from pruner.read.source import Input

_ACCEPTED = (
    "accepted are syft-json, CycloneDX (JSON, XML) and SPDX 2.3 JSON; `syft SOURCE -o syft-json` writes the first"
)


class _Probe(msgspec.Struct):
    """Top-level keys that tell the formats apart."""

    artifacts: msgspec.Raw = msgspec.Raw()
    schema: Any = None
    format: Any = msgspec.field(default=None, name="bomFormat")
    spdx: Any = msgspec.field(default=None, name="spdxVersion")
    context: Any = msgspec.field(default=None, name="@context")


TAG_VALUE = b"SPDXVersion:"
"""How an SPDX document begins that is no JSON (SPDX 2.3, 6.1)."""
_CONVERT = "`syft SOURCE -o spdx-json@2.3` writes what is read, and `syft convert` makes it of most documents"
_PROBE = msgspec.json.Decoder(_Probe)


def inventory_of(source: Input) -> Inventory:
    """The inventory of `source` in whichever format it is. Raises `InputError`."""
    start = source.data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    if not start:
        raise InputError(f"{source.name}: empty", hint=_ACCEPTED)
    if start.startswith(TAG_VALUE):
        raise InputError(f"{source.name}: SPDX in tag-value form is not read", hint=_CONVERT)
    inventory = _xml(source) if start.startswith(b"<") else _json(source)
    if not inventory.packages:
        raise InputError(
            f"{source.name}: lists no installed packages",
            hint="scan a root filesystem or an image; "
            + ("; ".join(inventory.lacks) or "nothing in it was recognised"),
        )
    return inventory


def _xml(source: Input) -> Inventory:
    from pruner.read.cyclonedx import read_cyclonedx_xml

    return read_cyclonedx_xml(source.data, source.name)


def _json(source: Input) -> Inventory:
    data = source.data.removeprefix(b"\xef\xbb\xbf")
    probe = decoded(_PROBE, data, source.name)
    if probe.format == "CycloneDX":
        from pruner.read.cyclonedx import read_cyclonedx_json

        return read_cyclonedx_json(data, source.name)
    if isinstance(probe.spdx, str):
        from pruner.read.spdx import read_spdx

        return read_spdx(data, source.name, probe.spdx)
    if isinstance(probe.context, str) and "spdx.org/rdf/3" in probe.context:
        raise InputError(f"{source.name}: SPDX 3 is not read", hint=_CONVERT)
    version = probe.schema.get("version") if isinstance(probe.schema, dict) else None
    if not present(probe.artifacts) or not isinstance(version, str):
        raise InputError(f"{source.name}: JSON, but not an SBOM", hint=_ACCEPTED)
    from pruner.read.syft import read_syft

    return read_syft(data, source.name, printable(version))
