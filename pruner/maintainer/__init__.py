"""What maintainer scripts would have made of a root that is composed of package archives, as far as they can be read.

    root = open_installed("debs")          # a directory of .deb or .apk files, or any other root
    root.files["/etc/passwd"], getattr(root, "state", None)

The scripts are not executed: `machine` follows them over the root in memory. What they would do besides is listed, one
`Unknown` of kind `maintainer-script` for each script.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pruner.maintainer.composed import ComposedRoot
from pruner.rootfs import open_root
from pruner.rootfs.directory import DirectoryRoot

if TYPE_CHECKING:
    import os

    from pruner.rootfs import Root

__all__ = ["ComposedRoot", "open_installed"]


def open_installed(location: str | os.PathLike[str]) -> Root:
    """The root at `location`; where that is a directory of package archives, as if they were installed.

    Raises as `pruner.rootfs.open_root` does.
    """
    root = open_root(location)
    if isinstance(root, DirectoryRoot):
        return root
    # Two dozen modules that directories do without.
    from pruner.rootfs.packages import PackagesRoot

    if not isinstance(root, PackagesRoot):
        return root
    from pruner.maintainer.scripts import run_scripts

    try:
        return ComposedRoot(root, *run_scripts(root, root.archives))
    except BaseException:
        root.close()
        raise
