"""Package indexes, whole archives of them: found by name in the raw text, and read stanza by stanza as they are asked.

Debian's Packages and dpkg's status (deb822(5)), Alpine's APKINDEX and installed database (apk-package(5)).
"""

from __future__ import annotations

import io
import os
import re
from collections import Counter
from typing import TYPE_CHECKING, NoReturn

from pruner.errors import InputError, printable
from pruner.read.candidates import alpine_candidate, debian_candidate
from pruner.read.source import decompressed, read_input
from pruner.read.stanzas import apk_fields, control_fields

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from pruner.candidate import Candidate

__all__ = ["PackageIndex", "index_in", "read_index"]

_ACCEPTED = (
    "accepted are a dpkg status, Packages[.gz|.xz|.zst], an apk installed database and APKINDEX[.tar.gz]; "
    "apt's own .lz4 lists are written out by `/usr/lib/apt/apt-helper cat-file FILE`"
)
_NAMES = {"deb": b"Package", "apk": b"P"}
_ARCHITECTURES = {"deb": b"Architecture", "apk": b"A"}
_COMMON = {"", "all", "noarch"}
_ARCHIVE_FIELDS = frozenset({"filename", "size", "sha256"})
"""What every stanza of a Debian archive's index has, if one has it; they come late in a stanza."""

_ANY_LINE = re.MULTILINE | re.IGNORECASE
_END_OF_PROVIDED = {"deb": re.compile(r"[\s(:]"), "apk": re.compile(r"[<>=~]")}
_SNIFFED = 1 << 16
_MAX_INDEX = 256 * 1024 * 1024


def read_index(path: str | os.PathLike[str]) -> PackageIndex:
    """The index in the file at `path`, whose kind is told from its content; gzip, xz, zstd and bzip2 are seen through.

    Raises `InputError` when the file can't be read, is no package index, is cut short or damaged.
    """
    source = read_input(os.fspath(path))
    index = index_in(source.data, source.name)
    if index is None:
        raise InputError(f"{source.name}: not a package index", hint=_ACCEPTED)
    return index


def index_in(data: bytes, name: str) -> PackageIndex | None:
    """The index that `data` is or holds (an APKINDEX.tar.gz, decompressed); None for anything else.

    `name` is the input's name for messages. Raises `InputError` when it is cut short or damaged.
    """
    text = _tidied(_unpacked(data, name))
    start = text[: text.find(b"\n\n") + 1 or _SNIFFED]
    if re.search(rb"^package:[ \t]*\S", start, _ANY_LINE):
        return PackageIndex(_capitalised(text), ecosystem="deb", name=name)
    if re.search(rb"^P:\S", start, re.MULTILINE):
        return PackageIndex(text, ecosystem="apk", name=name)
    return None


