"""Commands of maintainer scripts that leave nothing behind: `rules/maintainer/commands.yaml`."""

from __future__ import annotations

import fnmatch
import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pruner.errors import InputError
from pruner.rules.load import bundled_rules_directory
from pruner.yamlfile import YamlList, YamlMapping, load_yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

_KEYS = frozenset({"name", "succeeds", "prints", "why", "reference"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of a command."""

    status: bool | None
    """Whether it succeeds; None where that depends."""
    prints: bool
    """Whether its output may matter."""
    why: str


class Knowledge:
    """Commands by name or by the glob of a whole line. `idle` are names of further commands that leave nothing."""

    def __init__(self, known: Mapping[str, Known], idle: frozenset[str] = frozenset()) -> None:
        self._known = {name: entry for name, entry in known.items() if " " not in name}
        self._lines = {name: entry for name, entry in known.items() if " " in name}
        self._idle = idle

    def get(self, line: str) -> Known | None:
        """What is known of the command `line`, a directory before its name left out."""
        name = line.partition(" ")[0].rpartition("/")[2]
        found = self._known.get(name)
        if found is not None:
            return found
        return next((entry for glob, entry in self._lines.items() if fnmatch.fnmatchcase(line, glob)), None)

    def is_idle(self, line: str) -> bool:
        """Whether a command that is not run would have left nothing behind."""
        return line.split(maxsplit=1)[0] in self._idle or self.get(line) is not None


@functools.cache
def bundled_commands() -> Mapping[str, Known]:
    """The commands of the bundled file. Raises `InputError` where it is damaged."""
    path = bundled_rules_directory() / "maintainer" / "commands.yaml"
    document = load_yaml(path)
    entries = document.get("commands") if isinstance(document, YamlMapping) else None
    if not isinstance(entries, YamlList):
        raise InputError(f"{path}: no list of commands", hint="install the program again")
    found: dict[str, Known] = {}
    for entry, line in zip(entries, entries.lines, strict=True):
        if not isinstance(entry, YamlMapping) or not {"name", "why", "reference"} <= entry.keys() <= _KEYS:
            raise InputError(f"{path}:{line}: an entry has a name, a reason and a reference")
        known = Known(status=entry.get("succeeds"), prints=bool(entry.get("prints")), why=str(entry["why"]))
        found.update(dict.fromkeys(map(str, entry["name"]), known))
    return found
