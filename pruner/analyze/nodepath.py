"""Where Node finds what a module asks for.

Source: Node.js documentation, "Modules: CommonJS modules" (all together), "Modules: Packages" (exports, imports, self
reference). Debian's Node also searches /usr/share/nodejs and /usr/lib/nodejs (nodejs.README.Debian).
"""

from __future__ import annotations

import json
from functools import lru_cache
from posixpath import basename, dirname, join, normpath
from typing import TYPE_CHECKING, Any, NamedTuple

from pruner.model import FileType
from pruner.relations.node import upward_modules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pruner.analyze.view import View

_EXTENSIONS = ("", ".js", ".json", ".node", ".mjs", ".cjs", ".ts")
BUILTIN = frozenset(
    {
        *("assert", "async_hooks", "buffer", "child_process", "cluster", "console", "constants", "crypto", "dgram"),
        *(
            "diagnostics_channel",
            "dns",
            "domain",
            "events",
            "fs",
            "http",
            "http2",
            "https",
            "inspector",
            "module",
            "net",
        ),
        *(
            "os",
            "path",
            "perf_hooks",
            "process",
            "punycode",
            "querystring",
            "readline",
            "repl",
            "stream",
            "string_decoder",
        ),
        *("sys", "timers", "tls", "trace_events", "tty", "url", "util", "v8", "vm", "wasi", "worker_threads", "zlib"),
    }
)
"""Modules that are compiled into Node (`module.builtinModules`); newer ones need the prefix `node:`."""
_LARGEST = 4 << 20
"""Bytes of a package.json that is read."""


class Target(NamedTuple):
    """What a specifier stands for."""

    kind: str
    """`builtin`, `file`, `package` or `missing`."""
    path: str
    """Of a file its path as it is reached, of a package its folder; a link may be on the way."""


def resolve(specifier: str, importer: str, view: View) -> Target:
    """What `require(specifier)` or `import specifier` in the file `importer` loads."""
    specifier = specifier.partition("?")[0]
    if specifier.startswith("node:") or specifier.partition("/")[0] in BUILTIN:
        return Target("builtin", specifier)
    folder = dirname(importer)
    if specifier.startswith(("./", "../", "/", "file:///")) or specifier in {".", ".."}:
        found = _file(normpath(join(folder, specifier.removeprefix("file://"))), view)
        return Target("missing", specifier) if found is None else Target("file", found)
    if specifier.startswith("#"):
        return _internal(specifier, folder, view)
    name = package_name(specifier)
    home = package_folder(name, folder, view)
    if home is not None:
        return Target("package", home)
    own = nearest_package(folder, view)
    if own is not None and manifest(f"{own}/package.json", view).get("name") == name:
        found = _file(normpath(join(own, specifier[len(name) + 1 :])), view)
        return Target("package", own) if found is None else Target("file", found)
    return Target("missing", specifier)


def package_name(specifier: str) -> str:
    """The package of a bare specifier: `@scope/name/sub` is of `@scope/name`."""
    return "/".join(specifier.split("/")[: 2 if specifier.startswith("@") else 1])


def package_folder(name: str, folder: str, view: View) -> str | None:
    """The folder of the package `name` as a module in `folder` finds it; a package may be a single file."""
    if not name or ".." in name.split("/"):
        return None
    for modules in (*upward_modules(folder), *_shared(view)):
        place = f"{modules}/{name}"
        found = view.resolved(place)
        if found is not None and found.type is FileType.DIRECTORY:
            return place
        if view.resolved(f"{place}.js") is not None:
            return f"{place}.js"
    return None


def nearest_package(folder: str, view: View) -> str | None:
    """The folder at or above `folder` that has a package.json, which decides how Node reads its modules."""
    while len(folder) > 1 and basename(folder) != "node_modules":
        if view.tree.get(f"{folder}/package.json") is not None:
            return folder
        folder = dirname(folder)
    return None


@lru_cache(maxsize=4096)
def manifest(path: str, view: View) -> dict[str, Any]:
    """The package.json at `path`; empty where it is missing or is no JSON object."""
    found = view.resolved(path)
    data = None if found is None or found.bytes > _LARGEST else view.read(found.path)
    try:
        value = {} if data is None else json.loads(bytes(data))
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _file(path: str, view: View) -> str | None:
    """LOAD_AS_FILE, then LOAD_AS_DIRECTORY; TypeScript's sources may be named by the `.js` they become."""
    candidates = [path + extension for extension in _EXTENSIONS]
    if path.endswith((".js", ".mjs", ".cjs")):
        candidates.append(path.removesuffix("js") + "ts")
    for candidate in candidates:
        found = view.resolved(candidate)
        if found is not None and found.type is FileType.REGULAR:
            return candidate
    main = manifest(f"{path}/package.json", view).get("main")
    places = [*([normpath(join(path, main))] if isinstance(main, str) else []), f"{path}/index"]
    places += [f"{places[0]}/index"]
    for place in places:
        for extension in _EXTENSIONS:
            found = view.resolved(place + extension)
            if found is not None and found.type is FileType.REGULAR:
                return place + extension
    return None


def _internal(specifier: str, folder: str, view: View) -> Target:
    """The package's own `imports` (subpath imports); patterns with `*` are tried for what they match."""
    own = nearest_package(folder, view)
    imports = {} if own is None else manifest(f"{own}/package.json", view).get("imports")
    for key, value in imports.items() if isinstance(imports, dict) else ():
        head, star, tail = str(key).partition("*")
        if specifier != key and not (star and specifier.startswith(head) and specifier.endswith(tail)):
            continue
        matched = specifier[len(head) : len(specifier) - len(tail)] if star else ""
        for target in _strings(value):
            text = target.replace("*", matched)
            found = resolve(text, f"{own}/package.json", view) if not text.startswith("#") else None
            if found is not None and found.kind != "missing":
                return found
    return Target("missing", specifier)


def _strings(value: Any) -> Iterator[str]:
    """Targets in a conditional export or import, in order."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _strings(inner)


@lru_cache(maxsize=2)
def _shared(view: View) -> tuple[str, ...]:
    """Folders that are searched at the end: NODE_PATH of the image, then those of the distribution's Node."""
    image = view.inventory.image
    given = [entry[10:].split(":") for entry in (image.env if image else ()) if entry.startswith("NODE_PATH=")]
    found = [
        *view.tree.glob("/usr/lib/*/nodejs/"),
        *view.tree.glob("/usr/share/nodejs/"),
        *view.tree.glob("/usr/lib/nodejs/"),
    ]
    return (*(place for places in given for place in places if place.startswith("/")), *found)
