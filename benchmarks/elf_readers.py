"""Compares ELF readers over a real root: `python benchmarks/elf_readers.py ROOT`.

Each reader runs in a process of its own and reports, for every ELF file below ROOT, the machine, PT_INTERP, DT_NEEDED,
RPATH, RUNPATH, SONAME and the imported symbols. Prints the time of import and of reading, and how many files differ
from the first reader. pyelftools and lief are optional; an absent one is named and left out.
"""

from __future__ import annotations

import json
import mmap
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

READERS = ("own", "pyelftools", "lief")


def elf_files(root: Path) -> list[Path]:
    """Every regular ELF file below `root`, sorted."""
    found = []
    for directory, _, names in os.walk(root):
        for name in names:
            path = Path(directory, name)
            if path.is_symlink() or not path.is_file():
                continue
            with path.open("rb") as stream:
                if stream.read(4) == b"\x7fELF":
                    found.append(path)
    return sorted(found)


def own(path: Path) -> list[Any]:
    """The project's reader."""
    from pruner.analyze.elfimage import read_elf

    with path.open("rb") as stream:
        image = read_elf(memoryview(mmap.mmap(stream.fileno(), 0, prot=mmap.PROT_READ)))
    return [
        image.abi.machine,
        image.interpreter,
        list(image.needed),
        list(image.rpath),
        list(image.runpath),
        image.soname,
        sorted(image.imported_symbols),
    ]


def pyelftools(path: Path) -> list[Any]:
    """Eli Bendersky's pyelftools."""
    from elftools.elf.dynamic import DynamicSegment
    from elftools.elf.elffile import ELFFile

    interpreter, tags, symbols = None, {}, set()
    with path.open("rb") as stream:
        elf = ELFFile(stream)
        for segment in elf.iter_segments():
            if segment.header.p_type == "PT_INTERP":
                interpreter = segment.get_interp_name()
            if isinstance(segment, DynamicSegment):
                for tag in segment.iter_tags():
                    if tag.entry.d_tag in ("DT_NEEDED", "DT_RPATH", "DT_RUNPATH", "DT_SONAME"):
                        value = getattr(tag, tag.entry.d_tag[3:].lower())
                        tags.setdefault(tag.entry.d_tag, []).append(value)
        table = elf.get_section_by_name(".dynsym")
        if table is not None and table.header.sh_type != "SHT_NOBITS":
            symbols = {s.name for s in table.iter_symbols() if s.entry.st_shndx == "SHN_UNDEF" and s.name}
    paths = [[p for value in tags.get(tag, []) for p in value.split(":") if p] for tag in ("DT_RPATH", "DT_RUNPATH")]
    soname = next(iter(tags.get("DT_SONAME", [])), None)
    return [_machine(path), interpreter, tags.get("DT_NEEDED", []), *paths, soname, sorted(symbols)]


def lief(path: Path) -> list[Any]:
    """Quarkslab's LIEF, told to leave out what is not asked for."""
    import lief as library

    config = library.ELF.ParserConfig()
    config.parse_relocations = False
    config.parse_symtab_symbols = False
    config.parse_notes = config.parse_symbol_versions = config.parse_overlay = False
    config.count_mtd = library.ELF.ParserConfig.DYNSYM_COUNT.AUTO
    binary = library.ELF.parse(str(path), config)
    tag = library.ELF.DynamicEntry.TAG
    rpath, runpath, soname = [], [], None
    for entry in binary.dynamic_entries:
        if entry.tag == tag.RPATH:
            rpath += [p for p in entry.paths if p]
        elif entry.tag == tag.RUNPATH:
            runpath += [p for p in entry.paths if p]
        elif entry.tag == tag.SONAME:
            soname = entry.name
    symbols = sorted({s.name for s in binary.dynamic_symbols if s.shndx == 0 and s.name})
    interpreter = binary.interpreter if binary.has_interpreter else None
    return [_machine(path), interpreter, list(binary.libraries), rpath, runpath, soname, symbols]


def _machine(path: Path) -> int:
    with path.open("rb") as stream:
        head = stream.read(20)
    return int.from_bytes(head[18:20], "little" if head[5] == 1 else "big")


def run(reader: str, root: Path) -> None:
    """Read every file with one reader and print the figures as JSON."""
    start = time.perf_counter()
    __import__({"own": "pruner.analyze.elfimage", "pyelftools": "elftools.elf.elffile", "lief": "lief"}[reader])
    imported = time.perf_counter()
    files = elf_files(root)
    walked = time.perf_counter()
    results = {str(path): globals()[reader](path) for path in files}
    done = time.perf_counter()
    print(json.dumps({"import": imported - start, "read": done - walked, "results": results}))


def main() -> None:
    """Run each reader and print one line a reader."""
    if len(sys.argv) == 3:
        run(sys.argv[2], Path(sys.argv[1]))
        return
    reference: dict[str, Any] | None = None
    for reader in READERS:
        command = [sys.executable, __file__, sys.argv[1], reader]
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
        if answer.returncode:
            print(f"{reader:12} failed: {answer.stderr.strip().splitlines()[-1]}")
            continue
        figures = json.loads(answer.stdout)
        reference = reference or figures["results"]
        differing = [path for path, value in figures["results"].items() if value != reference[path]]
        print(
            f"{reader:12} import {figures['import'] * 1000:6.0f} ms  read {figures['read'] * 1000:6.0f} ms  "
            f"{len(figures['results'])} files, {len(differing)} differ {differing[:3]}"
        )


if __name__ == "__main__":
    main()
