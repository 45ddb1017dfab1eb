"""Programs that a source in Perl, Ruby or Python starts: by a command line, by words, or by a name it mentions.

Command lines go to the reader of shell scripts, so that every command of a pipeline counts and computed words do not.
Where a language hands a line to `/bin/sh` (always, or because of a metacharacter), the shell is asked for. All of it is
optional, since the program may run without; and taken unless refused, since it is what active source says that it runs.
What is only declared or handed to a function that is named as if it started programs counts so far as the package of
the source declares a need of it.
"""

from __future__ import annotations

import re
import shlex
from functools import lru_cache
from posixpath import basename, dirname
from typing import TYPE_CHECKING, NamedTuple

from msgspec import structs

from pruner.analyze.opened import DISTRIBUTION_TYPES, edges_to_executable, is_elf, is_program
from pruner.analyze.shell import edges_of_command
from pruner.model import Edge, EdgeKind, Strength, capability_node, file_node

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pruner.analyze.view import View
    from pruner.model import File, PackageId

GROUP = "script-commands"
"""Group of optional edges: commands that sources start."""
SHELL = "shell"
"""Group of the optional edges to the shell; that of the rule for the symbols system(3) and popen(3) too."""
COMPUTED = "${computed}"
"""Stands in a command line for what the source computes: for a shell, a variable without a value."""

_METACHARACTERS = re.compile(r"[$&*(){}\[\]'\";\\|?<>~`\n]")
"""Perl starts a shell for these (perlfunc, system), Ruby for about the same (Kernel#exec)."""
_SPEAKS_OF_COMMANDS = re.compile(rb"\b(?:x?system|exec\w*|spawn\w*|\w*popen\w*|subprocess|[Oo]pen3|commands?|qx|xqx)\b")
_LITERAL = re.compile(rb"""(?<![\w\\])(["'])([a-z0-9][a-z0-9.+_-]{1,40})\1""")
_ORDINARY = frozenset({"gzip", "grep", "diffutils", "sed", "tar", "findutils"})
"""Essential packages whose commands have telling names; test, true, join and the like are words of every program."""
_ESSENTIAL = re.compile(r"^Essential:\s*yes\s*$", re.MULTILINE | re.IGNORECASE)


class Command(NamedTuple):
    """One command line in a source."""

    text: str
    """In the syntax of the shell, `COMPUTED` for what is not literal."""
    by_shell: bool | None
    """Whether a shell reads it; None where metacharacters decide."""
    certain: bool = True
    """Whether the line is started for certain, rather than declared or handed to a function that is named as if."""


def line_of(words: Sequence[str]) -> Command:
    """The command of an argument vector, which no shell reads."""
    return Command(" ".join(word if COMPUTED in word else shlex.quote(word) for word in words), False)


def edges_of_commands(file: File, commands: Iterable[Command], view: View) -> Iterator[Edge]:
    """Optional edges to the programs that `commands` of the source `file` start, and to the shell that reads them."""
    asks = None
    for command in dict.fromkeys(commands):
        text = command.text
        if not text.strip() or "\0" in text:
            continue
        by_shell = command.by_shell
        if by_shell is None:
            by_shell = _METACHARACTERS.search(text.strip().replace(COMPUTED, "")) is not None
        if not by_shell and text.startswith(COMPUTED):
            continue
        edges = edges_of_command(file, text, view, group=GROUP, by_shell=by_shell)
        if not command.certain:
            edges = _by_declaration(edges, file, view)
        yield from edges
        if by_shell and (command.certain or any(edge.default for edge in edges)):
            asks = asks or text
    if asks is not None:
        shown = " ".join(asks.replace(COMPUTED, "…").split())[:80]
        yield Edge(
            source=file_node(file.path),
            target=capability_node("shell"),
            kind=EdgeKind.CAPABILITY,
            strength=Strength.OPTIONAL,
            evidence=f"has a shell run {shown}",
            group=SHELL,
        )


def _by_declaration(edges: tuple[Edge, ...], file: File, view: View) -> tuple[Edge, ...]:
    """`edges`, refused unless accepted where a packager could have declared the need of the command and did not.

    A configuration manager names the tools of every system that it knows.
    """
    owner = view.owner(file.path)
    if owner is None or owner.type not in DISTRIBUTION_TYPES:
        return edges
    declared = set(_candidates(view, owner.id).values())
    programs = [edge for edge in edges if edge.kind is EdgeKind.EXEC]
    refused = {edge for edge in programs if edge.target not in declared or _is_foreign_script(edge.target, file, view)}
    if len(refused) == len(programs):
        refused.update(edge for edge in edges if edge.kind is EdgeKind.LINK)
    return tuple(structs.replace(edge, default=False) if edge in refused else edge for edge in edges)


def literals_of(data: bytes) -> frozenset[str]:
    """Quoted words in the text of a Perl or Ruby source that could be names of commands; comment lines left out."""
    found = set()
    for match in _LITERAL.finditer(data):
        line = data[data.rfind(b"\n", 0, match.start()) + 1 : match.start()]
        if not line.lstrip().startswith(b"#"):
            found.add(match.group(2).decode())
    return frozenset(found)


def edges_of_names(file: File, literals: Iterable[str], data: bytes, view: View) -> Iterator[Edge]:
    """Optional exec edges for each literal that is the name of a command which the package of `file` depends on.

    Taken unless refused where the text `data` speaks of starting commands; otherwise a name may be any word.
    """
    owner = view.owner(file.path)
    if owner is None or owner.type not in DISTRIBUTION_TYPES:
        return
    candidates = _candidates(view, owner.id)
    named = sorted(candidates.keys() & set(literals))
    default = bool(named) and _SPEAKS_OF_COMMANDS.search(data) is not None
    for name in named:
        real = view.tree.resolve(candidates[name]).path
        if real is not None and real != file.path and is_program(real, view):
            taken = default and not _is_foreign_script(candidates[name], file, view)
            evidence = f"names the command {name}"
            yield from edges_to_executable(file, candidates[name], view, evidence=evidence, default=taken)


def _is_foreign_script(path: str, file: File, view: View) -> bool:
    """Whether another source's script lies there: it would bring its interpreter for what is only a name."""
    owner, other, real = view.owner(file.path), view.owner(path), view.tree.resolve(path).path
    if owner is None or other is None or real is None or other.name in _ORDINARY:
        return False
    return other.id not in view.siblings(owner) and not is_elf(real, view)


@lru_cache(maxsize=64)
def _candidates(view: View, owner: PackageId) -> Mapping[str, str]:
    """Paths of the commands that the package depends on, directly or through others, by name."""
    searched = {found.path for place in view.search_path if (found := view.resolved(place)) is not None}
    related = view.related(view.packages[owner])
    commands: dict[str, str] = {}
    for package in sorted(view.packages.values(), key=lambda package: package.id):
        essential = _ESSENTIAL.search(package.stanza or "") is not None
        if package.name in _ORDINARY if essential else package.id in related:
            for path in view.owned(package.id):
                if dirname(path) in searched:
                    commands.setdefault(basename(path), path)
    return commands
