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
