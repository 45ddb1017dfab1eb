"""State that is the files of one directory of a package one after the other, such as a bundle of certificates."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from pruner.bytewise import bytewise
from pruner.model import FileType

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pruner.model import Inventory
    from pruner.rootfs import Root

_FEWEST_BYTES = 1 << 10
"""What is smaller is as well written out."""


def concatenations(contents: Mapping[str, bytes], inventory: Inventory, root: Root) -> dict[str, tuple[str, ...]]:
    r"""For each of `contents` that is so made the real paths of its parts, in their bytewise order.

    Every part ends in a newline, which is added where it has none, as `sed -e '$a\\'` of update-ca-certificates(8)
    does. Only directories whose files of one suffix add up to the right size are read.
    """
    groups: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for path in inventory.owners:
        file = inventory.files.get(path)
        if file is not None and file.type is FileType.REGULAR:
            directory, _, name = path.rpartition("/")
            groups[directory, name.rpartition(".")[2]].append(path)
    sizes = [(sum(inventory.files[path].bytes for path in paths), paths) for paths in groups.values() if len(paths) > 1]
    found: dict[str, tuple[str, ...]] = {}
    for target, content in contents.items():
        if len(content) < _FEWEST_BYTES or not content.endswith(b"\n"):
            continue
        for size, paths in sizes:
            if size <= len(content) <= size + len(paths):
                parts = bytewise(paths)
                if b"".join(_lines(parts, root)) == content:
                    found[target] = tuple(parts)
                    break
    return found


def _lines(paths: list[str], root: Root) -> Iterator[bytes]:
    for path in paths:
        data = bytes(root.read(path))
        yield data if data.endswith(b"\n") else data + b"\n"
