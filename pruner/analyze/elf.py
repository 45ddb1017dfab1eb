"""What an ELF file needs: its loader, its libraries, what it loads at run time, and what its strings name."""

from __future__ import annotations

import json
import os
import posixpath
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from msgspec import structs

from pruner.analyze import commands, literals, opened
from pruner.analyze.elfimage import ET_DYN, ET_EXEC, PT_NOTE, SHT_SYMTAB, ElfError, ElfImage, read_elf
from pruner.analyze.loader import CACHE, Library
from pruner.model import Edge, EdgeKind, File, Findings, Strength, Unknown, file_node

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pruner.analyze.view import View

COMPANION_PROGRAMS = "companion-programs"
"""What a program needs that is kept beside the one that runs, and that nothing is seen to start."""
DLOPEN_FEATURES = "dlopen-features"
"""Libraries that the file's own metadata calls recommended or suggested."""
HWCAPS = "hwcaps"
"""Builds of a library for better processors; the plain one serves all."""

_DLOPEN = frozenset({"dlopen", "dlmopen", "__libc_dlopen_mode"})
_NOTE_TYPE, _NOTE_NAME = 0x407C0C0A, b"FDO\0"
"""systemd, ELF_DLOPEN_METADATA: owner and type of the note `.note.dlopen`."""
_SYMTAB_LIMIT = 64 << 20


def edges_of_elf(file: File, data: memoryview, active: bool, view: View) -> Findings:
    """The needs of the ELF file `file`; never raises, what can't be read becomes an unknown of kind `elf`.

    Inert: its loader and DT_NEEDED, which for a program (not for a library) are optional, and the symbols of a library.
    Active: also what it loads and starts at run time, the paths that it names, and its literals for rules.
    """
    try:
        image = read_elf(data)
    except ElfError as error:
        return Findings(unknowns=(Unknown(kind="elf", subject=file.path, detail=str(error)),))
    unknowns = [Unknown(kind="elf", subject=file.path, detail=fact) for fact in image.damage]
    if image.type not in (ET_EXEC, ET_DYN):
        return Findings(unknowns=tuple(unknowns))
    found = _linked(file, image, active, view)
    unknowns += found.unknowns
    if not active:
        symbols = frozenset[str]() if image.is_program else image.imported_symbols
        return Findings(edges=found.edges, unknowns=tuple(unknowns), symbols=symbols)
    seen = literals.literals_of(image, view.tree)
    symbols = _symbols(image)
    loads = bool(symbols & _DLOPEN) or _defines_dlopen(image)
    loaded = _loaded(file, image, seen, view, loads=loads)
    edges = [*found.edges, *loaded.edges, *opened.edges_of_paths(file, seen, view, loads=loads)]
    if commands.starts_programs(symbols):
        edges += commands.edges_of_words(file, image, view)
    return Findings(
        edges=tuple(dict.fromkeys(edges)),
        unknowns=(*unknowns, *loaded.unknowns),
        symbols=symbols,
        literals=seen.paths | seen.patterns | seen.libraries,
    )


def edges_of_linked(file: File, data: memoryview, active: bool, view: View) -> Findings:
    """The loader and DT_NEEDED of the ELF file `file`, and the symbols that it imports; nothing that cannot be read."""
    try:
        image = read_elf(data)
    except ElfError:
        return Findings()
    if image.type not in (ET_EXEC, ET_DYN):
        return Findings()
    return structs.replace(_linked(file, image, active, view), symbols=image.imported_symbols)


def _linked(file: File, image: ElfImage, active: bool, view: View) -> Findings:
    """PT_INTERP and DT_NEEDED."""
    optional = image.is_program and not active
    way = _Way(strength=Strength.OPTIONAL, group=COMPANION_PROGRAMS) if optional else _Way()
    edges: list[Edge] = []
    unknowns: list[Unknown] = []
    if image.interpreter is not None and image.interpreter != file.path:
        evidence = f"PT_INTERP {image.interpreter}"
        found = view.edges_to(
            file_node(file.path),
            image.interpreter,
            EdgeKind.LOAD,
            evidence=evidence,
            strength=way.strength,
            group=way.group,
        )
        edges += found
        if not found:
            unknowns.append(Unknown(kind="needed", subject=file.path, detail=f"{evidence} does not exist"))
    for name in image.needed:
        evidence = f"DT_NEEDED {name}"
        library = view.loader.find(name, file.path, image)
        if library is None:
            library = _nearby(name, file, image, view)
            evidence += " beside it, where who loads it may look"
        if library is None:
            unknowns.append(Unknown(kind="needed", subject=file.path, detail=f"DT_NEEDED {name} is not found"))
            continue
        edges += _edges_to_library(file, library, view, evidence, way)
    return Findings(edges=tuple(edges), unknowns=tuple(unknowns))


def _nearby(name: str, file: File, image: ElfImage, view: View) -> Library | None:
    """A library that only who loads this file can find: in its own directory, or in the packages of its source."""
    directories = [posixpath.dirname(file.path)]
    owner = view.owner(file.path)
    for package in sorted(view.siblings(owner)) if owner is not None else ():
        directories += [posixpath.dirname(path) for path in view.owned(package) if posixpath.basename(path) == name]
    return view.loader.find_nearby(name, dict.fromkeys(directories), image)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """How a library is needed."""

    strength: Strength = Strength.HARD
    group: str | None = None
    default: bool = True


