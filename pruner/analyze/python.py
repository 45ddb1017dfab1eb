"""Python application files: their imports, and the modules that a command line names.

A module of an installed distribution, or of the interpreter's own packages, leads to the package; any other module is a
file of the application and is analysed in turn. Which interpreter runs a file is told by the virtual environment around
it, by its first line, by a virtual environment in a folder above it, and by PATH; where nothing is certain, what the
other virtual environments of the root have counts too, since a missing module is worse than one too many.
"""

from __future__ import annotations

import sys
from posixpath import basename, dirname, join
from typing import TYPE_CHECKING, NamedTuple

from pruner.analyze.imports import (
    MAXIMUM_SOURCE_BYTES,
    module_edges,
    namespace_edges,
    own_edges,
    owner_of,
    tree_edges,
    without_repeats,
)
from pruner.analyze.pythonargs import edges_of_arguments
from pruner.analyze.pythonpath import Environment, Modules, modules_of
from pruner.analyze.pythonsource import Import, Source, parse
from pruner.analyze.pythontrace import traced_edges
from pruner.analyze.started import edges_of_commands, edges_of_names
from pruner.model import EdgeKind, FileType, Findings, Strength, Unknown, file_node

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pruner.analyze.view import View
    from pruner.model import Edge, File, Node

__all__ = ["edges_of_arguments", "edges_of_python"]

NAMES = "python-names"
"""Group of optional edges: modules that an application names in strings."""


class _Place(NamedTuple):
    """A file and where its imports are looked for."""

    file: Node
    path: str
    package: str
    own: tuple[str, ...]
    """Directories of the application, before the search paths of `environments`."""
    environments: tuple[Environment, ...]
    view: View
    modules: Modules


def edges_of_python(file: File, data: memoryview, active: bool, view: View) -> Findings:
    """What the Python source `file` imports, names and starts; nothing while it is inert or is no Python."""
    if not active or len(data) > MAXIMUM_SOURCE_BYTES:
        return Findings()
    modules = modules_of(view)
    environments = _environments(file.path, bytes(data[:512]), view, modules)
    landmark = next((env for env in environments if env.library and file.path == f"{env.library}/os.py"), None)
    if landmark is not None:
        return Findings(edges=_standard_library(file, landmark, view))
    source = parse(bytes(data), file.path)
    if source is None:
        return Findings(unknowns=(Unknown(kind="import", subject=file.path, detail="source that does not parse"),))
    own, package = _own_directories(file.path, source, view)
    place = _Place(file_node(file.path), file.path, package, own, environments, view, modules)
    edges: list[Edge] = list(_runtime_edges(place))
    unknowns: list[Unknown] = []
    reached: list[str] = []
    for found in source.imports:
        edges.extend(_import_edges(found, place, reached, unknowns))
    edges.extend(_named_edges(source, place, reached))
    for environment in environments:
        edges.extend(traced_edges(place.file, reached, source.groups, environment, view))
    edges.extend(_file_edges(source, place))
    edges.extend(_computed_edges(source, place))
    edges.extend(edges_of_commands(file, source.commands, view))
    edges.extend(edges_of_names(file, source.words, bytes(data), view))
    unknowns.extend(
        Unknown(kind="import", subject=file.path, detail=f"a module whose name is computed in line {line}")
        for line in source.computed
    )
    return Findings(edges=without_repeats(edges), unknowns=tuple(dict.fromkeys(unknowns)))


# -- where imports are looked for -------------------------------------------------------------------------------------


def _environments(path: str, head: bytes, view: View, modules: Modules) -> tuple[Environment, ...]:
    """The environments that may run the file, the likeliest first; one where there is no doubt."""
    enclosing = modules.enclosing(path)
    told = enclosing or _environment_of_first_line(head, view, modules)
    default = modules.default()
    if told is not None or owner_of(path, view) is not None:
        certain = told or default
        return () if certain is None else (certain,)
    near = [env for env in modules.virtual() if path.startswith(dirname(env.prefix).rstrip("/") + "/")]
    near.sort(key=lambda env: -len(env.prefix))
    return tuple(dict.fromkeys(env for env in (*near, default, *modules.virtual()) if env is not None))


def _environment_of_first_line(head: bytes, view: View, modules: Modules) -> Environment | None:
    if not head.startswith(b"#!"):
        return None
    words = head.partition(b"\n")[0][2:].decode("utf-8", "replace").split()
    if words and basename(words[0]) == "env":
        names = [word for word in words[1:] if not word.startswith("-") and "=" not in word]
        found = view.tree.which(names[0], view.search_path) if names else None
        return None if found is None else modules.environment(found)
    return modules.environment(words[0]) if words else None


