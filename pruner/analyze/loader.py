"""Where a dynamic loader finds a library, computed without running it.

glibc (ld.so(8), elf/dl-load.c): DT_RPATH where there is no DT_RUNPATH, DT_RUNPATH, /etc/ld.so.cache, the default
directories; in each directory the `glibc-hwcaps` variants come first. The cache isn't read: ldconfig made it from
/etc/ld.so.conf, so the directories which that names stand for it, and the cache becomes a need of its own.
LD_LIBRARY_PATH is not modelled. musl (ldso/dynlink.c): both run paths alike, then /etc/ld-musl-ARCH.path, or its three
directories.

RPATH is inherited from the object that loads another one. A single file doesn't say who loads it, so what is found only
that way is looked for by `Loader.find_nearby` in the file's own directory.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pruner.analyze.elfimage import Abi, ElfImage, abi_of
from pruner.model import FileType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pruner.rootfs.tree import Tree

CACHE = "/etc/ld.so.cache"
CONFIGURATION = "/etc/ld.so.conf"
MUSL_DEFAULT = ("/lib", "/usr/local/lib", "/usr/lib")
_MULTIARCH = ("/lib/*-linux-*", "/usr/lib/*-linux-*")
_GLIBC_DEFAULT = ("/lib64", "/usr/lib64", "/lib", "/usr/lib", "/lib32", "/usr/lib32", "/libx32", "/usr/libx32")
_PLATFORMS = {3: ("i686", "i586", "i386"), 62: ("x86_64", "haswell"), 183: ("aarch64",), 22: ("z900", "z13", "z14")}
"""AT_PLATFORM by `e_machine`, as the kernel's elf.h of each architecture has it; others: the token stays unresolved."""


def _replaced(text: str, token: str, value: str) -> str:
    return re.sub(rf"\$(?:\{{{token}\}}|{token}\b)", lambda _: value, text)


_SYSTEM = re.compile(r"(?:/usr(?:/local)?)?/(?:lib|lib32|lib64|libx32|lib/[^/]+-linux-[^/]+)")


def is_loader_directory(directory: str) -> bool:
    """Whether loaders search the directory for every program; any other one is private to who knows of it."""
    return _SYSTEM.fullmatch(directory) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """A library that a loader would take."""

    path: str
    """The name under which it is found, in a real directory; it may be a symbolic link."""
    variants: tuple[str, ...] = ()
    """The same library built for better processors, preferred where the processor has what they need."""
    by_cache: bool = False
    """Only /etc/ld.so.cache leads there."""


