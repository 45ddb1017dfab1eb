"""The parts of an `.apk` of format 2: gzip members one after the other (apk-tools, doc/apk-package.5 and APKv2).

First the signatures, then the control files, both tars that are cut before their end blocks, then the data. The control
member's SHA-1 is what indexes and the installed database call the package's checksum (`Q1…`); the control's `datahash`
is the SHA-256 of the data members.
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pruner.errors import InputError

if TYPE_CHECKING:
    from pruner.rootfs.region import Region

_CHUNK = 1 << 16
_DAMAGED = "the package is truncated or damaged; fetch it anew"
_LARGEST_HEAD = 16 << 20
"""Bytes that signatures and control files may hold; the largest of Alpine 3.19 has a few hundred KB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApkParts:
    """Where the parts lie, compressed."""

    control: Region
    data: Region
    checksum: str
    """`Q1` and the base64 of the control member's SHA-1."""


def parts_of_apk(data: Region, name: str) -> ApkParts:
    """The parts of the `.apk` in `data`, called `name` in messages. Raises `InputError` for what is none."""
    if data.read(0, 2) != b"\x1f\x8b":
        raise InputError(f"{name}: not an Alpine package", hint="packages of apk-tools 3 are not read")
    position = 0
    while True:
        start, (position, head) = position, _member(data, position, name)
        if head.startswith(b".PKGINFO\0"):
            break
        if not head.startswith(b".SIGN.") or position >= data.size:
            raise InputError(f"{name}: has no control files", hint=_DAMAGED)
    control = data.part(start, position - start)
    digest = hashlib.sha1(control.read(0, control.size), usedforsecurity=False).digest()
    return ApkParts(
        control=control,
        data=data.part(position, data.size - position),
        checksum="Q1" + base64.b64encode(digest).decode("ascii"),
    )


def _member(data: Region, start: int, name: str) -> tuple[int, bytes]:
    """Where the gzip member at `start` ends, and the first bytes of what it holds."""
    decoder, position, head, size = zlib.decompressobj(wbits=31), start, b"", 0
    while not decoder.eof:
        chunk = decoder.unconsumed_tail or data.read(position, _CHUNK)
        if not chunk:
            raise InputError(f"{name}: truncated at byte {data.size}", hint=_DAMAGED)
        position += 0 if decoder.unconsumed_tail else len(chunk)
        try:
            piece = decoder.decompress(chunk, _CHUNK)
        except zlib.error as error:
            raise InputError(f"{name}: damaged gzip data: {error}", hint=_DAMAGED) from None
        head, size = head or piece, size + len(piece)
        if size > _LARGEST_HEAD:
            raise InputError(f"{name}: its control files have more than {_LARGEST_HEAD} bytes", hint=_DAMAGED)
    return position - len(decoder.unused_data), head
