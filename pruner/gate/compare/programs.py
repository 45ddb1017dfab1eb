"""Which files count as programs, by a rule that all sides of a comparison can follow.

A root tells a script from other text and an SBOM does not; a plan does not tell an entry point either. What one side
alone can tell would make a difference of the same image, so that the less knowing side decides for both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pruner.gate.types import SideKind
from pruner.model import FileType

if TYPE_CHECKING:
    from pruner.gate.types import Side, SideFile

_NO_PROGRAM = re.compile(r"\.(?:a|la|o|so|so\.[^/]*)\Z")
_LOADER = re.compile(r"/ld(?:-[^/]+)?\.so(?:\.[^/]*)?\Z")
"""A loader starts whatever it is given (ld.so(8)). Of other shared objects linkers before binutils 2.35 filled in an
entry point that nothing can be started by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tells:
    """What all sides can tell of executables."""

    scripts: bool
    """Scripts from other text."""
    entry_points: bool
    """ELF files that begin somewhere from those that do not."""


def told(*sides: Side) -> Tells:
    """What every one of `sides` can tell."""
    return Tells(
        scripts=all(side.kind is SideKind.ROOT for side in sides),
        entry_points=all(_tells_entry_points(side) for side in sides),
    )


def _tells_entry_points(side: Side) -> bool:
    return side.binaries is not None and (
        side.kind is SideKind.ROOT or any(binary.libraries is not None for binary in side.binaries.values())
    )


def is_program(side: Side, file: SideFile, tells: Tells) -> bool:
    """Whether the kernel would start the file: executable, and ELF with an entry point or a script with `#!`.

    As far as `tells` goes; beyond it the executable bit decides, and where no mode is stated the entry point does.
    """
    if file.type is not FileType.REGULAR or (_NO_PROGRAM.search(file.path) and not _LOADER.search(file.path)):
        return False
    binary = None if side.binaries is None else side.binaries.get(file.path)
    if file.mode is None:
        return binary is not None and binary.starts
    if not file.mode & 0o111:
        return False
    if binary is None:
        return not tells.scripts
    return binary.starts or not (binary.elf and tells.entry_points)
