"""What install plans take from the root while it is open: state, maintainer scripts, repositories."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import TYPE_CHECKING

from pruner.model import FileType
from pruner.pipeline.concatenations import concatenations
from pruner.pipeline.kinds import elf_and_programs
from pruner.plan import Decision
from pruner.plan.materials import INSTALLABLE, Materials, PackageSource, Shipped, shipped_names
from pruner.read.aptsources import read_apt_sources
from pruner.rules.makers import tools_by_place

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pruner.model import DeclaredFile, Inventory, PackageId
    from pruner.plan import FilePlan, Plan
    from pruner.rootfs import Root, Tree

MOST_FILE_BYTES = 16 * 1024 * 1024
"""A larger file is not carried in a plan directory: it is named, and the install plan asks for it."""
MOST_BYTES = 64 * 1024 * 1024
"""What a plan directory carries at most, all such files together."""

_INFO = "/var/lib/dpkg/info"
_RPM_DATABASES = ("/usr/lib/sysimage/rpm", "/usr/share/rpm", "/var/lib/rpm")
_MOST_DATABASE_BYTES = 256 * 1024 * 1024
"""A database of ten thousand packages; a larger one is left alone."""
_MADE = re.compile(r"made by (\S+)'s (\S+)")
"""Reasons of `pruner.maintainer.scripts`."""
_SCRIPTS = ("preinst", "postinst", "prerm", "postrm", "config")
_MAKING_SCRIPTS = ("preinst", "postinst", "postrm")
"""Those that tell what a package made: what a purge removes was made before."""
_BASE = "base-files"
"""Makes the hierarchy (Debian Policy, 9.1), whose names are too short to be looked for."""
_COMMENT = re.compile(r"(?:^|\s)#.*$", re.MULTILINE)


def gather_materials(plan: Plan, inventory: Inventory, tree: Tree, root: Root | None) -> Materials:
    """The materials of `plan`; without a root, bytes and times are unknown and `unread` says so.

    A file of a package counts as changed when it is a conffile or newer than the package's own file list, and its
    content is not what the package's checksum says. Extended attributes that the archive can't carry count as a change.
    """
    shipped = shipped_names(plan, inventory, tree)
    if root is None:
        elf, programs = elf_and_programs(plan.files, inventory, None)
        lacking = (file.path for file in plan.files if _is_kept(file, FileType.REGULAR) and file.path not in shipped)
        return Materials(
            inventory=inventory,
            tree=tree,
            shipped=shipped,
            unread=dict.fromkeys(lacking, "its bytes are not in the SBOM"),
            elf=elf,
            programs=programs,
        )
    attributes = _attributes(plan, root)
    changed = _changed(shipped, inventory, root)
    attributed = {path: shipped[path] for path in attributes if path in shipped and path not in changed}
    changed |= attributes.keys()
    shipped = {path: found for path, found in shipped.items() if path not in changed}
    own = [file for file in plan.files if file.decision is Decision.KEEP and file.path not in shipped]
    elf, programs = elf_and_programs(plan.files, inventory, root)
    contents, unread = _contents(own, root)
    return Materials(
        inventory=inventory,
        tree=tree,
        shipped=shipped,
        contents=contents,
        unread=unread,
        attributes=attributes,
        attributed=attributed,
        # Dropped directories too: the package database, which is made later, may bring one back as a parent.
        modified={
            file.path: root.modified(file.path)
            for file in plan.files
            if file.type is FileType.DIRECTORY or (file.decision is Decision.KEEP and file.path not in shipped)
        },
        scripts=_scripts(plan, root) | _scripts_of_dropped(plan, inventory, root, own),
        made_by=_made_by(plan, root),
        concatenations=concatenations(contents, inventory, root),
        elf=elf,
        programs=programs,
        databases=_rpm_databases(plan, root),
        sources=tuple(
            PackageSource(uri=uri, suite=suite, components=components)
            for uri, suite, components in read_apt_sources(root, tree)
        ),
    )


def _is_kept(file: FilePlan, kind: FileType) -> bool:
    return file.decision is Decision.KEEP and file.type is kind


def _attributes(plan: Plan, root: Root) -> dict[str, Mapping[str, bytes]]:
    """Extended attributes of kept programs: file capabilities, which maintainer scripts set (setcap(8))."""
    programs = (file.path for file in plan.files if _is_kept(file, FileType.REGULAR) and file.mode & 0o111)
    found = ((path, root.extended_attributes(path)) for path in programs)
    return {path: attributes for path, attributes in found if attributes}


def _changed(shipped: Mapping[str, Shipped], inventory: Inventory, root: Root) -> set[str]:
    """Names of packages whose content or link is no longer the archive's."""
    declared, unpacked = _declared(shipped, inventory), dict[str, int | None]()
    times = {package.id: f"{package.name}\0{package.architecture}" for package in inventory.packages}
    changed = set()
    for path, found in shipped.items():
        key = times[found.package]
        if key not in unpacked:
            unpacked[key] = _unpacked(root, *key.split("\0"))
        since = unpacked[key]
        own = declared.get((found.package, found.name))
        if not (own is not None and own.conffile) and since is not None and root.modified(path) < since:
            continue
        file = root.files[path]
        if file.type is not FileType.REGULAR:
            changed.update([path] if since is not None else [])
        elif own is not None and own.digest is not None and not _matches(own.digest, root.read(path)):
            changed.add(path)
    return changed


