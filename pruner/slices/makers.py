"""Which maintainer script makes a name that no archive brings: read from the texts of the scripts, nothing is run.

In this order: what following the scripts has shown; alternatives that a script installs; what a tool is known to write
that a script calls; paths that a script names, a purge that removes them among them; what a tool writes in a directory.
A name in a directory that one package alone ships, or below one that a script names, is near to that package, no more:
it may be the user's own.
"""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from pruner.model import FileType
from pruner.rules.makers import tools_by_place
from pruner.rules.slicing import shared_paths

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pruner.plan.slicefacts import SliceFacts
    from pruner.plan.types import FilePlan

_PATH = re.compile(r"/[A-Za-z0-9][A-Za-z0-9_.+@-]*(?:/[A-Za-z0-9_.+@-]+)*")
_COMMENT = re.compile(r"(?:^|\s)#.*$")
_NOWHERE = re.compile(r"[0-9]*>&[0-9]|[0-9&]*>+\s*/dev/null")
_WRITES = re.compile(
    r">|\b(?:cp|mv|ln|install\w*|touch|mkdir|tee|ucf|chown|chmod|update_to\w*|create\w*|dpkg-statoverride)\b"
)
_REMOVES = re.compile(r"\b(?:rm|rmdir|unlink|ucfr)\b|--purge\b")
_ALTERNATIVE = re.compile(r"--(?:install|slave)\s+(\S+)\s+(\S+)\s+(\S+)")
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9+._-]*")
_RELATIVE_DIRECTORY = re.compile(
    r"^\s*(?:mkdir|install\w*dir\w*)\s+(?:-\S+\s+)*([A-Za-z][\w.+-]*(?:/[\w.+-]+)*)(?:\s|$)"
)
"""A directory below `/` as base-files spells those of the hierarchy: `install_directory mnt 755 root`."""
_CONFIGURES = ("postinst", "preinst", "config")
_UNMAKES = ("postrm", "prerm")
_WRITTEN = 2
"""The highest rank of a mention by what writes a path, or removes it in a purge."""
_FEWEST = 2
"""A directory that a script names with fewer components (`/etc`) says nothing of what is below it."""


class _Mention(NamedTuple):
    rank: int
    package: str
    script: str


