"""What slice definitions of Debian packages need beyond the decisions: values only.

The pipeline's materials hold it in full; `debian/slices.json` carries it in a plan directory.
"""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 -- msgspec reads the types of fields

import msgspec

from pruner.model import Edge  # noqa: TC001 -- likewise


class ArchiveFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One package, as its archive has it: a kept one, or one whose scripts may have made what is kept."""

    name: str
    version: str
    architecture: str
    listed: tuple[str, ...]
    """Every name that the archive ships, directories included and without a slash at their end, bytewise order."""
    conffiles: tuple[str, ...] = ()
    """Those of them that are configuration files (deb-conffiles(5))."""
    scripts: Mapping[str, str] = {}
    """Text of its maintainer scripts by name (`postinst`), where the root holds them."""
    kept: bool = True
    """Whether the plan keeps the package; of another one it keeps no file that the archive brings."""


class SliceFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a plan does not say and its slices need. Paths are real paths of kept names, bytewise order."""

    state: tuple[str, ...]
    """Names, not directories, that no archive brings as they are."""
    renamed: Mapping[str, str]
    """The name in the archive by real path, where that is another."""
    attributes: Mapping[str, tuple[str, ...]]
    """Names of the extended attributes that a file has and its archive does not carry."""
    elf: tuple[str, ...]
    programs: tuple[str, ...]
    """ELF programs and scripts with a `#!` line that somebody may execute."""
    makers: Mapping[str, tuple[str, str]]
    """For state of a root that is composed of archives: the package whose script made it, and which (`postinst`)."""
    concatenations: Mapping[str, tuple[str, ...]]
    """State that is shipped files one after the other: their names in the archive, in order."""
    answered: tuple[Edge, ...]
    """What nodes need any one of and have because it was kept for another reason."""
    archives: tuple[ArchiveFacts, ...]
    """Sorted by name and architecture."""
