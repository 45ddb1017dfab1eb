"""What packages ship, read from their archives or from the lists that dpkg keeps."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, NamedTuple

from pruner.errors import InputError, printable
from pruner.slices.arches import ARCHITECTURES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

_LARGEST_LIST = 64 << 20
_ALL = "all"


class Lists(NamedTuple):
    """The names in packages."""

    names: Mapping[str, tuple[str, ...]]
    """Absolute, by package name, sorted."""
    architecture: str
    """That most archives are of; empty for dpkg's lists, which do not say."""


class _Listing(NamedTuple):
    """What one file says."""

    package: str
    architecture: str
    """Empty for a `NAME.list`, which does not say."""
    names: tuple[str, ...]
    is_archive: bool


def read_lists(directory: Path) -> Lists:
    """The names that the `.deb` files of `directory` ship, or what its `NAME.list` and `NAME:ARCH.list` say.

    Raises `InputError` where there are neither, and for a file that can't be read.
    """
    names: defaultdict[str, set[str]] = defaultdict(set)
    architectures: Counter[str] = Counter()
    for one in _listings(directory):
        names[one.package].update(one.names)
        architectures[one.architecture] += one.is_archive and one.architecture != _ALL
    found = {name: tuple(sorted(names[name])) for name in sorted(names)}
    most = max(architectures, key=lambda name: (architectures[name], name), default="")
    return Lists(found, most if architectures[most] else "")


def read_foreign_lists(directories: Iterable[Path], own: str) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    """What packages ship on other architectures than `own`: names by package, by architecture, of all `directories`.

    A `.deb` says which it is for, a `NAME:ARCH.list` too. A `NAME.list` is for the architecture that the directory is
    named after, else for the one that most of the other lists there are for. What is for all of them is for each that a
    directory holds or is named after. Raises `InputError` as `read_lists` does, and for a directory without a further
    architecture that chisel knows.
    """
    found: defaultdict[str, defaultdict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for directory in directories:
        by_arch = _by_architecture(_listings(directory), directory.resolve().name)
        further = [name for name in by_arch if name in ARCHITECTURES and name != own]
        if not further:
            told = f"only {', '.join(map(printable, sorted(by_arch)))}" if by_arch else "no name of an architecture"
            raise InputError(
                f"{printable(str(directory))}: has {told}, none that slices could be for besides {own}",
                hint=f"files NAME:ARCH.list, or a directory named after one of {', '.join(ARCHITECTURES)}",
            )
        for name in further:
            for package, names in by_arch[name].items():
                found[name][package].update(names)
    return {
        arch: {package: tuple(sorted(packages[package])) for package in sorted(packages)}
        for arch, packages in sorted(found.items())
    }


def _by_architecture(listings: Iterable[_Listing], named: str) -> dict[str, dict[str, set[str]]]:
    """Names by package by architecture, in a directory that is `named` after an architecture or not."""
    listings = list(listings)
    counts = Counter(one.architecture for one in listings if one.architecture not in {"", _ALL})
    if named in ARCHITECTURES:
        counts[named] += 0
    native = named if named in ARCHITECTURES else max(sorted(counts), key=counts.__getitem__, default="")
    found: dict[str, dict[str, set[str]]] = {name: {} for name in counts}
    for one in listings:
        for name in counts if one.architecture == _ALL else filter(None, [one.architecture or native]):
            found[name].setdefault(one.package, set()).update(one.names)
    return found


def _listings(directory: Path) -> Iterator[_Listing]:
    """What each `.deb` file of `directory` says, else each `.list` file."""
    shown = printable(str(directory))
    try:
        files = sorted(directory.iterdir())
    except OSError as error:
        raise InputError(f"{shown}: can't be read: {(error.strerror or str(error)).lower()}") from error
    if any(path.suffix == ".deb" for path in files):
        yield from _of_archives(directory)
        return
    files = [path for path in files if path.suffix == ".list"]
    if not files:
        raise InputError(f"{shown}: holds neither .deb nor .list files", hint="/var/lib/dpkg/info has the latter")
    for path in files:
        package, _, architecture = path.stem.partition(":")
        yield _Listing(package, architecture, tuple(_of_list(path)), is_archive=False)


def _of_list(path: Path) -> list[str]:
    """One name a line, `/.` being the root."""
    try:
        with path.open("rb") as stream:
            data = stream.read(_LARGEST_LIST)
    except OSError as error:
        raise InputError(f"{printable(str(path))}: can't be read: {(error.strerror or str(error)).lower()}") from error
    lines = data.decode("utf-8", "surrogateescape").split("\n")
    return [line for line in lines if line.startswith("/") and line != "/."]


def _of_archives(directory: Path) -> Iterator[_Listing]:
    from pruner.rootfs.packages import open_packages

    root = open_packages(directory)
    try:
        for archive in root.archives:
            if archive.ecosystem == "deb":
                names = tuple(member.name for member in archive.members if member.parts)
                yield _Listing(archive.package, archive.architecture, names, is_archive=True)
    finally:
        root.close()
