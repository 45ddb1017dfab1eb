"""Whether a root is the one that an SBOM was made from, as far as names, types and sizes tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pruner.errors import InputError, printable
from pruner.model import File, FileType, Inventory, Package, Selection
from pruner.read.lacks import NO_SIZES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pruner.read.database import Database
    from pruner.rootfs.types import Root

_SHOWN = 5
_HINT = "give the root that the SBOM was made from, or scan this root anew"

WRITTEN_BY_RUNTIMES = frozenset({"/etc/hostname", "/etc/hosts", "/etc/mtab", "/etc/resolv.conf", "/.dockerenv"})
"""What container runtimes put into a container when it is made, so that `docker export` has it (moby, initlayer)."""

_PSEUDO = ("/dev/", "/proc/", "/sys/")
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
"""Stands in an SBOM for bytes of a file name that are not UTF-8."""


def check_files(sbom: Inventory, root: Root, homes: Iterable[str]) -> None:
    """Raise `InputError` when files that the SBOM lists are missing in the root or have another type or size.

    Left alone: package databases (`homes`), what runtimes write, file systems that the kernel makes, sizes of
    anything but regular files, and names that JSON can't carry. What the root holds beyond the SBOM is fine.
    """
    skipped = tuple(f"{home}/" for home in homes) + _PSEUDO
    problems = sorted(
        f"{printable(path)} ({problem})"
        for path, problem in _differences(sbom, root.files)
        if not path.startswith(skipped) and path not in WRITTEN_BY_RUNTIMES and _REPLACEMENT not in path
    )
    _raise(problems, "files", root)


def check_packages(database: Database, stated: Iterable[Package], root: Root) -> None:
    """Raise `InputError` when `stated` packages of the SBOM are not in the root's database, or in another version."""
    versions: dict[str, set[str]] = {}
    for package in database.packages:
        versions.setdefault(package.name, set()).add(package.version)
    problems = []
    for package in stated:
        here = versions.get(package.name)
        if here is None:
            problems.append(f"{printable(package.name)} (not installed)")
        elif package.version not in here:
            problems.append(
                f"{printable(package.name)} ({printable(package.version)} is {printable(', '.join(sorted(here)))})"
            )
    _raise(sorted(problems), "packages", root)


def _differences(sbom: Inventory, files: Mapping[str, File]) -> Iterator[tuple[str, str]]:
    """Paths that differ, each with how."""
    sizes = sbom.format == "syft-json" and sbom.selection is not Selection.NONE and NO_SIZES not in sbom.lacks
    for path, stated in sbom.files.items():
        found = files.get(path)
        if found is None:
            # Directory scans also list the directories above the scanned one, as if they were below it (syft 1.18.1).
            # A directory that is really missing shows by its files.
            if stated.type is not FileType.DIRECTORY:
                yield path, "missing"
        elif found.type is not stated.type:
            yield path, f"{found.type}, not {stated.type}"
        elif (
            found.bytes != stated.bytes
            and sizes
            and found.type is FileType.REGULAR
            and not (stated.executable and not stated.bytes)  # listed without metadata
        ):
            yield path, f"{found.bytes} bytes, not {stated.bytes}"


def _raise(problems: list[str], what: str, root: Root) -> None:
    if not problems:
        return
    shown = ", ".join(problems[:_SHOWN]) + (", …" if len(problems) > _SHOWN else "")
    raise InputError(
        f"{printable(root.name)}: does not match the SBOM in {len(problems)} of its {what}: {shown}", hint=_HINT
    )
