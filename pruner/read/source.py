"""Opening an input: a file or standard input, plain or compressed, never more than a limit of it."""

from __future__ import annotations

import bz2
import io
import lzma
import sys
import zlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from pruner.errors import InputError, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAX_BYTES = 256 * 1024 * 1024
"""Decompressed size in bytes beyond which an input is refused; the SBOM of a 110,000-file image has 62 MB."""

_CHUNK = 1 << 20
_MAX_WINDOW = 1 << 27
"""Window in bytes that a zstd frame may ask for; what `zstd -d` allows by default (zstd(1), --memory)."""

_MAX_MEMORY = 1 << 28
"""Bytes that an xz stream may ask for; `xz -9` takes 65 MiB to decompress (xz(1))."""

_ZSTD_PIECE = 1 << 10
"""Bytes; a block of 4 bytes can stand for 128 KiB, so a piece for 32 MiB."""


class _DamagedError(Exception):
    """Compressed data that its decoder refuses."""


_DAMAGE = (zlib.error, lzma.LZMAError, EOFError, ValueError, _DamagedError)


@dataclass(frozen=True, slots=True)
class Input:
    """An input read in full."""

    name: str
    """What the user gave, safe to print, for messages."""
    data: bytes
    """Decompressed."""


def read_input(location: str, *, limit: int = MAX_BYTES) -> Input:
    """All bytes of the file at `location`, or of standard input for `-`; gzip, zstd, xz and bzip2 by their magic.

    Raises `InputError` when it can't be read, is damaged, or holds more than `limit` bytes once decompressed.
    """
    name = "standard input" if location == "-" else printable(location)
    try:
        if location == "-":
            return Input(name, _decompressed(sys.stdin.buffer, name, limit))
        with Path(location).open("rb") as stream:
            return Input(name, _decompressed(stream, name, limit))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InputError(
            f"{name}: {reason}", hint="give the path of a readable file, or - for standard input"
        ) from None
    except ValueError as error:  # a NUL in the name
        raise InputError(f"{name}: {error}", hint="give the path of a readable file") from None


def beginning_of(path: Path, size: int) -> bytes:
    """The first `size` bytes of the file at `path`, decompressed as `read_input` does it; fewer where it is damaged.

    Raises `OSError`.
    """
    found = b""
    with path.open("rb") as stream, suppress(*_DAMAGE):
        for chunk in _decompressed_chunks(stream):
            found += chunk
            if len(found) >= size:
                break
    return found[:size]


def decompressed(data: bytes, name: str, *, limit: int = MAX_BYTES) -> bytes:
    """`data` decompressed by its magic, or `data` itself; raises as `read_input` does."""
    return _decompressed(io.BytesIO(data), name, limit)


def _decompressed(stream: BinaryIO, name: str, limit: int) -> bytes:
    try:
        return _joined(_decompressed_chunks(stream), name, limit)
    except _DAMAGE as error:
        raise InputError(f"{name}: damaged compressed data ({error})", hint="fetch or write the file anew") from None


def _decompressed_chunks(stream: BinaryIO) -> Iterator[bytes]:
    start = stream.read(8)
    for magic, decompress in _FORMATS.items():
        if start.startswith(magic):
            return decompress(_chunks(stream, start))
    return _chunks(stream, start)


def _joined(chunks: Iterator[bytes], name: str, limit: int) -> bytes:
    data = io.BytesIO()  # its value is not copied once more: a large input is held once
    for chunk in chunks:
        data.write(chunk)
        if data.tell() > limit:
            raise InputError(
                f"{name}: holds more than {limit >> 20} MiB",
                hint="such an input is refused, since it may be a decompression bomb",
            )
    return data.getvalue()


def _chunks(stream: BinaryIO, start: bytes) -> Iterator[bytes]:
    yield start
    while chunk := stream.read(_CHUNK):
        yield chunk


def _gunzipped(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Every member one after the other, as gzip(1) does it; APKINDEX.tar.gz has two (RFC 1952, section 2.2)."""
    decoder = zlib.decompressobj(wbits=31)
    for chunk in chunks:
        pending = chunk
        while pending:
            if decoder.eof:
                pending = pending.lstrip(b"\0")
                if not pending:
                    break
                decoder = zlib.decompressobj(wbits=31)
            yield decoder.decompress(pending, _CHUNK)
            pending = decoder.unconsumed_tail or decoder.unused_data
    if not decoder.eof:
        raise EOFError("it ends early")


def _members(
    chunks: Iterator[bytes], new: Callable[[], lzma.LZMADecompressor | bz2.BZ2Decompressor]
) -> Iterator[bytes]:
    decoder = new()
    for chunk in chunks:
        pending = chunk
        while pending or not (decoder.needs_input or decoder.eof):
            if decoder.eof:
                decoder = new()
            try:
                yield decoder.decompress(pending, _CHUNK)
            except OSError as error:  # what bzip2's decoder raises
                raise _DamagedError(str(error)) from error
            pending = decoder.unused_data if decoder.eof else b""
    if not decoder.eof:
        raise EOFError("it ends early")


def _unxz(chunks: Iterator[bytes]) -> Iterator[bytes]:
    return _members(chunks, lambda: lzma.LZMADecompressor(memlimit=_MAX_MEMORY))


def _bunzipped(chunks: Iterator[bytes]) -> Iterator[bytes]:
    return _members(chunks, bz2.BZ2Decompressor)


def _unzstd(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Frame after frame (RFC 8878). Its objects can't bound their output, so they are fed little at a time."""
    import zstandard

    decompressor = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW)
    frame = decompressor.decompressobj()
    try:
        for chunk in chunks:
            for start in range(0, len(chunk), _ZSTD_PIECE):
                pending = chunk[start : start + _ZSTD_PIECE]
                while pending:
                    if frame.eof:
                        frame = decompressor.decompressobj()
                    yield frame.decompress(pending)
                    pending = frame.unused_data if frame.eof else b""
    except zstandard.ZstdError as error:
        raise _DamagedError(str(error)) from error
    if not frame.eof:
        raise EOFError("it ends early")


_FORMATS: dict[bytes, Callable[[Iterator[bytes]], Iterator[bytes]]] = {
    b"\x1f\x8b": _gunzipped,
    b"\x28\xb5\x2f\xfd": _unzstd,
    b"\xfd7zXZ\x00": _unxz,
    b"BZh": _bunzipped,
}
