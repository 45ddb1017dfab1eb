"""The commands of POSIX and coreutils that maintainer scripts make files with, over the root in memory."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from pruner.maintainer.options import known, options
from pruner.maintainer.users import group_id, user_id
from pruner.model import FileType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pruner.maintainer.machine import Command, Machine, Words
    from pruner.maintainer.statements import Status


def _mode(text: str, before: int, *, is_directory: bool) -> int:
    """A mode in octal or symbolic form (chmod(1)) applied to `before`. Raises `ValueError`."""
    if text.isdigit():
        return int(text, 8) & 0o7777
    mode = before
    for part in text.split(","):
        at = next((number for number, mark in enumerate(part) if mark in "+-="), None)
        if at is None:
            raise ValueError(f"mode {text}")
        who, operator, what = part[:at] or "a", part[at], part[at + 1 :]
        bits = 0
        for mark, bit in (("r", 4), ("w", 2), ("x", 1)):
            wanted = mark in what or (mark == "x" and "X" in what and (is_directory or mode & 0o111))
            for letter, shift in (("u", 6), ("g", 3), ("o", 0)):
                if wanted and (letter in who or "a" in who):
                    bits |= bit << shift
        bits |= (0o4000 if "s" in what and "u" in who else 0) | (0o2000 if "s" in what and "g" in who else 0)
        bits |= 0o1000 if "t" in what else 0
        cleared = sum((7 << shift) for letter, shift in (("u", 6), ("g", 3), ("o", 0)) if letter in who or "a" in who)
        mode = mode | bits if operator == "+" else mode & ~bits if operator == "-" else (mode & ~cleared) | bits
    return mode


def _owner(machine: Machine, text: str) -> tuple[int | None, int | None]:
    """User and group of chown's first operand. Raises `ValueError` for a name that nobody has."""
    user, separator, group = text.partition(":" if ":" in text else ".")
    return (
        user_id(machine.disk, user) if user else None,
        group_id(machine.disk, group) if separator and group else None,
    )


def _mkdir(machine: Machine, words: Words) -> Status:
    found, operands = options(words, "m")
    made = []
    for path in operands:
        was_there = machine.disk.file(path) is not None
        done = machine.disk.directory(path, parents="p" in found)
        if done and "m" in found and not was_there:
            machine.disk.change(path, mode=_mode(found["m"], 0o755, is_directory=True))
        made.append(done)
    return all(made)


def _chmod(machine: Machine, words: Words) -> Status:
    recursive = [word for word in words[1:] if word in {"-R", "--recursive"}]
    rest = [word for word in words[1:] if word not in {"-R", "--recursive", "-f", "-v", "-c", "--quiet"}]
    if None in rest or len(rest) < 2:
        raise ValueError("chmod")
    mode, *paths = known(rest)
    if mode.startswith("--reference="):
        like = machine.disk.file(mode.partition("=")[2])
        mode = "" if like is None else f"{like.mode:o}"
    if not mode or mode.startswith("-"):
        raise ValueError("chmod")
    done = [_change(machine, path, bool(recursive), mode=mode) for path in paths]
    return all(done)


def _chown(machine: Machine, words: Words) -> Status:
    found, operands = options(words)
    like = machine.disk.file(found["reference"]) if found.get("reference") else None
    if like is not None:
        operands = [f"{like.uid}:{like.gid}", *operands]
    if len(operands) < 2 or ("reference" in found and like is None):
        raise ValueError("chown")
    group_only = (words[0] or "").endswith("chgrp")
    uid, gid = _owner(machine, f":{operands[0]}" if group_only else operands[0])
    done = [_change(machine, path, "R" in found, uid=uid, gid=gid) for path in operands[1:]]
    return all(done)


def _change(
    machine: Machine, path: str, recursive: bool, *, mode: str = "", uid: int | None = None, gid: int | None = None
) -> bool:
    real = machine.disk.locate(path, follow=True)
    if real is None or machine.disk.get(real) is None:
        return False
    below = sorted(name for name in machine.disk.names() if name.startswith(f"{real}/")) if recursive else []
    for name in (real, *below):
        file = machine.disk.get(name)
        if file is None or file.type is FileType.SYMLINK:
            continue
        is_directory = file.type is FileType.DIRECTORY
        new = _mode(mode, file.mode, is_directory=is_directory) if mode else None
        machine.disk.change(name, mode=new, uid=uid, gid=gid)
    return True


