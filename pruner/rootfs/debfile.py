"""The two tars of a `.deb`: an `ar` archive with `control.tar*` and `data.tar*` (deb(5), ar(5)).

The parser is forty lines of ours: python-debian's copies members through Python, where a `Region` only points to them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pruner.errors import InputError, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pruner.rootfs.region import Region

_MAGIC = b"!<arch>\n"
_HEADER = 60
_END = b"`\n"
_DAMAGED = "the package is truncated or damaged; fetch it anew"
_TAR = re.compile(r"(control|data)\.tar(|\.gz|\.xz|\.zst)")


def tars_of_deb(data: Region, name: str) -> tuple[Region, Region]:
    """The control and the data archive of the `.deb` in `data`, called `name` in messages, as they are compressed.

    Raises `InputError` for what is no `.deb` of format 2, is cut off, or is compressed in another way.
    """
    if data.read(0, len(_MAGIC)) != _MAGIC:
        raise InputError(f"{name}: not a Debian package", hint=_DAMAGED)
    found: dict[str, Region] = {}
    for number, (member, content) in enumerate(_members(data, name)):
        if number == 0:
            _check_format(member, content, name)
        elif (tar := _TAR.fullmatch(member)) is not None:
            if tar[1] in found:
                raise InputError(f"{name}: holds two {tar[1]} archives", hint="the package is hostile")
            found[tar[1]] = content
        elif not member.startswith("_"):
            raise InputError(f"{name}: member {printable(member)} is not understood", hint="see deb(5)")
    for part in ("control", "data"):
        if part not in found:
            raise InputError(f"{name}: has no {part} archive", hint=_DAMAGED)
    return found["control"], found["data"]


def _check_format(member: str, content: Region, name: str) -> None:
    version = content.read(0, 16)
    if member != "debian-binary" or not version.startswith(b"2."):
        raise InputError(f"{name}: not a Debian package of format 2", hint=_DAMAGED)


def _members(data: Region, name: str) -> Iterator[tuple[str, Region]]:
    """Name and content of every member in order; contents begin at even bytes."""
    position = len(_MAGIC)
    while position < data.size:
        header = data.read(position, _HEADER)
        size = header[48:58].rstrip(b" ")
        if len(header) < _HEADER or header[58:] != _END or not size.isdigit():
            raise InputError(f"{name}: wrong ar header at byte {position}", hint=_DAMAGED)
        position += _HEADER
        content = data.part(position, int(size))
        if content.size != int(size):
            raise InputError(f"{name}: truncated at byte {data.size}", hint=_DAMAGED)
        yield header[:16].decode("ascii", "replace").rstrip(" ").removesuffix("/"), content
        position += content.size + content.size % 2
