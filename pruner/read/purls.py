"""Package URLs, parsed and never compared as text."""

from __future__ import annotations

from packageurl import PackageURL


def parsed_purl(text: str) -> PackageURL | None:
    """The purl, or None where `text` is none."""
    if not text:
        return None
    try:
        return PackageURL.from_string(text)
    except ValueError:
        return None


def full_version(purl: PackageURL) -> str:
    """The version with the epoch that is a qualifier (purl-spec, rpm; Trivy writes Debian's so, too)."""
    version, epoch = purl.version or "", str(dict(purl.qualifiers or {}).get("epoch", ""))
    return f"{epoch}:{version}" if version and epoch else version


def plain_purl(text: str) -> str:
    """The purl without qualifiers but the architecture: tools state others of one package in ways of their own."""
    purl = parsed_purl(text)
    if purl is None:
        return text
    kept = {name: value for name, value in dict(purl.qualifiers or {}).items() if name == "arch"}
    return str(PackageURL(purl.type, purl.namespace, purl.name, purl.version, kept))