def _ln(machine: Machine, words: Words) -> Status:
    found, operands = options(words)
    if "s" not in found or len(operands) not in {1, 2}:
        raise ValueError("ln")
    target = operands[0]
    path = operands[1] if len(operands) == 2 else posixpath.basename(target)
    holder = machine.disk.file(path, follow=not found.keys() & {"n", "T"})
    if holder is not None and holder.type is FileType.DIRECTORY:
        path = f"{holder.path}/{posixpath.basename(target)}"
    if "f" in found:
        machine.disk.remove(path)
    return machine.disk.link(path, target)


def _cp(machine: Machine, words: Words) -> Status:
    found, operands = options(words, "t")
    if len(operands) != 2 or found.keys() & {"R", "r", "t", "u"}:
        raise ValueError("cp")
    link = machine.disk.file(operands[0], follow=False)
    if found.keys() & {"d", "P", "a"} and link is not None and link.type is FileType.SYMLINK:
        target = _into(machine, operands[1], operands[0])
        machine.disk.remove(target)
        return machine.disk.link(target, link.target or "")
    source = machine.disk.file(operands[0])
    data = machine.disk.read(operands[0])
    if source is None or data is None:
        return False
    owned = bool(found.keys() & {"p", "a"})
    return machine.disk.write(
        _into(machine, operands[1], operands[0]),
        data,
        mode=source.mode if owned else source.mode & 0o755,
        uid=source.uid if owned else 0,
        gid=source.gid if owned else 0,
    )


def _install(machine: Machine, words: Words) -> Status:
    found, operands = options(words, "mogt")
    uid, gid = _owner(machine, f"{found.get('o', '')}:{found.get('g', '')}")
    done = []
    if "d" in found:
        for path in operands:
            made = machine.disk.directory(path, parents=True)
            mode = _mode(found.get("m", "755"), 0, is_directory=True)
            done.append(made and machine.disk.change(path, mode=mode, uid=uid, gid=gid))
        return all(done)
    if len(operands) != 2:
        raise ValueError("install")
    data = machine.disk.read(operands[0])
    if data is None and operands[0] == "/dev/null":
        data = b""
    target = _into(machine, operands[1], operands[0])
    if "D" in found:
        machine.disk.directory(posixpath.dirname(target), parents=True)
    mode = _mode(found.get("m", "755"), 0, is_directory=False)
    return data is not None and machine.disk.write(target, data, mode=mode, uid=uid or 0, gid=gid or 0)


def _mv(machine: Machine, words: Words) -> Status:
    _, operands = options(words)
    if len(operands) != 2:
        raise ValueError("mv")
    return machine.disk.move(operands[0], operands[1])


def _rm(machine: Machine, words: Words) -> Status:
    found, operands = options(words)
    recursive = bool(found.keys() & {"r", "R"})
    gone = [machine.disk.remove(path, recursive=recursive) for path in operands]
    return True if "f" in found else all(gone)


def _touch(machine: Machine, words: Words) -> Status:
    _, operands = options(words, "rtd")
    done = [machine.disk.file(path) is not None or machine.disk.write(path, b"") for path in operands]
    return all(done)


def _into(machine: Machine, target: str, source: str) -> str:
    holder = machine.disk.file(target)
    is_directory = holder is not None and holder.type is FileType.DIRECTORY
    return f"{target}/{posixpath.basename(source)}" if is_directory else target


FILE_COMMANDS: Mapping[str, Command] = {
    "mkdir": _mkdir,
    "chmod": _chmod,
    "chown": _chown,
    "chgrp": _chown,
    "ln": _ln,
    "cp": _cp,
    "install": _install,
    "mv": _mv,
    "rm": _rm,
    "unlink": _rm,
    "rmdir": _rm,
    "touch": _touch,
}
