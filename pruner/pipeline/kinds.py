"""Which kept files are ELF files and which are programs: what the SBOM says, and the first bytes of the others."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from msgspec import structs

from pruner.model import FileType
from pruner.plan.types import Decision

_MAGIC = b"\x7fELF"

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pruner.model import File, Inventory
    from pruner.plan.types import FilePlan
    from pruner.rootfs import Root


def with_executables(inventory: Inventory, root: Root) -> Inventory:
    """`inventory` with its ELF files marked as executables, where no SBOM has marked any.

    Analyzers need not open any other inert file then: one look at each instead of several.
    """
    if any(file.executable for file in inventory.files.values()):
        return inventory
    files = {
        path: structs.replace(file, executable=True) if _is_elf(file, root) else file
        for path, file in inventory.files.items()
    }
    return replace(inventory, files=files)


def _is_elf(file: File, root: Root) -> bool:
    return file.type is FileType.REGULAR and file.bytes > len(_MAGIC) and bytes(root.read(file.path)[:4]) == _MAGIC


def elf_and_programs(
    files: Iterable[FilePlan], inventory: Inventory, root: Root | None
) -> tuple[frozenset[str], frozenset[str]]:
    """Paths of the kept ELF files among `files`, and of those files that somebody may execute.

    A program is an ELF file with a loader or a fixed address and without a SONAME, or a script with a `#!` line. A
    library that may be executed (`libc.so.6`) is none. Where the SBOM knows executables and the mode lets nobody
    execute a file, it is not opened.
    """
    knows = any(file.executable for file in inventory.files.values())
    elf, programs = set(), set()
    for planned in files:
        if planned.type is not FileType.REGULAR or planned.decision is not Decision.KEEP or not planned.bytes:
            continue
        file = inventory.files.get(planned.path)
        if file is None:
            continue
        runs = bool(planned.mode & 0o111)
        if root is None or (knows and not runs):
            is_elf, is_program = file.executable, runs and file.has_entrypoint
        else:
            is_elf, is_program = _seen(file, runs, root)
        if is_elf:
            elf.add(planned.path)
        if is_program:
            programs.add(planned.path)
    return frozenset(elf), frozenset(programs)


def _seen(file: File, runs: bool, root: Root) -> tuple[bool, bool]:
    data = root.read(file.path)
    head = bytes(data[:4])
    if head != _MAGIC:
        return False, runs and head[:2] == b"#!"
    if not runs:
        return True, False
    from pruner.analyze.elfimage import ElfError, read_elf

    try:
        return True, read_elf(data).is_program
    except ElfError:
        return True, False
