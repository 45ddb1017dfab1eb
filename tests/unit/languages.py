"""A root of a few files in memory, for the analyzers of application languages."""

from __future__ import annotations

from pruner.analyze.view import View
from pruner.errors import InputError
from pruner.model import DEFAULT_SEARCH_PATH, File, FileType, ImageConfig, Inventory, Package, PackageId
from pruner.rootfs import Tree


class Link(str):
    """The target of a symbolic link."""

    __slots__ = ()


class MemoryRoot:
    """A root whose bytes are given."""

    name = "memory"
    image = None

    def __init__(self, files, content):
        self.files = files
        self._content = content

    def read(self, path):
        if path not in self._content:
            raise InputError(f"{path}: not a regular file")
        return memoryview(self._content[path])

    def extended_attributes(self, path):
        return {}

    def close(self):
        pass


def package(name, *owned, kind="deb", identity=None, **fields):
    """A package and the paths that it owns, for `view_of`."""
    return Package(
        id=PackageId(identity or name), type=kind, name=name, version=fields.pop("version", "1"), **fields
    ), owned


def view_of(content, *packages, env=(), search_path=DEFAULT_SEARCH_PATH):
    """A view of the files `content`: path to text, bytes or `Link`; a path in a bin directory is executable."""
    files, data = {}, {}
    for path in sorted(content):
        value = content[path]
        if isinstance(value, Link):
            files[path] = File(path=path, type=FileType.SYMLINK, target=str(value))
            continue
        data[path] = value.encode() if isinstance(value, str) else value
        mode = 0o755 if "/bin/" in path else 0o644
        files[path] = File(path=path, type=FileType.REGULAR, bytes=max(1, len(data[path])), mode=mode)
    owners = {path: (entry.id,) for entry, owned in packages for path in owned}
    inventory = Inventory(
        name="test",
        format="syft-json",
        packages=tuple(entry for entry, _ in packages),
        files=files,
        owners=owners,
        image=ImageConfig(env=tuple(env)),
        has_content=True,
    )
    return View(inventory, Tree(files), root=MemoryRoot(files, data), search_path=search_path)


def look(analyzer, view, path, *, active=True):
    """What the analyzer finds in the file at `path`."""
    return analyzer(view.tree.get(path), view.read(path), active, view)


def targets(findings, *, optional=None, kind=None):
    """Targets of the edges, sorted; of the optional or the hard ones, or of one kind, where asked."""
    return sorted(
        {
            edge.target
            for edge in findings.edges
            if (optional is None or (edge.strength == "optional") is optional) and (kind is None or edge.kind == kind)
        }
    )


def details(findings):
    """What is unknown, sorted."""
    return sorted(unknown.detail for unknown in findings.unknowns)