def _own_directories(path: str, source: Source, view: View) -> tuple[tuple[str, ...], str]:
    """The directories that the application itself puts in front, and the package that the file is in."""
    folder, package = dirname(path), []
    while len(folder) > 1 and view.tree.get(f"{folder}/__init__.py") is not None:
        package.append(basename(folder))
        folder = dirname(folder)
    image = view.inventory.image
    environment = () if image is None else image.env
    given = [entry[11:].split(":") for entry in environment if entry.startswith("PYTHONPATH=")]
    added = (place for places in given for place in places if place.startswith("/"))
    own = dict.fromkeys((dirname(path), folder, *source.search, *added))
    return tuple(own), ".".join(reversed(package))


def _above(path: str) -> Iterator[str]:
    """The directories above the one of `path`: the working directory of `python -m` is often one of them."""
    folder = dirname(dirname(path))
    while len(folder) > 1:
        yield folder
        folder = dirname(folder)


def _files_of(name: str, place: _Place) -> tuple[tuple[str, ...], bool]:
    """The files that `import NAME` runs, and whether all of the name was found."""
    first = place.modules.find(name, place.own)
    if first.complete and first.files:
        return first.files, True
    files: dict[str, None] = {}
    complete = False
    for environment in place.environments:
        found = place.modules.find(name, environment.search, environment.mapped)
        files.update(dict.fromkeys(found.files))
        complete = complete or found.complete
    if not files:
        above = place.modules.find(name, _above(place.path))
        files, complete = dict.fromkeys(above.files), complete or (above.complete and bool(above.files))
    return tuple(files or first.files), complete


def _standard_library(file: File, environment: Environment, view: View) -> tuple[Edge, ...]:
    """A standard library that no package owns is kept whole, hung on the landmark by which it is found."""
    library = environment.library or dirname(file.path)
    if owner_of(file.path, view) is not None:
        return ()
    evidence = "standard library of an interpreter that no package owns"
    edges = tree_edges(file_node(file.path), library, view, kind=EdgeKind.COMPANION, evidence=evidence)
    return without_repeats(edge for edge in edges if "-packages/" not in edge.target)


# -- edges ------------------------------------------------------------------------------------------------------------


def _runtime_edges(place: _Place) -> Iterator[Edge]:
    """The standard library and pyvenv.cfg of the likeliest interpreter: without them it does not start."""
    for environment in place.environments[:1]:
        yield from _environment_edges(place.file, environment, place.view)


def _environment_edges(source: Node, environment: Environment, view: View) -> Iterator[Edge]:
    if environment.library is not None:
        landmark = f"{environment.library}/os.py"
        yield from module_edges(source, landmark, view, evidence="the interpreter's standard library")
    if environment.configuration is not None:
        evidence = "makes the directory a virtual environment"
        yield from view.edges_to(source, environment.configuration, EdgeKind.CONFIG, evidence=evidence)


def _import_edges(found: Import, place: _Place, reached: list[str], unknowns: list[Unknown]) -> Iterator[Edge]:
    """Edges of one import statement; files outside of the standard library are added to `reached`."""
    if found.level:
        files, complete, shown = _relative(found, place)
    else:
        files, complete = _files_of(found.module, place)
        shown = found.module
        if not files or basename(files[-1]).startswith("__init__."):
            files = (*files, *(file for name in found.names for file in _submodule(found.module, name, place)))
    yield from _module_edges(place, files, f"import {shown}", reached)
    if complete or found.guarded or _is_standard(shown):
        return
    detail = f"module {shown}, imported in line {found.line}, is not in the root"
    unknowns.append(Unknown(kind="import", subject=place.path, detail=detail))


def _relative(found: Import, place: _Place) -> tuple[tuple[str, ...], bool, str]:
    folder = dirname(place.path)
    for _ in range(found.level - 1):
        folder = dirname(folder)
    inside = (folder,)
    shown = "." * found.level + found.module
    names = [".".join(filter(None, (found.module, name))) for name in found.names if name != "*"]
    modules = [place.modules.find(name, inside) for name in names]
    initial = place.modules.listed(folder).get("__init__")
    files = dict.fromkeys(() if initial is None else (initial,))
    whole = True
    if found.module:
        base = place.modules.find(found.module, inside)
        files.update(dict.fromkeys(base.files))
        whole = base.complete
    files.update(dict.fromkeys(file for module in modules for file in module.files))
    return tuple(files), whole, shown


