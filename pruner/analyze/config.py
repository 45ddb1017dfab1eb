"""What a configuration file names: files, includes with wildcards, modules, directories.

One tokenizer for all syntaxes. Whoever reads the file knows what a word means; here a word counts when it names
something that exists where programs look: at an absolute path, beside the file, in the directories above it below /etc,
and, for modules, in the private directories of the packages that answer for the file.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from pruner.analyze import opened
from pruner.analyze.loader import is_loader_directory
from pruner.model import Edge, EdgeKind, File, FileType, Findings, PackageId, file_node

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pruner.analyze.view import View

MOST_BYTES = 1_000_000
"""A larger file is data, not configuration."""
_LONGEST_LINE = 4096
_MOST_MATCHES = 256

_SUFFIXES = (".conf", ".cnf", ".cfg", ".ini", ".yaml", ".yml", ".json", ".xml", ".list", ".toml", ".properties")
_NO_CONFIGURATION = re.compile(rb"\A(?:#!|-----BEGIN |\x7fELF|.{0,512}\0)", re.DOTALL)
_ACCOUNTS = re.compile(r"/etc/(?:passwd|shadow|group|gshadow|subuid|subgid|shells)-?\Z")
"""Databases of accounts: what they name is for who logs in, not for a service."""
_ELSEWHERE = ("/var/lib/dpkg/", "/var/lib/apt/", "/var/cache/", "/var/log/", "/lib/apk/", "/usr/share/doc/")
"""Trees of databases, logs and examples; what looks like configuration there configures nothing."""
_COMMENTS = re.compile(r"<!--.*?-->|^[ \t]*(?:#(?!include)|;|//).*?$|(?<=\s)#\s.*?$", re.DOTALL | re.MULTILINE)
_TOKEN = re.compile(r"""[^\s"'`<>(){},;=|:@!\[\]\\]+(?:\[[^\]\s]+\][^\s"'<>,;:]*)?""")
_INCLUDING = re.compile(r"\A\s*[<#@!%$]*(?:[\w.-]+[\s:=]+)?\w*(?:include|import|source|load)\w*", re.IGNORECASE)
_WILDCARD = re.compile(r"[*?]|\[[^\]]+\]")
_LIBRARY = re.compile(r"\.so(?:\.\d+)*\Z")


def is_configuration(path: str) -> bool:
    """Whether a file at this path is taken for configuration: below /etc, by its suffix, or in a `NAME.d` directory."""
    directory, name = posixpath.split(path)
    if (
        name.upper().startswith(("README", "LICENSE", "COPYING"))
        or path.startswith(_ELSEWHERE)
        or _ACCOUNTS.match(path)
    ):
        return False
    return path.startswith("/etc/") or name.endswith(_SUFFIXES) or directory.endswith(".d")


def edges_of_config(file: File, data: memoryview, active: bool, view: View) -> Findings:
    """The needs of a configuration file; the same whether inert or active, as a file is only read.

    Files are hard `config` edges, modules (`*.so`) hard `load` edges, directories hard `state` edges. Programs are
    optional `exec` edges, taken by default when they are ELF files of the same source or a declared dependency, or when
    no package owns the configuration.
    """
    del active
    head = bytes(data[:1024])
    if len(data) > MOST_BYTES or _NO_CONFIGURATION.match(head):
        return Findings()
    reader = _Reader(file, view)
    text = _COMMENTS.sub("", bytes(data).decode("utf-8", "surrogateescape"))
    words: dict[tuple[str, bool], None] = {}
    for line in text.splitlines():
        if len(line) <= _LONGEST_LINE or file.path.endswith((".json", ".xml")):
            including = _INCLUDING.match(line) is not None
            words.update(dict.fromkeys((token, including) for token in _TOKEN.findall(line)))
    edges = (edge for token, including in words for edge in reader.edges_of(token, including=including))
    return Findings(edges=tuple(dict.fromkeys(edges)))


class _Reader:
    """Finds what the words of one configuration file name."""

    def __init__(self, file: File, view: View) -> None:
        self._file = file
        self._view = view
        self._bases = _bases(file.path)
        self._private: tuple[str, ...] | None = None

    def edges_of(self, token: str, *, including: bool) -> Iterator[Edge]:
        """The edges for one word; `including` says that its line asks for other files."""
        if token.startswith("/"):
            if not opened.is_runtime(token) and (token.count("/") > 1 or opened.is_content(token)):
                yield from self._absolute(token, including=including)
            return
        if token in (".", "..") or "\0" in token or not (including or "." in token or "/" in token):
            return
        for base in self._bases:
            found = tuple(self._named(f"{base}/{token}", including=including))
            if found:
                yield from found
                return
        if _LIBRARY.search(token):
            for base in self._private_directories():
                if self._view.resolved(token, base) is not None:
                    yield from self._edges_to(f"{base}/{token}", EdgeKind.LOAD, f"names the module {token}")

    def _absolute(self, path: str, *, including: bool) -> Iterator[Edge]:
        found = tuple(self._named(path, including=including))
        if found:
            yield from found
        elif not _WILDCARD.search(path):
            yield from opened.edges_to_parent(self._file, path, self._view)
        else:
            directory = posixpath.dirname(path[: _first_wildcard(path)])
            yield from self._edges_to(directory, EdgeKind.STATE, f"looks for {path}")

    def _named(self, path: str, *, including: bool) -> Iterator[Edge]:
        if _WILDCARD.search(path):
            matches = self._view.tree.glob(path)
            for match in matches if len(matches) <= _MOST_MATCHES else ():
                yield from self._one(match, f"includes {path}", including=False)
            return
        yield from self._one(path, f"names {path}", including=including)

    def _one(self, path: str, evidence: str, *, including: bool) -> Iterator[Edge]:
        file = self._view.resolved(path)
        if file is None or file.path == self._file.path:
            return
        if file.type is FileType.DIRECTORY:
            yield from opened.edges_of_directory(self._file, path, self._view)
            if not self._file.path.startswith(f"{file.path}/"):  # a file that names where it lies names no content
                yield from opened.edges_of_content(self._file, path, self._view)
            if including or path.rstrip("/").endswith(".d"):
                for child in self._view.tree.children(file.path)[:_MOST_MATCHES]:
                    yield from self._one(child, f"{evidence}, a directory", including=False)
        elif file.type is FileType.REGULAR and _LIBRARY.search(file.path):
            yield from self._edges_to(path, EdgeKind.LOAD, evidence)
        elif file.type is FileType.REGULAR and opened.is_program(file.path, self._view):
            yield from self._program(path, file.path, evidence)
        elif file.type is FileType.REGULAR and opened.is_log(file.path):
            yield from opened.edges_to_parent(self._file, path, self._view)
        elif file.type is FileType.REGULAR:
            yield from self._edges_to(path, EdgeKind.CONFIG, evidence)

    def _program(self, path: str, real: str, evidence: str) -> tuple[Edge, ...]:
        """An option: whether the program that reads the file ever starts it (cron? a login?) is not known here."""
        akin = opened.is_akin(self._file, real, self._view) and opened.is_elf(real, self._view)
        default = akin or opened.is_undeclared(self._file, self._view)
        return opened.edges_to_executable(self._file, path, self._view, evidence=evidence, default=default)

    def _edges_to(self, path: str, kind: EdgeKind, evidence: str) -> tuple[Edge, ...]:
        return self._view.edges_to(file_node(self._file.path), path, kind, evidence=evidence)

    def _private_directories(self) -> tuple[str, ...]:
        """Directories of the packages that answer for the file, where their programs may look for modules."""
        if self._private is None:
            packages: set[PackageId] = set()
            for owner in self._owners():
                package = self._view.packages[owner]
                packages |= self._view.siblings(package) | self._view.requirements(package)
            directories = {path for package in packages for path in self._view.directories(package)}
            self._private = tuple(sorted(path for path in directories if not is_loader_directory(path)))
        return self._private

    def _owners(self) -> tuple[PackageId, ...]:
        """Who owns the file, or for one that an administrator or a script made, the directories around it."""
        path = self._file.path
        while path.count("/") > 1:
            owners = self._view.inventory.owners.get(path)
            if owners:
                return owners
            path = posixpath.dirname(path)
        return ()


def _bases(path: str) -> tuple[str, ...]:
    """The file's directory, and for a file below /etc the directories above it as far as /etc/NAME."""
    bases = [posixpath.dirname(path)]
    while bases[-1].startswith("/etc/") and bases[-1].count("/") > 2:
        bases.append(posixpath.dirname(bases[-1]))
    return tuple(bases)


def _first_wildcard(path: str) -> int:
    match = _WILDCARD.search(path)
    return match.start() if match else len(path)
