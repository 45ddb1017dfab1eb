"""What the commands of a script print and read, as text: None wherever that is not known."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from pruner.analyze.shellwords import text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

_NOWHERE = frozenset({"/dev/null", "/dev/stderr", "/dev/stdout"})


class Streams:
    """Standard input and output of a script while it is followed."""

    def __init__(self) -> None:
        self._outputs: list[list[str | None]] = [[]]
        self._inputs: list[list[str] | None] = [None]

    def print(self, text: str | None) -> None:
        """Add to the output; None for what is not known."""
        self._outputs[-1].append(text)

    def rest_of_input(self) -> list[str]:
        """The lines piped or redirected in that were not read yet. Raises `ValueError` where they are not known."""
        lines = self._known_input()
        rest, lines[:] = list(lines), []
        return rest

    def next_line(self) -> str | None:
        """The next line of the input, None at its end. Raises `ValueError` where it is not known."""
        lines = self._known_input()
        return lines.pop(0) if lines else None

    def _known_input(self) -> list[str]:
        lines = self._inputs[-1]
        if lines is None:
            raise ValueError("its input is not known")
        return lines

    @contextmanager
    def captured(self) -> Iterator[list[str | None]]:
        """Gather what is printed meanwhile; `joined` makes one text of it."""
        printed: list[str | None] = []
        self._outputs.append(printed)
        try:
            yield printed
        finally:
            self._outputs.pop()

    @contextmanager
    def reading(self, text: str | None) -> Iterator[None]:
        """Let commands read `text` meanwhile."""
        self._inputs.append(None if text is None else lines_of(text))
        try:
            yield
        finally:
            self._inputs.pop()


def joined(printed: list[str | None]) -> str | None:
    """All that was printed as one text."""
    known = [text for text in printed if text is not None]
    return "".join(known) if len(known) == len(printed) else None


def lines_of(text: str) -> list[str]:
    """The lines of a text, the last of which may lack its end."""
    return text.removesuffix("\n").split("\n") if text else []


def is_input(redirect: Node) -> bool:
    """Whether a redirection is `<FILE`."""
    return any(child.type == "<" for child in redirect.children)


def is_output(redirect: Node) -> bool:
    """Whether standard output goes elsewhere: `>FILE`, `>/dev/null`, `>&2`."""
    return text_of(redirect).startswith((">", "1>", "&>"))


def is_written(redirect: Node) -> bool:
    """Whether a redirection of output makes or changes a file."""
    destination = redirect.child_by_field_name("destination")
    operator = next((child.type for child in redirect.children if not child.is_named), "")
    return operator in {">", ">>", ">|", "&>"} and destination is not None and text_of(destination) not in _NOWHERE


def appends(redirect: Node) -> bool:
    """Whether a redirection adds to its file."""
    return any(child.type == ">>" for child in redirect.children)
