"""What tells one SBOM, and the image that it was made of, from all others; an inventory does not hold it."""

from __future__ import annotations

import re

import msgspec

_SERIAL = re.compile(rb"""serialNumber=["']([^"'<>]{1,200})["']""")
_VERSION = re.compile(rb"""<(?:\w+:)?bom\b[^>]*\sversion=["'](\d+)["']""")


class _ImageMetadata(msgspec.Struct):
    digest: str = msgspec.field(default="", name="manifestDigest")
    identity: str = msgspec.field(default="", name="imageID")


class _Source(msgspec.Struct):
    metadata: msgspec.Raw = msgspec.Raw()


class _Identity(msgspec.Struct):
    serial: str = msgspec.field(default="", name="serialNumber")
    version: int = 0
    namespace: str = msgspec.field(default="", name="documentNamespace")
    source: _Source | None = None


def identity_of(data: bytes) -> dict[str, str]:
    """`serial` and `version` of a document, `digest` (manifest) and `image` (ID) of what Syft scanned.

    An SPDX document has its namespace for a serial. What is not stated is left out; so is all of a damaged document.
    """
    head = data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    if head.startswith(b"<"):
        serial, version = _SERIAL.search(head), _VERSION.search(head)
        found = {"serial": serial[1].decode("utf-8", "replace") if serial else "",
                 "version": version[1].decode() if version else ""}  # fmt: skip
        return {key: value for key, value in found.items() if value}
    try:
        stated = msgspec.json.decode(data.removeprefix(b"\xef\xbb\xbf"), type=_Identity)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}  # the format's own reader says what is wrong
    found = {"serial": stated.serial or stated.namespace, "version": str(stated.version or "")}
    if stated.source is not None:
        try:
            image = msgspec.json.decode(stated.source.metadata, type=_ImageMetadata)
            found |= {"digest": image.digest, "image": image.identity}
        except (msgspec.DecodeError, UnicodeDecodeError):
            pass
    return {key: value for key, value in found.items() if value}
