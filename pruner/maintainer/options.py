"""Options and operands of the commands that maintainer scripts call."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pruner.maintainer.machine import Words

_LONG = {
    "parents": "p",
    "force": "f",
    "recursive": "R",
    "symbolic": "s",
    "directory": "d",
    "preserve": "p",
    "archive": "a",
}
_NAMED = {"mode": "m", "owner": "o", "group": "g", "target-directory": "t"}


def options(words: Words, valued: str = "") -> tuple[dict[str, str], list[str]]:
    """Options by letter and the operands; `valued` are the letters that take a value. Raises `ValueError`."""
    found: dict[str, str] = {}
    operands: list[str] = []
    waiting = list(words[1:])[::-1]
    while waiting:
        word = waiting.pop()
        if word is None:
            raise ValueError("a word is not known")
        if word == "--":
            operands.extend(known(waiting[::-1]))
            break
        if word.startswith("--"):
            name, _, value = word[2:].partition("=")
            letter = _NAMED.get(name) or _LONG.get(name) or name
            if letter in valued and not value and name in _NAMED:
                value = waiting.pop() if waiting else None  # type: ignore[assignment]
            found[letter] = value or ""
        elif word.startswith("-") and len(word) > 1:
            for at, letter in enumerate(word[1:], 2):
                if letter in valued:
                    given = word[at:] or (waiting.pop() if waiting else None)
                    if given is None:
                        raise ValueError("an option lacks its value")
                    found[letter] = given
                    break
                found[letter] = ""
        else:
            operands.append(word)
    return found, operands


def known(words: Words) -> list[str]:
    """`words`, each of which is known. Raises `ValueError` where one is not."""
    if None in words:
        raise ValueError("a word is not known")
    return [word for word in words if word is not None]
