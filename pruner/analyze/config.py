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
from pruner.model import Edge, EdgeKind, File, FileType, Findings, PackageId, Strength, capability_node, file_node

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pruner.analyze.view import View

OWN_PROGRAMS = "configured-programs"
"""Programs that the configuration of their own source package names."""

MOST_BYTES = 1_000_000
"""A larger file is data, not configuration."""
_LONGEST_LINE = 4096
_MOST_MATCHES = 256

_SUFFIXES = (".conf", ".cnf", ".cfg", ".ini", ".yaml", ".yml", ".json", ".xml", ".list", ".toml", ".properties")
_CATALOGUE = re.compile(r"/(?:sgml|xml)[^/]*/(?:.*/)?(?:[^/]*catalog|[^/]+\.(?:cat|dtd|ent|mod))\Z")
"""Registries of document types and these: each names others and files beside it (OASIS TR 9401, XML Catalogs)."""
_NO_CONFIGURATION = re.compile(rb"\A(?:#!|-----BEGIN |\x7fELF|.{0,512}\0)", re.DOTALL)
_ACCOUNTS = re.compile(r"/etc/(?:passwd|shadow|group|gshadow|subuid|subgid|shells)-?\Z")
"""Databases of accounts: what they name is for who logs in, not for a service."""
_ELSEWHERE = ("/var/lib/dpkg/", "/var/lib/apt/", "/var/cache/", "/var/log/", "/lib/apk/", "/usr/share/doc/")
"""Trees of databases, logs and examples; what looks like configuration there configures nothing."""
_HOOKS = """
X11 acpi alternatives apm apparmor.d apt bash_completion.d dbus-1 default dhcp dpkg emacs grub.d inetd.d init init.d
initramfs-tools kernel ld.so.conf.d logcheck logrotate.d modprobe.d monit munin network NetworkManager pam.d pm
polkit-1 ppp profile.d reportbug resolvconf rsyslog.d security sudoers.d sysctl.d systemd udev ufw update-motd.d
xdg xinetd.d
"""
_FOR_OTHERS = re.compile(rf"/etc/(?:cron\.[^/]+|rc[^/]*\.d|{'|'.join(map(re.escape, _HOOKS.split()))})/")
"""Directories of /etc where packages leave files for a service of the host (cron(8), logrotate(8), systemd(1), a login,
a package manager): what these name is started by that service, not by the package's own program."""
_THROUGH_SHELL = re.compile(r"(?:\w*shell\w*[\"']?\s*[:=(]?\s*[\"']?|\|\s*)\Z", re.IGNORECASE)
"""What stands before a command line that a shell is given: `include_shell "`, `shell = `, a pipe."""
_LONGEST_BEFORE = 40
_COMMENTS = re.compile(r"<!--.*?-->|^[ \t]*(?:#(?!include)|;|//).*?$|(?<=\s)#\s.*?$", re.DOTALL | re.MULTILINE)
_TOKEN = re.compile(r"""[^\s"'`<>(){},;=|:@!\[\]\\]+(?:\[[^\]\s]+\][^\s"'<>,;:]*)?""")
_INCLUDING = re.compile(r"\A\s*[<#@!%$]*(?:[\w.-]+[\s:=]+)?\w*(?:include|import|source|load)\w*", re.IGNORECASE)
_WILDCARD = re.compile(r"[*?]|\[[^\]]+\]")
_LIBRARY = re.compile(r"\.so(?:\.\d+)*\Z")


def is_configuration(path: str) -> bool:
    """Whether a file at this path is taken for configuration.

    Below /etc, by its suffix, in a `NAME.d` directory, or a catalogue of SGML or XML.
    """
    directory, name = posixpath.split(path)
    if (
        name.upper().startswith(("README", "LICENSE", "COPYING"))
        or path.startswith(_ELSEWHERE)
        or _ACCOUNTS.match(path)
    ):
        return False
    if path.startswith("/etc/") or name.endswith(_SUFFIXES) or directory.endswith(".d"):
        return True
    return _CATALOGUE.search(path) is not None


def edges_of_config(file: File, data: memoryview, active: bool, view: View) -> Findings:
    """The needs of a configuration file; the same whether inert or active, as a file is only read.

    Files are hard `config` edges, modules (`*.so`) hard `load` edges, directories hard `state` edges. Programs are
    optional `exec` edges, taken by default when they are of the same source (`OWN_PROGRAMS`, with the shell where it
    is clear that one starts them), or ELF files of a declared dependency, or when no package owns the configuration.
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
    reader.commands = _shell_commands(text)
    edges = (edge for token, including in words for edge in reader.edges_of(token, including=including))
    return Findings(edges=tuple(dict.fromkeys(edges)))


def programs_of_config(file: File, view: View) -> tuple[Edge, ...]:
    """The `OWN_PROGRAMS` edges of a configuration file below /etc; empty for what is none.

    Asked of the package whose program reads the file: as such the edges lead to programs that run, whereas a file that
    is only read starts nothing.
    """
    if file.type is not FileType.REGULAR or not file.path.startswith("/etc/") or not is_configuration(file.path):
        return ()
    data = view.read(file.path)
    found = Findings() if data is None else edges_of_config(file, data, False, view)
    return tuple(edge for edge in found.edges if edge.group == OWN_PROGRAMS)


def _shell_commands(text: str) -> frozenset[str]:
    """The absolute paths in `text` that begin a command line for a shell."""
    if "shell" not in text.lower() and "|" not in text:
        return frozenset()
    return frozenset(
        match.group()
        for match in _TOKEN.finditer(text)
        if match.group().startswith("/")
        and _THROUGH_SHELL.search(text[max(match.start() - _LONGEST_BEFORE, 0) : match.start()])
    )


class _Reader:
    """Finds what the words of one configuration file name."""

    def __init__(self, file: File, view: View) -> None:
        self._file = file
        self._view = view
        self._bases = _bases(file.path)
        self._private: tuple[str, ...] | None = None
        self.commands: frozenset[str] = frozenset()
        """Paths that a shell is given."""

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

    def _program(self, path: str, real: str, evidence: str) -> Iterator[Edge]:
        """An option: whether the program that reads the file ever starts it is not known here.

        One of the same source is there for nothing else, unless the file is for another service (cron, a login).
        """
        if self._is_own(real) and not _FOR_OTHERS.match(self._file.path):
            optional, node = Strength.OPTIONAL, file_node(self._file.path)
            yield from self._view.edges_to(
                node, path, EdgeKind.EXEC, evidence=evidence, strength=optional, group=OWN_PROGRAMS
            )
            if path in self.commands:
                yield Edge(
                    source=node,
                    target=capability_node("shell"),
                    kind=EdgeKind.CAPABILITY,
                    strength=optional,
                    evidence=f"{evidence} behind a word for the shell",
                    group=OWN_PROGRAMS,
                )
            return
        akin = opened.is_akin(self._file, real, self._view) and opened.is_elf(real, self._view)
        default = akin or opened.is_undeclared(self._file, self._view)
        yield from opened.edges_to_executable(self._file, path, self._view, evidence=evidence, default=default)

    def _is_own(self, real: str) -> bool:
        """Whether the program was built from the source of a package that answers for the file."""
        owner = self._view.owner(real)
        packages = (self._view.packages[package] for package in self._owners())
        return owner is not None and any(owner.id in self._view.siblings(package) for package in packages)

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
