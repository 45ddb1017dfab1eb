"""`--keep GLOB`: what the user knows to be needed and nothing can derive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pruner.errors import EntryError, printable
from pruner.model import Edge, EdgeKind, FileType, entry_node, file_node
from pruner.pipeline.policy import literal_head

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pruner.analyze.view import View


def keep_edges(patterns: Sequence[str], view: View) -> tuple[Edge, ...]:
    """Edges to every file that a pattern names; a directory means its whole tree.

    What is kept this way must work, so it is active: a program brings its libraries, a script its interpreter.
    Raises `EntryError` for a pattern that names nothing.
    """
    edges: list[Edge] = []
    for pattern in patterns:
        source = entry_node(f"keep {pattern}")
        found = view.tree.glob(pattern.rstrip("/") or "/")
        if not found:
            raise EntryError(f"keep '{printable(pattern)}' names nothing in the image", hint="globs are absolute paths")
        way = literal_head(pattern)[0].rstrip("/")
        edges.extend(view.edges_to(source, way, EdgeKind.ENTRY, evidence="on the way to what the user keeps"))
        for path in found:
            file = view.resolved(path)
            below = view.tree.under(file.path) if file is not None and file.type is FileType.DIRECTORY else ()
            edges.extend(view.edges_to(source, path, EdgeKind.ENTRY, evidence="kept by the user"))
            edges.extend(
                Edge(source=source, target=file_node(child), kind=EdgeKind.ENTRY, evidence="kept by the user")
                for child in below
            )
    return tuple(edges)
