"""YAML as chisel's parser takes it: nodes with lines, before anything is known of their types.

chisel reads with gopkg.in/yaml.v3, a port of libyaml, so libyaml's events are the right ones: anchors, aliases, merge
keys and tags are taken; of a stream only the first document counts. Measured on 650 definition files of 1.6 MB in all
(seconds of one processor): libyaml's events 0.44, the nodes built from them here 0.25 more; PyYAML composing nodes
1.1 (0.9 without its resolver, and it overflows the stack on 100,000 brackets); msgspec 0.44, but without lines;
ruamel.yaml's round trip 8.8.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pruner.errors import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAXIMUM_DEPTH: Final = 200
"""Levels; a definition has six."""
MAXIMUM_NODES: Final = 1_000_000
"""Of one file."""

_PREFIX = "tag:yaml.org,2002:"


class Node:
    """One node: a scalar's text, a list's items, or a mapping's pairs, which are kept in order, double keys too."""

    __slots__ = ("line", "plain", "tag", "value")

    def __init__(self, value: Any, line: int, tag: str = "", *, plain: bool = False) -> None:
        self.value = value
        """`str`, `list[Node]`, or for a mapping `tuple[list[Node], list[Node]]`: keys and values."""
        self.line = line
        """From 1."""
        self.tag = tag
        """As `!!str`, `!mine`; empty where none is written."""
        self.plain = plain
        """A scalar without quotes and no block: what it means depends on its look."""

    @property
    def scalar(self) -> bool:
        """It is text."""
        return isinstance(self.value, str)

    @property
    def mapping(self) -> bool:
        """It has keys."""
        return isinstance(self.value, tuple)

    @property
    def word(self) -> str:
        """What to call it in a message."""
        return "text" if self.scalar else "a mapping" if self.mapping else "a list"


class Malformed(NamedTuple):
    """Why bytes are no YAML, and where."""

    line: int
    message: str


def first_document(data: bytes) -> Node | Malformed | None:
    """The first document of `data`, None where there is none; what follows is not looked at."""
    import yaml

    try:
        return _build(_events(data))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = 1 if mark is None else mark.line + 1
        return Malformed(line, _sentence(error.context, error.problem))
    except yaml.reader.ReaderError as error:
        line = data.count(b"\n", 0, error.position) + 1
        return Malformed(line, f"not valid YAML: {printable(str(error.reason))}")
    except _Excess as error:
        return Malformed(error.line, error.fact)


class _Excess(Exception):
    """What the parser lets pass and a reader must not: an alias of nothing, or more than any real file holds."""

    def __init__(self, line: int, fact: str) -> None:
        super().__init__(fact)
        self.line = line
        self.fact = fact


def _sentence(context: str | None, problem: str | None) -> str:
    told = ", ".join(part for part in (context, problem) if part)
    return f"not valid YAML: {printable(told) or 'malformed'}"


def _events(data: bytes) -> Callable[[], Any]:
    """Gives the next event at each call."""
    try:
        from yaml.cyaml import CParser  # type: ignore[attr-defined]
    except ImportError:  # PyYAML without libyaml
        import yaml

        slow: Iterator[Any] = iter(yaml.parse(data))
        return lambda: next(slow)
    get: Callable[[], Any] = CParser(data).get_event
    return get


def _build(get: Callable[[], Any]) -> Node | None:
    """The nodes of the first document; a stack of open collections, so depth costs no recursion."""
    from yaml.events import AliasEvent, DocumentEndEvent, ScalarEvent, SequenceStartEvent

    get()  # the stream's start
    if not hasattr(get(), "explicit"):  # the stream's end: neither document nor content
        return None
    anchors: dict[str, Node] = {}
    root: list[Node] = []
    stack: list[tuple[list[Node], list[Node] | None]] = [(root, None)]
    count = 0
    while True:
        event = get()
        kind = type(event)
        if kind is ScalarEvent:
            node = Node(event.value, event.start_mark.line + 1, _short(event.tag), plain=not event.style)
        elif kind is AliasEvent:
            _append(stack[-1], _anchored(event, anchors))
            continue
        elif kind is DocumentEndEvent:
            return root[0]
        elif not hasattr(event, "implicit"):  # the end of a collection
            stack.pop()
            continue
        else:
            sequence = kind is SequenceStartEvent
            node = Node([] if sequence else ([], []), event.start_mark.line + 1, _short(event.tag))
        count += 1
        _bound(node.line, count, len(stack))
        if event.anchor is not None:
            anchors[event.anchor] = node
        _append(stack[-1], node)
        if kind is not ScalarEvent:
            stack.append((node.value, None) if isinstance(node.value, list) else node.value)


def _anchored(event: Any, anchors: dict[str, Node]) -> Node:
    """The node that an alias stands for."""
    if event.anchor not in anchors:
        raise _Excess(event.start_mark.line + 1, f"not valid YAML: unknown anchor '{printable(event.anchor)}'")
    return anchors[event.anchor]


def _bound(line: int, count: int, depth: int) -> None:
    if count > MAXIMUM_NODES:
        raise _Excess(line, f"more than {MAXIMUM_NODES} values")
    if depth > MAXIMUM_DEPTH:
        raise _Excess(line, "nested too deep")


def _append(open_collection: tuple[list[Node], list[Node] | None], node: Node) -> None:
    """Put `node` into the innermost collection: to a mapping's keys when each of them has its value."""
    first, second = open_collection
    if second is not None and len(second) < len(first):
        second.append(node)
    else:
        first.append(node)


def _short(tag: str | None) -> str:
    if not tag:
        return ""
    return f"!!{tag[len(_PREFIX) :]}" if tag.startswith(_PREFIX) else "" if tag == "!" else tag
