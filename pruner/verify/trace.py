"""Reads strace's output: which names programs asked for in vain, and which directories they listed.

The traces are made with `strace -f -y -xx --decode-pids=pidns`: all text of programs stands in hexadecimal between
quotes or angle brackets, so that no name can pass for a part of a line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from posixpath import join
from typing import TYPE_CHECKING

from pruner.errors import printable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_MOST_OBSERVATIONS = 50_000
_LONGEST_LINE = 1 << 16
_RELEVANT = re.compile(r"ENOENT|chdir|chroot|clone|fork|getdents|unfinished|resumed")
_LINE = re.compile(r"(\d+) +(?:<\.\.\. (\w+) resumed>|(\w+)\()(.*)\Z")
_RESULT = re.compile(r" = (-?\d+|\?)(?: (E[A-Z]+))?(?: \(.*\))?(?: /\* (\d+) in strace's PID NS \*/)?\Z")
_NAME = re.compile(r'(?:(AT_FDCWD|\d+)<([^>]*)>, )?(@?)"([^"]*)"')
_FIRST_DIRECTORY = re.compile(r"\d+<([^>]*)>")
_UNFINISHED = " <unfinished ...>"
_TWO_NAMES = frozenset({"rename", "renameat", "renameat2", "link", "linkat"})
_SECOND_NAME = frozenset({"symlink", "symlinkat"})
_FORKS = frozenset({"clone", "clone3", "fork", "vfork"})
_CREATORS = frozenset({"creat", "mkdir", "mkdirat", "mknod", "mknodat", "bind"}) | _TWO_NAMES | _SECOND_NAME


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Observation:
    """One thing that a program did with a name."""

    path: str
    """Absolute in the root, not normalised: links and `..` stand as the program gave them."""
    call: str
    """The system call."""
    given: str
    """The name as the program gave it, printable."""
    creates: bool = False
    """The program meant to make the name, so that it is the directory that is missing."""
    lists: bool = False
    """The program listed the directory, with success."""


@dataclass(slots=True)
class _Process:
    cwd: str
    root: str = "/"
    unfinished: dict[str, str] = field(default_factory=dict)


def read_trace(path: Path, workdir: str) -> frozenset[Observation]:
    """The observations in a trace of a program that was started in `workdir`; an unreadable trace has none."""
    try:
        with path.open(encoding="ascii", errors="replace") as stream:
            return observations(stream, workdir)
    except OSError:
        return frozenset()


def observations(lines: Iterable[str], workdir: str) -> frozenset[Observation]:
    """The observations in the lines of a trace."""
    found: set[Observation] = set()
    processes: dict[str, _Process] = {}
    for line in lines:
        if len(line) > _LONGEST_LINE or not _RELEVANT.search(line) or not (match := _LINE.match(line.rstrip("\n"))):
            continue
        pid, resumed, started, rest = match.groups()
        process = processes.setdefault(pid, _Process(workdir))
        call = resumed or started
        if rest.endswith(_UNFINISHED):
            process.unfinished[call] = rest[: -len(_UNFINISHED)]
            continue
        if resumed:
            rest = process.unfinished.pop(call, "") + rest
        result = _RESULT.search(rest)
        if result is None:
            continue
        value, error, translated = result.groups()
        if error == "ENOENT":
            found.update(_sought(call, rest[: result.start()], process))
        elif call in _FORKS and value not in {"?", "0"} and not error:
            processes.setdefault(translated or value, _Process(process.cwd, process.root))
        elif not error:
            found.update(_moved(call, rest[: result.start()], process))
        if len(found) >= _MOST_OBSERVATIONS:
            break
    return frozenset(found)


def _sought(call: str, arguments: str, process: _Process) -> Iterable[Observation]:
    """The names that a call did not find."""
    names = list(_NAME.finditer(arguments))
    names = names[:2] if call in _TWO_NAMES else names[1:2] if call in _SECOND_NAME else names[:1]
    creates = call in _CREATORS or "O_CREAT" in arguments
    for match in names:
        handle, directory, abstract, encoded = match.groups()
        given = _decoded(encoded)
        if not given or abstract:
            continue
        if given.startswith("/"):
            path = join(process.root, given[1:])
        else:
            path = join(_decoded(directory) if handle else process.cwd, given)
        if path.startswith("/"):
            yield Observation(path=path, call=call, given=printable(given), creates=creates)


def _moved(call: str, arguments: str, process: _Process) -> Iterable[Observation]:
    """Follow a process into another directory or root; a listing is an observation."""
    name = _NAME.search(arguments)
    directory = _FIRST_DIRECTORY.match(arguments)
    if call in {"chdir", "chroot"} and name is not None:
        given = _decoded(name[4])
        target = join(process.root, given[1:]) if given.startswith("/") else join(process.cwd, given)
        if call == "chdir":
            process.cwd = target
        else:
            process.root = target
    elif call == "fchdir" and directory is not None:
        process.cwd = _decoded(directory[1])
    elif call.startswith("getdents") and directory is not None:
        path = _decoded(directory[1])
        if path.startswith("/"):
            yield Observation(path=path, call=call, given=printable(path), lists=True)


def _decoded(text: str) -> str:
    r"""Text from its `\xHH` escapes; anything else is what strace itself put there, and no name."""
    try:
        return bytes.fromhex(text.replace("\\x", "")).decode("utf-8", "surrogateescape")
    except ValueError:
        return ""
