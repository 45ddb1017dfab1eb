"""What a shell script needs: the files it sources and names, and, as options, the commands it calls.

Parsed with tree-sitter-bash, whose grammar takes POSIX sh, dash and bash. A sourced file is read in place, so that its
commands count as commands of the script that sources it.
"""

from __future__ import annotations

import functools
import posixpath
import re
from itertools import pairwise
from typing import TYPE_CHECKING

from pruner.analyze import opened
from pruner.analyze.shellwords import Scope, text_of, walk
from pruner.model import Edge, EdgeKind, File, FileType, Findings, Strength, Unknown, file_node

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tree_sitter import Node, Parser

    from pruner.analyze.view import View

COMMANDS = "shell-commands"
SHELLS = frozenset({"sh", "bash", "dash", "ash", "ksh", "mksh", "zsh", "busybox"})

_MOST_BYTES = 1 << 20
_DEEPEST_SOURCE = 8
_MOST_MATCHES = 64
_BUILTIN_NAMES = """
. : [ [[ alias bg bind break builtin caller case cd chdir command compgen complete compopt continue declare dirs disown
echo enable eval exec exit export false fc fg getopts hash help history jobs kill let local logout mapfile popd printf
pushd pwd read readarray readonly return set shift shopt source suspend test times trap true type typeset ulimit umask
unalias unset wait
"""
_WRAPPER_NAMES = """
exec command env nice nohup sudo doas time timeout xargs gosu su-exec setpriv chroot ionice stdbuf tini dumb-init setsid
flock start-stop-daemon runuser chpst taskset which type hash
"""
_BUILTINS = frozenset(_BUILTIN_NAMES.split())
"""Builtins of dash, busybox ash and bash (their manual pages): such a name is not looked for in PATH."""
WRAPPERS = frozenset(_WRAPPER_NAMES.split())
"""Commands that start the command among their arguments, or ask whether it is there."""
_RUNNABLE = re.compile(r"\.(?:py|js|mjs|cjs|pl|rb|php|jar|sh|bash|tcl|lua|phar)\Z")
_POSITIONAL = re.compile(r'"?\$(?:[@*\d]|\{[@*\d][^}]*\})"?\Z')
_SEPARATORS = re.compile(r"[=:,;\s]")
_WILDCARD = re.compile(r"[*?\[]")


def edges_of_shell(file: File, data: memoryview, view: View) -> Findings:
    """The needs of the active shell script `file`, apart from its shebang.

    Sourced files are hard `exec` edges, existing absolute paths hard `data` edges; commands and programs named by path
    are optional `exec` edges of the group `shell-commands`, refused by default, except what `exec` turns the script
    into (`exec gzip -d "$@"`): whoever starts the script asks for that. A command or a sourced file whose name
    the script computes is an unknown of kind `command`.
    """
    script = _Script(file, view)
    script.read(bytes(data[:_MOST_BYTES]), file.path)
    return Findings(edges=tuple(dict.fromkeys(script.edges)), unknowns=tuple(dict.fromkeys(script.unknowns)))


def edges_of_command(file: File, text: str, view: View, *, group: str, by_shell: bool) -> tuple[Edge, ...]:
    """The edges of `file`, which is no shell script itself, to what the literal command line `text` in it starts.

    Optional `exec` edges of `group`, taken unless refused: the file says that it runs just these. Computed words are
    passed over. Where no shell reads the line (`by_shell`), the names of builtins are programs too.
    """
    script = _Script(file, view, group=group, default=True, builtins=_BUILTINS if by_shell else frozenset())
    script.read(text.encode("utf-8", "surrogateescape")[:_MOST_BYTES], file.path)
    return tuple(dict.fromkeys(script.edges))


@functools.cache
def parser() -> Parser:
    """The parser of shell scripts, made once."""
    import tree_sitter
    import tree_sitter_bash

    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_bash.language()))


