"""Entry edges to one program or file, and names that are near one that does not exist."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from pruner.errors import printable
from pruner.model import Edge, EdgeKind, Node, file_node, package_node

if TYPE_CHECKING:
    from pruner.analyze.view import View


def entry_edge(source: Node, target: Node, evidence: str) -> Edge:
    """An edge from the entry point `source`; what it leads to is active."""
    return Edge(source=source, target=target, kind=EdgeKind.ENTRY, evidence=evidence)


def program_edges(source: Node, path: str, view: View, base: str = "/", *, whole: bool = True) -> list[Edge]:
    """Edges to a file, to every link on the way, and (`whole`) to the packages that own any of them."""
    found = view.tree.resolve(path, base)
    if found.path is None:
        return []
    located = view.edges_to(source, path, EdgeKind.ENTRY, base=base, evidence="named by the entry point")
    edges = [*located, entry_edge(source, file_node(found.path), "what the entry point leads to")]
    edges.extend(entry_edge(source, file_node(link), "a link on the way") for link in found.links)
    if whole:
        chain = dict.fromkeys([edge.target for edge in edges if edge.target.startswith("/")])
        owners = {owner.id: path for path in chain if (owner := view.owner(path)) is not None}
        edges.extend(entry_edge(source, package_node(owner), f"owns {path}") for owner, path in owners.items())
    return edges


def nearest_paths(text: str, view: View) -> str:
    """A hint with files of the same name, or else with paths that are spelt alike."""
    name = text.rstrip("/").rpartition("/")[2]
    same_name = [path for path in view.tree.files if path.rpartition("/")[2] == name][:3]
    near = same_name or difflib.get_close_matches(text, view.tree.files, n=3, cutoff=0.75)
    return f"did you mean {', '.join(printable(path) for path in near)}?" if near else "paths are those of the image"
