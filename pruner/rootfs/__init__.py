"""Where bytes come from: a directory, a tar of a root, a docker-archive, an OCI image layout; and path look-ups.

root = open_root("rootfs.tar.zst")
tree = Tree(root.files)
root.read(tree.resolve("/bin/sh").path)
"""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

from pruner.errors import InputError
from pruner.rootfs.directory import DirectoryRoot, holds_packages
from pruner.rootfs.tree import Resolution, Tree
from pruner.rootfs.types import Root

__all__ = ["Resolution", "Root", "Tree", "open_root"]


def open_root(location: str | os.PathLike[str]) -> Root:
    """The root filesystem at `location`, identified by what is there; close it after use.

    A directory (a root, an OCI image layout, or package archives alone), or a file: a tar of a root (`docker export`),
    a docker-archive or an OCI image layout, plain or compressed by gzip, zstd or xz. Raises `InputError` for anything
    else and for damage, `EnvironmentFault` where a permission or room for decompressed layers is missing.
    """
    # Archives need a dozen modules that a directory does without.
    place = os.fspath(location)
    if Path(place).is_dir():
        if holds_packages(place):
            from pruner.rootfs.packages import open_packages

            return open_packages(place)
        root = DirectoryRoot(place)
        if not {"/oci-layout", "/index.json"} <= root.files.keys():
            return root
        from pruner.rootfs.archive import open_layout

        with closing(root):  # what is open of it stays
            return open_layout(root)
    if not Path(place).exists():
        raise InputError(f"{place}: no such file or directory")
    if not Path(place).is_file():
        raise InputError(f"{place}: neither a directory nor a regular file")
    from pruner.rootfs.archive import open_archive

    return open_archive(place)
