"""Java archives and the class path of a command line.

An archive that is kept is kept whole; its manifest may name others (JAR file specification, Class-Path and
Launcher-Agent). What classes ask of the JDK's modules is not read: a runtime is kept whole.
"""

from __future__ import annotations

import re
import zipfile
from io import RawIOBase
from posixpath import basename, dirname, normpath
from typing import TYPE_CHECKING
from urllib.parse import unquote

from pruner.analyze.imports import module_edges, without_repeats
from pruner.model import EdgeKind, FileType, Findings, Unknown, file_node

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pruner.analyze.view import View
    from pruner.model import Edge, File, Node

_MANIFEST = "META-INF/MANIFEST.MF"
_LARGEST_MANIFEST = 1 << 20
_CLASS_PATH = re.compile(r"^Class-Path:[ \t]*(.+)$", re.MULTILINE | re.IGNORECASE)
_PATH_OPTIONS = frozenset({"-cp", "-classpath", "--class-path", "-p", "--module-path"})
_AGENT = re.compile(r"-(?:javaagent|agentpath):([^=]+)")


class _Bytes(RawIOBase):
    """A file over a view of bytes: an archive of hundreds of megabytes is not copied to read its directory."""

    def __init__(self, data: memoryview) -> None:
        super().__init__()
        self._data = data
        self._at = 0

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        start = (0, self._at, len(self._data))[whence]
        self._at = max(0, start + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # typeshed's Buffer is 3.12's
        part = self._data[self._at : self._at + len(buffer)]
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)


def edges_of_java(file: File, data: memoryview, active: bool, view: View) -> Findings:
    """The archives that the manifest of the active archive `file` names."""
    if not active:
        return Findings()
    text = _manifest(data)
    if text is None:
        detail = "an archive whose manifest can't be read"
        return Findings(unknowns=(Unknown(kind="import", subject=file.path, detail=detail),))
    unfolded = re.sub(r"\r?\n ", "", text).replace("\r", "")
    edges: list[Edge] = []
    for names in _CLASS_PATH.findall(unfolded):
        for name in names.split():
            path = unquote(name).removeprefix("file:")
            place = normpath(path if path.startswith("/") else f"{dirname(file.path)}/{path}")
            # What is missing is no unknown: the loader passes over it, and build tools name much that is not shipped.
            edges.extend(_class_path_edges(file_node(file.path), place, view, "Class-Path of the manifest"))
    return Findings(edges=without_repeats(edges))


def edges_of_java_arguments(source: Node, words: Sequence[str], base: str, view: View) -> tuple[Edge, ...]:
    """Edges to the archives and directories of the class path, the module path and the agents in a java command."""
    if not words or basename(words[0]) not in {"java", "javaw"}:
        return ()
    edges: list[Edge] = []
    for position, word in enumerate(words[1:], 1):
        option, equals, value = word.partition("=")
        agent = _AGENT.match(word)
        if agent is not None:
            edges.extend(
                view.edges_to(source, agent.group(1), EdgeKind.ENTRY, base=base, evidence="agent of the command")
            )
        given = value if equals and option in _PATH_OPTIONS else word if words[position - 1] in _PATH_OPTIONS else ""
        for entry in given.split(":"):
            if entry:
                edges.extend(
                    _class_path_edges(source, entry if entry.startswith("/") else f"{base}/{entry}", view, "class path")
                )
    return without_repeats(edges)


def _class_path_edges(source: Node, place: str, view: View, evidence: str) -> Iterator[Edge]:
    """One entry of a class path: an archive, a directory of classes, or `DIR/*` for the archives in it."""
    if place.endswith("/*"):
        for path in view.tree.glob(f"{place[:-2]}/*.[jJ][aA][rR]"):
            yield from module_edges(source, path, view, evidence=evidence)
        return
    found = view.resolved(place)
    if found is not None and found.type is FileType.DIRECTORY:
        yield from view.edges_to(source, place, EdgeKind.DATA, evidence=evidence)
        for path in view.tree.under(found.path):
            yield from view.edges_to(source, path, EdgeKind.DATA, evidence=evidence)
    elif found is not None:
        yield from module_edges(source, place, view, evidence=evidence)


def _manifest(data: memoryview) -> str | None:
    """The text of the manifest, empty where the archive has none; None where it is no archive."""
    try:
        with zipfile.ZipFile(_Bytes(data)) as archive:
            if _MANIFEST not in archive.NameToInfo:
                return ""
            with archive.open(_MANIFEST) as file:
                return file.read(_LARGEST_MANIFEST).decode("utf-8", "replace")
    except (zipfile.BadZipFile, zipfile.LargeZipFile, OSError, ValueError, NotImplementedError, RuntimeError, EOFError):
        return None
