"""What a file is for, told from the shape of its path and from ELF facts.

Nothing here knows a package by name. The vocabulary is that of published slices.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from pruner.model import FileType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pruner.slices.types import SourceFile

COPYRIGHT = "copyright"
BINS = "bins"
SCRIPTS = "scripts"
MODULES = "modules"
CONFIG = "config"
DATA = "data"
LIBS = "libs"

LOCAL = "local"

KINDS = (BINS, SCRIPTS, LIBS, MODULES, "services", CONFIG, DATA, LOCAL, "locales", "headers", "docs", COPYRIGHT)
"""Most meaningful first: what a slice is named after that holds several."""

_DOCUMENTED = re.compile(r"/usr/share/doc/([^/]+)(?:/copyright)?\Z")
_LICENCES = "/usr/share/common-licenses"
_OF_DISTRIBUTION = re.compile(
    r"/(?:usr/(?!local/)|(?:bin|boot|dev|etc|lib\w*|media|mnt|proc|root|run|sbin|sys|tmp|var)(?:/|\Z))"
)
"""Where a distribution puts state; the rest is the administrator's (hier(7))."""
_PROGRAM = re.compile(r"/(?:.+/)?(?:s?bin|games)/[^/]+\Z")
_LIBRARY = re.compile(r"/[^/]+\.so(?:\.[^/]*)?\Z")
_LOADER_DIRECTORY = re.compile(r"(?:/usr)?/lib(?:32|64|x32)?(?:/[^/]+-linux-[^/]+)?(?:/glibc-hwcaps/[^/]+)?\Z")
"""Where the dynamic loader looks without being told (ld.so(8)), with Debian's multiarch directories."""
_SERVICES = re.compile(
    r"(?:(?:/usr)?/lib|/etc)/(?:systemd|tmpfiles\.d|sysusers\.d|init|init\.d|rc[0-6S]\.d|udev)(?:/|\Z)"
)
_LANGUAGE = re.compile(
    r"/(?:python\d[^/]*|(?:dist|site)-packages|perl(?:-base|5)?|ruby|rubygems-integration|gems|node_modules|nodejs"
    r"|php|jvm|java|lua|tcltk|R)/"
)
_LANGUAGE_SUFFIX = re.compile(r"\.(?:py|pyc|pm|pl|ph|rb|js|mjs|cjs|php|jar|lua|tcl)\Z")
_HEADERS = re.compile(r"(?:/usr(?:/local)?/include(?:/|\Z))")
_DEVELOPMENT = re.compile(r"\.(?:a|o|la|pc)\Z")
_SHAPES: tuple[tuple[str, re.Pattern[str]], ...] = (
    (COPYRIGHT, re.compile(rf"{_LICENCES}(?:/|\Z)|/usr/share/doc/[^/]+/copyright\Z")),
    ("services", _SERVICES),
    ("headers", _HEADERS),
    ("locales", re.compile(r"/usr/(?:share|lib)/locale(?:/|\Z)")),
    ("docs", re.compile(r"/usr/share/(?:doc|man|info|lintian|doc-base)(?:/|\Z)")),
    (CONFIG, re.compile(r"/etc(?:/|\Z)")),
)


def kinds_of(files: Mapping[str, SourceFile]) -> dict[str, str]:
    """Path -> kind for every file; a link within a package is what it leads to."""
    aliases = {
        path: posixpath.normpath("/" + (file.target or ""))
        for path, file in files.items()
        if is_merged_link(path, file)
    }
    kinds: dict[str, str] = {}
    for path, file in files.items():
        end = _end_of_links(path, files, aliases) if file.type is FileType.SYMLINK else file
        if end is None:
            kinds[path] = _kind(file)
        elif end.package == file.package:
            kinds[path] = _kind(end)
        else:
            kinds[path] = SCRIPTS if _PROGRAM.match(path) and not end.elf else _kind(file)
    return kinds


def is_merged_link(path: str, file: SourceFile) -> bool:
    """Whether it is one of the links of a merged /usr: /bin -> usr/bin."""
    target = (file.target or "").lstrip("/")
    return file.type is FileType.SYMLINK and path.count("/") == 1 and target == f"usr{path}"


def is_program_path(path: str) -> bool:
    """Whether the path is that of a program that users call by name: in a directory `bin`, `sbin` or `games`."""
    return _PROGRAM.match(path) is not None


def is_of_language(path: str) -> bool:
    """Whether the path is that of a module of an interpreted language, or of something that lies among them."""
    return _LANGUAGE.search(path) is not None or _LANGUAGE_SUFFIX.search(path) is not None


def _kind(file: SourceFile) -> str:
    path = file.path
    if is_merged_link(path, file):
        return path[1:]
    documented = _DOCUMENTED.match(path)
    if documented and documented[1] == file.package:
        return COPYRIGHT
    if file.shipped is None and file.type is not FileType.DIRECTORY and not _OF_DISTRIBUTION.match(path):
        return LOCAL
    if file.type is FileType.DIRECTORY:
        path += "/"
    elif _PROGRAM.match(path) and (file.executable or file.type is FileType.SYMLINK):
        return SCRIPTS if file.executable and not file.elf else BINS
    elif _LIBRARY.search(path) and (file.elf or file.type is FileType.SYMLINK):
        return LIBS if _LOADER_DIRECTORY.match(posixpath.dirname(path)) else MODULES
    found = next((kind for kind, shape in _SHAPES if shape.match(path)), None) or _other(file, path)
    # Places that others fill: what they are for is not what they are.
    return DATA if file.type is FileType.DIRECTORY and found not in {CONFIG, "services"} else found


def _other(file: SourceFile, path: str) -> str:
    """What lies below /usr/lib, /usr/share, /var and elsewhere."""
    if is_of_language(path):
        return BINS if file.executable and file.elf else MODULES
    if file.executable:
        return BINS if file.elf else SCRIPTS
    if path.startswith(("/usr/lib", "/lib")):
        if file.elf:
            return MODULES
        if _DEVELOPMENT.search(path):
            return "headers"
    return DATA


def _end_of_links(path: str, files: Mapping[str, SourceFile], aliases: Mapping[str, str]) -> SourceFile | None:
    """The file that a chain of links leads to, or None where it leads nowhere or to a directory."""
    file = files[path]
    for _ in range(40):  # the kernel's own limit, path_resolution(7)
        if file.type is not FileType.SYMLINK:
            return file
        following = posixpath.normpath(posixpath.join(posixpath.dirname(file.path), file.target or "."))
        top, slash, rest = following[1:].partition("/")
        following = aliases.get(f"/{top}", f"/{top}") + slash + rest
        found = files.get(following)
        if found is None or found.type is FileType.DIRECTORY:
            return None
        file = found
    return None
