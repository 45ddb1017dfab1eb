"""Where a Python interpreter of the root looks for modules, and what it finds there.

Sources: the Python documentation of `sys.path` initialization, of `site` and `venv` (pyvenv.cfg), PEP 405; PEP 420
(namespace packages); Debian Python policy 2.5 (dist-packages); setuptools' editable installs.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import lru_cache
from posixpath import basename, dirname, normpath
from typing import TYPE_CHECKING, NamedTuple

from pruner.model import FileType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pruner.analyze.view import View

INTERPRETER = re.compile(r"(?:python|pypy)(?:\d+(?:\.\d+)?)?\Z")
"""Base names of the interpreter and of its links."""

_LIBRARY = re.compile(r"/(?:python|pypy)(\d+\.\d+)t?\Z")
_SITES = (
    # Debian's order: administrator before distribution; other systems have one of the last two.
    "/usr/local/lib/python{version}/dist-packages",
    "/usr/lib/python{major}/dist-packages",
    "/usr/lib/python{version}/dist-packages",
    "{prefix}/lib/python{version}/site-packages",
    "{prefix}/lib64/python{version}/site-packages",
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Environment:
    """One interpreter with the directories that it searches, a virtual environment or the base installation."""

    prefix: str
    """`sys.prefix`, a real path."""
    configuration: str | None
    """The pyvenv.cfg that makes it a virtual environment."""
    library: str | None
    """The directory of the standard library, real; None where it was not found."""
    sites: tuple[str, ...]
    """Real paths of site-packages directories and of what their .pth files add, in search order."""
    mapped: Mapping[str, str]
    """Top-level modules that an editable install maps to a path outside of `sites`."""

    @property
    def search(self) -> tuple[str, ...]:
        """The search path after the script's own directory."""
        standard = () if self.library is None else (self.library, f"{self.library}/lib-dynload")
        return (*standard, *self.sites)


class Found(NamedTuple):
    """What an import runs."""

    files: tuple[str, ...]
    """Each package's `__init__` on the way, then the module itself; a namespace package has no file."""
    complete: bool
    """Every part of the name was found, or is an attribute of the last file."""


