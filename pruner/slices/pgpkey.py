"""Armored OpenPGP keys: as much of RFC 4880 as tells which one public key a text holds."""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_BEGIN: Final = "-----BEGIN "
_END: Final = "-----END "
_LONGEST_LINE = 96
_ALGORITHMS: Final = frozenset({1, 2, 3, 16, 17, 18, 19})
"""RSA, Elgamal, DSA, ECDH and ECDSA; the library that chisel uses passes over keys of all others, Ed25519 too."""
_PUBLIC: Final = frozenset({6, 14})
_SECRET: Final = frozenset({5, 7})
_HAS_SECONDARY = 4


class NoKey(Exception):
    """The text holds no single public key; the argument says why, in lower case."""


def key_id(armored: str) -> str:
    """Identifier of the one public key in `armored`: 16 upper-case hexadecimal digits (RFC 4880, section 12.2).

    Raises `NoKey`: no armor, a damaged one, a secret key, no public key that chisel can use, or more than one.
    """
    found = []
    for tag, body in _packets(_dearmored(armored)):
        if tag in _SECRET:
            raise NoKey("the armor holds a secret key")
        if tag in _PUBLIC and len(body) >= 6 and body[0] == _HAS_SECONDARY and body[5] in _ALGORITHMS:
            found.append(body)
    if not found:
        raise NoKey("the armor holds no public key of an algorithm that chisel can use (RSA, DSA, ECDSA)")
    if len(found) > 1:
        raise NoKey("the armor holds more than one public key, subkeys counted")
    framed = b"\x99" + len(found[0]).to_bytes(2, "big") + found[0]
    return hashlib.sha1(framed, usedforsecurity=False).hexdigest()[-16:].upper()


def _dearmored(text: str) -> bytes:
    """The bytes inside the first block (RFC 4880, section 6.2), its checksum compared where it has one."""
    lines = iter(text.split("\n"))
    _skip_headers(lines)
    body = []
    checksum = None
    for line in lines:
        if line.startswith(_END):
            break
        if len(line) == 5 and line.startswith("="):
            checksum = _decoded(line[1:])
        elif len(line) > _LONGEST_LINE or checksum is not None:
            raise NoKey("the armor is damaged: a line too long, or after the checksum")
        else:
            body.append(line.rstrip("\r"))
    else:
        raise NoKey("the armor has no end")
    data = _decoded("".join(body))
    if checksum is not None and checksum != _crc24(data).to_bytes(3, "big"):
        raise NoKey("the armor's checksum does not fit")
    return data


def _skip_headers(lines: Iterator[str]) -> None:
    """Go on to the first line of the block's content."""
    for line in lines:
        if line.strip().startswith(_BEGIN) and len(line.strip()) > len(_BEGIN) + 5:
            break
    else:
        raise NoKey("there is no armor: no '-----BEGIN PGP PUBLIC KEY BLOCK-----'")
    for line in lines:
        if not line.strip():
            return
        if ": " not in line.strip():
            raise NoKey("no empty line after the armor's headers")


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise NoKey("the armor is damaged: not base64") from None


def _crc24(data: bytes) -> int:
    """RFC 4880, section 6.1."""
    crc = 0xB704CE
    for byte in data:
        crc ^= byte << 16
        for _ in range(8):
            crc <<= 1
            if crc & 0x1000000:
                crc ^= 0x1864CFB
    return crc & 0xFFFFFF


def _packets(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and body of each packet (RFC 4880, section 4.2)."""
    position = 0
    while position < len(data):
        first = data[position]
        if not first & 0x80:
            raise NoKey("the armor is damaged: no packet begins where one should")
        if first & 0x40:
            tag, (length, position) = first & 0x3F, _new_length(data, position + 1)
        else:
            tag = first >> 2 & 0x0F
            size = (1, 2, 4, 0)[first & 3]
            stated = int.from_bytes(data[position + 1 : position + 1 + size], "big")
            position += 1 + size
            length = stated if size else len(data) - position
        if position + length > len(data):
            raise NoKey("the armor is damaged: a packet is cut short")
        yield tag, data[position : position + length]
        position += length


def _new_length(data: bytes, position: int) -> tuple[int, int]:
    """Length of a new-format packet's body, and where it begins (RFC 4880, section 4.2.2)."""
    head = [*data[position : position + 5], 0, 0, 0, 0, 0]
    if head[0] < 192:
        return head[0], position + 1
    if head[0] < 224:
        return (head[0] - 192 << 8) + head[1] + 192, position + 2
    if head[0] == 255:
        return int.from_bytes(bytes(head[1:5]), "big"), position + 5
    raise NoKey("the armor is damaged: a key packet of partial lengths")
