"""Modules that the command line of a Python program names: `-m pkg.mod`, `uvicorn main:app`, `celery -A project`."""

from __future__ import annotations

import re
from posixpath import basename, dirname
from typing import TYPE_CHECKING

from pruner.analyze.imports import module_edges, without_repeats
from pruner.analyze.pythonpath import INTERPRETER, Environment, modules_of
from pruner.analyze.pythontrace import traced_edges
from pruner.model import EdgeKind, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pruner.analyze.pythonpath import Modules
    from pruner.analyze.view import View
    from pruner.model import Edge, Node

_REFERENCE = re.compile(r"([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*):[A-Za-z_][\w.]*(?:\(.*\))?\Z", re.DOTALL)
"""`module:attribute` or `module:factory()`, as WSGI and ASGI servers take it."""
_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*\Z")
_APPLICATION = frozenset({"-A", "--app", "--application"})


def edges_of_arguments(
    source: Node, words: Sequence[str], base: str, view: View
) -> tuple[tuple[Edge, ...], tuple[Unknown, ...]]:
    """Edges from `source` to the modules that the command `words` names, and what of them was not found.

    `words[0]` is the path of the program; nothing follows unless Python runs it. A module is looked for in the working
    directory `base`, then in the program's environment. An application that neither has (a root given as a directory
    tells no working directory) is taken where a file of that name exists just once outside of packages.
    """
    modules = modules_of(view)
    environment = _environment_of_program(words[0], modules, view) if words else None
    if environment is None:
        return (), ()
    edges: list[Edge] = []
    unknowns: list[Unknown] = []
    for name, must in _names(words):
        files = _files(name, base, environment, modules, view)
        if not files and must:
            detail = f"module {name} of the command line is not in the root; name its file as an entry point"
            unknowns.append(Unknown(kind="import", subject=str(source), detail=detail))
        evidence = f"the command line names module {name}"
        for path in files:
            edges.extend(module_edges(source, path, view, evidence=evidence, kind=EdgeKind.ENTRY))
        edges.extend(traced_edges(source, files, (), environment, view))
    if edges and environment.configuration is not None:
        evidence = "makes the directory a virtual environment"
        edges.extend(view.edges_to(source, environment.configuration, EdgeKind.CONFIG, evidence=evidence))
    return without_repeats(edges), tuple(unknowns)


def _environment_of_program(program: str, modules: Modules, view: View) -> Environment | None:
    """The environment that runs `program`: its own, or that of its first line if it is a script."""
    real = view.tree.resolve(program).path
    if real is None:
        return None
    if INTERPRETER.match(basename(real)):
        return modules.environment(program)
    data = view.read(real)
    line = b"" if data is None else bytes(data[:512]).partition(b"\n")[0]
    if not line.startswith(b"#!"):
        return None
    parts = line[2:].decode("utf-8", "replace").split()
    if parts and basename(parts[0]) == "env":
        found = view.tree.which(next((word for word in parts[1:] if word[:1] != "-"), ""), view.search_path)
        parts = [] if found is None else [found]
    return modules.environment(parts[0]) if parts and "python" in basename(parts[0]) else None


def _names(words: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """Names of modules among the arguments, each with whether the program can't go on without it."""
    for position, word in enumerate(words[1:], 1):
        before = words[position - 1]
        option, equals, value = word.partition("=")
        reference = _REFERENCE.match(value if equals and option.startswith("-") else word)
        if before == "-m":
            yield word, True
        elif reference is not None:
            yield reference.group(1), True
        elif before in _APPLICATION or (equals and option in _APPLICATION):
            yield (value if equals else word).partition(":")[0], True
        elif "." in word and _DOTTED.match(word):
            yield word, False


def _files(name: str, base: str, environment: Environment, modules: Modules, view: View) -> tuple[str, ...]:
    """The files that importing or running `name` starts with; empty where it was not found or is not the only one."""
    if not _DOTTED.match(name):
        return ()
    for search in ((base,), environment.search):
        found = modules.find(name, search, environment.mapped)
        if found.complete and found.files:
            main = modules.listed(dirname(found.files[-1])).get("__main__")
            return (*found.files, main) if main and basename(found.files[-1]).startswith("__init__.") else found.files
    tails = (f"/{name.replace('.', '/')}.py", f"/{name.replace('.', '/')}/__init__.py")
    candidates = [
        path
        for path in view.tree.files
        if path.endswith(tails) and view.owner(path) is None and "-packages/" not in path and "/lib/python" not in path
    ]
    if len(candidates) != 1:
        return ()
    top = candidates[0]
    for tail in tails:
        top = top.removesuffix(tail)
    return modules.find(name, (top,)).files
