"""The inventory of a root whose own package database says it all, before it is joined with that root."""

from __future__ import annotations

import shlex
from pathlib import PurePath
from typing import TYPE_CHECKING

from pruner.model import Distro, Inventory
from pruner.read.database import text_of
from pruner.rootfs.tree import Tree

if TYPE_CHECKING:
    from pruner.rootfs.types import Root

PACKAGES_FORMAT = "packages"
"""`Inventory.format` where nothing stands beside the root: its own package database lists all there is."""
_DATABASES = ("/var/lib/dpkg/status", "/var/lib/dpkg/status.d", "/lib/apk/db/installed", "/usr/lib/apk/db/installed")
_NO_DISTRIBUTION = "no package brings os-release (base-files does), so the packages' distribution is not named"


def inventory_of_packages(root: Root) -> Inventory:
    """An inventory that knows the distribution of `root` and leaves the rest to its package database."""
    distro = _distro(root)
    return Inventory(
        name=PurePath(root.name).name,
        format=PACKAGES_FORMAT,
        distro=distro,
        lacks=() if distro.id else (_NO_DISTRIBUTION,),
    )


def has_database(root: Root) -> bool:
    """Whether `root` holds the database of a package manager that can stand for an SBOM: dpkg's or apk's."""
    return any(path in root.files for path in _DATABASES)


def _distro(root: Root) -> Distro:
    """What os-release(5) says."""
    tree = Tree(root.files)
    text = text_of(root, tree, "/etc/os-release") or text_of(root, tree, "/usr/lib/os-release") or ""
    values: dict[str, str] = {}
    for line in text.split("\n"):
        name, separator, value = line.strip().partition("=")
        if separator and not name.startswith("#"):
            values[name] = _unquoted(value)
    return Distro(
        id=values.get("ID", ""),
        version_id=values.get("VERSION_ID", ""),
        name=values.get("PRETTY_NAME", values.get("NAME", "")),
        id_like=tuple(values.get("ID_LIKE", "").split()),
    )


def _unquoted(text: str) -> str:
    try:
        return " ".join(shlex.split(text))
    except ValueError:
        return text
