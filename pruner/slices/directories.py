"""Which directories a slice has to list: those that no path of it brings along as they have to be."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from pruner.model import FileType

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from pruner.slices.types import Need, SliceKey, SourceFile


def listed_directories(
    parts: Mapping[SliceKey, Sequence[SourceFile]],
    needs: Mapping[str, Sequence[Need]],
    left: Collection[str] = (),
) -> Iterator[tuple[SliceKey, SourceFile]]:
    """Directories among `parts` that need an entry, the deepest first.

    chisel makes a parent with the mode that the slice's own archive has for it, else 0755. So a directory is listed
    where nothing of its slice lies below it and either nothing of any slice does or something needs it by itself, or
    where its mode is another than what it would come with. Names that are `left` over bring no parents along.
    """
    parents: defaultdict[SliceKey, set[str]] = defaultdict(set)
    everywhere: set[str] = set()
    for key, files in parts.items():
        here = parents[key]
        for file in files:
            if file.type is not FileType.DIRECTORY and file.path not in left:
                _add_parents(file.path, here)
        everywhere |= here
    needed = {need.target for found in needs.values() for need in found}
    directories = [
        (key, file) for key, files in parts.items() for file in files
        if file.type is FileType.DIRECTORY and file.path != "/"
    ]  # fmt: skip
    for key, file in sorted(directories, key=lambda item: (-item[1].path.count("/"), item[1].path, item[0])):
        comes_along = file.path in parents[key]
        # The archive's own mode comes along with the parent, and what is made takes the archive's mode for it, too.
        is_as_made = file.shipped == file.path or file.mode == 0o755
        is_dispensable = file.path in everywhere and file.path not in needed and file.mode == 0o755
        if (comes_along and is_as_made) or (is_dispensable and not (file.uid or file.gid)):
            continue
        _add_parents(file.path, parents[key])
        _add_parents(file.path, everywhere)
        yield key, file


def _add_parents(path: str, parents: set[str]) -> None:
    while (path := path.rpartition("/")[0]) and path not in parents:
        parents.add(path)