class Makers:
    """Answers for the names of `state`; `owner_of` gives the package that ships a kept path.

    Of packages that the plan drops only those count that write a name, or remove what they wrote.
    """

    def __init__(self, facts: SliceFacts, state: Mapping[str, FilePlan], owner_of: Callable[[str], str | None]) -> None:
        self._facts = facts
        self._state = state
        self._owner_of = owner_of
        self._kept = frozenset(archive.name for archive in facts.archives if archive.kept)

    def of(self, path: str) -> tuple[str, str] | None:
        """Package and script (`postinst`) that make `path`; None where no script is seen to."""
        followed = self._facts.makers.get(path)
        if followed is not None:
            return followed
        found = (
            self._alternatives.get(path)
            or self._by_target(path)
            or self._tool(path, exact=True)
            or min(self._mentions.get(path, ()), default=None)
            or self._tool(path, exact=False)
        )
        return None if found is None else (found.package, found.script)

    def near(self, path: str) -> str | None:
        """The package that `path`, which nothing is seen to make, lies in a directory of; None where none is told."""
        found = self._only_shipper(path.rpartition("/")[0]) or self._named_above(path)
        return None if found is None else found.package

    def _named_above(self, path: str) -> _Mention | None:
        above = path.rpartition("/")[0]
        while above.count("/") >= _FEWEST and above not in shared_paths():
            found = min((one for one in self._mentions.get(above, ()) if one.package in self._kept), default=None)
            if found is not None:
                return found
            above = above.rpartition("/")[0]
        return None

    def _only_shipper(self, directory: str) -> _Mention | None:
        """The package that alone ships the directory that something is made in, where a script of its may make it."""
        packages = self._shippers.get(directory, ())
        if len(packages) != 1 or directory.count("/") < _FEWEST or not self._has_postinst(packages[0]):
            return None
        if packages[0] not in self._kept:
            return None
        return _Mention(0, packages[0], "postinst")

    @cached_property
    def _shippers(self) -> Mapping[str, list[str]]:
        found: defaultdict[str, list[str]] = defaultdict(list)
        wanted = {path.rpartition("/")[0] for path in self._state}
        for archive in self._facts.archives:
            for name in wanted.intersection(archive.listed):
                found[name].append(archive.name)
        return found

    @cached_property
    def _mentions(self) -> Mapping[str, list[_Mention]]:
        """By path that a script names, what names it and how telling that is: the lower the rank, the more."""
        found: defaultdict[str, list[_Mention]] = defaultdict(list)
        for package, script, text in self._scripts():
            seen: dict[str, int] = {}
            for line in text.split("\n"):
                made = _RELATIVE_DIRECTORY.match(line)
                if made is not None and self._is_directory(f"/{made[1]}"):
                    seen[f"/{made[1]}"] = _rank(script, line)
                if "/" not in line:
                    continue
                bare = _COMMENT.sub("", line)
                rank = _rank(script, bare)
                for path in _PATH.findall(bare):
                    seen[path] = min(rank, seen.get(path, rank))
            for path, rank in seen.items():
                if rank > _WRITTEN and package not in self._kept:
                    continue
                # What a purge removes was made when the package was configured.
                maker = "postinst" if script in _UNMAKES and self._has_postinst(package) else script
                found[path].append(_Mention(rank, package, maker))
        return found

    def _is_directory(self, path: str) -> bool:
        file = self._state.get(path)
        return file is not None and file.type is FileType.DIRECTORY

    @cached_property
    def _alternatives(self) -> Mapping[str, _Mention]:
        """Links that update-alternatives(1) makes, the generic names and those in `/etc/alternatives`."""
        found: dict[str, _Mention] = {}
        for package, script, text in self._scripts():
            if script not in _CONFIGURES:
                continue
            for link, name, _ in _ALTERNATIVE.findall(text.replace("\\\n", " ")):
                mention = _Mention(0, package, script)
                found.setdefault(link.strip("\"'"), mention)
                found.setdefault(f"/etc/alternatives/{name.strip(chr(34) + chr(39))}", mention)
        return found

    def _by_target(self, path: str) -> _Mention | None:
        """A link by way of `/etc/alternatives` belongs to the package of the file that it leads to in the end."""
        seen: set[str] = set()
        here: str | None = path
        through = path.startswith("/etc/alternatives/")
        while here is not None and here not in seen:
            seen.add(here)
            file = self._state.get(here)
            if file is None or file.type is not FileType.SYMLINK:
                break
            here = file.target if file.target and file.target.startswith("/") else None
            through = through or (here or "").startswith("/etc/alternatives/")
        if not through or here is None:
            return None
        owner = self._owner_of(here)
        return None if owner is None or not self._has_postinst(owner) else _Mention(0, owner, "postinst")

    def _tool(self, path: str, *, exact: bool) -> _Mention | None:
        tools = (
            tool
            for place, tool in tools_by_place()
            if (path == place if exact else place[-1] == "*" and path.startswith(place[:-1]))
        )
        return next((min(self._calls[tool]) for tool in tools if tool in self._calls), None)

    @cached_property
    def _calls(self) -> Mapping[str, list[_Mention]]:
        """By name of a tool the scripts that call it."""
        known = {tool for _, tool in tools_by_place()}
        found: defaultdict[str, list[_Mention]] = defaultdict(list)
        for package, script, text in self._scripts():
            if script in _CONFIGURES:
                bare = "\n".join(_COMMENT.sub("", line) for line in text.split("\n"))
                for tool in known.intersection(_WORD.findall(bare)):
                    # The tool's own package is told apart from others that have it run once more.
                    rank = 0 if self._ships_tool(package, tool) else 1
                    found[tool].append(_Mention(10 * rank + _CONFIGURES.index(script), package, script))
        return found

    def _ships_tool(self, package: str, tool: str) -> bool:
        names = [f"{place}/{tool}" for place in ("/sbin", "/usr/sbin", "/bin", "/usr/bin")]
        return any(
            archive.name == package and not frozenset(names).isdisjoint(archive.listed)
            for archive in self._facts.archives
        )

    def _has_postinst(self, package: str) -> bool:
        return any(archive.name == package and "postinst" in archive.scripts for archive in self._facts.archives)

    def _scripts(self) -> Iterator[tuple[str, str, str]]:
        for archive in self._facts.archives:
            for script, text in archive.scripts.items():
                yield archive.name, script, text


def _rank(script: str, line: str) -> int:
    """How far `line` is from saying that its script makes what it names: 0 for one that writes."""
    if script not in _CONFIGURES:
        return 2 if _REMOVES.search(line) else 7
    if _REMOVES.search(line):
        return 8
    number = _CONFIGURES.index(script)
    return number if _WRITES.search(_NOWHERE.sub("", line)) else 3 + number
