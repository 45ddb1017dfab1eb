"""Makes small ELF files of any class, byte order and machine, and roots that hold them."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

from pruner.analyze.view import View
from pruner.errors import InputError
from pruner.model import File, FileType, Inventory, Package, PackageId
from pruner.rootfs.tree import Tree


def make_elf(
    *,
    bits: int = 64,
    little: bool = True,
    machine: int = 62,
    elf_type: int = 3,
    needed: Sequence[str] = (),
    rpath: str | None = None,
    runpath: str | None = None,
    soname: str | None = None,
    interpreter: str | None = None,
    imports: Sequence[str] = (),
    constants: bytes = b"",
) -> bytes:
    """An ELF file without section headers: one loaded, not executable segment with everything in it."""
    order = "<" if little else ">"
    strings = bytearray(b"\0")

    def string(text: str) -> int:
        strings.extend(text.encode() + b"\0")
        return len(strings) - len(text) - 1

    entries = [(1, string(name)) for name in needed]
    entries += [(tag, string(text)) for tag, text in ((15, rpath), (29, runpath), (14, soname)) if text is not None]
    names = [string(name) for name in imports]
    word, head, phdr = (8, 64, 56) if bits == 64 else (4, 52, 32)
    symbol_bytes = 24 if bits == 64 else 16
    interp = b"" if interpreter is None else interpreter.encode() + b"\0"
    number = 2 + bool(interp)
    at_interp = head + number * phdr
    at_strings = at_interp + len(interp)
    at_symbols = at_strings + len(strings)
    symbols = b"".join(
        struct.pack(f"{order}IBBHQQ", name, 16, 0, 0, 0, 0)
        if bits == 64
        else struct.pack(f"{order}IIIBBH", name, 0, 0, 16, 0, 0)
        for name in (0, *names)
    )
    hash_word = "Q" if bits == 64 and machine == 22 else "I"
    at_hash = at_symbols + len(symbols)
    hashes = struct.pack(f"{order}2{hash_word}", 0, len(names) + 1)
    at_dynamic = at_hash + len(hashes)
    entries += [(5, at_strings), (10, len(strings)), (6, at_symbols), (11, symbol_bytes), (4, at_hash), (0, 0)]
    dynamic = b"".join(struct.pack(f"{order}{'qQ' if bits == 64 else 'iI'}", *entry) for entry in entries)
    at_constants = at_dynamic + len(dynamic)
    total = at_constants + len(constants) + 1

    def segment(kind: int, offset: int, size: int) -> bytes:
        if bits == 64:
            return struct.pack(f"{order}IIQQQQQQ", kind, 4, offset, offset, offset, size, size, 1)
        return struct.pack(f"{order}IIIIIIII", kind, offset, offset, offset, size, size, 4, 1)

    segments = segment(1, 0, total) + segment(2, at_dynamic, len(dynamic))
    if interp:
        segments += segment(3, at_interp, len(interp))
    ident = b"\x7fELF" + bytes([2 if bits == 64 else 1, 1 if little else 2, 1]) + bytes(9)
    layout = "HHIQQQIHHHHHH" if bits == 64 else "HHIIIIIHHHHHH"
    header = struct.pack(order + layout, elf_type, machine, 1, 0, head, 0, 0, head, phdr, number, 0, 0, 0)
    assert word in (4, 8)
    return ident + header + segments + interp + bytes(strings) + symbols + hashes + dynamic + constants + b"\0"


class MadeRoot:
    """A root that lies in memory. A value is bytes, the text of a link (str), or None for a directory."""

    def __init__(self, entries: Mapping[str, bytes | str | None], programs: Sequence[str] = ()) -> None:
        self.name = "made"
        self.image = None
        self._entries = dict(entries)
        self.files: dict[str, File] = {}
        for path in sorted({*entries, *(parent for entry in entries for parent in _parents(entry))}):
            value = self._entries.get(path)
            if isinstance(value, bytes):
                mode = 0o755 if path in programs or "/bin/" in path or "/sbin/" in path else 0o644
                self.files[path] = File(path=path, type=FileType.REGULAR, bytes=len(value), mode=mode)
            elif isinstance(value, str):
                self.files[path] = File(path=path, type=FileType.SYMLINK, target=value, mode=0o777)
            else:
                self.files[path] = File(path=path, type=FileType.DIRECTORY, mode=0o755)

    def read(self, path: str) -> memoryview:
        value = self._entries.get(path)
        if not isinstance(value, bytes):
            raise InputError(f"{path} is not a regular file")
        return memoryview(value)

    def extended_attributes(self, path: str) -> Mapping[str, bytes]:
        return {}

    def close(self) -> None:
        pass


def made_view(
    entries: Mapping[str, bytes | str | None],
    *,
    owners: Mapping[str, str] | None = None,
    packages: Sequence[Package] = (),
    programs: Sequence[str] = (),
) -> View:
    """A view of a made root; `owners` gives package names by path, packages that are not described are made up."""
    root = MadeRoot(entries, programs)
    owners = owners or {}
    known = {package.name: package for package in packages}
    for name in owners.values():
        known.setdefault(name, deb(name))
    inventory = Inventory(
        name="made",
        format="syft-json",
        packages=tuple(known[name] for name in sorted(known)),
        files=root.files,
        owners={path: (known[name].id,) for path, name in owners.items()},
        has_content=True,
    )
    return View(inventory, Tree(root.files), root=root)


def deb(name: str, *, source: str | None = None, depends: Sequence[str] = ()) -> Package:
    return Package(
        id=PackageId(f"id-{name}"), type="deb", name=name, version="1", source=source, depends=tuple(depends)
    )


def _parents(path: str) -> list[str]:
    parts = path.split("/")[1:-1]
    return ["/" + "/".join(parts[: length + 1]) for length in range(len(parts))]
