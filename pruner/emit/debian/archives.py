"""Which names come out of which package's archive, and where they go."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pruner.candidate import Lock, LockedPackage
from pruner.emit.madefiles import encoded
from pruner.errors import InputError
from pruner.model import FileType
from pruner.plan.materials import is_installed
from pruner.plan.types import Decision

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pruner.model import Package, PackageId
    from pruner.plan.materials import Materials
    from pruner.plan.types import FilePlan, PackagePlan, Plan
    from pruner.rootfs import Tree

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9+._-]*")
"""As dpkg takes it (lib/dpkg/parsehelp.c); Policy allows lower case alone, which not every vendor keeps to."""
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+~:-]*")
_ARCHITECTURE = re.compile(r"[a-z0-9][a-z0-9-]*")
_ALIAS = re.compile(r"/[a-z0-9]+")
_PLAIN = re.compile(r"(/[A-Za-z0-9_-]+)+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """One package of the install plan."""

    locked: LockedPackage
    straight: tuple[str, ...] = ()
    """Names in the archive that, top directories renamed, lie where the plan has them; with those of `surplus`."""
    moved: tuple[tuple[str, str], ...] = ()
    """Names in the archive with the path that the plan has each under: diverted files, links in parents."""
    surplus: tuple[str, ...] = ()
    """Paths that are extracted because a kept name is a link to them or a copy of them, and removed afterwards."""


def archives_of(plan: Plan, materials: Materials, copied: Iterable[FilePlan] = ()) -> tuple[Archive, ...]:
    """The archives of the Debian packages that `plan` keeps something of, sorted by name and architecture.

    `copied` are files that something kept is a copy of: they are extracted, and those that are dropped removed again.
    Raises `InputError` for a package whose name, version or architecture can't be asked of an archive.
    """
    own = {package.id for package in materials.inventory.packages if is_installed(package)}
    chosen = {
        package.id: package
        for package in plan.packages
        if package.type == "deb" and package.decision is not Decision.DROP and package.id in own
    }
    names: defaultdict[PackageId, list[tuple[str, str]]] = defaultdict(list)
    for path, shipped in materials.shipped.items():
        if shipped.package in chosen:
            names[shipped.package].append((shipped.name, path))
    renames = top_renames(materials.tree)
    present = {file.path for file in plan.files if file.decision is not Decision.DROP}
    surplus = _surplus(plan, materials, copied)
    native = native_architecture(plan)
    found = [
        _archive(
            _locked(
                chosen[package.id], package, native, _is_whole(package, present, materials.tree), names[package.id]
            ),
            names[package.id],
            surplus.get(package.id, ()),
            renames,
        )
        for package in materials.inventory.packages
        if package.id in chosen
    ]
    return tuple(sorted(found, key=lambda archive: (archive.locked.name, archive.locked.architecture)))


def lock_of(plan: Plan, archives: Iterable[Archive]) -> Lock:
    """The packages of `archives` in exact versions."""
    return Lock(
        ecosystem="deb",
        architecture=native_architecture(plan),
        distribution=f"{plan.distro.id} {plan.distro.version_id}".strip(),
        packages=tuple(archive.locked for archive in archives),
    )


def native_architecture(plan: Plan) -> str:
    """The architecture that most kept packages are of; `all` where none states one."""
    counted = Counter(
        package.architecture
        for package in plan.packages
        if package.type == "deb" and package.decision is not Decision.DROP and package.architecture not in {None, "all"}
    )
    return min(counted, key=lambda name: (-counted[name], name or ""), default=None) or "all"


def top_renames(tree: Tree) -> tuple[tuple[str, str], ...]:
    """Directories in `/` that are links in this root (`/lib` to `/usr/lib`), which archives may hold as directories."""
    found = []
    for path in tree.children("/"):
        link = tree.get(path)
        if link is not None and link.type is FileType.SYMLINK and _ALIAS.fullmatch(path):
            target = tree.resolve(path).path
            if target is not None and _PLAIN.fullmatch(target):
                found.append((path, target))
    return tuple(found)


def _archive(
    locked: LockedPackage,
    names: Iterable[tuple[str, str]],
    surplus: Iterable[tuple[str, str]],
    renames: Sequence[tuple[str, str]],
) -> Archive:
    straight, moved = [], []
    for name, path in names:
        if _renamed(name, renames) == path:
            straight.append(name)
        else:
            moved.append((name, path))
    removable = [(name, path) for name, path in surplus if _renamed(name, renames) == path]
    straight += [name for name, _ in removable]
    return Archive(
        locked=locked,
        straight=tuple(sorted(straight, key=encoded)),
        moved=tuple(sorted(moved, key=lambda pair: encoded(pair[0]))),
        surplus=tuple(sorted((path for _, path in removable), key=encoded)),
    )


def _renamed(name: str, renames: Sequence[tuple[str, str]]) -> str:
    for alias, target in renames:
        if name.startswith(f"{alias}/"):
            return target + name[len(alias) :]
    return name


def _locked(
    planned: PackagePlan, package: Package, native: str, whole: bool, names: Iterable[tuple[str, str]]
) -> LockedPackage:
    architecture = package.architecture or native
    for what, text, pattern in (
        ("name", package.name, _NAME),
        ("version", package.version, _VERSION),
        ("architecture", architecture, _ARCHITECTURE),
    ):
        if not pattern.fullmatch(text):
            raise InputError(
                f"{what} {text!r} of package {package.name!r} can't be asked of an archive",
                hint="Debian Policy 5.6.1, 5.6.8 and 5.6.12 say what it may hold",
            )
    paths = None if whole else tuple(sorted((path for _, path in names), key=encoded))
    return LockedPackage(
        name=package.name,
        version=package.version,
        architecture=architecture,
        source=package.source or package.name,
        source_version=package.source_version or planned.version,
        filename=package.filename,
        checksum=package.checksum,
        download_bytes=package.download_bytes,
        installed_kib=package.installed_bytes // 1024,
        paths=paths,
    )


def _is_whole(package: Package, present: set[str], tree: Tree) -> bool:
    """Whether everything that the package declares is kept."""
    real = (file.path if file.path in tree.files else tree.locate(file.path).path for file in package.files)
    return bool(package.files) and all(path in present for path in real)


def _surplus(plan: Plan, materials: Materials, copied: Iterable[FilePlan]) -> Mapping[PackageId, list[tuple[str, str]]]:
    """Dropped names of files of which another name is kept, as their archive and the root have them, by package.

    Which of an inode's names carries the content in an archive is its maker's choice, so that all are extracted.
    """
    groups: defaultdict[str, list[FilePlan]] = defaultdict(list)
    for file in plan.files:
        if file.hardlink is not None:
            groups[file.hardlink].append(file)
    first = {file.path: file for file in plan.files if file.path in groups}
    wanted: defaultdict[PackageId, set[str]] = defaultdict(set)
    for file in copied:
        if file.decision is Decision.DROP and file.package is not None:
            wanted[file.package].add(file.path)
    for path, others in groups.items():
        names = [*([first[path]] if path in first else []), *others]
        owners = {materials.shipped[file.path].package for file in names if file.path in materials.shipped}
        for file in names:
            if file.decision is Decision.DROP and file.package in owners and file.package is not None:
                wanted[file.package].add(file.path)
    return dict(_declared_as(wanted, materials))


def _declared_as(
    wanted: Mapping[PackageId, set[str]], materials: Materials
) -> Iterator[tuple[PackageId, list[tuple[str, str]]]]:
    for package in materials.inventory.packages:
        if package.id in wanted:
            pairs = ((file.shipped or file.path, materials.tree.locate(file.path).path) for file in package.files)
            yield package.id, [(name, path) for name, path in pairs if path in wanted[package.id] and path is not None]
