"""What a script needs: the interpreter of its first line, and what a shell would do with the rest."""

from __future__ import annotations

import posixpath
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pruner.analyze import shell
from pruner.model import Edge, EdgeKind, File, Findings, Unknown, file_node

if TYPE_CHECKING:
    from pruner.analyze.view import View

_LONGEST_LINE = 4096
_ENV_WITH_VALUE = frozenset({"-u", "--unset", "-C", "--chdir", "--block-signal", "--default-signal"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Shebang:
    """The first line of a script (execve(2), env(1))."""

    interpreter: str
    """The path behind `#!`."""
    program: str | None
    """What env(1) is asked to find through PATH; None without env."""
    arguments: tuple[str, ...]

    @property
    def name(self) -> str:
        """Base name of the program that reads the script."""
        return posixpath.basename(self.program or self.interpreter)


def shebang_of(data: memoryview) -> Shebang | None:
    """The interpreter line of a script; None when it has none."""
    if bytes(data[:2]) != b"#!":
        return None
    line = bytes(data[2:_LONGEST_LINE]).partition(b"\n")[0].decode("utf-8", "surrogateescape").strip()
    interpreter, _, rest = line.partition(" ") if " " in line else line.partition("\t")
    if not interpreter or "\0" in line:
        return None
    words = _split(rest)
    if posixpath.basename(interpreter) != "env":
        return Shebang(interpreter=interpreter, program=None, arguments=tuple(words))
    while words and (words[0].startswith("-") or "=" in words[0]):
        word = words.pop(0)
        if word in _ENV_WITH_VALUE and words:
            words.pop(0)
        elif word.startswith("-S") and len(word) > 2:
            words = [*_split(word[2:]), *words]
        elif word.startswith("--split-string="):
            words = [*_split(word.partition("=")[2]), *words]
    program = words.pop(0) if words else None
    return Shebang(interpreter=interpreter, program=program, arguments=tuple(words))


def edges_of_script(file: File, data: memoryview, active: bool, view: View) -> Findings:
    """The needs of a script with a shebang, or of text that is a shell's by its name; none while it is inert.

    The interpreter is a hard `exec` edge; one that does not exist is an unknown of kind `command`.
    """
    if not active:
        return Findings()
    shebang = shebang_of(data)
    if shebang is None:
        return shell.edges_of_shell(file, data, view) if file.path.endswith((".sh", ".bash")) else Findings()
    found = _interpreter(file, shebang, view)
    if shebang.name not in shell.SHELLS:
        return found
    body = shell.edges_of_shell(file, data, view)
    return Findings(edges=(*found.edges, *body.edges), unknowns=(*found.unknowns, *body.unknowns))


def edges_of_shebang(file: File, data: memoryview, view: View) -> Findings:
    """The interpreter that the first line of a script names; nothing for other files."""
    shebang = shebang_of(data)
    return Findings() if shebang is None else _interpreter(file, shebang, view)


def _interpreter(file: File, shebang: Shebang, view: View) -> Findings:
    source = file_node(file.path)
    edges: list[Edge] = []
    unknowns: list[Unknown] = []
    programs = [shebang.interpreter]
    if shebang.program is not None:
        programs.append(view.tree.which(shebang.program, view.search_path) or shebang.program)
    for path in programs:
        found = view.edges_to(source, path, EdgeKind.EXEC, evidence=f"shebang {path}") if "/" in path else ()
        edges += found
        if not found:
            unknowns.append(Unknown(kind="command", subject=file.path, detail=f"interpreter {path} does not exist"))
    for word in shebang.arguments:
        if word.startswith("/"):
            edges += view.edges_to(source, word, EdgeKind.DATA, evidence=f"shebang argument {word}")
    return Findings(edges=tuple(edges), unknowns=tuple(unknowns))


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()
