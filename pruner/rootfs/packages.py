"""A root composed of package archives in memory: what unpacking every `.deb` and `.apk` of a directory would give.

Nothing that a package's scripts would do is done: `pruner.maintainer` reads them and says what of that is known.
"""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pruner.errors import InputError, printable
from pruner.model import FileType
from pruner.rootfs.apkfile import parts_of_apk
from pruner.rootfs.archive import ArchiveRoot
from pruner.rootfs.debfile import tars_of_deb
from pruner.rootfs.decompress import append_uncompressed, spool
from pruner.rootfs.directory import PACKAGE_SUFFIXES
from pruner.rootfs.overlay import Member, Overlay
from pruner.rootfs.region import Region, fault
from pruner.rootfs.tarball import members_of_tar

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import BinaryIO

_MERGED = frozenset({"bin", "sbin", "lib", "lib32", "lib64", "libo32", "libx32"})
"""Names of `/` that lead into `/usr`; what usrmerge and debootstrap link (usrmerge, convert-usrmerge)."""
_MOST_WORKERS = 4
_LARGEST_CONTROL = 16 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageArchive:
    """One package archive."""

    file: str
    """Its base name."""
    ecosystem: str
    """`deb` or `apk`."""
    digest: str
    """`sha256:HEX` of the archive."""
    checksum: str
    """apk's `Q1…` of its control files; empty for a .deb."""
    control: Mapping[str, bytes]
    """Control files by name: `control`, `postinst`, `md5sums`, …; `.PKGINFO`, `.post-install`, …"""
    members: tuple[Member, ...]
    """What it unpacks, in its order."""

    def text(self, name: str) -> str:
        """A control file as text, empty where the archive has none of that name."""
        return self.control.get(name, b"").decode("utf-8", "surrogateescape")

    def field(self, name: str) -> str:
        """The first line of a field of `control`, or a value of `.PKGINFO`; empty where it is missing."""
        if self.ecosystem == "apk":
            start = f"{name} = "
            lines = self.text(".PKGINFO").split("\n")
        else:
            start = f"{name}:".lower()
            lines = self.text("control").split("\n")
        found = (line[len(start) :].strip() for line in lines if line.lower().startswith(start.lower()))
        return next(found, "")

    @property
    def package(self) -> str:
        """The package's name."""
        return self.field("pkgname" if self.ecosystem == "apk" else "package")

    @property
    def architecture(self) -> str:
        """The architecture that the package was built for, `all` or `noarch` among them."""
        return self.field("arch" if self.ecosystem == "apk" else "architecture")


class PackagesRoot(ArchiveRoot):
    """The `Root` of a directory of package archives, with the archives themselves."""

    archives: tuple[PackageArchive, ...] = ()
    """Sorted by file name."""
    supplied: frozenset[str] = frozenset()
    """Names that no archive ships: the links of a merged `/usr`."""


def open_packages(location: str | os.PathLike[str]) -> PackagesRoot:
    """The root that the package archives in the directory `location` make up; close it after use.

    Every archive is decompressed once, into one temporary file without a name. Links of a merged `/usr` are there when
    any .deb ships a name below one of them. Raises `InputError` for a directory without archives, an archive that is
    damaged or hostile, or a package that is there twice, `EnvironmentFault` where room is missing.
    """
    name = os.fspath(location)
    try:
        files = sorted(path for path in Path(location).iterdir() if path.name.endswith(PACKAGE_SUFFIXES))
    except OSError as error:
        raise fault(error, name) from None
    if not files:
        raise InputError(f"{name}: holds no package archives", hint="`pruner fetch --lock FILE --dest DIR` fills one")
    archives = _read_all(files)
    _check_single(archives)
    overlay = Overlay(name)
    links = _merged_links(archives)
    if links:
        overlay.apply(links, archive=name, whiteouts=False)
    for archive in sorted(archives, key=lambda archive: (bool(archive.field("replaces")), archive.file)):
        overlay.apply(archive.members, archive=archive.file, whiteouts=False, keeps_links=True)
    root = PackagesRoot(name, overlay.listing())
    root.archives = tuple(archives)
    root.supplied = frozenset(link.name for link in links if link.target is not None)
    return root


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stored:
    """An archive whose two tars lie decompressed in the spool: where each begins, and its size."""

    path: Path
    digest: str
    checksum: str
    data_digest: str
    """SHA-256 of the compressed data of an .apk, in hex."""
    control: tuple[int, int]
    data: tuple[int, int]


