"""The package database of a root that is composed of package archives, as dpkg and apk would have written it."""

from __future__ import annotations

import base64
import hashlib
import posixpath
from typing import TYPE_CHECKING

from pruner.model import FileType

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pruner.rootfs.overlay import Content, Member
    from pruner.rootfs.packages import PackageArchive

STATUS = "/var/lib/dpkg/status"
_INFO = "/var/lib/dpkg/info"
SCRIPTS = ("preinst", "postinst", "prerm", "postrm", "config")
_INSTALLED = "/lib/apk/db/installed"
_APK_FIELDS = {
    "pkgname": "P", "pkgver": "V", "arch": "A", "size": "I", "pkgdesc": "T", "url": "U", "license": "L", "origin": "o",
    "maintainer": "m", "builddate": "t", "commit": "c", "provider_priority": "k",
}  # fmt: skip
"""Keys of .PKGINFO and the letters of the installed database (apk-tools, package.c and database.c)."""
_APK_LISTS = {"depend": "D", "provides": "p", "install_if": "i", "replaces": "r"}


def database_files(archives: Sequence[PackageArchive]) -> Mapping[str, bytes]:
    """Content by path of the databases that list `archives` as installed, with every file that they own."""
    contents: dict[str, bytes] = {}
    debian = [archive for archive in archives if archive.ecosystem == "deb"]
    if debian:
        contents[STATUS] = _encoded("\n".join(_stanza(archive) for archive in debian))
        for archive in debian:
            basis = f"{_INFO}/{archive.package}"
            if archive.field("multi-arch") == "same":
                basis += f":{archive.architecture}"
            contents[f"{basis}.list"] = _encoded("/.\n" + "".join(f"{member.name}\n" for member in _named(archive)))
            for name in ("md5sums", *SCRIPTS):
                if name in archive.control:
                    contents[f"{basis}.{name}"] = archive.control[name]
    alpine = [archive for archive in archives if archive.ecosystem == "apk"]
    if alpine:
        contents[_INSTALLED] = _encoded("".join(f"{_apk_block(archive)}\n" for archive in alpine))
    return contents


def _named(archive: PackageArchive) -> list[Member]:
    return [member for member in archive.members if member.parts]


def _stanza(archive: PackageArchive) -> str:
    lines = [line for line in archive.text("control").split("\n") if line.strip()]
    lines.insert(1, "Status: install ok installed")
    contents = {member.name: member.content for member in archive.members if member.content is not None}
    listed = [line.strip() for line in archive.text("conffiles").split("\n") if line.startswith("/")]
    found = [f" {path} {_digest(contents[path], 'md5')}" for path in listed if path in contents]
    return "\n".join([*lines, *(["Conffiles:", *found] if found else [])]) + "\n"


def _digest(content: Content, algorithm: str) -> str:
    digest = hashlib.new(algorithm, usedforsecurity=False)
    for chunk in content.data.chunks():
        digest.update(chunk)
    return digest.hexdigest()


def _apk_block(archive: PackageArchive) -> str:
    pairs = [line.partition(" = ")[::2] for line in archive.text(".PKGINFO").split("\n") if " = " in line]
    lines = [f"C:{archive.checksum}"]
    lines += [f"{letter}:{archive.field(key)}" for key, letter in _APK_FIELDS.items() if archive.field(key)]
    for key, letter in _APK_LISTS.items():
        values = [value for name, value in pairs if name == key]
        lines += [f"{letter}:{' '.join(values)}"] if values else []
    return "\n".join([*lines, *_apk_files(_named(archive))]) + "\n"


def _apk_files(members: Iterable[Member]) -> Iterator[str]:
    """Directories in their order, each with its files behind it."""
    directories: dict[str, list[Member]] = {}
    for member in members:
        path = member.name[1:]
        if member.type is FileType.DIRECTORY:
            directories.setdefault(path, [])
        else:
            directories.setdefault(posixpath.dirname(path), []).append(member)
    for directory in sorted(directories):
        yield f"F:{directory}"
        for member in directories[directory]:
            yield f"R:{posixpath.basename(member.name)}"
            if member.mode not in {0o644, 0o777}:
                yield f"a:{member.uid}:{member.gid}:{member.mode:o}"
            if member.content is not None:
                raw = bytes.fromhex(_digest(member.content, "sha1"))
                yield f"Z:Q1{base64.b64encode(raw).decode('ascii')}"


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
