"""What a file needs, read from its own bytes: one analyzer a kind of file. They yield edges and know no policy."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

from pruner.model import File, FileType, Findings

if TYPE_CHECKING:
    from pruner.analyze.view import View

__all__ = ["analyze", "is_program_text", "joined", "language_of_interpreter", "language_of_module", "surface"]

Analyzer = Callable[[File, memoryview, bool, "View"], Findings]

_BY_EXTENSION = {
    "py": "python",
    "pyw": "python",
    "js": "node",
    "cjs": "node",
    "mjs": "node",
    "ts": "node",
    "pl": "perl",
    "pm": "perl",
    "t": "perl",
    "psgi": "perl",
    "rb": "ruby",
    "ru": "ruby",
    "rake": "ruby",
    "php": "php",
    "phtml": "php",
    "phar": "php",
    "jar": "java",
    "war": "java",
    "ear": "java",
    "sh": "script",
    "bash": "script",
}
_BY_INTERPRETER = re.compile(
    r"(?P<python>python|pypy)[0-9.]*|(?P<node>node|nodejs|deno|bun)|(?P<perl>perl)[0-9.]*|(?P<ruby>j?ruby)[0-9.]*"
    r"|(?P<php>php)[0-9.]*"
)
_MANIFESTS = (
    (re.compile(r"/package\.json\Z"), "node"),
    (re.compile(r"/specifications/[^/]+\.gemspec\Z"), "ruby"),
    (re.compile(r"/php\.ini\Z|/php/.*conf\.d/[^/]+\.ini\Z"), "php"),
)
"""Files that a runtime reads to find modules: they speak for themselves, inert or active."""
_MODULES = frozenset({"python", "npm", "gem", "php-composer"})
"""Ecosystems, in Syft's words, whose packages are sets of modules."""
_FUNCTION = "edges_of_{}"


def analyze(file: File, active: bool, view: View) -> Findings:
    """What `file` needs by itself while inert or active.

    Inert files answer with links, DT_NEEDED and configuration alone. Without bytes there is nothing but links.
    """
    if file.type is FileType.SYMLINK:
        from pruner.analyze.links import edges_of_link

        return edges_of_link(file, active, view)
    if file.type is not FileType.REGULAR or not file.bytes:
        return Findings()
    if not active and not _speaks_inert(file, view):
        return Findings()
    data = view.read(file.path)
    if not data:
        return Findings()
    return joined([_analyzer(kind)(file, data, active, view) for kind in _kinds_of(file, data, active, view)])


def surface(file: File, active: bool, view: View) -> Findings:
    """What `file` needs as far as its first bytes and its dynamic section tell: its links, libraries and interpreter.

    A part of what `analyze` answers, for a fraction of the time.
    """
    data = None
    if active and file.type is FileType.REGULAR and (file.executable or not view.knows_executables):
        data = view.read(file.path)
    if not data:
        return analyze(file, False, view)
    if bytes(data[:4]) == b"\x7fELF":
        from pruner.analyze.elf import edges_of_linked

        return edges_of_linked(file, data, active, view)
    from pruner.analyze.script import edges_of_shebang

    return edges_of_shebang(file, data, view)


def _speaks_inert(file: File, view: View) -> bool:
    """Whether a look at an inert file can yield anything: thousands of data files need not be opened for that."""
    from pruner.analyze.config import is_configuration

    return (
        file.executable
        or not view.knows_executables
        or is_configuration(file.path)
        or any(pattern.search(file.path) for pattern, _ in _MANIFESTS)
    )


def _kinds_of(file: File, data: memoryview, active: bool, view: View) -> list[str]:
    """The analyzers that have something to say about the file."""
    if bytes(data[:4]) == b"\x7fELF":
        return ["elf"]
    from pruner.analyze.config import is_configuration

    owner = view.owner(file.path)
    # A distribution of a language is kept whole: what its own data files name lies in it.
    in_module = owner is not None and owner.type in _MODULES
    kinds = ["config"] if is_configuration(file.path) and not in_module else []
    kinds += [language for pattern, language in _MANIFESTS if pattern.search(file.path)]
    if not active:
        return kinds
    if bytes(data[:2]) == b"#!":
        kinds.append("script")
        interpreter = _interpreter(bytes(data[:256]))
        language = _BY_INTERPRETER.fullmatch(interpreter)
        if language is not None and language.lastgroup is not None:
            return [*kinds, language.lastgroup]
    language_of_name = _BY_EXTENSION.get(file.path.rpartition("/")[2].rpartition(".")[2].lower())
    return [*kinds, language_of_name] if language_of_name else kinds


def is_program_text(path: str) -> bool:
    """Whether the name says that a runtime reads the file as a program: a module or a script by its extension."""
    return path.rpartition("/")[2].rpartition(".")[2].lower() in _BY_EXTENSION


def language_of_module(path: str) -> str | None:
    """The language of a module by its extension (`perl`); None for shells, which have none, and for all else."""
    language = _BY_EXTENSION.get(path.rpartition("/")[2].rpartition(".")[2].lower())
    return None if language == "script" else language


def language_of_interpreter(name: str) -> str | None:
    """The language that the program called `name` runs (`python` for `python3.11`); None for any other."""
    match = _BY_INTERPRETER.fullmatch(name)
    return None if match is None else match.lastgroup


def _interpreter(head: bytes) -> str:
    """Base name of the program that the first line names, `env` and its options looked through."""
    words = head.partition(b"\n")[0][2:].decode("utf-8", "surrogateescape").split()
    names = [word.rpartition("/")[2] for word in words if not word.startswith("-") and "=" not in word]
    if names[:1] == ["env"]:
        names = names[1:]
    return names[0] if names else ""


def _analyzer(kind: str) -> Analyzer:
    analyzer: Analyzer = getattr(import_module(f"pruner.analyze.{kind}"), _FUNCTION.format(kind))
    return analyzer


def joined(parts: list[Findings]) -> Findings:
    """The findings of several looks at one node as one, without repetitions."""
    if len(parts) == 1:
        return parts[0]
    return Findings(
        edges=tuple(dict.fromkeys(edge for part in parts for edge in part.edges)),
        choices=tuple(dict.fromkeys(choice for part in parts for choice in part.choices)),
        unknowns=tuple(dict.fromkeys(unknown for part in parts for unknown in part.unknowns)),
        symbols=frozenset().union(*(part.symbols for part in parts)),
        literals=frozenset().union(*(part.literals for part in parts)),
    )
