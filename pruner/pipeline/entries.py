"""Entry points: from what a user writes to the edges that the closure starts from."""

from __future__ import annotations

import difflib
import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packageurl import PackageURL

from pruner.analyze import python as python_modules
from pruner.errors import EntryError, UsageError, printable
from pruner.model import (
    Edge,
    EdgeKind,
    File,
    FileType,
    ImageConfig,
    Node,
    Package,
    Unknown,
    capability_node,
    entry_node,
    file_node,
    node_name,
    package_node,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pruner.analyze.view import View

_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=.*", re.DOTALL)
_OPTION_PATH = re.compile(r"--?[A-Za-z][A-Za-z0-9-]*=(/.+)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entries:
    """Where the closure starts."""

    edges: tuple[Edge, ...]
    files: frozenset[str]
    """Real paths that entry points name or lead to by links."""
    unknowns: tuple[Unknown, ...] = ()


def find_entries(texts: Sequence[str], view: View, features: Iterable[tuple[str, str | None]] = ()) -> Entries:
    """Return the entry edges of every entry point in `texts` and of the capabilities in `features`.

    Raises `EntryError` for one that does not exist, with the nearest names as the hint.
    """
    edges: dict[Edge, None] = {}
    unknowns: list[Unknown] = []
    for text in texts:
        found, unclear = _edges_of_entry(text, view)
        edges.update(dict.fromkeys(found))
        unknowns.extend(unclear)
    for name, value in features:
        source = entry_node(f"feature {name}" if value is None else f"feature {name}={value}")
        edges[_entry(source, capability_node(name, value), "asked for")] = None
    files = frozenset(edge.target for edge in edges if edge.target.startswith("/"))
    return Entries(edges=tuple(edges), files=files, unknowns=tuple(unknowns))


def _edges_of_entry(text: str, view: View) -> tuple[list[Edge], list[Unknown]]:
    if text == "image":
        return _image_edges(view)
    if text.startswith("cmd:"):
        return _command_edges(entry_node(text), _split(text), view)
    if text.startswith("pkg:"):
        return _package_edges(text, _packages_of_purl(text, view), view), []
    if text.startswith("/"):
        return _path_edges(text, view), []
    ecosystem, colon, name = text.partition(":")
    if colon and name:
        return _package_edges(text, _packages_of_name(ecosystem, name, view), view), []
    raise UsageError(
        f"entry point {printable(text)!r} is of no known form",
        hint="write /abs/path, /abs/tree/, deb:NAME, apk:NAME, a purl, cmd:COMMAND LINE or image",
    )


def _entry(source: Node, target: Node, evidence: str) -> Edge:
    return Edge(source=source, target=target, kind=EdgeKind.ENTRY, evidence=evidence)


# -- paths ------------------------------------------------------------------------------------------------------------


def _path_edges(text: str, view: View) -> list[Edge]:
    source = entry_node(text)
    file = view.resolved(text)
    if file is None and text.strip("/"):
        raise EntryError(f"entry point {printable(text)!r} does not exist", hint=_nearest_paths(text, view))
    if file is not None and file.type is not FileType.DIRECTORY:
        return _program_edges(source, text, view)
    if not text.endswith("/"):
        raise EntryError(
            f"entry point {printable(text)!r} is a directory", hint=f"write {printable(text)}/ to keep the whole tree"
        )
    top = "/" if file is None else file.path
    edges = [_entry(source, file_node(top), "a tree that is kept whole")] if top != "/" else []
    edges.extend(view.edges_to(source, text.rstrip("/"), EdgeKind.ENTRY, evidence="on the way to the tree"))
    edges.extend(_entry(source, file_node(path), f"in the tree {printable(top)}") for path in view.tree.under(top))
    return edges


def _program_edges(source: Node, path: str, view: View, base: str = "/", *, whole: bool = True) -> list[Edge]:
    """Edges to a file, to every link on the way, and (`whole`) to the packages that own any of them."""
    found = view.tree.resolve(path, base)
    if found.path is None:
        return []
    located = view.edges_to(source, path, EdgeKind.ENTRY, base=base, evidence="named by the entry point")
    edges = [*located, _entry(source, file_node(found.path), "what the entry point leads to")]
    edges.extend(_entry(source, file_node(link), "a link on the way") for link in found.links)
    if whole:
        chain = dict.fromkeys([edge.target for edge in edges if edge.target.startswith("/")])
        owners = {owner.id: path for path in chain if (owner := view.owner(path)) is not None}
        edges.extend(_entry(source, package_node(owner), f"owns {path}") for owner, path in owners.items())
    return edges


def _nearest_paths(text: str, view: View) -> str:
    name = text.rstrip("/").rpartition("/")[2]
    same_name = [path for path in view.tree.files if path.rpartition("/")[2] == name][:3]
    near = same_name or difflib.get_close_matches(text, view.tree.files, n=3, cutoff=0.75)
    return f"did you mean {', '.join(printable(path) for path in near)}?" if near else "paths are those of the image"


# -- packages ---------------------------------------------------------------------------------------------------------


def _packages_of_name(ecosystem: str, name: str, view: View) -> list[Package]:
    same_type = [package for package in view.inventory.packages if package.type == ecosystem]
    bare, _, architecture = name.partition(":")
    found = [
        package
        for package in same_type
        if package.name == bare and (not architecture or package.architecture == architecture)
    ]
    if not found:
        near = difflib.get_close_matches(bare, sorted({package.name for package in same_type}), n=3, cutoff=0.6)
        hint = f"did you mean {', '.join(f'{ecosystem}:{other}' for other in near)}?" if near else ""
        types = ", ".join(sorted({package.type for package in view.inventory.packages}))
        raise EntryError(
            f"entry point '{printable(ecosystem)}:{printable(name)}' names no package of the SBOM",
            hint=hint or f"the SBOM has packages of type {types}",
        )
    return found


def _packages_of_purl(text: str, view: View) -> list[Package]:
    try:
        wanted = PackageURL.from_string(text)
    except ValueError as error:
        raise EntryError(
            f"entry point {printable(text)!r} is not a valid purl: {str(error).rstrip(':. ')}",
            hint="as in pkg:deb/debian/nginx or pkg:pypi/uvicorn@0.30.1",
        ) from None
    found = [package for package in view.inventory.packages if package.purl and _purl_matches(wanted, package.purl)]
    if not found:
        names = sorted({str(package.purl) for package in view.inventory.packages if package.purl})
        near = difflib.get_close_matches(text, names, n=3, cutoff=0.5)
        raise EntryError(
            f"entry point {printable(text)!r} names no package of the SBOM",
            hint=f"did you mean {', '.join(near)}?" if near else "",
        )
    return found


def _purl_matches(wanted: PackageURL, have: PackageURL) -> bool:
    """Whether every part that `wanted` states agrees; a purl without version or qualifiers names any."""
    if (wanted.type, wanted.name) != (have.type, have.name):
        return False
    if wanted.namespace and wanted.namespace != have.namespace:
        return False
    if wanted.version and wanted.version != have.version:
        return False
    have_qualifiers = dict(have.qualifiers)
    return all(have_qualifiers.get(key) == value for key, value in dict(wanted.qualifiers).items())


def _package_edges(text: str, packages: Sequence[Package], view: View) -> list[Edge]:
    """Edges to the packages and to each of their files that a user could start as a command."""
    source = entry_node(text)
    edges = []
    commands = {found for directory in view.search_path if (found := view.tree.resolve(directory).path)}
    for package in packages:
        edges.append(_entry(source, package_node(package.id), "named by the entry point"))
        for path, owners in view.inventory.owners.items():
            if package.id in owners and path.rpartition("/")[0] in commands:
                edges.extend(_program_edges(source, path, view, whole=False))
    return edges


# -- commands ---------------------------------------------------------------------------------------------------------


def _split(text: str) -> list[str]:
    try:
        words = shlex.split(text.removeprefix("cmd:"))
    except ValueError as error:
        raise EntryError(f"entry point {printable(text)!r} can't be split into words: {error}") from error
    if not words:
        raise EntryError(f"entry point {printable(text)!r} has no command")
    return words


def _command_edges(source: Node, words: Sequence[str], view: View, base: str = "/") -> tuple[list[Edge], list[Unknown]]:
    """Edges of a command: its program through PATH, every word that is a file, and modules named in words."""
    rest = list(words)
    while len(rest) > 1 and _ASSIGNMENT.fullmatch(rest[0]):
        rest.pop(0)
    program, arguments = rest[0], rest[1:]
    path = program if "/" in program else view.tree.which(program, view.search_path)
    file = view.resolved(path, base) if path is not None else None
    if path is None or file is None:
        raise EntryError(
            f"command {printable(program)!r} of entry point {printable(node_name(source))!r} does not exist in the image",
            hint=_nearest_commands(program, view),
        )
    if file.type is FileType.DIRECTORY:
        raise EntryError(
            f"command {printable(program)!r} of entry point {printable(node_name(source))!r} is a directory",
            hint=f"write {printable(file.path.rstrip('/'))}/ without cmd: to keep the whole tree",
        )
    edges = _program_edges(source, path, view, base)
    for word in arguments:
        option = _OPTION_PATH.fullmatch(word)
        named = view.resolved(option[1] if option else word, base) if _could_be_path(word) else None
        if named is not None and named.type is not FileType.DIRECTORY:
            edges.extend(_program_edges(source, option[1] if option else word, view, base, whole=_runs(named)))
    modules, unknowns = python_modules.edges_of_arguments(source, words=(path, *arguments), base=base, view=view)
    edges.extend(modules)
    script = shell_text(words)
    if script is not None:
        from pruner.analyze.shell import edges_of_shell

        # The text stands where a file would: its edges start at the entry point itself.
        text = File(path=source, type=FileType.REGULAR)
        found = edges_of_shell(text, memoryview(script.encode("utf-8", "surrogateescape")), view)
        edges.extend(_entry(edge.source, edge.target, edge.evidence) for edge in found.edges)
        unknowns = (*unknowns, *found.unknowns)
    return edges, list(unknowns)


def shell_text(words: Sequence[str]) -> str | None:
    """The script of a shell-form command (`sh -c TEXT`, as Dockerfiles write it), None for any other command."""
    name = words[0].rpartition("/")[2]
    if name not in ("sh", "bash", "dash", "ash", "ksh", "zsh") or len(words) < 3:
        return None
    for position, word in enumerate(words[1:-1], start=1):
        if not word.startswith("-"):
            return None
        if not word.startswith("--") and word.endswith("c"):
            return words[position + 1]
    return None


def _could_be_path(word: str) -> bool:
    return (bool(word) and not word.startswith("-")) or "=/" in word


def _runs(file: File) -> bool:
    return bool(file.mode & 0o111)


def _nearest_commands(program: str, view: View) -> str:
    if "/" in program:
        return _nearest_paths(program, view)
    names = sorted({path.rpartition("/")[2] for where in view.search_path for path in view.tree.glob(f"{where}/*")})
    near = difflib.get_close_matches(program, names, n=3, cutoff=0.6)
    return f"did you mean {', '.join(near)}?" if near else f"PATH is {':'.join(view.search_path)}"


# -- the image's own configuration ------------------------------------------------------------------------------------


def _image_edges(view: View) -> tuple[list[Edge], list[Unknown]]:
    image = view.inventory.image
    if image is None:
        raise EntryError(
            "entry point 'image' needs the image's configuration, which neither the SBOM nor the root carries",
            hint="scan the image rather than a directory, or name the command: --entry 'cmd:…'",
        )
    command = (*image.entrypoint, *image.cmd)
    if not command:
        raise EntryError(
            "entry point 'image': the image has neither ENTRYPOINT nor CMD", hint="name the command: --entry 'cmd:…'"
        )
    source = entry_node("image")
    base = image.working_dir or "/"
    edges, unknowns = _command_edges(source, command, view, base)
    health = _healthcheck_command(image)
    if health:
        more, unclear = _command_edges(entry_node("image healthcheck"), health, view, base)
        edges.extend(more)
        unknowns.extend(unclear)
    if image.user and not image.user.replace(":", "").isdigit():
        edges.append(_entry(source, capability_node("users"), f"runs as USER {printable(image.user)}"))
    return edges, unknowns


def _healthcheck_command(image: ImageConfig) -> tuple[str, ...]:
    """The command of a HEALTHCHECK; `CMD-SHELL` runs through the image's shell (Docker's reference, HEALTHCHECK)."""
    test = image.healthcheck.test if image.healthcheck else ()
    if test[:1] == ("CMD",):
        return test[1:]
    if test[:1] == ("CMD-SHELL",):
        return (*(image.shell or ("/bin/sh", "-c")), *test[1:])
    return ()
