"""State of packages that are kept in full: names that no archive brings and that their maintainer scripts make."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

from pruner.model import FileType
from pruner.rules.makers import tools_by_place

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pruner.analyze.view import View
    from pruner.model import Package
    from pruner.rootfs import Root

_INFO = "/var/lib/dpkg/info"
_HISTORY = ("/var/cache/", "/var/lib/apt/", "/var/lib/dpkg/", "/var/lib/ucf/", "/var/log/")
"""Written down while a system was set up, or databases of all packages: no package's own."""
_FOLLOWED = re.compile(r"made by (\S+)'s \S+")
"""Reasons of `pruner.maintainer.scripts`."""
_COMMENT = re.compile(r"(?:^|\s)#.*$")
_NOWHERE = re.compile(r"[0-9]*>&[0-9]|[0-9&]*>+\s*/dev/null")
_PATH = re.compile(r"/[A-Za-z0-9][A-Za-z0-9_.+@-]*(?:/[A-Za-z0-9_.+@-]+)+")
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9+._-]*")
_MAKES = re.compile(r">|\b(?:cp|mv|ln|install|touch|mkdir|tee|ucf|update-alternatives)\b")
_PURGES = re.compile(r"\b(?:rm|rmdir|unlink|ucfr)\b|--purge\b")
_ALTERNATIVE = re.compile(r"--(?:install|slave)\s+(\S+)\s+(\S+)\s+(\S+)")
_CONFIGURES = ("postinst", "preinst")


def made_by_packages(packages: Sequence[Package], view: View) -> Mapping[str, Sequence[str]]:
    """By package name the names of the root that no package owns and that its maintainer scripts make, sorted.

    A script makes what following it has shown, what a line of it names and writes, what its purge removes, and what a
    tool of its own package, which it calls, is known to write. Without bytes there is none.
    """
    root = view.root
    if root is None:
        return {}
    unowned = [
        path
        for path, file in view.tree.files.items()
        if path not in view.inventory.owners and file.type is not FileType.DIRECTORY and not path.startswith(_HISTORY)
    ]
    found: defaultdict[str, set[str]] = defaultdict(set)
    reasons: Mapping[str, str] = getattr(root, "reasons", {})
    for path in unowned:
        followed = _FOLLOWED.fullmatch(reasons.get(path, ""))
        if followed is not None:
            found[followed[1]].add(path)
    for package in packages:
        names, tools = _told(package, root, view)
        places = [place for place, tool in tools_by_place() if tool in tools]
        exact = {place for place in places if not place.endswith("*")} | names
        starts = tuple(place[:-1] for place in places if place.endswith("*"))
        found[package.name].update(path for path in unowned if path in exact or (starts and path.startswith(starts)))
    return {package.name: sorted(found[package.name]) for package in packages}


def _told(package: Package, root: Root, view: View) -> tuple[set[str], set[str]]:
    """Names that the scripts of `package` say to make, and tools of its own that they call."""
    own = {path.rpartition("/")[2] for path in view.executables(package.id)}
    names, tools = set[str](), set[str]()
    for script in (*_CONFIGURES, "postrm"):
        text = _text(package, script, root)
        joined = text.replace("\\\n", " ")
        if script in _CONFIGURES:
            for link, name, _ in _ALTERNATIVE.findall(joined):
                names |= {link.strip("\"'"), "/etc/alternatives/" + name.strip("\"'")}
        for line in joined.split("\n"):
            bare = _NOWHERE.sub("", _COMMENT.sub("", line))
            says = _MAKES if script in _CONFIGURES else _PURGES
            names.update(_PATH.findall(bare) if "/" in bare and says.search(bare) else ())
            tools.update(own.intersection(_WORD.findall(bare)) if script in _CONFIGURES else ())
    return names, tools


def _text(package: Package, script: str, root: Root) -> str:
    for name in (package.name, f"{package.name}:{package.architecture}"):
        path = f"{_INFO}/{name}.{script}"
        if path in root.files and root.files[path].type is FileType.REGULAR:
            return bytes(root.read(path)).decode("utf-8", "replace")
    return ""
