"""Syntax trees of application languages by tree-sitter, loaded when the first file of a language is met.

A file that has errors still yields a tree with what could be read, so nothing is raised for hostile or foreign text.
"""

from __future__ import annotations

import warnings
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tree_sitter import Language, Node, Query

_GRAMMARS = {
    "javascript": ("tree_sitter_javascript", "language"),
    "perl": ("tree_sitter_perl", "language"),
    "php": ("tree_sitter_php", "language_php"),
    "ruby": ("tree_sitter_ruby", "language"),
}
_MATCHES = 200_000
"""Matches of one query in one file; a real file has a few hundred."""


_HIGHEST = 64
"""Levels of nesting that are looked through for what is around a node."""
_LONGEST_PATH_EXPRESSION = 300
"""Bytes; also bounds how deep an expression that is evaluated can be nested."""


class Match(NamedTuple):
    """One match of a query: which pattern, and the nodes it named."""

    pattern: int
    captures: Mapping[str, Sequence[Node]]


def matches(language: str, query: str, data: bytes) -> list[Match]:
    """All matches of `query` (tree-sitter's query syntax) in `data`, in the order of the text."""
    from tree_sitter import Parser, QueryCursor

    # Predicates of queries decode the text as UTF-8; a name in another encoding would not be found either way.
    tree = Parser(_language(language)).parse(data.decode("utf-8", "replace").encode())
    found = QueryCursor(_query(language, query), match_limit=_MATCHES).matches(tree.root_node)
    in_order = [Match(pattern, captures) for pattern, captures in found]
    return sorted(
        in_order, key=lambda match: min(node.start_byte for nodes in match.captures.values() for node in nodes)
    )


def text_of(node: Node) -> str:
    """The source text of `node`."""
    return (node.text or b"").decode("utf-8", "surrogateescape")


def may_be_path(node: Node) -> bool:
    """Whether `node` is short enough for an expression that names a path; bundlers write sums of thousands of terms."""
    return node.end_byte - node.start_byte <= _LONGEST_PATH_EXPRESSION


def is_inside(node: Node, kinds: frozenset[str], field: str | None = None) -> bool:
    """Whether a node of one of `kinds` is around `node`, and `node` in its `field` where one is given."""
    return any(
        outer.type in kinds and (field is None or outer.child_by_field_name(field) == inner)
        for inner, outer in ancestors(node)
    )


def ancestors(node: Node) -> Iterator[tuple[Node, Node]]:
    """Each node around `node` after the one inside it; a limited number, since to climb costs the depth each time."""
    inner, outer = node, node.parent
    for _ in range(_HIGHEST):
        if outer is None:
            return
        yield inner, outer
        inner, outer = outer, outer.parent


@lru_cache(maxsize=8)
def _language(name: str) -> Language:
    from tree_sitter import Language

    module, function = _GRAMMARS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # grammars built for an older binding pass a bare pointer
        return Language(getattr(import_module(module), function)())


@lru_cache(maxsize=8)
def _query(language: str, text: str) -> Query:
    from tree_sitter import Query

    return Query(_language(language), text)
