"""What the arguments of a language's interpreter name: modules, search paths, and code on the command line itself.

Health checks and entry points are often `python -c …` or `node -e …`; such code is analysed as if it were a file in the
working directory.
"""

from __future__ import annotations

import re
from dataclasses import replace
from posixpath import basename, join, normpath
from typing import TYPE_CHECKING

from msgspec import structs

from pruner.analyze.imports import without_repeats
from pruner.model import File, FileType, Findings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pruner.analyze.view import View
    from pruner.model import Edge, Node, Unknown

_INTERPRETER = re.compile(r"(python|pypy|perl|ruby|node|nodejs|php)(?:\d+(?:\.\d+)*)?\Z")
_INLINE = {
    "python": re.compile(r"-[bBdEhiIOqsSuvVx]*c\Z"),
    "perl": re.compile(r"-[a-zA-Z]*[eE]\Z"),
    "ruby": re.compile(r"-[a-z]*e\Z"),
    "node": re.compile(r"(?:-e|-p|-pe|--eval|--print)\Z"),
    "php": re.compile(r"(?:-r|--run)\Z"),
}
"""Options whose value is source code (the manual pages python(1), perlrun(1), ruby(1), node(1), php(1))."""
_PRELOADS = {
    "perl": (re.compile(r"-[mM]-?([A-Za-z_][\w:]*)"), "use {};"),
    "ruby": (re.compile(r"-r([\w./-]+)\Z"), 'require "{}"'),
}
"""Options with the name of a library in the same word, and the statement that they stand for."""
_PRELOAD_WORDS = {"node": frozenset({"-r", "--require", "--import", "--loader", "--experimental-loader"})}


def edges_of_arguments(
    source: Node, words: Sequence[str], base: str, view: View
) -> tuple[tuple[Edge, ...], tuple[Unknown, ...]]:
    """Edges from `source` to what the arguments of the command `words` name beyond plain paths, and what is not known.

    `words[0]` is the path of the program as it is invoked, `base` the working directory.
    """
    from pruner.analyze.java import edges_of_java_arguments
    from pruner.analyze.pythonargs import edges_of_arguments as edges_of_python_arguments

    if not words:
        return (), ()
    edges, unknowns = edges_of_python_arguments(source, words, base, view)
    parts = [Findings(edges=(*edges, *edges_of_java_arguments(source, words, base, view)), unknowns=unknowns)]
    language = _language(words[0], view)
    if language is not None:
        first = f"#!{words[0]}\n" if language == "python" else ""  # says which environment the code runs in
        parts.extend(_of_text(source, language, first + text, base, view) for text in _texts(language, words))
    return (
        without_repeats(edge for part in parts for edge in part.edges),
        tuple(dict.fromkeys(unknown for part in parts for unknown in part.unknowns)),
    )


def _language(program: str, view: View) -> str | None:
    """The language whose interpreter `program` is or leads to."""
    real = view.tree.resolve(program).path
    for name in (basename(program), basename(real or "")):
        match = _INTERPRETER.match(name)
        if match:
            return {"pypy": "python", "nodejs": "node"}.get(match.group(1), match.group(1))
    return None


def _texts(language: str, words: Sequence[str]) -> Iterator[str]:
    """Source code in the arguments, and for preloaded libraries the statement that would load them."""
    inline = _INLINE[language]
    preload = _PRELOADS.get(language)
    for position, word in enumerate(words[1:], 1):
        before = words[position - 1] if position > 1 else ""
        if inline.match(before):
            yield word if language != "php" else f"<?php {word}"
        elif before in _PRELOAD_WORDS.get(language, ()):
            yield f"require({word!r})"
        elif preload is not None and (named := preload[0].match(word)):
            yield preload[1].format(named.group(1))
        elif not word.startswith("-") and not before.startswith("-"):
            return  # the program; what follows are its own arguments


def _of_text(source: Node, language: str, text: str, base: str, view: View) -> Findings:
    """The findings of the language's analyzer for code on the command line, as findings of `source`."""
    from importlib import import_module

    file = File(path=normpath(join(base, "command line")), type=FileType.REGULAR)
    analyzer = getattr(import_module(f"pruner.analyze.{language}"), f"edges_of_{language}")
    found: Findings = analyzer(file, memoryview(text.encode("utf-8", "surrogateescape")), True, view)
    return Findings(
        edges=tuple(structs.replace(edge, source=source) for edge in found.edges),
        unknowns=tuple(replace(unknown, subject=str(source)) for unknown in found.unknowns),
    )