def _declared(shipped: Mapping[str, Shipped], inventory: Inventory) -> Mapping[tuple[PackageId, str], DeclaredFile]:
    wanted = {(found.package, found.name) for found in shipped.values()}
    return {
        (package.id, name): declared
        for package in inventory.packages
        if package.type in INSTALLABLE
        for declared in package.files
        if (package.id, name := declared.shipped or declared.path) in wanted
    }


def _unpacked(root: Root, name: str, architecture: str) -> int | None:
    """When dpkg unpacked the package: it writes the file list then, and files keep the older times of the archive."""
    lists = (f"{_INFO}/{name}.list", f"{_INFO}/{name}:{architecture}.list")
    return next((root.modified(path) for path in lists if path in root.files), None)


def _matches(digest: str, data: memoryview) -> bool:
    """Whether `data` has the digest, as dpkg (`md5:HEX`), apk (`Q1BASE64`) or rpm (`sha256:HEX`) spell it."""
    algorithm, _, value = digest.rpartition(":")
    if value.startswith("Q1"):
        return base64.b64encode(hashlib.sha1(data, usedforsecurity=False).digest()).decode() == value[2:]
    if algorithm not in {"md5", "sha1", "sha256", "sha512"}:
        return True
    return hashlib.new(algorithm, data, usedforsecurity=False).hexdigest() == value.lower()


def _contents(files: Iterable[FilePlan], root: Root) -> tuple[dict[str, bytes], dict[str, str]]:
    contents, unread, total = dict[str, bytes](), dict[str, str](), 0
    for file in files:
        if file.type is not FileType.REGULAR:
            continue
        if file.bytes > MOST_FILE_BYTES or total + file.bytes > MOST_BYTES:
            unread[file.path] = "too large to be carried in a plan directory"
            continue
        total += file.bytes
        contents[file.path] = bytes(root.read(file.path))
    return contents, unread


def _rpm_databases(plan: Plan, root: Root) -> dict[str, bytes]:
    """Databases of rpm in their sqlite form, where no log (SQLite, WAL) is left to be written into them."""
    if not any(package.type == "rpm" and package.decision is not Decision.DROP for package in plan.packages):
        return {}
    found: dict[str, bytes] = {}
    for place in _RPM_DATABASES:
        path, log = f"{place}/rpmdb.sqlite", root.files.get(f"{place}/rpmdb.sqlite-wal")
        file = root.files.get(path)
        is_whole = log is None or not log.bytes
        if file is not None and file.type is FileType.REGULAR and is_whole and file.bytes <= _MOST_DATABASE_BYTES:
            found[path] = bytes(root.read(path))
    return found


def _made_by(plan: Plan, root: Root) -> dict[str, tuple[str, str]]:
    """Package and script of what maintainer scripts made, where they were followed."""
    reasons = getattr(root, "reasons", {})
    found = ((file.path, _MADE.fullmatch(reasons[file.path])) for file in plan.files if file.path in reasons)
    return {path: (match[1], match[2]) for path, match in found if match is not None}


def _scripts(plan: Plan, root: Root) -> dict[PackageId, Mapping[str, str]]:
    """Text of the maintainer scripts of kept Debian packages (deb-postinst(5) and its kin)."""
    texts: dict[PackageId, Mapping[str, str]] = {}
    for package in plan.packages:
        if package.decision is Decision.DROP or package.type != "deb":
            continue
        found = _texts(package.name, package.architecture, _SCRIPTS, root)
        if found:
            texts[package.id] = found
    return texts


def _scripts_of_dropped(
    plan: Plan, inventory: Inventory, root: Root, kept: Sequence[FilePlan]
) -> dict[PackageId, Mapping[str, str]]:
    """Likewise of packages that the plan drops, where they name a file of `kept`, or call a tool that makes it."""
    dropped = {package.id for package in plan.packages if package.decision is Decision.DROP}
    names = [file.path for file in kept if file.type is not FileType.DIRECTORY and file.path.count("/") > 1]
    tools = {
        tool
        for place, tool in tools_by_place()
        if any(name.startswith(place[:-1]) if place.endswith("*") else name == place for name in names)
    }
    texts: dict[PackageId, Mapping[str, str]] = {}
    for package in inventory.packages:
        if package.id not in dropped or package.type != "deb":
            continue
        found = _texts(package.name, package.architecture, _MAKING_SCRIPTS, root)
        text = "\n".join(found.values())
        if found and (package.name == _BASE or any(word in text and word in _bare(text) for word in (*tools, *names))):
            texts[package.id] = found
    return texts


def _bare(script: str) -> str:
    return _COMMENT.sub("", script)


def _texts(name: str, architecture: str | None, scripts: Iterable[str], root: Root) -> dict[str, str]:
    """Maintainer scripts of a package by name."""
    places = ((script, f"{_INFO}/{file}.{script}") for file in (name, f"{name}:{architecture}") for script in scripts)
    return {
        script: bytes(root.read(path)).decode("utf-8", "replace")
        for script, path in places
        if path in root.files and root.files[path].type is FileType.REGULAR
    }
