"""Joining an SBOM with the root filesystem that it was made from, and with dependency graphs from outside."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from packageurl import PackageURL

from pruner.errors import printable
from pruner.model import Distro, File, FileType, Inventory, Package, PackageDependency, Selection
from pruner.read.apk import read_apk
from pruner.read.dpkg import read_dpkg
from pruner.read.lacks import HEALED_BY_DATABASE, HEALED_BY_ROOT
from pruner.read.languages import completed, with_extensions
from pruner.read.mismatch import check_files, check_packages
from pruner.read.order import ordered
from pruner.read.owners import owners_of
from pruner.read.packages import PACKAGES_FORMAT
from pruner.read.related import related
from pruner.rootfs.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pruner.read.database import Database
    from pruner.read.relationtypes import RelationSource
    from pruner.rootfs.types import Root


def join(sbom: Inventory, root: Root | None, relations: Sequence[RelationSource]) -> Inventory:
    """`sbom` with the files, owners and package texts of `root`, and with the dependencies of `relations`.

    With a root, names, types and sizes are its own, digests and libraries the SBOM's. Packages that the root's
    database lists are completed from it, and added where the SBOM does not list them. For an installed version the
    root's database wins over `relations`. Raises `InputError` when the root does not match the SBOM.
    """
    return related(sbom if root is None else _with_root(sbom, root), relations)


def _with_root(sbom: Inventory, root: Root) -> Inventory:
    tree = Tree(root.files)
    databases = [database for database in (read_dpkg(root, tree), read_apk(root, tree)) if database is not None]
    check_files(sbom, root, (database.home for database in databases))
    united, notes = _united(sbom, databases, root)
    completed_packages = ((package, completed(package, root, tree)) for package in united)
    packages = ordered(
        with_extensions(full, tree)
        for package, full in completed_packages
        if full.whole_directories or not package.whole_directories or full.files
    )
    return replace(
        sbom,
        image=sbom.image or root.image,
        packages=packages,
        files=_files(sbom.files, root.files),
        owners=owners_of(packages, tree),
        dependencies=_still_needed(sbom, packages),
        selection=Selection.ALL,
        lacks=(*_lacks(sbom, databases), *notes),
        has_content=True,
    )


def _files(stated: Mapping[str, File], found: Mapping[str, File]) -> dict[str, File]:
    """The root's files, with what only the SBOM says about their content."""
    files = {}
    for path, file in found.items():
        other = stated.get(path)
        if other is None or file.type is not FileType.REGULAR or (other.digest is None and not other.executable):
            files[path] = file
            continue
        files[path] = File(
            path=path,
            type=file.type,
            mode=file.mode,
            uid=file.uid,
            gid=file.gid,
            bytes=file.bytes,
            hardlink=file.hardlink,
            digest=other.digest,
            libraries=other.libraries,
            executable=other.executable,
            has_entrypoint=other.has_entrypoint,
        )
    return files


def _united(sbom: Inventory, databases: Sequence[Database], root: Root) -> tuple[list[Package], list[str]]:
    """The SBOM's packages completed from the databases, and what was noticed on the way."""
    packages, notes = list(sbom.packages), list[str]()
    for database in databases:
        own = [package for package in packages if _belongs(package, database)]
        others = [package for package in packages if not _belongs(package, database)]
        known = {package.name for package in database.packages}
        present = [package for package in own if package.name in known or package.name not in database.removed]
        check_packages(database, present, root)
        merged, added = _merged(present, database, sbom.distro)
        packages = [*others, *merged, *added]
        if added and sbom.format != PACKAGES_FORMAT:
            names = ", ".join(sorted({printable(package.name) for package in added}))
            notes.append(f"packages that the root's database lists and the SBOM does not are added: {names}")
    return packages, notes


def _belongs(package: Package, database: Database) -> bool:
    """Whether an SBOM's package is one of the database, rather than of a root nested in this one."""
    if package.type != database.type:
        return False
    if not package.locations:
        return True
    directories = {f"{database.home}/", "/var/lib/dpkg/", "/lib/apk/db/", "/usr/lib/apk/db/"}
    return any(location.startswith(tuple(directories)) for location in package.locations)


def _merged(stated: Iterable[Package], database: Database, distro: Distro) -> tuple[list[Package], list[Package]]:
    """`stated` with the database's contents, and the database's packages that are not among them."""
    waiting: defaultdict[tuple[str, str], list[Package]] = defaultdict(list)
    for package in stated:
        waiting[package.name, package.version].append(package)
    merged, added = [], []
    for found in database.packages:
        same = waiting.get((found.name, found.version), [])
        partner = next((package for package in same if package.architecture == found.architecture), None)
        if partner is None:
            partner = next((package for package in same if package.architecture in {None, ""}), None)
        if partner is None and len(same) == 1 and found.architecture is None:
            partner = same[0]
        if partner is None:
            added.append(replace(found, purl=_purl(found, distro), locations=(database.home,)))
            continue
        same.remove(partner)
        merged.append(
            replace(
                found,
                id=partner.id,
                purl=partner.purl,
                locations=partner.locations,
                licenses=partner.licenses or found.licenses,
            )
        )
    return merged + [package for packages in waiting.values() for package in packages], added


def _purl(package: Package, distro: Distro) -> PackageURL:
    qualifiers = {"arch": package.architecture or "", "distro": f"{distro.id}-{distro.version_id}" if distro.id else ""}
    return PackageURL(
        type=package.type,
        namespace=distro.id or None,
        name=package.name,
        version=package.version or None,
        qualifiers={key: value for key, value in qualifiers.items() if value},
    )


def _still_needed(sbom: Inventory, packages: Sequence[Package]) -> tuple[PackageDependency, ...]:
    """Edges of packages that declare their dependencies themselves now are left out."""
    declaring = {
        package.id
        for package in packages
        if package.type in {"deb", "apk", "rpm", "python"} and (package.depends or package.pre_depends)
    }
    kept = {package.id for package in packages}
    return tuple(
        edge
        for edge in sbom.dependencies
        if edge.dependant not in declaring and edge.dependant in kept and edge.dependency in kept
    )


def _lacks(sbom: Inventory, databases: Sequence[Database]) -> Iterator[str]:
    healed = HEALED_BY_ROOT | (HEALED_BY_DATABASE if databases else frozenset())
    yield from (sentence for sentence in sbom.lacks if sentence not in healed)
    with_database = {database.type for database in databases}
    for ecosystem in ("deb", "apk"):
        if ecosystem not in with_database and any(package.type == ecosystem for package in sbom.packages):
            yield f"the root holds no {ecosystem} database, so the owners of files are those that the SBOM states"