class Loader:
    """Finds libraries in one root. `read` answers the bytes of a real path, or None without a root."""

    def __init__(self, tree: Tree, read: Callable[[str], memoryview | None]) -> None:
        self._tree = tree
        self._read = read
        self._abis: dict[str, Abi | None] = {}
        self._shared: dict[tuple[str, Abi | None, bool], Library | None] = {}
        self._directories: dict[bool, tuple[tuple[str, bool], ...]] = {}

    def find(self, name: str, path: str, image: ElfImage | None = None) -> Library | None:
        """The library `name` as the object at the real path `path` would get it; None when its search fails.

        Without an image neither run paths nor the machine are known: the object's own directory comes first then.
        """
        abi = image.abi if image is not None else None
        if "/" in name:
            return self._at(name, abi)
        own = self._run_path(image, path) if image is not None else (posixpath.dirname(path),)
        for directory in own:
            found = self._in(directory, name, abi, by_cache=False)
            if found is not None:
                return found
        musl = self._is_musl(image)
        key = (name, abi, musl)
        if key not in self._shared:
            attempts = (self._in(d, name, abi, by_cache=cached) for d, cached in self._system_directories(musl=musl))
            self._shared[key] = next((library for library in attempts if library is not None), None)
        return self._shared[key]

    def find_nearby(self, name: str, candidates: Iterable[str], image: ElfImage | None) -> Library | None:
        """The library `name` among the directories `candidates`, which the object that loads this one may search."""
        abi = image.abi if image is not None else None
        attempts = (self._in(directory, name, abi, by_cache=False) for directory in candidates)
        return next((library for library in attempts if library is not None), None)

    def abi(self, path: str) -> Abi | None:
        """Class, byte order and machine of the file at the real path `path`; None when it is no ELF file."""
        if path not in self._abis:
            data = self._read(path)
            self._abis[path] = None if data is None else abi_of(data)
        return self._abis[path]

    def _at(self, name: str, abi: Abi | None) -> Library | None:
        """The name itself when it leads to a regular file of this ABI."""
        found = self._tree.resolve(name).path
        file = None if found is None else self._tree.get(found)
        if found is None or file is None or file.type is not FileType.REGULAR:
            return None
        if abi is not None and self.abi(found) != abi:
            return None
        located = self._tree.locate(name).path
        return Library(path=located) if located is not None else None

    def _in(self, directory: str, name: str, abi: Abi | None, *, by_cache: bool) -> Library | None:
        base = self._at(f"{directory}/{name}", abi)
        capable = self._tree.children(f"{directory}/glibc-hwcaps")
        attempts = (self._at(f"{level}/{name}", abi) for level in capable)
        variants = tuple(library.path for library in attempts if library is not None)
        if base is not None:
            return Library(path=base.path, variants=variants, by_cache=by_cache)
        return Library(path=variants[0], variants=variants[1:], by_cache=by_cache) if variants else None

    def _run_path(self, image: ElfImage, path: str) -> tuple[str, ...]:
        directories: list[str] = []
        for text in image.runpath or image.rpath:
            for expanded in self._expanded(text, path, image.abi):
                real = self._tree.resolve(expanded).path
                if expanded.startswith("/") and real is not None and real not in directories:
                    directories.append(real)
        return tuple(directories)

    def _expanded(self, text: str, path: str, abi: Abi) -> tuple[str, ...]:
        """`text` with `$ORIGIN`, `$LIB` and `$PLATFORM` replaced; one result for each value that a loader may use."""
        libraries = [directory.lstrip("/") for directory in (*self._multiarch(), "/lib64", "/lib")]
        values = {
            "ORIGIN": (posixpath.dirname(path),),
            "LIB": tuple(dict.fromkeys(name.removeprefix("usr/") for name in libraries)),
            "PLATFORM": _PLATFORMS.get(abi.machine, ()),
        }
        results = [text]
        for token, choices in values.items():
            results = [
                _replaced(result, token, value)
                for result in results
                for value in (choices if token in result else ("",))
            ]
        return tuple(results)

    def _is_musl(self, image: ElfImage | None) -> bool:
        if image is not None and image.interpreter is not None:
            return "ld-musl-" in image.interpreter
        if image is not None and any(name.startswith("libc.musl-") for name in image.needed):
            return True
        return bool(self._tree.glob("/lib/ld-musl-*.so.1")) and not self._tree.glob("/lib*/ld-linux*.so.*")

    def _system_directories(self, *, musl: bool) -> tuple[tuple[str, bool], ...]:
        """The real directories that any object may use, each with whether only the cache leads there."""
        if musl not in self._directories:
            names = self._musl_directories() if musl else self._glibc_directories()
            real: dict[str, bool] = {}
            for name, cached in names:
                path = self._tree.resolve(name).path
                if path is not None:
                    real[path] = real.get(path, True) and cached
            self._directories[musl] = tuple(real.items())
        return self._directories[musl]

    def _glibc_directories(self) -> list[tuple[str, bool]]:
        defaults = [(name, False) for name in (*self._multiarch(), *_GLIBC_DEFAULT)]
        if self._tree.get(CACHE) is None:
            return defaults
        return [*((name, True) for name in self._configured(CONFIGURATION, set())), *defaults]

    def _multiarch(self) -> tuple[str, ...]:
        return tuple(path for pattern in _MULTIARCH for path in self._tree.glob(pattern))

    def _configured(self, path: str, seen: set[str]) -> list[str]:
        """Directories that an ld.so.conf names, its includes among them (ldconfig(8))."""
        real = self._tree.resolve(path).path
        if real is None or real in seen:
            return []
        seen.add(real)
        directories: list[str] = []
        for line in self._text(real).splitlines():
            words = line.partition("#")[0].replace(",", " ").replace(":", " ").split()
            if words[:1] == ["include"]:
                patterns = (posixpath.join(posixpath.dirname(path), word) for word in words[1:])
                for pattern in patterns:
                    for included in self._tree.glob(pattern):
                        directories += self._configured(included, seen)
            elif words[:1] != ["hwcap"]:
                directories += [word.partition("=")[0] for word in words if word.startswith("/")]
        return directories

    def _musl_directories(self) -> list[tuple[str, bool]]:
        configured = [path for path in self._tree.glob("/etc/ld-musl-*.path") if self._text(path)]
        if not configured:
            return [(name, False) for name in MUSL_DEFAULT]
        return [(name, False) for path in configured for name in re.split(r"[:\n]", self._text(path)) if name]

    def _text(self, path: str) -> str:
        data = self._read(path)
        return "" if data is None else bytes(data[: 1 << 20]).decode("utf-8", "surrogateescape")
