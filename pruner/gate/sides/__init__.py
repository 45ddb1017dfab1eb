"""One of two things to compare, whatever it is: an SBOM, a plan, or a root filesystem."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pruner.errors import InputError, printable
from pruner.gate.types import SideKind
from pruner.read.identify import TAG_VALUE
from pruner.read.source import beginning_of

if TYPE_CHECKING:
    from pruner.gate.types import Side

_HINT = (
    "give an SBOM (syft-json, CycloneDX, SPDX), a plan that `pruner plan` wrote, or a root filesystem "
    "(a directory, a tar, a docker-archive or an OCI layout)"
)
_HEAD = 4096
_PIPES = "/dev/fd/"
"""Where shells put what `<(command)` writes (bash(1), process substitution)."""
_PLAN_MARK = b'"pruner-plan"'
"""`emit.planschema.SCHEMA_NAME`, whose import takes 75 ms."""


def read_side(location: str) -> Side:
    """The side at `location`; `-` is an SBOM on standard input, and so is what a shell's `<(command)` writes.

    Raises `InputError` for what is none of the three, for an SBOM without packages and for a root without files.
    """
    kind = _kind(location)
    if kind is SideKind.SBOM:
        from pruner.gate.sides.sbom import side_of_sbom

        return side_of_sbom(location)
    if kind is SideKind.PLAN:
        from pruner.gate.sides.plan import side_of_plan

        return side_of_plan(Path(location))
    from pruner.gate.sides.root import side_of_root

    return side_of_root(location)


def _kind(location: str) -> SideKind:
    """What lies at `location`, by its first bytes. Raises `InputError`."""
    if location == "-":
        return SideKind.SBOM
    place = Path(location)
    if location.startswith(_PIPES) and place.is_fifo():
        return SideKind.SBOM  # what is read of it is gone, so that nobody can look first
    if place.is_dir():
        return SideKind.PLAN if is_plan(place / "plan.json") else SideKind.ROOT
    head = _head(place)
    if head.startswith(TAG_VALUE):
        return SideKind.SBOM  # whose reader says what is wrong
    if head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in {b"{", b"<", b"["}:
        return SideKind.PLAN if _PLAN_MARK in head[:256] else SideKind.SBOM
    if _is_tar(head):
        if _is_bzip2(place):
            raise InputError(f"{printable(location)}: a tar in bzip2", hint="compress it by gzip, xz or zstd")
        return SideKind.ROOT
    raise InputError(f"{printable(location)}: neither an SBOM, a plan nor a root filesystem", hint=_HINT)


def is_plan(path: Path) -> bool:
    """Whether the file at `path` begins as the plans of pruner do."""
    try:
        with path.open("rb") as stream:
            return _PLAN_MARK in stream.read(256)
    except OSError:
        return False


def _head(place: Path) -> bytes:
    """The first bytes of what the file holds, decompressed."""
    name = printable(str(place))
    try:
        if not place.is_file():
            fact = f"{name}: neither a file nor a directory" if place.exists() else f"{name}: no such file or directory"
            raise InputError(fact, hint=_HINT)
        empty = place.stat().st_size == 0
        head = beginning_of(place, _HEAD)
    except OSError as error:
        raise InputError(f"{name}: {(error.strerror or str(error)).lower()}", hint="give a readable file") from None
    except ValueError as error:  # a NUL in the name
        raise InputError(f"{name}: {error}", hint=_HINT) from None
    if empty:
        raise InputError(f"{name}: empty", hint=_HINT)
    return head


def _is_bzip2(place: Path) -> bool:
    with place.open("rb") as stream:
        return stream.read(3) == b"BZh"


def _is_tar(head: bytes) -> bool:
    """Whether the first header's checksum is right (POSIX ustar; the field counts as blanks)."""
    header = head[:512]
    if len(header) < 512:
        return False
    digits = header[148:156].replace(b"\0", b" ").strip()
    try:
        stated = int(digits, 8)
    except ValueError:
        return False
    return stated == sum(header[:148]) + 8 * 32 + sum(header[156:])
