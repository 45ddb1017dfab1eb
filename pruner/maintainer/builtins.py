"""Builtins of the shell and commands that answer about the root or about texts, over the root in memory."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from pruner.maintainer.conditions import evaluate
from pruner.maintainer.options import known, options
from pruner.maintainer.statements import Left
from pruner.model import DEFAULT_SEARCH_PATH, FileType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pruner.maintainer.disk import Disk
    from pruner.maintainer.machine import Command, Machine, Words
    from pruner.maintainer.statements import Status

SCRATCH = "/tmp/.pruner-scratch-"  # noqa: S108 - a name in the root in memory, gone when its script ends
"""What the names of temporary files begin with."""


def _realpath_of_root(machine: Machine, words: Words) -> Status:
    """`dpkg-realpath [--root DIRECTORY] PATH`, with the root itself for the directory."""
    rest = list(words[1:])
    if rest[:1] == ["--root"] and rest[1:2] in ([""], ["/"]):
        rest = rest[2:]
    return _readlink(machine, ["realpath", *rest])


def _readlink(machine: Machine, words: Words) -> Status:
    found, operands = options(words)
    if len(operands) != 1:
        raise ValueError("readlink")
    if found.keys() & {"f", "m", "e"} or (words[0] or "").endswith("realpath"):
        real = machine.disk.locate(operands[0], follow="s" not in found)
        machine.print(None if real is None else f"{real}\n")
        return real is not None
    file = machine.disk.file(operands[0], follow=False)
    is_link = file is not None and file.type is FileType.SYMLINK
    machine.print(f"{file.target}\n" if file is not None and is_link else "")
    return is_link


def _cat(machine: Machine, words: Words) -> Status:
    _, operands = options(words)
    if not operands or operands == ["-"]:
        machine.print("".join(f"{line}\n" for line in machine.rest_of_input()))
        return True
    texts = [machine.disk.read(path) for path in operands]
    if None in texts:
        machine.print("")
        return False
    machine.print(b"".join(text for text in texts if text is not None).decode("utf-8", "surrogateescape"))
    return True


def _which(machine: Machine, words: Words) -> Status:
    """`which NAME`, `command -v NAME`, `type NAME`: whether the root holds the program."""
    _, operands = options(words)
    path = _found(machine.disk, operands[0]) if operands else None
    machine.print("" if path is None else f"{path}\n")
    return path is not None


def _found(disk: Disk, name: str) -> str | None:
    """Where an executable lies, by PATH."""
    for path in (name,) if "/" in name else tuple(f"{directory}/{name}" for directory in DEFAULT_SEARCH_PATH):
        file = disk.file(path)
        if file is not None and file.type is FileType.REGULAR and file.mode & 0o111:
            return path
    return None


def program_text(disk: Disk, name: str) -> bytes | None:
    """The bytes of the program `name`, None where the root has none."""
    path = _found(disk, name)
    return None if path is None else disk.read(path)


def _command(machine: Machine, words: Words) -> Status:
    return _which(machine, words) if words[1:2] in (["-v"], ["-V"]) else machine.call(words[1:])


def _test(machine: Machine, words: Words) -> Status:
    rest = words[1:-1] if words[0] == "[" else words[1:]
    return evaluate(rest, machine.disk)


def _echo(machine: Machine, words: Words) -> Status:
    rest = list(words[1:])
    newline = "\n"
    while rest[:1] and rest[0] in {"-n", "-e"}:
        newline = "" if rest.pop(0) == "-n" else newline
    text = None if None in rest else " ".join(word for word in rest if word is not None)
    machine.print(None if text is None else text + newline)
    return True


def _printf(machine: Machine, words: Words) -> Status:
    is_known = None not in words
    texts = known(words[1:]) if is_known else []
    plain = is_known and len(texts) > 0 and texts[0].count("%") == texts[0].count("%s") == len(texts) - 1
    if not plain:
        machine.print(None)
        return True
    form = texts[0].replace("\\n", "\n").replace("\\t", "\t")
    machine.print(form % tuple(texts[1:]) if len(texts) > 1 else form)
    return True


def _basename(machine: Machine, words: Words) -> Status:
    texts = known(words[1:])
    of_directory = (words[0] or "").endswith("dirname")
    if of_directory:
        machine.print(f"{posixpath.dirname(texts[0].rstrip('/')) or '.'}\n")
    else:
        base = posixpath.basename(texts[0].rstrip("/"))
        machine.print((base.removesuffix(texts[1]) if len(texts) > 1 else base) + "\n")
    return True


def _leave(machine: Machine, words: Words) -> Status:
    given = words[1] if len(words) > 1 else "-"
    status = machine.status if given == "-" else None if given is None else given == "0"
    raise Left(words[0] or "", status)


def _shift(machine: Machine, words: Words) -> Status:
    given = words[1] if len(words) > 1 else "1"
    count = int(given) if given is not None and given.isdigit() else 1
    machine.set_positional(machine.positional()[count:])
    return True


def _set(machine: Machine, words: Words) -> Status:
    if words[1:2] == ["--"]:
        machine.set_positional(words[2:])
    return True


def _cd(machine: Machine, words: Words) -> Status:
    (path,) = known(words[1:])
    real = machine.disk.locate(path, follow=True)
    found = None if real is None else machine.disk.get(real)
    if real is None or found is None or found.type is not FileType.DIRECTORY:
        return False
    machine.disk.current = real
    return True


def _uname(machine: Machine, words: Words) -> Status:
    machine.print("Linux\n" if list(words[1:]) in ([], ["-s"]) else None)
    return True


def _umask(machine: Machine, words: Words) -> Status:
    (mask,) = known(words[1:])
    machine.disk.mask = int(mask, 8) & 0o777
    return True


def _pwd(machine: Machine, words: Words) -> Status:
    del words
    machine.print(f"{machine.disk.current}\n")
    return True


def _stat(machine: Machine, words: Words) -> Status:
    found, operands = options(words, "c")
    file = machine.disk.file(operands[0], follow="L" in found) if len(operands) == 1 else None
    values = {} if file is None else {"%a": f"{file.mode:o}", "%u": str(file.uid), "%g": str(file.gid)}
    if file is not None and file.uid == file.gid == 0:
        values |= {"%U": "root", "%G": "root"}
    answer = values.get(found.get("c", ""))
    machine.print(None if answer is None else f"{answer}\n")
    return file is not None


def _mktemp(machine: Machine, words: Words) -> Status:
    found, _ = options(words, "pt")
    path = f"{SCRATCH}{len(machine.disk.made)}"
    machine.disk.directory("/tmp", parents=True)  # noqa: S108 - a directory of the root in memory
    machine.print(f"{path}\n")
    return machine.disk.directory(path, parents=False) if "d" in found else machine.disk.write(path, b"")


def _mountpoint(machine: Machine, words: Words) -> Status:
    _, operands = options(words)
    machine.print("")
    return operands[-1] in {"/proc", "/sys", "/dev"}


BUILTINS: Mapping[str, Command] = {
    "readlink": _readlink,
    "realpath": _readlink,
    "dpkg-realpath": _realpath_of_root,
    "cat": _cat,
    "which": _which,
    "type": _which,
    "command": _command,
    "test": _test,
    "[": _test,
    "echo": _echo,
    "printf": _printf,
    "basename": _basename,
    "dirname": _basename,
    "exit": _leave,
    "return": _leave,
    "break": _leave,
    "continue": _leave,
    "shift": _shift,
    "set": _set,
    "cd": _cd,
    "pwd": _pwd,
    "umask": _umask,
    "uname": _uname,
    "stat": _stat,
    "mktemp": _mktemp,
    "mountpoint": _mountpoint,
    "true": lambda _machine, _words: True,
    ":": lambda _machine, _words: True,
    "false": lambda _machine, _words: False,
    **dict.fromkeys(("trap", "ulimit", "wait", "hash", "sync"), lambda _machine, _words: True),
}
_IDLE_NAMES = """
test [ echo printf basename dirname true false : cat which type readlink realpath shift set umask trap wait hash return
exit break continue cd pwd getent id sync unset stat mountpoint local export eval read
"""
IDLE = frozenset(_IDLE_NAMES.split())
"""Those that make nothing."""
