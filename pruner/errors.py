"""The error tree and its exit codes.

    PrunerError            70 (internal, never raised bare)
    ├── UsageError          2  the command line or its combination makes no sense
    ├── InputError          3  an input is unreadable, malformed or does not fit another input
    │   └── EntryError      3  an entry point does not exist
    ├── EnvironmentFault    4  a required tool or permission is missing
    └── NegativeAnswer      1  the question was answered, and the answer is no

A message is one lowercase fact that names the thing, then a hint that says what to do about it.
Control characters of hostile names are escaped before a message reaches a terminal.
"""

from __future__ import annotations

from typing import ClassVar


class PrunerError(Exception):
    """Base of every error that a user may see.

    `fact` is one lowercase sentence without a full stop; `hint` says how to go on and may be empty. Where `fact` joins
    several, `facts` has them one by one.
    """

    exit_code: ClassVar[int] = 70

    def __init__(self, fact: str, *, hint: str = "", facts: tuple[str, ...] = ()) -> None:
        super().__init__(fact)
        self.fact = fact
        self.facts = facts or (fact,)
        self.hint = hint


class UsageError(PrunerError):
    """The options contradict each other or miss something."""

    exit_code = 2


class InputError(PrunerError):
    """A file that was given can't be used; the fact starts with its name and, where known, the place in it."""

    exit_code = 3


class EntryError(InputError):
    """An entry point names something that the inventory does not hold."""


class EnvironmentFault(PrunerError):
    """A program, kernel feature or permission that the command needs is missing."""

    exit_code = 4


class NegativeAnswer(PrunerError):
    """The command worked and its answer is no: a gate failed, a verification differed, `--strict` found unknowns."""

    exit_code = 1


def printable(text: str) -> str:
    """`text` with control characters and lone surrogates escaped, safe to print on a terminal."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else _escaped(character) for character in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")
