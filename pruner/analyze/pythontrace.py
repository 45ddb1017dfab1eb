"""What distributions may use besides what they require: the imports of their own modules, followed further.

A kept distribution is kept with its declared requirements, but many use others when they are there: an extra (uvicorn
runs on uvloop when it can import it), a plugin that an entry point group advertises. What ran on them before should
still run on them, so they are optional edges that are taken unless refused (groups `python-imports`, `python-plugins`).
Only what is reachable counts: the modules of distributions are followed from the application's imports, by statements
and by module names in strings of the same package, so that a test client nobody imports brings no HTTP library.

Modules of distributions are read by pattern, not parsed: the 163 modules (2.9 MB) behind a FastAPI application take
0.15 s so and 1.3 s as syntax trees, and the worst outcome of a wrong match is one optional edge too many.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from posixpath import basename, dirname
from typing import TYPE_CHECKING, NamedTuple

from pruner.analyze.imports import module_edges, owner_of
from pruner.analyze.pythonpath import modules_of
from pruner.model import Strength

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pruner.analyze.pythonpath import Environment, Modules
    from pruner.analyze.view import View
    from pruner.model import Edge, Node

_COMMENT = re.compile(r"#[^\n\"']*$", re.MULTILINE)
_TEXT = re.compile(r'("""|\'\'\').*?\1', re.DOTALL)
_TYPES = re.compile(r"^([ \t]*)if (?:\w+\.)?TYPE_CHECKING\b[^\n]*:[ \t]*\n(?:\1[ \t]+[^\n]*\n|[ \t]*\n)*", re.MULTILINE)
_STATEMENT = re.compile(
    r"^[ \t]*(?:\w+:[ \t]*)?(?:from[ \t]+([.\w]+)[ \t]+import[ \t]*(\([^)]*\)|(?:\\\n|[^\n;])*)"
    r"|import[ \t]+((?:\\\n|[^\n;])+))",
    re.MULTILINE,
)
_LAZY = re.compile(r"^def __getattr__", re.MULTILINE)
_LOAD = re.compile(r"\b(?:import_module|__import__)\(\s*[\"']([\w.]+)[\"']")
_NAME = re.compile(r"[\"']([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+)(?::\w+)?[\"']")
_GROUP = re.compile(r"\b(?:iter_)?entry_points\(\s*(?:group\s*=\s*)?[\"']([\w.\-]+)[\"']")
_WORD = re.compile(r"[A-Za-z_]\w*")
_SECTION = re.compile(r"^\[([^\]\n]+)\]", re.MULTILINE)
IMPORTS = "python-imports"
"""Group of optional edges: what kept distributions import when it is there."""
PLUGINS = "python-plugins"
"""Group of optional edges: distributions that advertise entry points of a group that something kept asks for."""
MAXIMUM_MODULES = 4000
"""One trace looks at no more modules."""


class Reached(NamedTuple):
    """What a trace found."""

    modules: Mapping[str, str]
    """Each reached file outside of the standard library with the file that imports it."""
    groups: Mapping[str, str]
    """Each entry point group that is asked for, with the file that asks."""