def _read_all(files: Sequence[Path]) -> list[PackageArchive]:
    """The archives in order of `files`, as many at a time as there are processors: decompression holds no lock."""
    workers = min(len(files), os.cpu_count() or 1, _MOST_WORKERS)
    by_size = sorted(files, key=lambda path: path.stat().st_size if path.is_file() else 0, reverse=True)
    with ThreadPoolExecutor(workers) as pool:
        read = pool.map(_read_group, (by_size[number::workers] for number in range(workers)))
        archives = {archive.file: archive for group in read for archive in group}
    return [archives[path.name] for path in files]


def _read_group(files: Sequence[Path]) -> list[PackageArchive]:
    with spool() as file:
        stored = [_stored(path, file) for path in files]
        whole = Region.of_descriptor(os.dup(file.fileno()))
    return [_parsed(one, whole) for one in stored]


def _stored(path: Path, file: BinaryIO) -> _Stored:
    try:
        data = Region.of_descriptor(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
    except OSError as error:
        raise fault(error, str(path)) from None
    checksum = ""
    if path.suffix == ".apk":
        parts = parts_of_apk(data, path.name)
        control, contents, checksum = parts.control, parts.data, parts.checksum
    else:
        control, contents = tars_of_deb(data, path.name)
    return _Stored(
        path=path,
        digest=f"sha256:{_sha256(data)}",
        checksum=checksum,
        data_digest=_sha256(contents) if checksum else "",
        control=append_uncompressed(file, control, path.name),
        data=append_uncompressed(file, contents, path.name),
    )


def _parsed(stored: _Stored, whole: Region) -> PackageArchive:
    name = stored.path.name
    archive = PackageArchive(
        file=name,
        ecosystem=stored.path.suffix.removeprefix("."),
        digest=stored.digest,
        checksum=stored.checksum,
        control=_control_files(whole.part(*stored.control), name, ended=not stored.checksum),
        members=tuple(members_of_tar(whole.part(*stored.data), name, ended=True)),
    )
    if not archive.package:
        raise InputError(f"{name}: its control files name no package", hint="fetch it anew")
    if stored.checksum and archive.field("datahash") not in {"", stored.data_digest}:
        raise InputError(f"{name}: its data does not match the datahash of its control files", hint="fetch it anew")
    return archive


def _sha256(data: Region) -> str:
    digest = hashlib.sha256()
    for chunk in data.chunks():
        digest.update(chunk)
    return digest.hexdigest()


def _control_files(tar: Region, name: str, *, ended: bool) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for member in members_of_tar(tar, name, ended=ended):
        if member.content is None or len(member.parts) != 1:
            continue
        if member.content.holes is not None or member.content.size > _LARGEST_CONTROL:
            raise InputError(f"{name}: its control file {printable(member.name[1:])} is too large")
        files[member.parts[0]] = member.content.data.read(0, member.content.size)
    return files


def _check_single(archives: Sequence[PackageArchive]) -> None:
    seen: dict[tuple[str, str], PackageArchive] = {}
    for archive in archives:
        other = seen.setdefault((archive.package, archive.architecture), archive)
        if other is not archive:
            raise InputError(
                f"package {printable(archive.package)} is there twice: {other.file} and {archive.file}",
                hint="a root holds one version of a package; take one of them away",
            )


def _merged_links(archives: Iterable[PackageArchive]) -> list[Member]:
    """Links of `/` into `/usr`, and what they lead to, unless an archive ships the link itself."""
    members = [member for archive in archives if archive.ecosystem == "deb" for member in archive.members]
    shipped = {member.parts[0] for member in members if len(member.parts) == 1 and member.target is not None}
    names = sorted({member.parts[0] for member in members if member.parts} & _MERGED - shipped)
    made: list[Member] = []
    for name in names:
        made.append(Member(parts=("usr", name), type=FileType.DIRECTORY, mode=0o755, uid=0, gid=0))
        made.append(Member(parts=(name,), type=FileType.SYMLINK, mode=0o777, uid=0, gid=0, target=f"usr/{name}"))
    return made
