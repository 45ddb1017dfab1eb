"""Variables and parameters of a script that is followed: None wherever a value is not known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pruner.maintainer.streams import Streams

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pruner.maintainer.conditions import Truth


class Scope(Streams):
    """What `pruner.maintainer.words.Variables` asks for, but for the output of commands."""

    def __init__(self, environment: Mapping[str, str], arguments: Sequence[str | None]) -> None:
        super().__init__()
        self._variables: dict[str, str | None] = dict(environment)
        self._positional: list[list[str | None]] = [list(arguments)]
        self.status: Truth = True
        """Whether the last command succeeded; None where that is not known."""

    def value(self, name: str) -> str | None:
        """See `Variables.value`."""
        if name == "?":
            return None if self.status is None else str(int(not self.status))
        given = self._positional[-1]
        if name == "#":
            return str(len(given))
        if name in {"@", "*"}:
            return None if None in given else " ".join(word for word in given if word is not None)
        if name.isdigit() and name != "0":
            return given[int(name) - 1] if int(name) <= len(given) else ""
        return None if name in {"0", "$", "!", "-"} else self._variables.get(name, "")

    def assign(self, name: str, value: str | None) -> None:
        """See `Variables.assign`."""
        self._variables[name] = value

    def separators(self) -> str | None:
        """See `Variables.separators`."""
        return self._variables.get("IFS", " \t\n")

    def positional(self) -> list[str | None]:
        """See `Variables.positional`."""
        return list(self._positional[-1])

    def set_positional(self, words: Sequence[str | None]) -> None:
        """Replace the positional parameters."""
        self._positional[-1] = list(words)
