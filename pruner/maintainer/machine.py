"""Reads a maintainer script as the shell would run it, over a root in memory: nothing is executed.

A value that the archives do not tell (the output of a program, the state of a system) is unknown. Commands that are not
understood, and what could not be decided, are gathered as unknowns.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from pruner.analyze.shell import parser
from pruner.maintainer.builtins import program_text
from pruner.maintainer.statements import Left, Statements, Status, UnclearError
from pruner.maintainer.streams import joined

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pruner.maintainer.disk import Disk
    from pruner.maintainer.knowledge import Knowledge

Words = Sequence[str | None]
Command = Callable[["Machine", Words], Status]

_LARGEST_SCRIPT = 1 << 20
_SHELLS = frozenset((b"sh", b"bash", b"dash", b"ash"))
_LONGEST_NOTE = 160
_DEEPEST_PROGRAM = 3
_RESERVED = frozenset(("if", "then", "elif", "else", "fi", "for", "do", "done", "while", "until", "case", "esac"))


class Machine(Statements):
    """One run of one script. `unknowns` are what it would do besides, one text each, in order."""

    def __init__(
        self,
        disk: Disk,
        commands: Mapping[str, Command],
        knowledge: Knowledge,
        *,
        environment: Mapping[str, str],
        arguments: Words,
        templates: Mapping[str, str],
    ) -> None:
        super().__init__(disk, environment, arguments)
        self.templates = templates
        """Default answers of debconf questions by name."""
        self.unknowns: dict[str, None] = {}
        self._commands = commands
        self._environment = dict(environment)
        self._depth = 0
        self._knowledge = knowledge

    def run(self, script: bytes) -> None:
        """Follow `script` to its end."""
        self.disk.current, self.disk.mask = "/", 0o022
        root = parser().parse(script[:_LARGEST_SCRIPT]).root_node
        if root.has_error:
            self.note("parts of it could not be parsed")
        try:
            self.follow(root.children)
        except Left as left:
            self.status = left.status
        except (UnclearError, RecursionError) as error:
            self.note(str(error))

    def source(self, script: bytes) -> Status:
        """Follow a script that is sourced."""
        return self.include(parser().parse(script[:_LARGEST_SCRIPT]).root_node.children)

    def note(self, text: str) -> None:
        """See `Statements.note`."""
        self.unknowns.setdefault(" ".join(text.split())[:_LONGEST_NOTE])

    def is_idle(self, line: str) -> bool:
        """See `Statements.is_idle`."""
        return self._knowledge.is_idle(line)

    def call(self, words: Words) -> Status:
        """See `Statements.call`."""
        line = " ".join("…" if word is None else word for word in words)
        name = words[0]
        if name is None or name in _RESERVED:
            self.note(f"calls {line}")
            return None
        command = self._commands.get(name.rpartition("/")[2])
        if command is None:
            return self._known(line) if self._knowledge.get(line) else self._program(words, line)
        try:
            return command(self, words)
        except (ValueError, IndexError):  # a word that is not known, a way to call it that is not understood
            if not self.is_idle(line):
                self.note(line)
            self.print(None)
            return None

    def _known(self, line: str) -> Status:
        known = self._knowledge.get(line)
        self.print(None if known is None or known.prints else "")
        return None if known is None else known.status

    def _program(self, words: Words, line: str) -> Status:
        """Follow a program of the root that is a shell script itself; all of it, or nothing where a part is unknown."""
        script = program_text(self.disk, words[0] or "")
        if script is None or not is_shell(script) or self._depth >= _DEEPEST_PROGRAM:
            self.note(line)
            self.print(None)
            return None
        inner = Machine(
            self.disk,
            self._commands,
            self._knowledge,
            environment=self._environment,
            arguments=words[1:],
            templates=self.templates,
        )
        inner._depth = self._depth + 1
        before = self.disk.saved()
        place = self.disk.current, self.disk.mask
        with inner.captured() as printed:
            inner.run(script)
        self.disk.current, self.disk.mask = place
        if inner.unknowns:
            self.disk.restore(before)
            self.note(line)
        self.print(None if inner.unknowns else joined(printed))
        return None if inner.unknowns else inner.status


def is_shell(script: bytes) -> bool:
    """Whether a program begins as a script for some shell does."""
    words = script.split(b"\n", 1)[0].removeprefix(b"#!").split()
    return script.startswith(b"#!") and bool(words) and words[0].rpartition(b"/")[2] in _SHELLS
