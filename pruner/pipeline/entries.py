"""Entry points: from what a user writes to the edges that the closure starts from."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packageurl import PackageURL

from pruner.analyze import joined
from pruner.errors import EntryError, UsageError, printable
from pruner.model import (
    Edge,
    EdgeKind,
    FileType,
    Findings,
    ImageConfig,
    Package,
    Unknown,
    capability_node,
    entry_node,
    file_node,
    package_node,
)
from pruner.pipeline.commands import findings_of_command, split_command
from pruner.pipeline.programs import entry_edge, nearest_paths, program_edges
from pruner.plan import purl_matches

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from pruner.analyze.view import View


@dataclass(frozen=True, slots=True, kw_only=True)
class Entries:
    """Where the closure starts."""

    edges: tuple[Edge, ...]
    files: frozenset[str]
    """Real paths that entry points name or lead to by links."""
    unknowns: tuple[Unknown, ...] = ()


def check_features(names: Iterable[str], known: Collection[str]) -> None:
    """Raise `UsageError` with the nearest names for a capability that no rule answers to."""
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=3) or sorted(known)
            raise UsageError(f"no rule knows the feature '{printable(name)}'", hint=f"did you mean {', '.join(near)}?")


def find_entries(texts: Sequence[str], view: View, features: Iterable[tuple[str, str | None]] = ()) -> Entries:
    """Return the entry edges of every entry point in `texts` and of the capabilities in `features`.

    Raises `EntryError` for one that does not exist, with the nearest names as the hint.
    """
    edges: dict[Edge, None] = {}
    unknowns: list[Unknown] = []
    for text in texts:
        found = _findings_of_entry(text, view)
        edges.update(dict.fromkeys(found.edges))
        unknowns.extend(found.unknowns)
    for name, value in features:
        source = entry_node(f"feature {name}" if value is None else f"feature {name}={value}")
        edges[entry_edge(source, capability_node(name, value), "asked for")] = None
    files = frozenset(edge.target for edge in edges if edge.target.startswith("/"))
    return Entries(edges=tuple(edges), files=files, unknowns=tuple(unknowns))


def _findings_of_entry(text: str, view: View) -> Findings:
    if text == "image":
        return _findings_of_image(view)
    if text.startswith("cmd:"):
        return findings_of_command(entry_node(text), split_command(text), view)
    if text.startswith("pkg:"):
        return Findings(edges=tuple(_package_edges(text, _packages_of_purl(text, view), view)))
    if text.startswith("/"):
        return Findings(edges=tuple(_path_edges(text, view)))
    ecosystem, colon, name = text.partition(":")
    if colon and name:
        return Findings(edges=tuple(_package_edges(text, _packages_of_name(ecosystem, name, view), view)))
    raise UsageError(
        f"entry point '{printable(text)}' is of no known form",
        hint="write /abs/path, /abs/tree/, deb:NAME, apk:NAME, a purl, cmd:COMMAND LINE or image",
    )


# -- paths ------------------------------------------------------------------------------------------------------------


def _path_edges(text: str, view: View) -> list[Edge]:
    source = entry_node(text)
    file = view.resolved(text)
    if file is None and text.strip("/"):
        if view.tree.locate(text.rstrip("/")).path is not None:
            problem = view.tree.resolve(text).problem
            raise EntryError(f"entry point '{printable(text)}' is a link that leads nowhere ({problem})")
        raise EntryError(f"entry point '{printable(text)}' does not exist", hint=nearest_paths(text, view))
    if file is not None and file.type is not FileType.DIRECTORY:
        return program_edges(source, text, view)
    if not text.endswith("/"):
        raise EntryError(
            f"entry point '{printable(text)}' is a directory", hint=f"write {printable(text)}/ to keep the whole tree"
        )
    top = "/" if file is None else file.path
    edges = [entry_edge(source, file_node(top), "a tree that is kept whole")] if top != "/" else []
    edges.extend(view.edges_to(source, text.rstrip("/"), EdgeKind.ENTRY, evidence="on the way to the tree"))
    edges.extend(entry_edge(source, file_node(path), f"in the tree {printable(top)}") for path in view.tree.under(top))
    return edges


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
            f"entry point '{printable(text)}' is not a valid purl: {str(error).rstrip(':. ')}",
            hint="as in pkg:deb/debian/nginx or pkg:pypi/uvicorn@0.30.1",
        ) from None
    found = [package for package in view.inventory.packages if package.purl and purl_matches(wanted, package.purl)]
    if not found:
        names = sorted({str(package.purl) for package in view.inventory.packages if package.purl})
        near = difflib.get_close_matches(text, names, n=3, cutoff=0.5)
        raise EntryError(
            f"entry point '{printable(text)}' names no package of the SBOM",
            hint=f"did you mean {', '.join(near)}?" if near else "",
        )
    return found


def _package_edges(text: str, packages: Sequence[Package], view: View) -> list[Edge]:
    """Edges to the packages and to each of their files that a user could start as a command."""
    source = entry_node(text)
    edges = []
    directories = {found for directory in view.search_path if (found := view.tree.resolve(directory).path)}
    for package in packages:
        edges.append(entry_edge(source, package_node(package.id), "named by the entry point"))
        for path in view.owned(package.id):
            directory = path.rpartition("/")[0]
            # A virtual environment is seldom in the image's PATH, and its commands are started by their paths.
            if directory in directories or (package.type == "python" and directory.endswith("/bin")):
                edges.extend(program_edges(source, path, view, whole=False))
    return edges


# -- the image's own configuration ------------------------------------------------------------------------------------


def _findings_of_image(view: View) -> Findings:
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
    parts = [findings_of_command(source, command, view, base)]
    health = _healthcheck_command(image)
    if health:
        parts.append(findings_of_command(entry_node("image healthcheck"), health, view, base))
    if image.user and not image.user.replace(":", "").isdigit():
        users = entry_edge(source, capability_node("users"), f"runs as USER {printable(image.user)}")
        parts.append(Findings(edges=(users,)))
    return joined(parts)


def _healthcheck_command(image: ImageConfig) -> tuple[str, ...]:
    """The command of a HEALTHCHECK; `CMD-SHELL` runs through the image's shell (Docker's reference, HEALTHCHECK)."""
    test = image.healthcheck.test if image.healthcheck else ()
    if test[:1] == ("CMD",):
        return test[1:]
    if test[:1] == ("CMD-SHELL",):
        return (*(image.shell or ("/bin/sh", "-c")), " ".join(test[1:]))
    return ()
