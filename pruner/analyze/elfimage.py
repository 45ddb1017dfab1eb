"""Reads the parts of an ELF file that say what it needs, and no others.

Sources of the layout: System V gABI 4.1 chapters 4 and 5 (header, sections, program header, dynamic section), elf.h of
glibc, and the GNU hash table as binutils writes it.

A reader of our own, because the two kept libraries cost more than a whole plan may. `benchmarks/elf_readers.py` over
the 927 ELF files of a Debian bookworm root with nginx, two cores, medians of three; all answers of all three are equal:

    own          import  17 ms   read  201 ms
    pyelftools   import  70 ms   read 6298 ms
    lief         import 521 ms   read  198 ms

Input is hostile: every offset and count is checked against the bytes that are there. What lies beyond them is left out
and named in `ElfImage.damage`.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

MAGIC = b"\x7fELF"

ET_EXEC, ET_DYN = 2, 3
EM_S390, EM_ALPHA = 22, 0x9026
PT_LOAD, PT_DYNAMIC, PT_INTERP, PT_NOTE = 1, 2, 3, 4
PF_X = 1
SHT_PROGBITS, SHT_SYMTAB, SHT_DYNSYM = 1, 2, 11
SHF_ALLOC, SHF_EXECINSTR = 2, 4
DT_NEEDED, DT_HASH, DT_STRTAB, DT_SYMTAB, DT_STRSZ, DT_SONAME, DT_RPATH, DT_RUNPATH = 1, 4, 5, 6, 10, 14, 15, 29
DT_GNU_HASH = 0x6FFFFEF5

_NAME_LIMIT = 4096
"""PATH_MAX: no interpreter, soname or run path component that a loader accepts is longer."""
_ENTRY_LIMIT = 1 << 20
"""More program headers, sections, dynamic entries or undefined symbols than any real file has."""


class ElfError(ValueError):
    """The bytes are not an ELF file that can be read; the message is one lowercase fact."""


class Segment(NamedTuple):
    """One program header."""

    type: int
    flags: int
    offset: int
    address: int
    bytes: int


class Section(NamedTuple):
    """One section header."""

    name: str
    type: int
    flags: int
    offset: int
    bytes: int
    link: int


class Abi(NamedTuple):
    """What two ELF files must have in common for a loader to join them."""

    bits: int
    little: bool
    machine: int


class _Layout(NamedTuple):
    order: str
    header: struct.Struct
    segment: struct.Struct
    section: struct.Struct
    dynamic: struct.Struct
    symbol: struct.Struct


def _layout(order: str, *, wide: bool) -> _Layout:
    formats = ("HHIQQQIHHHHHH", "IIQQQQQQ", "IIQQQQIIQQ", "qQ", "IBBHQQ")
    if not wide:
        formats = ("HHIIIIIHHHHHH", "IIIIIIII", "IIIIIIIIII", "iI", "IIIBBH")
    return _Layout(order, *(struct.Struct(order + text) for text in formats))


_LAYOUTS = {
    (bits, little): _layout("<" if little else ">", wide=bits == 64) for bits in (32, 64) for little in (False, True)
}


def abi_of(data: memoryview) -> Abi | None:
    """Class, byte order and machine of an ELF file; None when the bytes don't start like one."""
    if len(data) < 20 or data[:4] != MAGIC or data[4] not in (1, 2) or data[5] not in (1, 2):
        return None
    little = data[5] == 1
    machine = struct.unpack_from("<H" if little else ">H", data, 18)[0]
    return Abi(32 if data[4] == 1 else 64, little, machine)


