"""Whether what lies in a root can be started there: libraries, by asking the root's own loader, and interpreters."""

from __future__ import annotations

import os
import stat
import struct
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LOADERS = ("lib64/ld-linux-x86-64.so.2", "lib/ld-linux-aarch64.so.1")
_PT_DYNAMIC = 2
# In a process of its own, for the variable would stop chroot(8) itself.
_TRACE = """
import os, subprocess, sys
files = sys.stdin.read().split("\\0")
os.chroot(sys.argv[1])
os.chdir("/")
for file in files:
    done = subprocess.run([sys.argv[2], file], capture_output=True, env={"LD_TRACE_LOADED_OBJECTS": "1", "LC_ALL": "C"})
    sys.stdout.write(done.stdout.decode(errors="replace") + "\\0")
"""


def lacking(root: Path) -> dict[str, str]:
    """Programs and libraries below `root` by absolute path, with what they can't be started without and lack."""
    return unloadable(root) | uninterpreted(root)


def unloadable(root: Path) -> dict[str, str]:
    """The dynamic ELF files below `root` for which its own loader lacks libraries, and which (ldd(1)).

    A library that lies elsewhere in the root counts as there: a process that has loaded it already, as a Java machine
    has libjvm.so before its other libraries, needs no path to it.
    """
    files = list(dynamic_files(root))
    if not files:
        return {}
    loader = next((name for name in _LOADERS if os.path.lexists(root / name)), None)
    if loader is None:
        return dict.fromkeys(files, "the loader")
    names = {name for _, _, names in os.walk(root) for name in names}
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _TRACE, str(root), f"/{loader}"],
        input="\0".join(files), capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = {}
    for path, said in zip(files, done.stdout.split("\0"), strict=False):
        missing = [line.split()[0] for line in said.splitlines() if line.endswith("not found")]
        if missing := [name for name in dict.fromkeys(missing) if name not in names]:
            found[path] = " ".join(missing)
    return found


def uninterpreted(root: Path) -> dict[str, str]:
    """The executable scripts below `root` whose interpreter is not there, and its path (execve(2))."""
    found = {}
    for path in _regular_files(root):
        if not os.stat(path).st_mode & 0o111:
            continue
        with open(path, "rb") as stream:
            head = stream.read(256).partition(b"\n")[0]
        words = head[2:].split() if head.startswith(b"#!") else []
        if words and not (root / within(root, os.fsdecode(words[0])).lstrip("/")).is_file():
            found[path.removeprefix(str(root))] = os.fsdecode(words[0])
    return found


def within(root: Path, path: str, follow: int = 40) -> str:
    """Where an absolute path ends when links are followed within `root` (path_resolution(7))."""
    done = ""
    parts = path.split("/")
    while parts:
        part = parts.pop(0)
        if part in {"", "."}:
            continue
        if part == "..":
            done = done.rpartition("/")[0]
            continue
        place = f"{root}{done}/{part}"
        if not os.path.islink(place) or not follow:
            done = f"{done}/{part}"
            continue
        follow -= 1
        target = os.readlink(place)
        parts = target.split("/") + parts
        done = "" if target.startswith("/") else done
    return done or "/"


def dynamic_files(root: Path) -> Iterator[str]:
    """Absolute paths of the ELF files that name libraries; links are passed over."""
    return (path.removeprefix(str(root)) for path in _regular_files(root) if _is_dynamic(path))


def _regular_files(root: Path) -> Iterator[str]:
    for place, directories, names in os.walk(root):
        directories.sort()
        for name in sorted(names):
            path = os.path.join(place, name)
            if stat.S_ISREG(os.lstat(path).st_mode):
                yield path


def _is_dynamic(path: str) -> bool:
    """Whether an ELF file of this machine's word size has a dynamic section with a DT_NEEDED entry (elf(5))."""
    with open(path, "rb") as stream:
        head = stream.read(64)
        if len(head) < 64 or head[:5] != b"\x7fELF\x02":
            return False
        (table,) = struct.unpack_from("<Q", head, 32)
        size, count = struct.unpack_from("<HH", head, 54)
        stream.seek(table)
        segments = stream.read(size * count)
        for start in range(0, len(segments), size):
            kind, _, offset, _, _, length = struct.unpack_from("<IIQQQQ", segments, start)
            if kind == _PT_DYNAMIC:
                stream.seek(offset)
                section = stream.read(length)
                return any(struct.unpack_from("<q", section, at)[0] == 1 for at in range(0, len(section) - 15, 16))
    return False
