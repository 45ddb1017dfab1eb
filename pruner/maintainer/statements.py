"""Control flow of the shell (POSIX, Shell Command Language, 2.9) for scripts that are followed, not executed.

A branch on a condition that is not known is not taken, and what it holds is noted.
"""

from __future__ import annotations

import glob
from abc import ABC, abstractmethod
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from pruner.analyze.shellwords import text_of, walk
from pruner.maintainer.conditions import Truth, evaluate, negated
from pruner.maintainer.scope import Scope
from pruner.maintainer.streams import appends, is_input, is_output, is_written, joined
from pruner.maintainer.words import QUOTED, fields, string

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from tree_sitter import Node

    from pruner.maintainer.disk import Disk

Status = Truth
"""Whether a command succeeded; None where that is not known."""

_MOST_STEPS = 20_000
_DEEPEST_CALL = 16


_HANDLERS = {
    "command": "_simple",
    "list": "_list",
    "if_statement": "_if",
    "case_statement": "_case",
    "for_statement": "_for",
    "while_statement": "_while",
    "test_command": "_test",
    "negated_command": "_negated",
    "compound_statement": "_group",
    "do_group": "_group",
    "program": "_group",
    "subshell": "_subshell",
    "redirected_statement": "_redirected",
    "function_definition": "_define",
    "variable_assignment": "_assignments",
    "variable_assignments": "_assignments",
    "declaration_command": "_assignments",
    "unset_command": "_unset",
    "pipeline": "_pipeline",
}
"""Methods by the node types of the grammar."""


class UnclearError(Exception):
    """The script can't be followed further; the text says why."""


class Left(Exception):
    """A function, a loop or the script is left: `return`, `break`, `continue`, `exit`."""

    def __init__(self, kind: str, status: Status = True) -> None:
        super().__init__(kind)
        self.kind = kind
        self.status = status