@dataclass(frozen=True, kw_only=True)
class ElfImage:
    """What one ELF file says of itself. Symbols, sections and notes are read when asked for."""

    data: memoryview
    abi: Abi
    type: int
    """`ET_EXEC`, `ET_DYN` or another `e_type`."""
    segments: tuple[Segment, ...]
    dynamic: tuple[tuple[int, int], ...]
    """Tags and values of the dynamic section."""
    strings: bytes
    """The dynamic string table."""
    interpreter: str | None
    damage: tuple[str, ...]
    """What the headers promise and the bytes don't hold, one lowercase fact each; empty for a sound file."""
    section_table: tuple[int, int, int]
    """File offset and number of the section headers and the index of the one that holds their names."""

    @property
    def needed(self) -> tuple[str, ...]:
        """DT_NEEDED names in their order."""
        return self._names(DT_NEEDED)

    @property
    def rpath(self) -> tuple[str, ...]:
        """Directories of DT_RPATH, with their `$ORIGIN` and the like unexpanded."""
        return _split(self._names(DT_RPATH))

    @property
    def runpath(self) -> tuple[str, ...]:
        """Directories of DT_RUNPATH, unexpanded."""
        return _split(self._names(DT_RUNPATH))

    @property
    def soname(self) -> str | None:
        """DT_SONAME."""
        return next(iter(self._names(DT_SONAME)), None)

    @property
    def is_program(self) -> bool:
        """An executable rather than a shared object: a loader is named and no SONAME (libc.so.6 has both)."""
        return self.type == ET_EXEC or (self.interpreter is not None and self.soname is None)

    @cached_property
    def sections(self) -> tuple[Section, ...]:
        """The section headers; empty when they were stripped or are damaged."""
        offset, count, names = self.section_table
        layout = _LAYOUTS[self.abi.bits, self.abi.little]
        size = layout.section.size
        if not offset or not count or offset + count * size > len(self.data):
            return ()
        raw = list(layout.section.iter_unpack(self.data[offset : offset + count * size]))
        table = _slice(self.data, raw[names][4], raw[names][5]) if names < len(raw) else b""
        return tuple(Section(_name(table, row[0]), row[1], row[2], row[4], row[5], row[6]) for row in raw)

    @cached_property
    def imported_symbols(self) -> frozenset[str]:
        """Names of the undefined dynamic symbols."""
        tags = dict(self.dynamic)
        start = self.offset_of(tags.get(DT_SYMTAB, 0))
        symbol = _LAYOUTS[self.abi.bits, self.abi.little].symbol
        if start is None or not tags.get(DT_SYMTAB):
            return frozenset()
        count = min(self._symbol_count(tags, start, symbol.size), (len(self.data) - start) // symbol.size)
        rows = symbol.iter_unpack(self.data[start : start + max(count, 0) * symbol.size])
        section = 3 if self.abi.bits == 64 else 5
        return frozenset(_name(self.strings, row[0]) for row in rows if row[section] == 0 and row[0])

    def offset_of(self, address: int) -> int | None:
        """File offset of a virtual address; None when no loaded segment holds it."""
        return _offset(self.segments, address)

    def section(self, *names: str) -> Section | None:
        """The first section with one of these names."""
        return next((section for section in self.sections if section.name in names), None)

    def bytes_of(self, section: Section | Segment) -> bytes:
        """The bytes of a section or segment, as far as they are there."""
        return _slice(self.data, section.offset, section.bytes)

    def _names(self, tag: int) -> tuple[str, ...]:
        found = (_name(self.strings, value) for key, value in self.dynamic if key == tag)
        return tuple(name for name in found if name)

    def _symbol_count(self, tags: dict[int, int], start: int, size: int) -> int:
        """Number of dynamic symbols; no tag states it, so: the section header, else the end that a hash table implies.

        Undefined symbols can't be told apart by their place: binutils hashes those that are only reached through the
        global offset table, behind the rest.
        """
        for section in self.sections:
            if section.type == SHT_DYNSYM:
                return section.bytes // size
        table = self.offset_of(tags[DT_GNU_HASH]) if tags.get(DT_GNU_HASH) else None
        hashed = 0 if table is None else self._gnu_hash_end(table)
        table = self.offset_of(tags[DT_HASH]) if tags.get(DT_HASH) else None
        # s390x and alpha alone use 8-byte words in DT_HASH (their processor supplements).
        wide = self.abi.bits == 64 and self.abi.machine in (EM_S390, EM_ALPHA)
        pair = struct.Struct(("<" if self.abi.little else ">") + ("QQ" if wide else "II"))
        if table is not None and table + pair.size <= len(self.data):
            return int(pair.unpack_from(self.data, table)[1])
        strings = self.offset_of(tags.get(DT_STRTAB, 0))
        # The string table lies right behind the symbols; an empty GNU hash table says 1 whatever the truth.
        return max(hashed, (strings - start) // size if strings is not None else 0)

    def _gnu_hash_end(self, table: int) -> int:
        """One more than the highest symbol index in a GNU hash table; 0 when it holds none."""
        order = "<" if self.abi.little else ">"
        if table + 16 > len(self.data):
            return 0
        buckets, first, bloom, _ = struct.unpack_from(f"{order}IIII", self.data, table)
        begin = table + 16 + bloom * self.abi.bits // 8
        chains = begin + 4 * buckets
        if buckets > _ENTRY_LIMIT or chains > len(self.data):
            return 0
        last = max(struct.unpack_from(f"{order}{buckets}I", self.data, begin), default=0)
        while last >= first > 0:
            place = chains + 4 * (last - first)
            if place + 4 > len(self.data):
                return 0
            if struct.unpack_from(f"{order}I", self.data, place)[0] & 1:
                return int(last) + 1
            last += 1
        return 0


def read_elf(data: memoryview) -> ElfImage:
    """The image of an ELF file of either class and byte order. Raises `ElfError` when its header can't be read."""
    abi = abi_of(data)
    if abi is None:
        raise ElfError("no ELF header of a known class and byte order")
    layout = _LAYOUTS[abi.bits, abi.little]
    if len(data) < 16 + layout.header.size:
        raise ElfError(f"cut within its header at {len(data)} bytes")
    header = layout.header.unpack_from(data, 16)
    damage: list[str] = []
    segments = _segments(data, layout, header[4], header[9], damage)
    sections = (header[5], header[11], header[12])
    if sections[0] + sections[1] * layout.section.size > len(data):
        damage.append(f"section headers lie beyond the end at {len(data)} bytes")
    dynamic = _dynamic(data, layout, segments)
    return ElfImage(
        data=data,
        abi=abi,
        type=header[0],
        segments=segments,
        dynamic=dynamic,
        strings=_strings(data, segments, dict(dynamic), damage),
        interpreter=_interpreter(data, segments),
        damage=tuple(damage),
        section_table=sections,
    )


def _segments(data: memoryview, layout: _Layout, offset: int, count: int, damage: list[str]) -> tuple[Segment, ...]:
    size = layout.segment.size
    present = max(min(count, (len(data) - offset) // size), 0)
    if present < count:
        damage.append(f"program headers lie beyond the end at {len(data)} bytes")
    rows = layout.segment.iter_unpack(data[offset : offset + present * size])
    if layout.segment.format.endswith("QQQQQQ"):
        segments = tuple(Segment(row[0], row[1], row[2], row[3], row[5]) for row in rows)
    else:
        segments = tuple(Segment(row[0], row[6], row[1], row[2], row[4]) for row in rows)
    if any(segment.type == PT_LOAD and segment.offset + segment.bytes > len(data) for segment in segments):
        damage.append(f"a loaded segment lies beyond the end at {len(data)} bytes")
    return segments


def _dynamic(data: memoryview, layout: _Layout, segments: tuple[Segment, ...]) -> tuple[tuple[int, int], ...]:
    segment = next((segment for segment in segments if segment.type == PT_DYNAMIC), None)
    if segment is None:
        return ()
    raw = _slice(data, segment.offset, segment.bytes)
    entries: list[tuple[int, int]] = []
    for tag, value in layout.dynamic.iter_unpack(raw[: len(raw) - len(raw) % layout.dynamic.size]):
        if tag == 0 or len(entries) == _ENTRY_LIMIT:
            break
        entries.append((tag, value))
    return tuple(entries)


def _strings(data: memoryview, segments: tuple[Segment, ...], tags: dict[int, int], damage: list[str]) -> bytes:
    if DT_STRTAB not in tags:
        return b""
    offset = _offset(segments, tags[DT_STRTAB])
    strings = b"" if offset is None else _slice(data, offset, tags.get(DT_STRSZ, 0))
    if len(strings) < tags.get(DT_STRSZ, 0):
        damage.append("the dynamic string table lies beyond the end")
    return strings


def _interpreter(data: memoryview, segments: tuple[Segment, ...]) -> str | None:
    for segment in segments:
        if segment.type == PT_INTERP:
            return _name(_slice(data, segment.offset, min(segment.bytes, _NAME_LIMIT)), 0) or None
    return None


def _offset(segments: tuple[Segment, ...], address: int) -> int | None:
    for segment in segments:
        if segment.type == PT_LOAD and segment.address <= address < segment.address + segment.bytes:
            return segment.offset + address - segment.address
    return None


def _slice(data: memoryview, offset: int, size: int) -> bytes:
    return bytes(data[offset : offset + size])


def _name(table: bytes, offset: int) -> str:
    """The NUL-terminated name at `offset`; empty when it is outside, unterminated or longer than a path may be."""
    end = table.find(b"\0", offset, offset + _NAME_LIMIT)
    return os.fsdecode(table[offset:end]) if end > offset else ""


def _split(paths: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(part for path in paths for part in path.split(":") if part)
