"""YAML files as plain values, read so that a hostile file can do no harm.

The dialect is the core schema of YAML 1.2.2 (section 10.3.2) less what configuration does not need: no anchors,
aliases, tags, merge keys or further documents, no duplicate keys. `yes`, `on`, `2024-05-01`, `22:30` and `0755` are
text; every key is text as written. Values come with the line where they stand, for messages.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pruner.errors import InputError, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    import yaml

MAXIMUM_BYTES = 1 << 20
MAXIMUM_DEPTH = 32
MAXIMUM_VALUES = 200_000

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)\Z")
_FLOAT = re.compile(r"[-+]?(0|[1-9][0-9]*)(\.[0-9]*)?([eE][-+]?[0-9]+)?\Z")
_CONSTANTS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_LONGEST_NUMBER = 64
"""Characters; a longer run of digits is text, so that no conversion takes quadratic time."""


class YamlMapping(dict[str, Any]):
    """A mapping that knows where it stands: `line` of its start and `lines` of its keys, counted from 1.

    `texts` are its scalars as written, where that matters: `+0` and `0` are one number.
    """

    __slots__ = ("line", "lines", "texts")

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: dict[str, int] = {}
        self.texts: dict[str, str] = {}


class YamlList(list[Any]):
    """A list that knows where it stands: `line` of its start and `lines` of its items, counted from 1."""

    __slots__ = ("line", "lines")

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: list[int] = []


def load_yaml(path: Path, *, maximum_bytes: int = MAXIMUM_BYTES) -> object:
    """The one document of the YAML file `path`: `YamlMapping`, `YamlList`, str, int, float, bool or None.

    An empty file is None. Raises `InputError` whose fact starts with `FILE:LINE` when the file can't be read, is
    larger than `maximum_bytes`, is not UTF-8, is malformed, or uses what the dialect leaves out.
    """
    name = printable(str(path))
    try:
        with path.open("rb") as stream:
            data = stream.read(maximum_bytes + 1)
    except OSError as error:
        raise InputError(f"{name}: can't be read: {(error.strerror or str(error)).lower()}") from error
    if len(data) > maximum_bytes:
        raise InputError(f"{name}: larger than {maximum_bytes} bytes", hint="split the file")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(f"{name}:{line}: not UTF-8", hint="save the file in UTF-8") from error
    return parse_yaml(text, name=name)


def parse_yaml(text: str, *, name: str) -> object:
    """The one document of `text`, as `load_yaml` gives it; `name` stands for the file in messages."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return _Builder(name, yaml.parse(text, Loader=loader)).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{name}:{mark.line + 1}" if mark is not None else name
        raise InputError(f"{place}: not valid YAML: {printable(error.problem or 'malformed')}") from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise InputError(f"{name}:{line}: not valid YAML: a control character", hint="remove it") from error
    except yaml.YAMLError as error:
        raise InputError(f"{name}: not valid YAML: {printable(str(error))}") from error


class _Builder:
    """Builds values from the parser's events; depth and number of values are bounded while they come in."""

    def __init__(self, name: str, events: Iterable[Any]) -> None:
        self.name = name
        self.events: Iterator[Any] = iter(events)
        self.values = 0

    def document(self) -> object:
        """The only document of the stream."""
        import yaml

        next(self.events)  # the stream's start
        first = next(self.events)
        if isinstance(first, yaml.StreamEndEvent):
            return None
        value = self.value(next(self.events), depth=0)
        next(self.events)  # the document's end
        further = next(self.events)
        if not isinstance(further, yaml.StreamEndEvent):
            raise self.error(further, "a second document", hint="one file holds one document")
        return value

    def value(self, event: yaml.Event, depth: int) -> object:
        """The value that starts with `event`."""
        import yaml

        self.values += 1
        if self.values > MAXIMUM_VALUES:
            raise self.error(event, f"more than {MAXIMUM_VALUES} values", hint="split the file")
        if depth > MAXIMUM_DEPTH:
            raise self.error(event, f"nested deeper than {MAXIMUM_DEPTH} levels")
        if isinstance(event, yaml.AliasEvent):
            raise self.error(event, "an alias (*name) is not accepted", hint="write the value out")
        if getattr(event, "anchor", None) is not None:
            raise self.error(event, "an anchor (&name) is not accepted", hint="write the value out where it is used")
        if getattr(event, "tag", None) is not None:
            raise self.error(event, "a tag (!name) is not accepted", hint="plain values need none")
        if isinstance(event, yaml.ScalarEvent):
            return _scalar(event) if event.implicit[0] else event.value
        return self.mapping(event, depth) if isinstance(event, yaml.MappingStartEvent) else self.list(event, depth)

    def mapping(self, start: yaml.Event, depth: int) -> YamlMapping:
        """The mapping after its start event."""
        import yaml

        result = YamlMapping(_line(start))
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            self.value(event, depth + 1)
            if not isinstance(event, yaml.ScalarEvent):
                raise self.error(event, "a key that is not plain text")
            key: str = event.value
            if key in result:
                first = result.lines[key]
                raise self.error(event, f"duplicate key '{printable(key)}', first on line {first}")
            result.lines[key] = _line(event)
            stated = next(self.events)
            result[key] = self.value(stated, depth + 1)
            if isinstance(stated, yaml.ScalarEvent):
                result.texts[key] = stated.value
        return result

    def list(self, start: yaml.Event, depth: int) -> YamlList:
        """The sequence after its start event."""
        import yaml

        result = YamlList(_line(start))
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            result.lines.append(_line(event))
            result.append(self.value(event, depth + 1))
        return result

    def error(self, event: yaml.Event, fact: str, *, hint: str = "") -> InputError:
        """An error at the place of `event`."""
        return InputError(f"{self.name}:{_line(event)}: {fact}", hint=hint)


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _scalar(event: Any) -> object:
    """A plain scalar's value by the core schema, decimal numbers only."""
    text: str = event.value
    if text in _NULLS:
        return None
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if len(text) > _LONGEST_NUMBER:
        return text
    if _INTEGER.match(text):
        return int(text)
    return float(text) if _FLOAT.match(text) else text
