"""What a symbolic link needs: the name that it leads to, and the directory links on the way there."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from pruner.model import EdgeKind, File, Findings, Unknown, file_node

if TYPE_CHECKING:
    from pruner.analyze.view import View

_MADE_LATER = ("/proc", "/sys", "/dev", "/run", "/tmp")  # noqa: S108 -- names of the image, nothing is written
"""Filled when the container runs, so that a link which leads there dangles in every image."""


def edges_of_link(file: File, active: bool, view: View) -> Findings:
    """`link` edges to the next name of the chain, which is not followed further: a link there has its own edges.

    A dangling link is an unknown of kind `link`, but only where something active uses it.
    """
    target = file.target or ""
    directory = posixpath.dirname(file.path)
    edges = view.edges_to(
        file_node(file.path), target, EdgeKind.LINK, base=directory, evidence=f"symbolic link to {target}"
    )
    if edges or not active or _is_made_later(posixpath.join(directory, target)):
        return Findings(edges=edges)
    if view.tree.resolve(target, directory).path == "/":
        return Findings()
    return Findings(unknowns=(Unknown(kind="link", subject=file.path, detail=f"dangling link to {target}"),))


def _is_made_later(target: str) -> bool:
    path = posixpath.normpath(target)
    return any(path == tree or path.startswith(f"{tree}/") for tree in _MADE_LATER)
