"""Copyright files stay for every package of which something stays: Debian Policy 12.5 wants them with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pruner.model import Edge, EdgeKind, FileType, Node, PackageId, file_node

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pruner.analyze.view import View


def copyright_edges(reached: Mapping[Node, bool], view: View) -> list[Edge]:
    """For every package with a reached file the edges to its copyright file that are still missing."""
    first_kept: dict[PackageId, str] = {}
    for node in sorted(reached):
        file = view.tree.files.get(node)
        if file is not None and file.type is not FileType.DIRECTORY:
            for owner in view.inventory.owners.get(node, ())[:1]:
                first_kept.setdefault(owner, node)
    edges: list[Edge] = []
    for owner, path in first_kept.items():
        package = view.packages[owner]
        if package.type != "deb":
            continue
        edges.extend(
            edge
            for edge in view.edges_to(
                file_node(path),
                f"/usr/share/doc/{package.name}/copyright",
                EdgeKind.COMPANION,
                evidence=f"the licence of {package.name}",
            )
            if edge.target not in reached
        )
    return edges
