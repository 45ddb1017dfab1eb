"""dpkg's database of the packages that are there: `dpkg(1)` files, and the `status.d` of distroless images."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pruner.emit.madefiles import encoded
from pruner.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pruner.model import Package
    from pruner.rootfs import Tree

STATUS = "/var/lib/dpkg/status"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9+._-]*")
_ARCHITECTURE = re.compile(r"[a-z0-9-]*")
_MD5 = re.compile(r"(?:md5:)?([0-9a-f]{32})")


def dpkg_database(
    packages: Sequence[Package], tree: Tree, kept: frozenset[str], *, needs_status: bool
) -> dict[str, bytes]:
    """Content by path: for each of `packages` its stanza and the md5 sums of its files among `kept`.

    In `/var/lib/dpkg/status.d`, or with `needs_status` as `/var/lib/dpkg/status` and `info/*.md5sums`. Stanzas are the
    image's own where they were read, less the conffiles that are gone; else made from what the SBOM says.
    Raises `InputError` for a package whose name or fields can't stand there.
    """
    installed = [package for package in packages if _is_installed(package)]
    stanzas = [_stanza(package, tree, kept, with_status=needs_status) for package in installed]
    names = list(_file_names(installed))
    sums = [_md5sums(package, tree, kept) for package in installed]
    if needs_status:
        contents = {
            f"/var/lib/dpkg/info/{_info_name(package, name, tree)}.md5sums": content
            for package, name, content in zip(installed, names, sums, strict=True)
        }
        return contents | {STATUS: b"\n".join(stanzas)}
    contents = {f"/var/lib/dpkg/status.d/{name}": stanza for name, stanza in zip(names, stanzas, strict=True)}
    return contents | {
        f"/var/lib/dpkg/status.d/{name}.md5sums": content for name, content in zip(names, sums, strict=True)
    }


def _is_installed(package: Package) -> bool:
    """Not one whose configuration files alone are left (`deinstall ok config-files`)."""
    status = _field(package.stanza or "", "status")
    return status is None or status.split()[-1:] == ["installed"]


def _file_names(packages: Iterable[Package]) -> Iterator[str]:
    """`NAME`, and `NAME:ARCHITECTURE` where a package of that name came before."""
    seen: set[tuple[str, str | None]] = set()
    names: set[str] = set()
    for package in packages:
        if not _NAME.fullmatch(package.name) or package.name.endswith(".md5sums"):
            raise InputError(
                f"package name {package.name!r} can't be written into a package database",
                hint="names are letters, digits and + . _ - (Debian Policy 5.6.1)",
            )
        if not _ARCHITECTURE.fullmatch(package.architecture or ""):
            raise InputError(f"architecture {package.architecture!r} of package {package.name} is no architecture")
        if (package.name, package.architecture) in seen:
            raise InputError(
                f"package {package.name} is installed twice",
                hint="was the SBOM made of all layers? scan the squashed image",
            )
        seen.add((package.name, package.architecture))
        yield package.name if package.name not in names else f"{package.name}:{package.architecture}"
        names.add(package.name)


def _info_name(package: Package, name: str, tree: Tree) -> str:
    """`name`, or as the image has it: packages that are Multi-Arch `same` carry their architecture there."""
    qualified = f"{package.name}:{package.architecture}"
    return qualified if tree.get(f"/var/lib/dpkg/info/{qualified}.list") is not None else name


def _md5sums(package: Package, tree: Tree, kept: frozenset[str]) -> bytes:
    lines = []
    for declared in package.files:
        digest = _MD5.fullmatch(declared.digest or "")
        if digest and not declared.conffile and "\n" not in declared.path and tree.locate(declared.path).path in kept:
            lines.append(f"{digest[1]}  {declared.path.lstrip('/')}\n")
    return encoded("".join(lines))


def _stanza(package: Package, tree: Tree, kept: frozenset[str], *, with_status: bool) -> bytes:
    lines = package.stanza.splitlines() if package.stanza else list(_lines_of_metadata(package))
    chosen: list[str] = []
    field = ""
    for line in filter(str.strip, lines):
        starts = not line.startswith((" ", "\t"))
        field = line.partition(":")[0].lower() if starts else field
        if field == "conffiles":
            if not starts and tree.locate(_conffile(line)).path in kept:
                chosen += [line] if chosen[-1].startswith(" /") else ["Conffiles:", line]
        elif field != "status" or with_status:
            chosen.append(line)
    if with_status and _field("\n".join(chosen), "status") is None:
        chosen.insert(1, "Status: install ok installed")
    return encoded("".join(f"{line}\n" for line in chosen))


def _conffile(line: str) -> str:
    """The path of ` /etc/name MD5 [obsolete]`, `/` for a line that is something else."""
    words = line.strip().split(" ")
    return words[0] if words[0].startswith("/") else "/"


def _field(stanza: str, name: str) -> str | None:
    found = re.search(rf"^{name}:[ \t]*(.*)$", stanza, re.IGNORECASE | re.MULTILINE)
    return None if found is None else found[1]


def _lines_of_metadata(package: Package) -> Iterator[str]:
    """The stanza of a package that only the SBOM describes, in the order of Debian Policy 5.3."""
    source = package.source if package.source != package.name else None
    if source or package.source_version not in (None, package.version):
        source = source or package.name
        if package.source_version not in (None, package.version):
            source = f"{source} ({package.source_version})"
    fields = (
        ("Package", package.name),
        ("Source", source),
        ("Version", package.version),
        ("Architecture", package.architecture),
        ("Maintainer", package.maintainer),
        ("Installed-Size", str(package.installed_bytes // 1024) if package.installed_bytes else None),
        ("Provides", ", ".join(package.provides)),
        ("Pre-Depends", ", ".join(package.pre_depends)),
        ("Depends", ", ".join(package.depends)),
    )
    for name, value in fields:
        if value:
            if not value.isprintable():
                raise InputError(f"{name} of package {package.name} holds {value!r}, which no stanza can hold")
            yield f"{name}: {value}"
    conffiles = [file for file in package.files if file.conffile and "\n" not in file.path]
    if conffiles:
        yield "Conffiles:"
        for file in conffiles:
            digest = _MD5.fullmatch(file.digest or "")
            yield f" {file.path} {digest[1] if digest else 'newconffile'}"
