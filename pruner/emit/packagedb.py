"""The package database of the pruned root: exactly what is there, in a form that scanners read.

Debian: `status.d/NAME` and `status.d/NAME.md5sums` as in distroless images (its PACKAGE_METADATA.md); syft, trivy and
grype read them. Where something kept needs dpkg's own `status`, that file and `info/*.md5sums` are trimmed instead.
Alpine: the trimmed installed database, and `world`, without which apk does not open it. rpm: the root's own database
without the dropped packages, where it is sqlite's; of another form none is made, and the plan says so.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from msgspec import structs

from pruner.bytewise import bytewise
from pruner.emit.apkdb import apk_database, apk_world
from pruner.emit.dpkgdb import STATUS, dpkg_database
from pruner.model import FileType, Inventory, Package
from pruner.plan import Decision, FilePlan, Plan, made_directory
from pruner.plan.totals import totals_of
from pruner.rootfs import Tree

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

_REASON = "package database of what is kept"
_STATUS_DIRECTORY = "/var/lib/dpkg/status.d"
_INFO_DIRECTORY = "/var/lib/dpkg/info"
_APK_DATABASES = ("/lib/apk/db/installed", "/usr/lib/apk/db/installed")
_APK_WORLD = "/etc/apk/world"


def with_package_database(
    plan: Plan, inventory: Inventory, tree: Tree | None = None, databases: Mapping[str, bytes] | None = None
) -> Plan:
    """`plan` with the package databases of `inventory` replaced by ones of the packages and files that it keeps.

    `tree` spares the time to build one of the inventory's files; `databases` are the root's own in a binary form, by
    real path. Raises `InputError` when a package's name or metadata can't stand in a database (a line break, a slash).
    """
    present = {package.id for package in plan.packages if package.decision is not Decision.DROP}
    packages = [package for package in inventory.packages if package.id in present]
    tree = tree or Tree(inventory.files)
    files = {file.path: file for file in plan.files}
    kept = _kept(files)
    contents = dict(package_database(packages, tree, kept, needs_status=_is_kept(files, _real(tree, STATUS))))
    contents |= _rpm_databases(packages, databases or {})
    for path in _databases(tree, files):
        if path not in contents:
            files[path] = structs.replace(
                files[path], decision=Decision.DROP, reason="package database of the whole image", origin=None
            )
    for path, content in contents.items():
        files[path] = _made(path, content, files.get(path))
        _keep_parents(path, files)
    ordered = tuple(files[path] for path in bytewise(files))
    there = (file for file in ordered if file.decision is not Decision.DROP)
    return replace(
        plan,
        files=ordered,
        after=totals_of(there, plan.after.packages),
        lacks=(*plan.lacks, *_lacks(packages, contents)),
    )


def is_of_database(file: FilePlan) -> bool:
    """Whether a plan holds `file` only because `with_package_database` made it, or something in it."""
    return file.reason == _REASON


def package_database(
    packages: Iterable[Package], tree: Tree, kept: frozenset[str], *, needs_status: bool = False
) -> Mapping[str, bytes]:
    """Content by real path of the database files that list exactly `packages` with their files among `kept`.

    `kept` holds real paths of `tree`. With `needs_status` Debian's takes the form of dpkg's own database.
    """
    packages = tuple(packages)
    debian = [package for package in packages if package.type == "deb" and _is_installed(package, "/var/lib/dpkg/")]
    alpine = [package for package in packages if package.type == "apk" and _is_installed(package, "/lib/apk/db/")]
    contents: dict[str, bytes] = {}
    if debian:
        made = dpkg_database(debian, tree, kept, needs_status=needs_status)
        contents |= {_real(tree, path): content for path, content in made.items()}
    if alpine:
        contents[_apk_path(alpine, tree)] = apk_database(alpine, tree, kept)
        contents[_real(tree, _APK_WORLD)] = apk_world(alpine)
    return contents


def _is_installed(package: Package, database: str) -> bool:
    """Not one that is merely lying about: an archive in the tree, a note in a binary.

    What only the root's own database lists has the directory of that database for its location.
    """
    return not package.locations or any(database in f"{location}/" for location in package.locations)


def _apk_path(packages: Iterable[Package], tree: Tree) -> str:
    stated = {location for package in packages for location in package.locations}
    locations = sorted(path for path in stated if path in tree.files and tree.files[path].type is FileType.REGULAR)
    known = [path for path in map(tree.locate, _APK_DATABASES) if path.path in tree.files]
    return next(iter(locations), None) or (known[0].path if known else None) or _real(tree, _APK_DATABASES[0])


def _real(tree: Tree, path: str) -> str:
    """Where `path` is or would be made: its directory may be reached through a link."""
    directory, _, name = path.rpartition("/")
    found = tree.resolve(directory).path if directory else None
    if found is not None:
        return f"{found.rstrip('/')}/{name}"
    return f"{_real(tree, directory)}/{name}" if directory else path


def _kept(files: Mapping[str, FilePlan]) -> frozenset[str]:
    return frozenset(path for path, file in files.items() if file.decision is not Decision.DROP)


def _is_kept(files: Mapping[str, FilePlan], path: str) -> bool:
    return path in files and files[path].decision is Decision.KEEP


def _databases(tree: Tree, files: Mapping[str, FilePlan]) -> list[str]:
    """Kept files of the fat root that list packages; whichever is not made anew must go."""
    whole = [_real(tree, path) for path in (STATUS, f"{STATUS}-old", *_APK_DATABASES)]
    listed = [path for path in tree.under(_real(tree, _STATUS_DIRECTORY)) if files[path].type is not FileType.DIRECTORY]
    sums = [path for path in tree.under(_real(tree, _INFO_DIRECTORY)) if path.endswith(".md5sums")]
    return [path for path in (*whole, *listed, *sums) if _is_kept(files, path)]


def _made(path: str, content: bytes, file: FilePlan | None) -> FilePlan:
    return FilePlan(
        path=path,
        type=FileType.REGULAR,
        mode=0o644,
        uid=file.uid if file is not None else 0,
        gid=file.gid if file is not None else 0,
        bytes=len(content),
        target=None,
        hardlink=None,
        device=None,
        owner=None,
        package=None,
        decision=Decision.MAKE,
        reason=_REASON,
        origin=None,
        content=content,
    )


def _keep_parents(path: str, files: dict[str, FilePlan]) -> None:
    while path := path.rpartition("/")[0]:
        parent = files.get(path)
        if parent is None:
            files[path] = made_directory(path, reason=_REASON)
        elif parent.decision is Decision.DROP:
            files[path] = structs.replace(parent, decision=Decision.KEEP, reason=_REASON)


def _rpm_databases(packages: Iterable[Package], databases: Mapping[str, bytes]) -> dict[str, bytes]:
    from pruner.emit.rpmdb import trimmed_rpm_database

    found: dict[str, bytes] = {}
    for path, data in databases.items():
        own = [package for package in packages if package.type == "rpm" and path in package.locations]
        kept = {(package.name, package.version, package.architecture or "") for package in own}
        trimmed = trimmed_rpm_database(data, kept) if kept else None
        if trimmed is not None:
            found[path] = trimmed
    return found


def _lacks(packages: Iterable[Package], made: Collection[str]) -> tuple[str, ...]:
    count = sum(package.type == "rpm" and not set(package.locations) & set(made) for package in packages)
    if not count:
        return ()
    blind = f"a scanner does not see the {count} rpm packages of an applied root"
    return (f"no rpm database can be made, so {blind}: only sqlite's can be trimmed, and only with the root at hand",)
