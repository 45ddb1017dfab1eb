"""What every source of bytes answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pruner.model import File, ImageConfig


class Root(Protocol):
    """A root filesystem whose names are known and whose bytes are read on demand. Nothing is unpacked to plan."""

    @property
    def name(self) -> str:
        """What the user gave, for messages."""

    @property
    def files(self) -> Mapping[str, File]:
        """Every name except `/` itself by its real path, in bytewise order."""

    @property
    def image(self) -> ImageConfig | None:
        """The image's configuration where the source carries one (docker-archive, OCI layout)."""

    @property
    def lacks(self) -> tuple[str, ...]:
        """What the source doesn't show (directories that this user can't list), one lowercase sentence each."""

    def read(self, path: str) -> memoryview:
        """The bytes of the regular file at real path `path` (a further hard link gives the same bytes).

        Read-only, memory-mapped where the source allows; empty for an empty file.
        Raises `InputError` when the path is not a regular file of the root or can't be read, and `EnvironmentFault`
        where this user lacks the permission.
        """

    def extended_attributes(self, path: str) -> Mapping[str, bytes]:
        """Extended attributes that the source records (`security.capability`, `user.*`), empty where none."""

    def modified(self, path: str) -> int:
        """When the content at real path `path` was last modified, in seconds since the epoch.

        Byte-compiled Python, font and other caches compare it, so that a copy has to keep it.
        """

    def close(self) -> None:
        """Release files and temporary storage; reading afterwards is an error."""


def kept_attribute(name: str) -> bool:
    """Whether an extended attribute belongs to the file rather than to the host: a file capability or the user's own.

    Labels (`security.selinux`), overlay markers (`trusted.*`) and the like describe the machine that holds the root.
    """
    return name == "security.capability" or name.startswith("user.")