def _submodule(module: str, name: str, place: _Place) -> tuple[str, ...]:
    if name == "*":
        return ()
    files, complete = _files_of(f"{module}.{name}", place)
    return files if complete else ()


def _is_standard(name: str) -> bool:
    """Whether the interpreter may have the module built in, or leaves it out on this platform."""
    return name.partition(".")[0] in sys.stdlib_module_names


def _module_edges(
    place: _Place, files: Iterable[str], evidence: str, reached: list[str], group: str | None = None
) -> Iterator[Edge]:
    """Edges to modules; one in a site directory that no package owns brings the files around it along."""
    strength = Strength.HARD if group is None else Strength.OPTIONAL
    for path in files:
        yield from module_edges(place.file, path, place.view, evidence=evidence, strength=strength, group=group)
        owned = owner_of(path, place.view) is not None
        if owned and not _is_library(path, place):
            yield from own_edges(place.path, path, place.view, evidence=evidence, strength=strength, group=group)
        for environment in place.environments:
            library = environment.library
            if library is not None and path.startswith(f"{library}/") and "-packages/" not in path:
                if not owned:
                    yield from module_edges(place.file, f"{library}/os.py", place.view, evidence="its standard library")
                break
            site = next((site for site in environment.sites if path.startswith(site + "/")), None)
            if site is not None:
                reached.append(path)
                yield from _environment_edges(place.file, environment, place.view)
                top = f"{site}/{path[len(site) + 1 :].partition('/')[0]}"
                if not owned and top != path and group is None:
                    kind = EdgeKind.COMPANION
                    yield from tree_edges(place.file, top, place.view, kind=kind, evidence=f"around {basename(path)}")
                break


def _is_library(path: str, place: _Place) -> bool:
    """Whether the module is one of an interpreter's standard library, whose package is kept whole as it is."""
    libraries = tuple(f"{environment.library}/" for environment in place.environments if environment.library)
    return path.startswith(libraries) and "-packages/" not in path


def _named_edges(source: Source, place: _Place, reached: list[str]) -> Iterator[Edge]:
    """Optional edges to the modules that strings name, as settings of Django, Celery or logging do."""
    for text in (*sorted(source.names), *sorted(source.settings)):
        name = text.partition(":")[0]
        files, complete = _files_of(name, place)
        named = [path for path in files if not _is_library(path, place)]
        if named and (complete or name.rpartition(".")[2][:1].isupper()):
            yield from _module_edges(place, named, f"the string {text}", reached, group=NAMES)


def _file_edges(source: Source, place: _Place) -> Iterator[Edge]:
    """Files beside the module that it addresses by `__file__`, and absolute paths."""
    for path in sorted(source.paths | source.literals):
        found = place.view.resolved(path)
        if found is None or place.path.startswith(found.path.rstrip("/") + "/"):
            continue
        runs = found.type is FileType.REGULAR and (found.mode & 0o111 or found.path.endswith(".py"))
        kind = EdgeKind.EXEC if runs else EdgeKind.DATA
        yield from place.view.edges_to(place.file, path, kind, evidence=f"named in {basename(place.path)}")
        if found.type is FileType.DIRECTORY and path in source.paths:
            evidence = f"in a directory that {basename(place.path)} names"
            yield from tree_edges(place.file, found.path, place.view, kind=EdgeKind.DATA, evidence=evidence)


def _computed_edges(source: Source, place: _Place) -> Iterator[Edge]:
    """The application's own modules of packages in which it imports by computed names, or that it lists."""
    listed = [name for name in source.listed if not name.startswith("/")]
    absolute = {found.module.rpartition(".")[2]: found.module for found in source.imports if not found.level}
    absolute |= {name: f"{found.module}.{name}" for found in source.imports if not found.level for name in found.names}
    named = [absolute.get(name, name) for name in listed if name != "__path__"]
    named += [name for name, level in source.namespaces if not level]
    directories = [dirname(path) for name in named for path in _files_of(name, place)[0][-1:] if _is_initial(path)]
    directories += [name for name in source.listed if name.startswith("/")]
    directories += [dirname(place.path)] if "__path__" in listed else []
    for name, level in source.namespaces:
        folder = dirname(place.path)
        for _ in range(level - 1):
            folder = dirname(folder)
        directories += [join(folder, *name.split("."))] if level else []
    for directory in dict.fromkeys(directories):
        yield from namespace_edges(place.path, (directory,), ".py", place.view, basename(directory))


def _is_initial(path: str) -> bool:
    return basename(path).startswith("__init__.")