class _Script:
    """Gathers the edges of one script while it reads it and what it sources."""

    def __init__(
        self,
        file: File,
        view: View,
        *,
        group: str = COMMANDS,
        default: bool = False,
        builtins: frozenset[str] = _BUILTINS,
    ) -> None:
        self._file = file
        self._view = view
        self._group = group
        self._default = default
        self._builtins = builtins
        self._scope = Scope(file.path)
        self._functions: set[str] = set()
        self._sourced: list[str] = []
        self.edges: list[Edge] = []
        self.unknowns: list[Unknown] = []

    def read(self, text: bytes, path: str) -> None:
        """Take in the script text that lies at `path`."""
        if path in self._sourced or len(self._sourced) > _DEEPEST_SOURCE:
            return
        self._sourced.append(path)
        root = parser().parse(text).root_node
        self._scope.collect(root)
        for node in walk(root):
            if node.type == "function_definition" and (name := node.child_by_field_name("name")) is not None:
                self._functions.add(text_of(name))
        for node in walk(root):
            if node.type == "command":
                self._command(node, path)
            elif node.type in ("word", "string", "raw_string", "concatenation", "expansion"):
                self._paths(self._scope.values(node) or ())

    def _command(self, node: Node, path: str) -> None:
        name = node.child_by_field_name("name")
        arguments = node.children_by_field_name("argument")
        if name is None:
            return
        values = self._scope.values(name)
        if values is None:
            self._computed(name)
        for value in sorted(values or ()):
            self._called(value, arguments, path)

    def _called(self, name: str, arguments: list[Node], path: str) -> None:
        base = posixpath.basename(name)
        if name in (".", "source"):
            self._source(arguments, path)
            return
        if name == "eval" or (base in SHELLS and any(text_of(word).endswith("c") for word in arguments[:-1])):
            self._nested(arguments, path)
        if name not in self._builtins and name not in self._functions and "/" not in name:
            self._optional_command(name)
        if base in WRAPPERS:
            self._wrapped(arguments, becomes=name == "exec")
        elif base == "find":
            self._wrapped(_after_exec(arguments))

    def _optional_command(self, name: str, *, becomes: bool = False) -> bool:
        found = self._view.tree.which(name, self._view.search_path)
        if found is not None and ("/" not in name or (becomes and name.startswith("/"))):
            default = becomes and found not in self._view.shells
            self._exec(found, f"becomes {name}" if becomes else f"calls {name}", default=default)
        return found is not None

    def _wrapped(self, arguments: Iterable[Node], *, becomes: bool = False) -> None:
        """The command among the arguments of a command that starts another one: the first word that is one."""
        for argument in arguments:
            if _POSITIONAL.match(text_of(argument)):
                return
            values = self._scope.values(argument)
            if values is None:
                self._computed(argument)
                return
            calls = (
                value in self._functions or self._optional_command(value, becomes=becomes) for value in sorted(values)
            )
            if any(calls):
                return

    def _source(self, arguments: list[Node], path: str) -> None:
        if not arguments or _POSITIONAL.match(text_of(arguments[0])):
            return
        values = self._scope.values(arguments[0])
        if values is None:
            self._unknown(f"sources {text_of(arguments[0])}")
            return
        directory = posixpath.dirname(path)
        for value in sorted(values):
            places = [directory] if "/" in value else [directory, *self._view.search_path]
            for place in places:
                real = self._view.tree.resolve(value, place).path
                data = None if real is None else self._view.read(real)
                if real is None or data is None:
                    continue
                self.edges += self._view.edges_to(
                    file_node(self._file.path), value, EdgeKind.EXEC, base=place, evidence=f"sources {value}"
                )
                self.read(bytes(data[:_MOST_BYTES]), real)
                break

    def _nested(self, arguments: list[Node], path: str) -> None:
        """Script text that is given as an argument: `sh -c TEXT`, `eval TEXT`."""
        for argument in arguments:
            if text_of(argument).startswith("-") or _POSITIONAL.match(text_of(argument)):
                continue
            values = self._scope.values(argument)
            if values is None:
                self._unknown(f"runs the computed text {text_of(argument)}")
            for number, value in enumerate(sorted(values or ())):
                self.read(value.encode("utf-8", "surrogateescape"), f"{path}#{argument.start_byte}.{number}")
            return

    def _computed(self, node: Node) -> None:
        if not _POSITIONAL.match(text_of(node)):
            self._unknown(f"calls {text_of(node)}")

    def _unknown(self, detail: str) -> None:
        line = " ".join(detail.split())[:120]
        self.unknowns.append(Unknown(kind="command", subject=self._file.path, detail=line))

    # -- paths ------------------------------------------------------------------------------------------------------

    def _paths(self, values: Iterable[str]) -> None:
        for value in sorted(values):
            for token in {value, *_SEPARATORS.split(value)}:
                if token.startswith("/") and token.count("/") > 1 and "\0" not in token:
                    self._path(token)

    def _path(self, path: str) -> None:
        if opened.is_runtime(path):
            return
        if _WILDCARD.search(path):
            matches = self._view.tree.glob(path)
            names = matches if len(matches) <= _MOST_MATCHES else ()
        else:
            names = (path,)
        for name in names:
            file = self._view.resolved(name)
            if file is not None and file.path == self._file.path:
                continue
            if file is None:
                self.edges += opened.edges_to_parent(self._file, name, self._view)
            elif file.type is FileType.DIRECTORY:
                self._edge(name, EdgeKind.STATE, f"names the directory {name}")
            elif file.type is FileType.REGULAR and opened.is_program(file.path, self._view):
                self._exec(name, f"names {name}")
            elif file.type is FileType.REGULAR:
                self._edge(name, EdgeKind.DATA, f"names {name}")
                if _RUNNABLE.search(file.path):
                    self._exec(name, f"names {name}, which an interpreter can run")

    def _edge(self, path: str, kind: EdgeKind, evidence: str) -> None:
        self.edges += self._view.edges_to(file_node(self._file.path), path, kind, evidence=evidence)

    def _exec(self, path: str, evidence: str, *, default: bool = False) -> None:
        self.edges += self._view.edges_to(
            file_node(self._file.path),
            path,
            EdgeKind.EXEC,
            evidence=evidence,
            strength=Strength.OPTIONAL,
            group=self._group,
            default=default or self._default,
        )


def _after_exec(arguments: list[Node]) -> list[Node]:
    """The words behind `-exec` and its like among the arguments of find(1)."""
    return [after for before, after in pairwise(arguments) if text_of(before) in ("-exec", "-execdir", "-ok", "-okdir")]
