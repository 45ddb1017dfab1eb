"""Files that an image's configuration or a plan's entry points name."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, cast

from pruner.model import FileType, Node, node_kind
from pruner.rootfs.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pruner.gate.types import SideFile
    from pruner.model import File, ImageConfig
    from pruner.plan.types import Plan

_BASE = Node("entry:base")
"""The entry of what every container needs, which names nothing that is run."""


def small_tree(files: Mapping[str, SideFile]) -> Tree:
    """Where paths lead, of links and executables alone: a tenth of the time of a tree of all names."""
    chosen = {
        path: file
        for path, file in files.items()
        if file.type is FileType.SYMLINK
        or (file.type is FileType.REGULAR and (file.mode is None or file.mode & 0o111 or ".so" in path))
    }
    return Tree(cast("Mapping[str, File]", chosen))  # of a file, resolving uses what both have


def entries_of_image(image: ImageConfig | None, files: Mapping[str, File]) -> tuple[str, ...]:
    """Real paths of the programs that ENTRYPOINT and CMD start, and of the files among their words; sorted."""
    words = () if image is None else (*image.entrypoint, *image.cmd)
    if image is None or not words:
        return ()
    tree = Tree({path: file for path, file in files.items() if _leads_to_program(file)})
    base = image.working_dir or "/"
    named = (tree.resolve(path, base).path or path for path in _named(words, tree, image.search_path))
    return tuple(sorted({real for real in named if real in files and files[real].type is FileType.REGULAR}))


def _leads_to_program(file: File) -> bool:
    return file.type is FileType.SYMLINK or bool(file.mode & 0o111 or file.executable)


def _named(words: Sequence[str], tree: Tree, search_path: Sequence[str]) -> Iterator[str]:
    """Paths of the program of a command, of the files among its words, and of the commands that it starts in turn.

    A wrapper (`tini -- nginx`) starts the first program among its words; of anything else the word after its name
    counts, which an entry script takes on (`docker-entrypoint.sh nginx`).
    """
    from pruner.analyze.commandlines import command_lines, shell_text
    from pruner.analyze.shell import WRAPPERS

    program = tree.which(words[0], search_path)
    if program is not None:
        yield program
    rest = words[1:]
    yield from (word for word in rest if word.startswith("/"))
    script = shell_text(tuple(words))
    if script is not None:
        for line in command_lines(script):
            yield from _named(line, tree, search_path)
        return
    candidates = rest if posixpath.basename(words[0]) in WRAPPERS else rest[:1]
    at = next((at for at, word in enumerate(candidates) if word and tree.which(word, search_path) is not None), None)
    if at is not None:
        yield from _named(rest[at:], tree, search_path)


def entries_of_plan(plan: Plan) -> tuple[str, ...]:
    """The files that the plan's entry points lead to at once.

    A package that comes with an entry is kept for its data: its programs are no entry points.
    """
    targets = {edge.target for edge in plan.edges if node_kind(edge.source) == "entry" and edge.source != _BASE}
    return tuple(sorted(str(target) for target in targets if target.startswith("/")))