class PackageIndex:
    """One package index.

    Holds the raw text and where each name stands in it; a stanza is read when it is asked for, and remembered.
    """

    def __init__(self, data: bytes, *, ecosystem: str, name: str) -> None:
        """`data` has single empty lines between stanzas and no carriage returns. Raises `InputError` when it is cut."""
        self.name = name
        """What the user gave, safe to print."""
        self.ecosystem = ecosystem
        """`deb` or `apk`."""
        self._data = data
        self._places = _places(data, _NAMES[ecosystem])
        self._check()
        self.architecture = self._main_architecture()
        """The one that most of the first stanzas are for; None where all are for every architecture."""
        self._read: dict[int, Candidate | None] = {}
        self._provided: dict[str, list[int]] | None = None

    def names(self) -> Collection[str]:
        """The names of all packages."""
        return self._places.keys()

    def named(self, name: str) -> tuple[Candidate, ...]:
        """Every version of the package `name`, in the order of the index; a stanza that is repeated counts once.

        Raises `InputError` for a stanza that can't be read.
        """
        return self._candidates(self._places.get(name, ()))

    def providing(self, name: str) -> tuple[Candidate, ...]:
        """Packages of other names that declare to provide `name` or, in an installed database, own the path `name`.

        Raises `InputError` for a stanza that can't be read.
        """
        if self._provided is None:
            self._provided = self._provides()
        places = self._provided.get(name, [])
        if name.startswith("/") and self.ecosystem == "apk":
            places = [*places, *self._owners(name)]
        return tuple(candidate for candidate in self._candidates(places) if candidate.name != name)

    def essential(self) -> tuple[Candidate, ...]:
        """Debian's packages marked `Essential: yes`, in the order of the index."""
        if self.ecosystem != "deb":
            return ()
        return self._candidates(found.start() + 1 for found in re.finditer(rb"\nEssential:[ \t]*yes", self._data))

    def triggered(self) -> tuple[Candidate, ...]:
        """Alpine's packages with an `install_if`, in the order of the index."""
        if self.ecosystem != "apk":
            return ()
        return self._candidates(found.start() + 1 for found in re.finditer(rb"\ni:[^\n]", self._data))

    def stanzas(self, name: str) -> tuple[str, ...]:
        """The texts of the stanzas of `name`, without their final newline."""
        return tuple(self._stanza(self._start(place)) for place in self._places.get(name, ()))

    def _candidates(self, places: Iterable[int]) -> tuple[Candidate, ...]:
        found = (self._candidate(self._start(place)) for place in places)
        once: dict[tuple[str, str, str], Candidate] = {}
        for candidate in found:
            if candidate is not None:
                once.setdefault((candidate.name, candidate.version, candidate.architecture), candidate)
        return tuple(once.values())

    def _candidate(self, start: int) -> Candidate | None:
        if start not in self._read:
            read = debian_candidate if self.ecosystem == "deb" else alpine_candidate
            try:
                self._read[start] = read(self._stanza(start))
            except InputError as error:
                raise InputError(f"{self.name}: {error.fact}", hint=error.hint) from None
        return self._read[start]

    def _start(self, place: int) -> int:
        """Where the stanza begins that `place` lies in."""
        found = self._data.rfind(b"\n\n", 0, place)
        return 0 if found < 0 else found + 2

    def _stanza(self, start: int) -> str:
        end = self._data.find(b"\n\n", start)
        return self._data[start : end if end >= 0 else None].rstrip(b"\n").decode("utf-8", "surrogateescape")

    def _provides(self) -> dict[str, list[int]]:
        key, separator = (b"Provides", ",") if self.ecosystem == "deb" else (b"p", None)
        end, provided = _END_OF_PROVIDED[self.ecosystem], dict[str, list[int]]()
        for found in re.finditer(rb"\n" + key + rb":([^\n]*(?:\n[ \t][^\n]*)*)", self._data):
            for text in found[1].decode("utf-8", "surrogateescape").split(separator):
                provided.setdefault(end.split(text.strip(), maxsplit=1)[0], []).append(found.start() + 1)
        return provided

    def _owners(self, path: str) -> Iterator[int]:
        """Places of blocks that list `path`: `F:` names a directory, `R:` a file in the directory above it."""
        directory, _, base = path.strip("/").rpartition("/")
        head, line = (f"\n{text}\n".encode("utf-8", "surrogateescape") for text in (f"F:{directory}", f"R:{base}"))
        place = self._data.find(head)
        while place >= 0:
            end = min(
                (found for mark in (b"\nF:", b"\n\n") if (found := self._data.find(mark, place + 1)) >= 0),
                default=len(self._data),
            )
            if self._data.find(line, place, end + 1) >= 0:
                yield place + 1
            place = self._data.find(head, place + 1)

    def _main_architecture(self) -> str | None:
        pattern = re.compile(rb"\n" + _ARCHITECTURES[self.ecosystem] + rb":[ \t]*(\S+)")
        counted: Counter[str] = Counter()
        for found in pattern.finditer(self._data):
            counted[found[1].decode("utf-8", "replace")] += 1
            if counted.total() >= 1000:
                break
        ranked = sorted(counted, key=lambda name: (-counted[name], name))
        return next((name for name in ranked if name not in _COMMON), None)

    def _check(self) -> None:
        """Whether every stanza has a name and the end is there.

        The end is a whole line, after apk's blocks an empty one (without it apk ignores the block), and in the last
        stanza the fields of an archive that the first one has.
        """
        last = self._start(len(self._data) - 2)
        whole = b"\n" if self.ecosystem == "deb" else b"\n\n"
        fields = control_fields if self.ecosystem == "deb" else apk_fields
        end = fields(self._stanza(last))
        if not self._data.endswith(whole) or (_ARCHIVE_FIELDS & fields(self._stanza(0)).keys()) - end.keys():
            name = end.get("package", end.get("P", "its last package"))
            raise InputError(
                f"{self.name}: ends within the stanza of {printable(name)}",
                hint="the index was cut short; fetch it anew",
            )
        stanzas = self._data.count(b"\n\n") + (not self._data.endswith(b"\n\n"))
        if sum(map(len, self._places.values())) != stanzas:
            self._complain()

    def _complain(self) -> NoReturn:
        """Say which stanza has no name, or two of them."""
        named = Counter(self._start(place) for places in self._places.values() for place in places)
        starts = (0, *(found.end() for found in re.finditer(rb"\n\n(?=.)", self._data)))
        number = next((number for number, start in enumerate(starts, 1) if named[start] != 1), len(starts))
        raise InputError(
            f"{self.name}: stanza {number} does not name one package",
            hint=f"every stanza of an index has one line {_NAMES[self.ecosystem].decode()}:",
        )