def _edges_to_library(file: File, library: Library, view: View, evidence: str, way: _Way) -> Iterator[Edge]:
    def edges(path: str, kind: EdgeKind, evidence: str, way: _Way) -> tuple[Edge, ...]:
        return view.edges_to(
            file_node(file.path),
            path,
            kind,
            strength=way.strength,
            evidence=evidence,
            group=way.group,
            default=way.default,
        )

    yield from edges(library.path, EdgeKind.LOAD, evidence, way)
    if library.by_cache:
        yield from edges(CACHE, EdgeKind.STATE, f"{evidence}, which only the loader's cache leads to", way)
    better = _Way(strength=Strength.OPTIONAL, group=HWCAPS, default=False)
    for variant in library.variants:
        yield from edges(variant, EdgeKind.LOAD, f"{evidence} for better processors", better)


def _loaded(file: File, image: ElfImage, seen: literals.Literals, view: View, *, loads: bool) -> Findings:
    """What the file loads at run time, by its own metadata and by the names among its literals."""
    noted = _dlopen_notes(image)
    edges: list[Edge] = []
    unknowns: list[Unknown] = []
    for names, priority, feature in noted:
        candidates = ((name, view.loader.find(name, file.path, image)) for name in names)
        name, library = next((pair for pair in candidates if pair[1] is not None), ("", None))
        strength = Strength.HARD if priority == "required" else Strength.OPTIONAL
        if library is not None:
            evidence = f"dlopen note: {name} {priority} for {feature}"
            way = _Way(strength=strength, group=DLOPEN_FEATURES, default=priority != "suggested")
            edges += _edges_to_library(file, library, view, evidence, way)
        elif strength is Strength.HARD:
            unknowns.append(Unknown(kind="needed", subject=file.path, detail=f"dlopen note: {' or '.join(names)}"))
    if not loads:
        return Findings(edges=tuple(edges), unknowns=tuple(unknowns))
    described = {name for names, _, _ in noted for name in names}
    needed = set(image.needed)
    for name in sorted(seen.libraries - described - needed):
        edges += _named_library(file, name, image, view)
    if not seen.libraries and not noted and not any(".so" in path for path in seen.paths):
        unknowns += list(opened.unknown_patterns(file, seen)) or [
            Unknown(kind="dlopen", subject=file.path, detail="loads libraries whose names it computes")
        ]
    return Findings(edges=tuple(edges), unknowns=tuple(unknowns))


def _named_library(file: File, name: str, image: ElfImage, view: View) -> Iterator[Edge]:
    """A library that a dlopen literal names: a need where the packagers declared it, an option elsewhere."""
    library = view.loader.find(name, file.path, image) or _nearby(name, file, image, view)
    if library is None or library.path == file.path:
        return
    real = view.tree.resolve(library.path).path
    evidence = f"dlopen literal {name}"
    if real is not None and opened.is_akin(file, real, view):
        yield from _edges_to_library(file, library, view, evidence, _Way())
    else:
        default = opened.is_undeclared(file, view)
        way = _Way(strength=Strength.OPTIONAL, group=opened.DLOPEN, default=default)
        yield from _edges_to_library(file, library, view, evidence, way)


def _dlopen_notes(image: ElfImage) -> tuple[tuple[tuple[str, ...], str, str], ...]:
    """Alternatives, priority and feature of each entry of the `.note.dlopen` metadata; malformed ones are left out."""
    entries: list[tuple[tuple[str, ...], str, str]] = []
    for segment in image.segments:
        raw = image.bytes_of(segment) if segment.type == PT_NOTE else b""
        if _NOTE_NAME not in raw:
            continue
        for text in _notes(raw, "<" if image.abi.little else ">"):
            try:
                described: Any = json.loads(text.rstrip(b"\0"))
            except (ValueError, RecursionError):
                continue
            entries += filter(None, map(_noted, described if isinstance(described, list) else ()))
    return tuple(entries)


def _noted(entry: Any) -> tuple[tuple[str, ...], str, str] | None:
    if not isinstance(entry, dict) or not isinstance(entry.get("soname"), list):
        return None
    names = tuple(name for name in entry["soname"] if isinstance(name, str) and name and "\0" not in name)
    priority = entry.get("priority", "recommended")
    return names, str(priority), str(entry.get("feature", entry.get("description", "a feature")))


def _notes(raw: bytes, order: str) -> Iterator[bytes]:
    """Descriptors of the dlopen notes in a note segment (gABI: name and descriptor padded to four bytes)."""
    at = 0
    while at + 12 <= len(raw):
        name, size, kind = struct.unpack_from(f"{order}III", raw, at)
        begin = at + 12 + (name + 3) // 4 * 4
        if kind == _NOTE_TYPE and raw[at + 12 : at + 12 + name] == _NOTE_NAME:
            yield raw[begin : begin + size]
        at = begin + (size + 3) // 4 * 4


def _symbols(image: ElfImage) -> frozenset[str]:
    """Imported symbols; of a program that imports nothing, the functions that were linked into it."""
    if image.dynamic and image.needed:
        return image.imported_symbols
    return image.imported_symbols | literals.go_functions(image) | _linked_in(image)


def _linked_in(image: ElfImage) -> frozenset[str]:
    table = next((section for section in image.sections if section.type == SHT_SYMTAB), None)
    if table is None or table.link >= len(image.sections) or table.bytes > _SYMTAB_LIMIT:
        return frozenset()
    names = image.bytes_of(image.sections[table.link])
    return frozenset(os.fsdecode(name) for name in names.split(b"\0") if name)


def _defines_dlopen(image: ElfImage) -> bool:
    """Whether the C library itself is at hand: it opens libgcc_s.so.1 and NSS modules without importing dlopen."""
    return b"dlopen\0" in image.strings and any(name.startswith("ld-") for name in image.needed)
