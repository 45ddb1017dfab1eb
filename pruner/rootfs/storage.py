"""Bytes of archives: mapped files, and the one decompression pass of what is compressed."""

from __future__ import annotations

import errno
import gzip
import lzma
import mmap
import os
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from typing import BinaryIO

from pruner.errors import EnvironmentFault, InputError

_CHUNK = 1 << 20
_MAGICS = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"\xfd7zXZ\x00": "xz"}
_SKIPPABLE = {bytes([low, 0x2A, 0x4D, 0x18]) for low in range(0x50, 0x60)}
"""First bytes of a zstd stream that begins with a skippable frame; RFC 8878 section 3.1.2."""

_FREE_BYTES = 8 << 30
_LARGEST_RATIO = 200
"""More than `_FREE_BYTES` may not come out of a stream that grows beyond this ratio: real root filesystems compress
below 10, a decompression bomb beyond 1000."""


class Window:
    """A read-only binary file over a piece of memory; copies only what is read.

    A single read is limited, since all that is read through it are headers and compressed chunks: a header that
    claims gigabytes is an attack.
    """

    LIMIT = 16 << 20

    def __init__(self, data: memoryview, name: str) -> None:
        self._data = data
        self._position = 0
        self.name = name

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes; raises `InputError` where all or too much is asked for."""
        if not 0 <= size <= self.LIMIT:
            raise InputError(f"{self.name}: a header claims {size} bytes", hint="the archive is damaged or hostile")
        start = self._position
        piece = bytes(self._data[start : start + size])
        self._position = start + len(piece)
        return piece

    def seek(self, position: int, whence: int = os.SEEK_SET) -> int:
        """Move to `position`, which may lie beyond the end but not before the start."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: len(self._data)}[whence]
        if base + position < 0:
            raise InputError(f"{self.name}: a header points before the start", hint="the archive is damaged or hostile")
        self._position = base + position
        return self._position

    def tell(self) -> int:
        """The position in bytes."""
        return self._position


class Storage:
    """Owns the mapped files and temporary files behind a root; nothing of it has a name on disk."""

    def __init__(self) -> None:
        self._maps: list[mmap.mmap] = []

    def mapped(self, file: BinaryIO) -> memoryview:
        """The bytes of `file`, mapped; the file may be closed afterwards."""
        if os.fstat(file.fileno()).st_size == 0:
            return memoryview(b"")
        mapping = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
        self._maps.append(mapping)
        return memoryview(mapping)

    def uncompressed(self, data: memoryview, name: str) -> memoryview:
        """`data` itself, or what it decompresses to where it begins like gzip, zstd or xz.

        Raises `InputError` (beginning with `name`) for a damaged or truncated stream, or one that expands without
        measure, and `EnvironmentFault` where the temporary directory has no room.
        """
        kind = _compression(data)
        if kind is None:
            return data
        try:
            with tempfile.TemporaryFile() as file:
                _write_all(file, _DECOMPRESSORS[kind](data, name), _FREE_BYTES + _LARGEST_RATIO * len(data), name)
                return self.mapped(file)
        except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile) as error:
            raise InputError(f"{name}: damaged or truncated {kind} data: {error}".lower()) from None
        except OSError as error:
            if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
                hint = "point TMPDIR to a directory with room for the decompressed layers"
                raise EnvironmentFault(f"{tempfile.gettempdir()}: no space left", hint=hint) from None
            raise

    def close(self) -> None:
        """Release the mappings; those that are still in use elsewhere go with their last user."""
        for mapping in self._maps:
            with suppress(BufferError):
                mapping.close()
        self._maps.clear()


def _compression(data: memoryview) -> str | None:
    start = bytes(data[:6])
    if start[:4] in _SKIPPABLE:
        return "zstd"
    return next((kind for magic, kind in _MAGICS.items() if start.startswith(magic)), None)


def _write_all(file: BinaryIO, chunks: Iterator[bytes], limit: int, name: str) -> None:
    written = 0
    for chunk in chunks:
        written += len(chunk)
        if written > limit:
            raise InputError(f"{name}: expands to more than {limit} bytes", hint="this looks like a decompression bomb")
        file.write(chunk)
    file.flush()


def _gzip_chunks(data: memoryview, name: str) -> Iterator[bytes]:
    with gzip.GzipFile(fileobj=Window(data, name), mode="rb") as stream:
        while chunk := stream.read(_CHUNK):
            yield chunk


def _xz_chunks(data: memoryview, name: str) -> Iterator[bytes]:
    with lzma.open(Window(data, name), "rb") as stream:  # type: ignore[call-overload]
        while chunk := stream.read(_CHUNK):
            yield chunk


def _zstd_chunks(data: memoryview, name: str) -> Iterator[bytes]:
    """Frame after frame: the library's stream reader ends a truncated frame without a word, its objects know."""
    import zstandard

    position = 0
    while position < len(data):
        frame = zstandard.ZstdDecompressor(max_window_size=1 << 31).decompressobj()
        while not frame.eof:
            piece = data[position : position + _CHUNK]
            if not piece:
                raise InputError(f"{name}: damaged or truncated zstd data")
            position += len(piece)
            try:
                yield frame.decompress(piece)
            except zstandard.ZstdError as error:
                raise InputError(f"{name}: damaged or truncated zstd data: {error}") from None
        position -= len(frame.unused_data)


_DECOMPRESSORS = {"gzip": _gzip_chunks, "zstd": _zstd_chunks, "xz": _xz_chunks}