class Statements(Scope, ABC):
    """Follows statements; what single commands do is up to `call`."""

    def __init__(self, disk: Disk, environment: Mapping[str, str], arguments: Sequence[str | None]) -> None:
        super().__init__(environment, arguments)
        self.disk = disk
        self._functions: dict[str, Node] = {}
        self._steps = 0

    @abstractmethod
    def call(self, words: Sequence[str | None]) -> Status:
        """Do what the command of these words does."""

    @abstractmethod
    def note(self, text: str) -> None:
        """Record something that the script would do and that is not done here."""

    @abstractmethod
    def is_idle(self, line: str) -> bool:
        """Whether a command that is not run would have left nothing behind."""

    def output_of(self, node: Node) -> str | None:
        """See `Variables.output_of`."""
        with self.captured() as printed:
            try:
                self.follow(node.named_children)
            except Left as left:
                self.status = left.status
        text = joined(printed)
        return None if text is None else text.rstrip("\n")

    # -- statements ---------------------------------------------------------------------------------------------------

    def follow(self, nodes: Iterable[Node]) -> Status:
        """Follow statements one after the other."""
        for node in nodes:
            if node.is_named and node.type != "comment":
                self.status = self._one(node)
        return self.status

    def _one(self, node: Node) -> Status:
        self._steps += 1
        if self._steps > _MOST_STEPS:
            raise UnclearError("it takes too many steps to follow")
        name = _HANDLERS.get(node.type)
        if name is None:
            self.skip(node)
            return None
        follow: Callable[[Node], Status] = getattr(self, name)
        return follow(node)

    def _simple(self, node: Node) -> Status:
        name = node.child_by_field_name("name")
        if name is None:
            return self._assignments(node)
        words = fields(name.children[0] if name.children else name, self)
        for argument in node.children_by_field_name("argument"):
            words.extend(fields(argument, self))
        if not words:
            return self._assignments(node)
        own = {text_of(child.children[0]) for child in node.children if child.type == "variable_assignment"}
        before = {variable: self._variables[variable] for variable in own & self._variables.keys()}
        self._assignments(node)
        try:
            return self._function(words) if words[0] in self._functions else self.call(words)
        finally:  # what stands before a command holds for it alone
            for variable in own:
                self._variables.pop(variable, None)
            self._variables.update(before)

    def _assignments(self, node: Node) -> Status:
        for child in [node] if node.type == "variable_assignment" else node.children:
            if child.type == "variable_assignment":
                name, value = child.child_by_field_name("name"), child.child_by_field_name("value")
                if name is not None:
                    self.assign(text_of(name), "" if value is None else string(value, self))
        return True

    def _unset(self, node: Node) -> Status:
        for child in node.named_children:
            self._variables.pop(text_of(child), None)
        return True

    def _define(self, node: Node) -> Status:
        name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
        if name is not None and body is not None:
            self._functions[text_of(name)] = body
        return True

    def _function(self, words: Sequence[str | None]) -> Status:
        with_name = str(words[0])
        self._enter(words[1:])
        try:
            return self._one(self._functions[with_name])
        except Left as left:
            if left.kind != "return":
                raise
            return left.status
        finally:
            self._positional.pop()

    def _enter(self, arguments: Sequence[str | None]) -> None:
        if len(self._positional) > _DEEPEST_CALL:
            raise UnclearError("its functions call each other too deeply")
        self._positional.append(list(arguments))

    def include(self, nodes: Iterable[Node]) -> Status:
        """Follow the statements of a file that is sourced."""
        self._enter(self.positional())
        try:
            return self.follow(nodes)
        finally:
            self._positional.pop()

    def _group(self, node: Node) -> Status:
        return self.follow(node.children)

    def _negated(self, node: Node) -> Status:
        return negated(self.follow(node.named_children))

    def _list(self, node: Node) -> Status:
        left, operator, right = node.children[0], node.children[1].type, node.children[-1]
        status = self.status = self._one(left)
        if operator not in {"&&", "||"}:
            return self._one(right)
        if status is None:
            self.skip(right)
            return None
        return self._one(right) if status == (operator == "&&") else status

    def _if(self, node: Node) -> Status:
        """Each clause is its condition up to `then`, and its body up to the next clause."""
        clauses = [node, *(child for child in node.children if child.type in {"elif_clause", "else_clause"})]
        for number, clause in enumerate(clauses):
            if clause.type == "else_clause":
                return self.follow(clause.children)
            types = [child.type for child in clause.children]
            then = types.index("then") if "then" in types else len(types)
            body = [child for child in clause.children[then + 1 :] if child.type not in {"elif_clause", "else_clause"}]
            truth = self.follow(clause.children[:then])
            if truth:
                return self.follow(body)
            if truth is None:
                for child in (*body, *clauses[number + 1 :]):
                    self.skip(child)
                return None
        return True

    def _case(self, node: Node) -> Status:
        value = node.child_by_field_name("value")
        text = None if value is None else string(value, self)
        for item in (child for child in node.children if child.type == "case_item"):
            end = next((number for number, child in enumerate(item.children) if child.type == ")"), -1)
            patterns = self._patterns(item.children[: max(end, 0)])
            body = item.children[end + 1 :]
            if text is not None and any(pattern is not None and fnmatchcase(text, pattern) for pattern in patterns):
                return self.follow(body)
            if text is None or None in patterns:
                for child in body:
                    self.skip(child)
        return None if text is None else True

    def _patterns(self, nodes: Sequence[Node]) -> list[str | None]:
        """Patterns of a case item; the grammar gives the quoted and the plain parts of one as neighbours."""
        patterns: list[str | None] = [""]
        for node in nodes:
            if node.type == "|":
                patterns.append("")
            elif node.type != "(":
                text = string(node, self)
                part = glob.escape(text) if text is not None and node.type in {"string", "raw_string"} else text
                patterns[-1] = None if part is None or patterns[-1] is None else patterns[-1] + part
        return patterns

    def _for(self, node: Node) -> Status:
        variable, body = node.child_by_field_name("variable"), node.child_by_field_name("body")
        words = [word for value in node.children_by_field_name("value") for word in fields(value, self)]
        if all(child.type != "in" for child in node.children):
            words = self.positional()
        if variable is None or body is None or None in words:
            self.skip(node)
            return None
        for word in words:
            self.assign(text_of(variable), word)
            if not self._round(body):
                break
        return True

    def _while(self, node: Node) -> Status:
        body = node.child_by_field_name("body")
        wanted = node.children[0].type == "while"
        while body is not None:
            truth = self.follow(node.children_by_field_name("condition"))
            if truth is None:
                self.skip(body)
                return None
            if truth != wanted or not self._round(body):
                break
        return True

    def _round(self, body: Node) -> bool:
        """Go through a loop's body; whether the loop goes on."""
        try:
            self._one(body)
        except Left as left:
            if left.kind not in {"break", "continue"}:
                raise
            return left.kind == "continue"
        return True

    def _subshell(self, node: Node) -> Status:
        before = dict(self._variables), self.disk.current
        try:
            return self.follow(node.children)
        except Left as left:
            return left.status
        finally:
            self._variables, self.disk.current = before

    def _test(self, node: Node) -> Status:
        words: list[str | None] = []
        waiting = [child for child in reversed(node.children) if child.type not in {"[", "]", "[[", "]]"}]
        while waiting:
            current = waiting.pop()
            if current.type in QUOTED:
                words.extend(fields(current, self) if current.type == "simple_expansion" else [string(current, self)])
            elif not current.children:
                words.append(text_of(current))
            else:
                waiting.extend(reversed(current.children))
        return evaluate(words, self.disk)

    # -- input and output ---------------------------------------------------------------------------------------------

    def _pipeline(self, node: Node) -> Status:
        """Each stage reads what the one before it prints."""
        *stages, last = node.named_children
        text: str | None = None
        for stage in stages:
            with self.reading(text), self.captured() as printed:
                self._one(stage)
            text = joined(printed)
        with self.reading(text):
            return self._one(last)

    def _redirected(self, node: Node) -> Status:
        redirects = node.children_by_field_name("redirect")
        source = next((child for child in redirects if child.type == "heredoc_redirect" or is_input(child)), None)
        if source is None:
            return self._to_files(node, redirects)
        with self.reading(self._text_of_input(source)):
            return self._to_files(node, redirects)

    def _text_of_input(self, redirect: Node) -> str | None:
        if redirect.type != "heredoc_redirect":
            path = self._destination(redirect)
            data = None if path is None else self.disk.read(path)
            return None if data is None else data.decode("utf-8", "surrogateescape")
        parts = {child.type: child for child in redirect.children}
        body, start = parts.get("heredoc_body"), parts.get("heredoc_start")
        if body is None or start is None:
            return None
        text = text_of(body) if text_of(start)[:1] in {"'", '"', "\\"} else string(body, self)
        if text is None or not text_of(redirect).startswith("<<-"):
            return text
        return "".join(line.lstrip("\t") for line in text.splitlines(keepends=True))

    def _destination(self, redirect: Node) -> str | None:
        destination = redirect.child_by_field_name("destination")
        return None if destination is None else string(destination, self)

    def _to_files(self, node: Node, redirects: Sequence[Node]) -> Status:
        body = node.child_by_field_name("body")
        targets = [child for child in redirects if child.type == "file_redirect" and is_written(child)]
        if not targets and not any(map(is_output, redirects)):
            return True if body is None else self._one(body)
        with self.captured() as printed:
            status: Status = True if body is None else self._one(body)
        text = joined(printed)
        for target in targets:
            path = self._destination(target)
            before = (self.disk.read(path) or b"") if path is not None and appends(target) else b""
            if path is not None and path.startswith("/dev/"):
                continue
            content = None if text is None else before + text.encode("utf-8", "surrogateescape")
            if path is None or content is None or not self.disk.write(path, content):
                self.note(f"writes {path or text_of(target)}")
        return status

    def skip(self, node: Node) -> None:
        """Note what a part that is not followed would do: its commands that do more than read or print."""
        waiting, seen = [node], set[str]()
        while waiting:
            for child in walk(waiting.pop()):
                name = child.child_by_field_name("name") if child.type == "command" else None
                called = "" if name is None else text_of(name)
                if called in self._functions and called not in seen:
                    seen.add(called)
                    waiting.append(self._functions[called])
                elif called and called not in self._functions and not self.is_idle(text_of(child)):
                    self.note(text_of(child))
                elif child.type == "file_redirect" and is_written(child):
                    self.note(f"writes {text_of(child)}")
