"""Files that an image's configuration or a plan's entry points name."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from pruner.model import FileType, Node, node_kind
from pruner.rootfs.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pruner.gate.types import SideFile
    from pruner.model import File, ImageConfig
    from pruner.plan.types import Plan

_BASE = Node("entry:base")
"""The entry of what every container needs, which names nothing that is run."""


def small_tree(files: Mapping[str, SideFile]) -> Tree:
    """Look-ups over the links and the executables of `files` alone: a tenth of the time of a tree of all names."""
    chosen = {
        path: file
        for path, file in files.items()
        if file.type is FileType.SYMLINK
        or (file.type is FileType.REGULAR and (file.mode is None or file.mode & 0o111 or ".so" in path))
    }
    return Tree(cast("Mapping[str, File]", chosen))  # of a file, a tree uses what both have


def entries_of_image(image: ImageConfig | None, files: Mapping[str, SideFile]) -> tuple[str, ...]:
    """Real paths of the program of ENTRYPOINT and CMD, and of the files among their words; sorted."""
    if image is None or not files:
        return ()
    words = [*image.entrypoint, *image.cmd]
    if not words:
        return ()
    tree = small_tree(files)
    base = image.working_dir or "/"
    found = set[str]()
    program = tree.which(words[0], image.search_path)
    for word in ([program] if program else []) + [word for word in words[1:] if word.startswith("/")]:
        real = tree.resolve(word, base).path or word
        if real in files and files[real].type is FileType.REGULAR:
            found.add(real)
    if words[0] in {"/bin/sh", "sh", "/bin/bash", "bash"} and "-c" in words:
        text = words[words.index("-c") + 1 :][:1]
        first = text[0].split()[:1] if text else []
        named = tree.which(first[0], image.search_path) if first else None
        target = tree.resolve(named).path if named else None
        found |= {target} if target is not None else set()
    return tuple(sorted(found))


def entries_of_plan(plan: Plan) -> tuple[str, ...]:
    """The files that the plan's entry points lead to at once.

    A package that comes with an entry is kept for its data: its programs are no entry points.
    """
    targets = {edge.target for edge in plan.edges if node_kind(edge.source) == "entry" and edge.source != _BASE}
    return tuple(sorted(str(target) for target in targets if target.startswith("/")))