class Modules:
    """Answers where modules of one root are; a look at a directory is remembered."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._listed: dict[str, Mapping[str, str]] = {}
        self._environments: dict[str, Environment | None] = {}

    def environment(self, interpreter: str) -> Environment | None:
        """The environment of the interpreter that is invoked as the located path `interpreter`; None if it is none."""
        if interpreter not in self._environments:
            self._environments[interpreter] = self._environment(interpreter)
        return self._environments[interpreter]

    def default(self) -> Environment | None:
        """The environment of the first `python3` or `python` on the root's PATH, else of any base installation."""
        for name in ("python3", "python"):
            found = self._view.tree.which(name, self._view.search_path)
            environment = None if found is None else self.environment(found)
            if environment is not None:
                return environment
        elsewhere = (*self._view.tree.glob("/usr/local/bin/python3*"), *self._view.tree.glob("/usr/bin/python3*"))
        return next((other for path in elsewhere if (other := self.environment(path)) is not None), None)

    def virtual(self) -> tuple[Environment, ...]:
        """Every virtual environment of the root, by path of its pyvenv.cfg."""
        found = (self.environment(f"{dirname(path)}/bin/python") for path in self._configurations())
        return tuple(environment for environment in found if environment is not None)

    def enclosing(self, path: str) -> Environment | None:
        """The virtual environment that the file at the real `path` lies in."""
        for configuration in self._configurations():
            if path.startswith(dirname(configuration) + "/"):
                return self.environment(f"{dirname(configuration)}/bin/python")
        return None

    def find(self, name: str, search: Iterable[str], mapped: Mapping[str, str] | None = None) -> Found:
        """What `import NAME` runs when `search` are the directories of `sys.path`."""
        parts = name.split(".")
        places = tuple(search)
        if mapped and parts[0] in mapped:
            places = (dirname(mapped[parts[0]]), *places)
        files: list[str] = []
        for part in parts:
            found = next((entry for place in places if (entry := self.listed(place).get(part)) is not None), None)
            if found is not None and found.endswith("/"):
                initial = self.listed(found[:-1]).get("__init__")
                files.extend([initial] if initial is not None else [])
                places = (found[:-1],)
            elif found is not None:
                return Found((*files, found), complete=True)
            else:
                places = self._portions(part, places)
                if not places:
                    return Found(tuple(files), complete=False)
        return Found(tuple(files), complete=True)

    def listed(self, directory: str) -> Mapping[str, str]:
        """What can be imported from `directory`: name to file, or to directory with a slash for a regular package."""
        known = self._listed.get(directory)
        if known is None:
            known = self._listed[directory] = self._listing(directory)
        return known

    def _portions(self, part: str, places: Iterable[str]) -> tuple[str, ...]:
        """Directories of the namespace package `part` (PEP 420)."""
        resolved = (self._view.tree.resolve(f"{place}/{part}").path for place in places)
        return tuple(path for path in resolved if path is not None and self._view.tree.children(path))

    def _listing(self, directory: str) -> Mapping[str, str]:
        real = self._view.tree.resolve(directory).path
        if real is None:
            return {}
        found: dict[str, tuple[int, str]] = {}
        for child in self._view.tree.children(real):
            name = basename(child)
            stem, dot, suffix = name.partition(".")
            target = self._view.resolved(child)
            if target is None:
                continue
            if target.type is FileType.DIRECTORY:
                inside = {basename(path) for path in self._view.tree.children(target.path)}
                if any(entry in inside for entry in ("__init__.py", "__init__.pyc")) or any(
                    entry.startswith("__init__.") and entry.endswith(".so") for entry in inside
                ):
                    found[name] = (0, target.path + "/")
            elif dot:
                rank = {"py": 2, "pyc": 3}.get(suffix, 1 if suffix.endswith("so") else None)
                if rank is not None and found.get(stem, (9, ""))[0] > rank:
                    found[stem] = (rank, child)
        return {name: path for name, (_, path) in found.items()}

    def _configurations(self) -> tuple[str, ...]:
        return _configurations(self._view)

    def _environment(self, interpreter: str) -> Environment | None:
        tree = self._view.tree
        located = tree.locate(interpreter).path
        real = tree.resolve(interpreter).path
        folder = dirname(located or interpreter)
        for place in (folder, dirname(folder)):
            if tree.get(f"{place}/pyvenv.cfg") is not None:
                return self._virtual(place)
        if real is None or not INTERPRETER.match(basename(real)):
            return None
        prefix = dirname(dirname(real))
        library = self._library(prefix, basename(real))
        if library is None:
            return None
        version = _version_of(library)
        places = [place.format(prefix=prefix, version=version, major=version.partition(".")[0]) for place in _SITES]
        if prefix != "/usr":
            places = places[3:]
        sites, mapped = self._with_path_files(places)
        return Environment(prefix=prefix, configuration=None, library=library, sites=sites, mapped=mapped)

    def _virtual(self, prefix: str) -> Environment:
        configuration = f"{prefix}/pyvenv.cfg"
        settings = _settings(self._view.read(configuration))
        home = settings.get("home", "/usr/bin")
        names = [f"{home}/{name}" for name in ("python3", "python") if home != f"{prefix}/bin"]
        candidates = (settings.get("base-executable"), settings.get("executable"), *names)
        bases = (self.environment(name) for name in candidates if name and not name.startswith(prefix + "/"))
        base = next((environment for environment in bases if environment is not None), None)
        sites, mapped = self._with_path_files(
            [
                *self._view.tree.glob(f"{prefix}/lib/python3*/site-packages"),
                *self._view.tree.glob(f"{prefix}/lib64/python3*/site-packages"),
            ]
        )
        if base is not None and settings.get("include-system-site-packages", "").lower() == "true":
            sites = tuple(dict.fromkeys((*sites, *base.sites)))
            mapped = {**base.mapped, **mapped}
        library = None if base is None else base.library
        return Environment(prefix=prefix, configuration=configuration, library=library, sites=sites, mapped=mapped)

    def _library(self, prefix: str, name: str) -> str | None:
        """The standard library of `prefix`, found by its landmark os.py as getpath does."""
        version = name.removeprefix("python").removeprefix("pypy")
        pattern = (
            f"{prefix}/lib*/*{version}*/os.py" if version.count(".") else f"{prefix}/lib*/*{version or '3'}.*/os.py"
        )
        found = [dirname(path) for path in self._view.tree.glob(pattern) if _LIBRARY.search(dirname(path))]
        return max(found, key=lambda path: tuple(map(int, _version_of(path).split("."))), default=None)

    def _with_path_files(self, places: Iterable[str]) -> tuple[tuple[str, ...], Mapping[str, str]]:
        """The directories that exist, each followed by what its .pth files add, and what editable installs map."""
        sites: dict[str, None] = {}
        mapped: dict[str, str] = {}
        for place in places:
            real = self._view.tree.resolve(place).path
            if real is None or real in sites:
                continue
            sites[real] = None
            for path in self._view.tree.children(real):
                if path.endswith(".pth"):
                    for line in _lines(self._view.read(path)):
                        self._apply(line, real, sites, mapped)
        return tuple(sites), mapped

    def _apply(self, line: str, site: str, sites: dict[str, None], mapped: dict[str, str]) -> None:
        """One line of a .pth file: a directory, or code, of which setuptools' finder of editable installs is known."""
        if line.startswith(("import ", "import\t")):
            finder = re.search(r"import\s+(__editable__\w+_finder)", line)
            if finder:
                mapped.update(_mapping_of(self._view.read(f"{site}/{finder.group(1)}.py")))
            return
        added = self._view.tree.resolve(line, site).path
        if added is not None and self._view.tree.children(added):
            sites[added] = None


@lru_cache(maxsize=2)
def modules_of(view: View) -> Modules:
    """The modules of `view`, one object a view."""
    return Modules(view)


@lru_cache(maxsize=2)
def _configurations(view: View) -> tuple[str, ...]:
    return tuple(path for path in view.tree.files if path.endswith("/pyvenv.cfg"))


def _version_of(library: str) -> str:
    match = _LIBRARY.search(library)
    return match.group(1) if match else "3"


def _lines(data: memoryview | None) -> list[str]:
    text = b"" if data is None else bytes(data[: 1 << 16])
    lines = (line.strip() for line in text.decode("utf-8", "replace").splitlines())
    return [line for line in lines if line and not line.startswith("#") and "\0" not in line]


def _settings(data: memoryview | None) -> dict[str, str]:
    pairs = (line.partition("=") for line in _lines(data))
    return {key.strip().lower(): normpath(value.strip()) if "/" in value else value.strip() for key, _, value in pairs}


def _mapping_of(data: memoryview | None) -> dict[str, str]:
    """The literal `MAPPING` of setuptools' `__editable___NAME_finder.py`."""
    try:
        module = ast.parse(b"" if data is None else bytes(data))
        for node in module.body:
            target = node.target if isinstance(node, ast.AnnAssign) else None
            if (
                isinstance(target, ast.Name)
                and target.id == "MAPPING"
                and isinstance(node, ast.AnnAssign)
                and node.value
            ):
                value = ast.literal_eval(node.value)
                return {str(name): str(path) for name, path in value.items()} if isinstance(value, dict) else {}
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        pass
    return {}
