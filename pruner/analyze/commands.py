"""Programs that a program starts by name alone (`execvp("gpg-agent")`)."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from pruner.analyze import opened
from pruner.analyze.literals import words_among
from pruner.model import Edge, EdgeKind, File, Package, Strength, file_node

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pruner.analyze.elfimage import ElfImage
    from pruner.analyze.view import View

_STARTS_PROGRAMS = re.compile(r"exec[vl][epP]*\Z|fexecve|spawn|popen|\Asystem\Z|[Ff]ork|[Pp]rocess_?start", re.ASCII)
_SHARED_DIRECTORIES = ("/usr/bin", "/usr/sbin", "/bin", "/sbin", "/usr/local/bin", "/usr/local/sbin")

_NO_PROGRAMS = ("/etc/", "/var/", "/usr/share/doc/")
"""Trees whose executables are for others: init scripts, maintainer scripts, examples."""

ESSENTIAL = "essential-commands"
"""Commands of Essential packages, which nobody declares a need of (Debian Policy 3.8)."""

_ESSENTIAL_COMMANDS = frozenset({"egrep", "fgrep", "gunzip", "gzip", "sed", "tar", "xargs", "zcat"})
"""Commands of Essential packages that programs start, and whose names are seldom anything else.

Among the strings of a program `cat`, `cmp`, `diff`, `find`, `grep`, `sort`, `more`, `clear`, `login` or `hostname` are
words. Shells have to be asked for, and perl is a language, which brings more than a tool.
"""
_SEARCHES_PATH = re.compile(r"exec[lv]pe?|posix_spawnp|popen|system|g_spawn_\w+|g_subprocess_\w+", re.ASCII)
"""Functions that find a program by its bare name (execvp(3), system(3)); execve(2) needs a path."""


def starts_programs(symbols: frozenset[str]) -> bool:
    """Whether the imported symbols hold a function that starts other programs (exec(3), posix_spawn(3), popen(3))."""
    return any(_STARTS_PROGRAMS.search(symbol) for symbol in symbols)


def edges_of_words(file: File, image: ElfImage, view: View) -> Iterator[Edge]:
    """An exec edge for each string that is the name of a program of the same source or of a direct dependency.

    A dependency may be there for another reason (adduser, which maintainer scripts call), and a script brings its
    interpreter; so a dependency's scripts are optional. So are the tools of Essential packages, taken by default, save
    scripts that a library names.
    """
    owner = view.owner(file.path)
    siblings = view.siblings(owner) if owner is not None else frozenset()
    candidates = _candidates(file, owner, view)
    searches = any(_SEARCHES_PATH.fullmatch(symbol) for symbol in image.imported_symbols)
    essential = frozenset(_essential(view)).difference(candidates) if searches else frozenset()
    candidates += sorted(essential)
    words = words_among(image, {posixpath.basename(path) for path in candidates})
    for path in candidates:
        name = posixpath.basename(path)
        real = view.tree.resolve(path).path
        if name not in words or real is None or real == file.path or not opened.is_program(real, view):
            continue
        evidence = f"names the command {name}"
        other = view.owner(path)
        if path in essential:
            default = image.is_program or opened.is_elf(real, view)
            yield from _edges_to_essential(file, path, view, evidence=evidence, default=default)
        elif owner is None or (other is not None and other.id in siblings) or opened.is_elf(real, view):
            yield from view.edges_to(file_node(file.path), path, EdgeKind.EXEC, evidence=evidence)
        else:
            yield from opened.edges_to_executable(file, path, view, evidence=evidence, default=False)


def _essential(view: View) -> Iterator[str]:
    """The commands of Essential packages that are looked for in every program that starts others."""
    for name in _ESSENTIAL_COMMANDS if view.essential else ():
        path = view.tree.which(name, view.search_path)
        if path is not None and view.essential.intersection(view.inventory.owners.get(path, ())):
            yield path


def _edges_to_essential(file: File, path: str, view: View, *, evidence: str, default: bool) -> tuple[Edge, ...]:
    return view.edges_to(
        file_node(file.path),
        path,
        EdgeKind.EXEC,
        evidence=f"{evidence} of an Essential package",
        strength=Strength.OPTIONAL,
        group=ESSENTIAL,
        default=default,
    )


def _candidates(file: File, owner: Package | None, view: View) -> list[str]:
    """What the package of `file` and its declared dependencies own; the neighbours of a file that nothing owns.

    The content is looked at when the name occurs.
    """
    if owner is not None:
        packages = sorted(view.siblings(owner) | view.requirements(owner))
        return [path for package in packages for path in view.executables(package) if not path.startswith(_NO_PROGRAMS)]
    directory = posixpath.dirname(file.path)
    children = () if directory in _SHARED_DIRECTORIES else view.tree.children(directory)
    return [path for path in children if view.is_executable(path)]
