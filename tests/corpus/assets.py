"""Files that smoke tests and set-up steps need and that are shorter to make than to store."""

from __future__ import annotations

import struct
import zlib


def png(width: int, height: int) -> bytes:
    """A `width` by `height` pixels RGB picture in PNG, a colour gradient: PNG specification, section 11.2."""
    rows = b"".join(
        b"\0" + bytes(channel for x in range(width) for channel in (x * 255 // width, y * 255 // height, 96))
        for y in range(height)
    )
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(rows)) + _chunk(b"IEND", b"")


def png_size(data: bytes) -> tuple[int, int]:
    """Width and height in pixels that a PNG's header states. Raises `ValueError` for anything else."""
    if data[:8] != b"\x89PNG\r\n\x1a\n":
        raise ValueError(f"not a png: {data[:40]!r}")
    width, height = struct.unpack(">II", data[16:24])
    return int(width), int(height)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