class Trace:
    """Follows imports among the modules of one environment; what one module imports is remembered."""

    def __init__(self, view: View, modules: Modules, environment: Environment) -> None:
        self._view = view
        self._modules = modules
        self._environment = environment
        self._sites = tuple(f"{site}/" for site in environment.sites)
        self._known: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {}

    def reach(self, start: Iterable[str]) -> Reached:
        """The modules that the files `start` lead to, `start` excluded."""
        found: dict[str, str] = {}
        groups: dict[str, str] = {}
        first = dict.fromkeys(path for path in start if self._is_site(path))
        waiting = list(first)
        while waiting and len(found) < MAXIMUM_MODULES:
            path = waiting.pop()
            imported, asked = self._look(path)
            for group in asked:
                groups.setdefault(group, path)
            for target in imported:
                if target not in found and target not in first:
                    found[target] = path
                    waiting.append(target)
        return Reached(found, groups)

    def _is_site(self, path: str) -> bool:
        return path.startswith(self._sites)

    def _look(self, path: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        known = self._known.get(path)
        if known is None:
            data = self._view.read(path) if path.endswith(".py") else None
            known = ((), ())
            if data is not None:
                text = bytes(data).decode("utf-8", "replace")
                found = dict.fromkeys(
                    file for name in _names(text, self._package_of(path)) for file in self._files(name)
                )
                known = (tuple(found), tuple(dict.fromkeys(_GROUP.findall(text))) if "entry_points" in text else ())
            self._known[path] = known
        return known

    @cache  # noqa: B019 -- lives as long as the trace
    def _files(self, name: str) -> tuple[str, ...]:
        found = self._modules.find(name, self._environment.search, self._environment.mapped)
        return tuple(path for path in found.files if self._is_site(path))

    def _package_of(self, path: str) -> str:
        """The dotted name of the package that the module at `path` is in (or is)."""
        parts = []
        folder = dirname(path)
        while len(folder) > 1 and folder not in self._environment.search:
            parts.append(basename(folder))
            folder = dirname(folder)
        return ".".join(reversed(parts)) if folder in self._environment.search else ""


def _names(text: str, package: str) -> Iterator[str]:
    """Absolute names of what a module in `package` imports, each with what may be submodules."""
    code = _COMMENT.sub("", _TEXT.sub("''", text))
    # Modules that import on first use list their names where only type checkers look.
    if "TYPE_CHECKING" in code and not _LAZY.search(code):
        code = _TYPES.sub("", code)
    for module, names, modules in _STATEMENT.findall(code):
        if module:
            yield from _from(module, names, package)
        else:
            words = (clause.split()[0] for clause in modules.split(",") if clause.strip())
            yield from (word for word in words if word.replace(".", "_").isidentifier())
    if "import_module" in code or "__import__" in code:
        yield from _LOAD.findall(code)
    top = package.partition(".")[0]
    if top:
        yield from (name for name in _NAME.findall(code) if name.startswith(top + "."))


def _from(module: str, names: str, package: str) -> Iterator[str]:
    stem = module.lstrip(".")
    absolute = resolved(stem, len(module) - len(stem), package)
    if absolute:
        yield absolute
        words = (_WORD.search(clause) for clause in names.strip("()").split(","))
        yield from (f"{absolute}.{word.group()}" for word in words if word)


def resolved(module: str, level: int, package: str) -> str:
    """The absolute name of a relative import in `package`; empty when it climbs out of it."""
    if not level:
        return module
    parts = package.split(".") if package else []
    if level - 1 >= len(parts) and level > 1:
        return ""
    base = parts[: len(parts) - level + 1]
    return ".".join((*base, module)) if module else ".".join(base)


def advertisers(group: str, environment: Environment, view: View) -> Iterator[str]:
    """The `entry_points.txt` of every distribution that advertises entry points of `group` (core metadata)."""
    for site in environment.sites:
        for path in view.tree.glob(f"{_escaped(site)}/*-info/entry_points.txt"):
            data = view.read(path)
            if data is not None and group in _SECTION.findall(bytes(data).decode("utf-8", "replace")):
                yield path


def _escaped(path: str) -> str:
    return re.sub(r"([*?\[])", r"[\1]", path)


@lru_cache(maxsize=16)
def _trace_of(view: View, environment: Environment) -> Trace:
    return Trace(view, modules_of(view), environment)


def traced_edges(
    source: Node, start: Iterable[str], groups: Iterable[str], environment: Environment, view: View
) -> Iterator[Edge]:
    """Optional edges to the packages that the modules `start` lead to and that their packages do not declare.

    `groups` are entry point groups that `source` itself asks for.
    """
    first = tuple(dict.fromkeys(start))
    owners = {owner.id: owner for path in first if (owner := owner_of(path, view)) is not None}
    expected = {package for owner in owners.values() for package in (owner.id, *view.related(owner))}
    found = _trace_of(view, environment).reach(first)
    wanted = [(path, f"imported by {by}", IMPORTS) for path, by in sorted(found.modules.items())]
    wanted += [
        (path, f"advertises entry points {group}, which {by} asks for", PLUGINS)
        for group, by in sorted({**dict.fromkeys(groups, source), **found.groups}.items())
        for path in advertisers(group, environment, view)
    ]
    for path, evidence, group in wanted:
        owner = owner_of(path, view)
        if owner is not None and owner.id in expected:
            continue
        expected |= set() if owner is None else {owner.id}
        yield from module_edges(source, path, view, evidence=evidence, strength=Strength.OPTIONAL, group=group)