def _places(data: bytes, key: bytes) -> dict[str, list[int]]:
    """Where the line with the name begins, of each stanza by its name."""
    places: dict[str, list[int]] = {}
    pattern = re.compile(key + rb":[ \t]*(\S+)")
    first = pattern.match(data)
    if first is not None:
        places[first[1].decode("utf-8", "surrogateescape")] = [0]
    for found in re.finditer(rb"\n" + pattern.pattern, data):
        places.setdefault(found[1].decode("utf-8", "surrogateescape"), []).append(found.start() + 1)
    return places


def _tidied(text: bytes) -> bytes:
    """`text` with one empty line between stanzas and Unix line ends; a large index is so already, and not copied."""
    text = text.removeprefix(b"\xef\xbb\xbf")
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n")
    if b"\n\n\n" in text or re.search(rb"\n[ \t]+\n", text):
        text = re.sub(rb"\n(?:[ \t]*\n)+", b"\n\n", text)
    return text.lstrip(b"\n") if text.startswith(b"\n") else text


def _capitalised(text: bytes) -> bytes:
    """`text` with the names of the searched fields as Debian writes them; their case is free (policy 5.1)."""
    if text.startswith(b"Package:") and text.count(b"\nPackage:") + 1 == text.count(b"\n\n"):
        return text
    fields = rb"^(?:package|provides|essential|architecture)(?=:)"
    return re.sub(fields, lambda found: found[0].title(), text, flags=_ANY_LINE)


def _unpacked(data: bytes, name: str) -> bytes:
    """The index within an APKINDEX.tar.gz (two gzip members, of which the first holds the signature)."""
    if data[257:262] != b"ustar":
        return data
    import tarfile

    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
            for member in archive:
                if member.name == "APKINDEX" and member.isreg():
                    found = archive.extractfile(member)
                    return b"" if found is None else decompressed(found.read(_MAX_INDEX), name)
    except (tarfile.TarError, EOFError, ValueError, OSError) as error:
        raise InputError(f"{name}: damaged archive ({error})", hint="fetch the index anew") from None
    raise InputError(f"{name}: an archive without an APKINDEX", hint=_ACCEPTED)
