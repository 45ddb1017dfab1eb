"""The one decompression pass of what is compressed."""

from __future__ import annotations

import errno
import gzip
import lzma
import os
import tempfile
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

from pruner.errors import EnvironmentFault, InputError
from pruner.rootfs.region import CHUNK, Region, Window

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAGICS = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"\xfd7zXZ\x00": "xz"}
_SKIPPABLE = {bytes([low, 0x2A, 0x4D, 0x18]) for low in range(0x50, 0x60)}
"""First bytes of a zstd stream that begins with a skippable frame; RFC 8878 section 3.1.2."""

_FREE_BYTES = 8 << 30
_LARGEST_RATIO = 200
"""More than `_FREE_BYTES` may not come out of a stream that grows beyond this ratio: real root filesystems compress
below 10, a decompression bomb beyond 1000."""


def uncompressed(data: Region, name: str) -> Region:
    """`data` itself, or what it decompresses to where it begins like gzip, zstd or xz.

    What is decompressed goes once into a temporary file without a name. Raises `InputError` (beginning with `name`)
    for a damaged or truncated stream, or one that expands without measure, and `EnvironmentFault` where the temporary
    directory has no room.
    """
    if _compression(data) is None:
        return data
    with spool() as file:
        append_uncompressed(file, data, name)
        return Region.of_descriptor(os.dup(file.fileno()))


def append_uncompressed(file: BinaryIO, data: Region, name: str) -> tuple[int, int]:
    """Write what `data` holds, decompressed where it begins like gzip, zstd or xz, to the end of `file`.

    Returns where it begins and its size in bytes; raises as `uncompressed` does.
    """
    kind = _compression(data)
    start = file.seek(0, os.SEEK_END)
    chunks = data.chunks() if kind is None else _DECOMPRESSORS[kind](data, name)
    try:
        return start, _write_all(file, chunks, _FREE_BYTES + _LARGEST_RATIO * data.size, name)
    except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile) as error:
        raise InputError(f"{name}: damaged or truncated {kind} data: {str(error).lower()}") from None
    except OSError as error:
        raise _no_room(error) from None


@contextmanager
def spool() -> Iterator[BinaryIO]:
    """A temporary file without a name. Raises `EnvironmentFault` where the temporary directory has no room."""
    try:
        file = tempfile.TemporaryFile()  # noqa: SIM115 - errors of the block are not those of opening
    except OSError as error:
        raise _no_room(error) from None
    with file:
        yield file


def _no_room(error: OSError) -> Exception:
    if error.errno not in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return error
    hint = "point TMPDIR to a directory with room for the decompressed layers"
    return EnvironmentFault(f"{tempfile.gettempdir()}: no space left", hint=hint)


def _compression(data: Region) -> str | None:
    start = data.read(0, 6)
    if start[:4] in _SKIPPABLE:
        return "zstd"
    return next((kind for magic, kind in _MAGICS.items() if start.startswith(magic)), None)


def _write_all(file: BinaryIO, chunks: Iterator[bytes], limit: int, name: str) -> int:
    written = 0
    for chunk in chunks:
        written += len(chunk)
        if written > limit:
            raise InputError(f"{name}: expands to more than {limit} bytes", hint="this looks like a decompression bomb")
        file.write(chunk)
    file.flush()
    return written


def _gzip_chunks(data: Region, name: str) -> Iterator[bytes]:
    with gzip.GzipFile(fileobj=Window(data, name), mode="rb") as stream:
        while chunk := stream.read(CHUNK):
            yield chunk


def _xz_chunks(data: Region, name: str) -> Iterator[bytes]:
    with lzma.open(Window(data, name), "rb") as stream:  # type: ignore[call-overload]
        while chunk := stream.read(CHUNK):
            yield chunk


def _zstd_chunks(data: Region, name: str) -> Iterator[bytes]:
    """Frame after frame: the library's stream reader ends a truncated frame without a word, its objects know."""
    import zstandard

    position = 0
    while position < data.size:
        frame = zstandard.ZstdDecompressor(max_window_size=1 << 31).decompressobj()
        while not frame.eof:
            piece = data.read(position, CHUNK)
            if not piece:
                raise InputError(f"{name}: damaged or truncated zstd data")
            position += len(piece)
            try:
                yield frame.decompress(piece)
            except zstandard.ZstdError as error:
                raise InputError(f"{name}: damaged or truncated zstd data: {error}") from None
        position -= len(frame.unused_data)


_DECOMPRESSORS = {"gzip": _gzip_chunks, "zstd": _zstd_chunks, "xz": _xz_chunks}
