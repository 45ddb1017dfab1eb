"""Pieces of open files: read where headers are parsed, mapped where contents are used."""

from __future__ import annotations

import mmap
import os
from typing import TYPE_CHECKING

from pruner.errors import EnvironmentFault, InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CHUNK = 1 << 20
"""Bytes that are copied at a time."""

_MAPPED_FROM = 65536
"""Bytes from which mapping is cheaper than copying; also keeps the number of mappings low."""


class _Descriptor:
    """An open file that is closed with the last region of it."""

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        self.number = number

    def __del__(self, close: Callable[[int], None] = os.close) -> None:  # bound early: modules go first at exit
        close(self.number)


class Region:
    """A piece of an open file: `size` bytes from `start`.

    Headers are read and contents are mapped piece by piece, never the whole: what is mapped counts as memory in use.
    """

    __slots__ = ("_file", "_start", "size")

    def __init__(self, file: _Descriptor, start: int, size: int) -> None:
        self._file = file
        self._start = start
        self.size = size

    @classmethod
    def of_descriptor(cls, descriptor: int) -> Region:
        """All of the open file, which now belongs to the region."""
        return cls(_Descriptor(descriptor), 0, os.fstat(descriptor).st_size)

    def part(self, start: int, size: int) -> Region:
        """`size` bytes from `start` of this region, cut off at its end."""
        start = min(start, self.size)
        return Region(self._file, self._start + start, min(size, self.size - start))

    def read(self, start: int, size: int) -> bytes:
        """Copy up to `size` bytes from `start`; fewer at the end of the region only."""
        size = min(size, self.size - start)
        pieces = []
        while size > 0 and (piece := os.pread(self._file.number, size, self._start + start)):
            pieces.append(piece)
            start += len(piece)
            size -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def chunks(self) -> Iterator[bytes]:
        """All bytes, 1 MiB at a time."""
        for start in range(0, self.size, CHUNK):
            yield self.read(start, CHUNK)

    def view(self) -> memoryview:
        """All bytes, read-only; mapped where they are many, and then independent of the region's life."""
        if self.size < _MAPPED_FROM:
            return memoryview(self.read(0, self.size))
        aligned = self._start // mmap.ALLOCATIONGRANULARITY * mmap.ALLOCATIONGRANULARITY
        before = self._start - aligned
        mapping = mmap.mmap(self._file.number, before + self.size, prot=mmap.PROT_READ, offset=aligned)
        return memoryview(mapping)[before:]


class Window:
    """A read-only binary file over a region.

    A single read is limited, since all that is read through it are headers and compressed chunks: a header that
    claims gigabytes is an attack.
    """

    LIMIT = 16 << 20

    def __init__(self, data: Region, name: str) -> None:
        self._data = data
        self._position = 0
        self.name = name

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes; raises `InputError` where all or too much is asked for."""
        if not 0 <= size <= self.LIMIT:
            raise InputError(f"{self.name}: a header claims {size} bytes", hint="the archive is damaged or hostile")
        piece = self._data.read(self._position, size)
        self._position += len(piece)
        return piece

    def seek(self, position: int, whence: int = os.SEEK_SET) -> int:
        """Move to `position`, which may lie beyond the end but not before the start."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._data.size}[whence]
        if base + position < 0:
            raise InputError(f"{self.name}: a header points before the start", hint="the archive is damaged or hostile")
        self._position = base + position
        return self._position

    def tell(self) -> int:
        """The position in bytes."""
        return self._position


def fault(error: OSError, what: str) -> InputError | EnvironmentFault:
    """What to raise for an error of the operating system about `what`."""
    reason = (error.strerror or str(error)).lower()
    if isinstance(error, PermissionError):
        return EnvironmentFault(f"{what}: {reason}", hint="run as the owner of the files, or give the root as a tar")
    return InputError(f"{what}: {reason}")
