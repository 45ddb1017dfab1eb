"""Command lines as entry points: the program, the files and modules among its words, and the command that it starts."""

from __future__ import annotations

import difflib
import re
import shlex
from typing import TYPE_CHECKING

from msgspec import structs

from pruner.analyze import joined
from pruner.analyze.arguments import edges_of_arguments
from pruner.analyze.commandlines import command_lines, shell_text
from pruner.errors import EntryError, printable
from pruner.model import File, FileType, Findings, Node, node_name
from pruner.pipeline.programs import entry_edge, nearest_paths, program_edges

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pruner.analyze.view import View

SHELL_FORM = "shell-form"
"""Group of the hard edges to the shell of a shell-form command, so that its cost can be shown."""
_SHELL_FORM_EVIDENCE = "a hard need of the command's shell form; the exec form of ENTRYPOINT or HEALTHCHECK has none"
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=.*", re.DOTALL)
_PATH_IN_WORD = re.compile(r"(?:(?<=[=,:])|(?<=\A-[A-Za-z]))/[^=,:]+", re.DOTALL)
"""Absolute paths inside a word: `--config=/etc/x`, `-c/etc/x`, `-o cert=/etc/a,key=/etc/b`, `/src:/etc/x`."""
_PASSES_ARGUMENTS = re.compile(rb"\$(?:[@*1]|\{[@*1])")
_SHELL_SCRIPT = re.compile(rb"#![^\n]*[/ ](?:ba|da|a|k|mk|z)?sh\b")


def split_command(text: str) -> list[str]:
    """The words of the entry point `cmd:COMMAND LINE`, split as a shell would; raises `EntryError`."""
    try:
        words = shlex.split(text.removeprefix("cmd:"))
    except ValueError as error:
        problem = str(error).rstrip(".").lower()
        raise EntryError(f"entry point '{printable(text)}' can't be split into words: {problem}") from None
    if not words:
        raise EntryError(f"entry point '{printable(text)}' has no command", hint="as in 'cmd:nginx -g \"daemon off;\"'")
    return words


def findings_of_command(source: Node, words: Sequence[str], view: View, base: str = "/") -> Findings:
    """What a command needs: its program through PATH, every word that is a file, and modules named in words.

    A command that the program starts in its place (`tini -- nginx`, `sh -c 'exec nginx'`, an entry script that ends in
    `exec "$@"`) is one as well. Raises `EntryError` when the program does not exist in the image.
    """
    rest = list(words)
    while len(rest) > 1 and _ASSIGNMENT.fullmatch(rest[0]):
        rest.pop(0)
    path, file = _program(source, rest[0], view, base)
    arguments = rest[1:]
    edges = program_edges(source, path, view, base)
    if shell_text(tuple(rest)) is not None:
        edges = [structs.replace(edge, group=SHELL_FORM, evidence=_SHELL_FORM_EVIDENCE) for edge in edges]
    for text in [text for word in arguments for text in _paths_in(word)]:
        named = view.resolved(text, base)
        if named is not None and named.type is not FileType.DIRECTORY:
            edges.extend(program_edges(source, text, view, base, whole=bool(named.mode & 0o111)))
    modules, unknowns = edges_of_arguments(source, words=(path, *arguments), base=base, view=view)
    started = _started_words(path, file, arguments, view, base)
    return joined(
        [
            Findings(edges=(*edges, *modules), unknowns=tuple(unknowns)),
            _findings_of_shell_text(source, tuple(rest), view, base),
            findings_of_command(source, started, view, base) if started else Findings(),
        ]
    )


def _program(source: Node, program: str, view: View, base: str) -> tuple[str, File]:
    """Where the program is found, and the file that this leads to."""
    path = _found(program, view)
    file = view.resolved(path, base) if path is not None else None
    place = f"command '{printable(program)}' of entry point '{printable(node_name(source))}'"
    if path is None or file is None:
        raise EntryError(f"{place} does not exist in the image", hint=_nearest_commands(program, view))
    if file.type is FileType.DIRECTORY:
        hint = f"write {printable(file.path.rstrip('/'))}/ without cmd: to keep the whole tree"
        raise EntryError(f"{place} is a directory", hint=hint)
    return path, file


def _found(program: str, view: View) -> str | None:
    return program if "/" in program else view.tree.which(program, view.search_path)


def _findings_of_shell_text(source: Node, words: tuple[str, ...], view: View, base: str) -> Findings:
    """What the script of a shell-form command needs: each of its commands, and the script as a whole."""
    script = shell_text(words)
    if script is None:
        return Findings()
    from pruner.analyze.shell import edges_of_shell

    # The text stands where a file would: its edges start at the entry point itself.
    text = File(path=source, type=FileType.REGULAR)
    found = edges_of_shell(text, memoryview(script.encode("utf-8", "surrogateescape")), view)
    edges = tuple(entry_edge(edge.source, edge.target, edge.evidence) for edge in found.edges)
    parts = [Findings(edges=edges, unknowns=found.unknowns)]
    for line in command_lines(script):
        if line[0] == "cd" and len(line) > 1:
            base = view.tree.resolve(line[1], base).path or base
            continue
        started = line if _starts(line[0], view, base) else _first_program(line[1:], view, base, of=line[0])
        if started:
            parts.append(findings_of_command(source, started, view, base))
    return joined(parts)


def _started_words(path: str, file: File, arguments: Sequence[str], view: View, base: str) -> Sequence[str]:
    """The command among the arguments of one that starts another: of a wrapper, or of a script that takes it on."""
    if arguments and _starts(arguments[0], view, base) and _takes_on_arguments(file, view):
        return arguments
    return _first_program(arguments, view, base, of=path.rpartition("/")[2])


def _first_program(words: Sequence[str], view: View, base: str, *, of: str) -> Sequence[str]:
    """`words` from the first one that is a program, if `of` is a command that starts another one."""
    from pruner.analyze.shell import WRAPPERS

    position = next((at for at, word in enumerate(words) if _starts(word, view, base)), None)
    return () if position is None or of not in WRAPPERS else words[position:]


def _starts(word: str, view: View, base: str) -> bool:
    """Whether the word names a program."""
    path = _found(word, view) if word and not word.startswith("-") else None
    file = view.resolved(path, base) if path is not None else None
    return file is not None and file.type is FileType.REGULAR and bool(file.mode & 0o111 or file.executable)


def _takes_on_arguments(file: File, view: View) -> bool:
    """Whether the file is a shell script that uses its arguments; without bytes, whether it could be."""
    data = view.read(file.path)
    if data is None:
        return not file.executable
    text = bytes(data[: 1 << 16])
    return _SHELL_SCRIPT.match(text) is not None and _PASSES_ARGUMENTS.search(text) is not None


def _paths_in(word: str) -> list[str]:
    """What of a word may be a path: the whole of it unless it is an option, and absolute paths after its separators."""
    whole = [word] if word and not word.startswith("-") else []
    return [*whole, *_PATH_IN_WORD.findall(word)]


def _nearest_commands(program: str, view: View) -> str:
    if "/" in program:
        return nearest_paths(program, view)
    names = sorted({path.rpartition("/")[2] for where in view.search_path for path in view.tree.glob(f"{where}/*")})
    near = difflib.get_close_matches(program, names, n=3, cutoff=0.6)
    if near:
        return f"did you mean {', '.join(map(printable, near))}?"
    return f"PATH is {printable(':'.join(view.search_path))}"
