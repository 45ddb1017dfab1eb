"""What packages ship, read from their archives or from the lists that dpkg keeps."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, NamedTuple

from pruner.errors import InputError, printable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_LARGEST_LIST = 64 << 20


class Lists(NamedTuple):
    """The names in packages."""

    names: Mapping[str, tuple[str, ...]]
    """Absolute, by package name, sorted."""
    architecture: str
    """That most archives are of; empty for dpkg's lists, which do not say."""


def read_lists(directory: Path) -> Lists:
    """The names that the `.deb` files of `directory` ship, or what its `NAME.list` and `NAME:ARCH.list` say.

    Raises `InputError` where there are neither, and for a file that can't be read.
    """
    shown = printable(str(directory))
    try:
        files = sorted(directory.iterdir())
    except OSError as error:
        raise InputError(f"{shown}: can't be read: {(error.strerror or str(error)).lower()}") from error
    if any(path.suffix == ".deb" for path in files):
        return _of_archives(directory)
    names: defaultdict[str, set[str]] = defaultdict(set)
    for path in files:
        if path.suffix == ".list":
            names[path.stem.partition(":")[0]].update(_of_list(path))
    if not names:
        raise InputError(f"{shown}: holds neither .deb nor .list files", hint="/var/lib/dpkg/info has the latter")
    return Lists({name: tuple(sorted(names[name])) for name in sorted(names)}, "")


def _of_list(path: Path) -> list[str]:
    """One name a line, `/.` being the root."""
    try:
        with path.open("rb") as stream:
            data = stream.read(_LARGEST_LIST)
    except OSError as error:
        raise InputError(f"{printable(str(path))}: can't be read: {(error.strerror or str(error)).lower()}") from error
    lines = data.decode("utf-8", "surrogateescape").split("\n")
    return [line for line in lines if line.startswith("/") and line != "/."]


def _of_archives(directory: Path) -> Lists:
    from pruner.rootfs.packages import open_packages

    names: defaultdict[str, set[str]] = defaultdict(set)
    architectures: Counter[str] = Counter()
    root = open_packages(directory)
    try:
        for archive in root.archives:
            if archive.ecosystem == "deb":
                names[archive.package].update(member.name for member in archive.members if member.parts)
                architectures[archive.architecture] += archive.architecture != "all"
    finally:
        root.close()
    found = {name: tuple(sorted(names[name])) for name in sorted(names)}
    return Lists(found, max(architectures, key=lambda name: (architectures[name], name), default=""))
