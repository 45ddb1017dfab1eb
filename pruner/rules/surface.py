"""The catalogue of the attack surface: `rules/surface.yaml`.

Categories of programs by their names, each with its reason and references. It is no rule of the closure: no decision
of a plan depends on it.
"""

from __future__ import annotations

import difflib
import functools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pruner.errors import InputError, printable
from pruner.yamlfile import YamlMapping, load_yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

SURFACE_FILE = "surface.yaml"
SURFACE_FORMAT = 1
_IDENTIFIER = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_WILD = re.compile(r"[*{]")
_VERSION = "{version}"
_NUMBERS = r"[0-9]+(?:\.[0-9]+)*"
_ENTRY_KEYS = ("id", "names", "as", "why", "reference")
_PLACE_KEYS = ("paths", "why", "reference")


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """One kind of program."""

    id: str
    names: tuple[str, ...]
    """Base names; in them `*` stands for any text and `{version}` for a version number."""
    counts_as: tuple[str, ...]
    """The categories that such a file is counted in; its own where the file says nothing."""
    why: str
    reference: tuple[str, ...]


class Catalogue:
    """Look-ups by the name of a program."""

    def __init__(self, categories: Iterable[Category], not_executed: Iterable[str]) -> None:
        self.categories = tuple(categories)
        self.not_executed = tuple(not_executed)
        """Beginnings of paths where an executable bit means nothing."""
        self._plain: dict[str, list[Category]] = {}
        globs: list[tuple[str, Category]] = []
        for category in self.categories:
            for name in category.names:
                if _WILD.search(name):
                    globs.append((name, category))
                else:
                    self._plain.setdefault(name, []).append(category)
        self._globs = [(re.compile(_expression(name)), category) for name, category in globs]
        self._any = re.compile("|".join(_expression(name) for name, _ in globs) or r"(?!)")

    def of_name(self, name: str) -> tuple[str, ...]:
        """The categories of a program with the base name `name`, sorted."""
        found = set[str]()
        for category in self._plain.get(name, ()):
            found.update(category.counts_as)
        if self._any.match(name):
            for expression, category in self._globs:
                if expression.match(name):
                    found.update(category.counts_as)
        return tuple(sorted(found))

    def is_multi_call(self, name: str) -> bool:
        """Whether a program with that base name is another one under another name (busybox)."""
        return any(category.counts_as != (category.id,) for category in self._plain.get(name, ()))

    def find(self, identifier: str) -> Category | None:
        """The category of that id."""
        return next((category for category in self.categories if category.id == identifier), None)


def _expression(name: str) -> str:
    """The regular expression of a name in which `*` is any text and `{version}` is numbers with dots between them."""
    return re.escape(name).replace(re.escape(_VERSION), _NUMBERS).replace(r"\*", ".*") + r"\Z"


@functools.cache
def bundled_catalogue() -> Catalogue:
    """The catalogue that ships with the program. Raises `InputError` where it is missing or damaged."""
    from pruner.rules.load import bundled_rules_directory

    return read_catalogue(bundled_rules_directory() / SURFACE_FILE)


def read_catalogue(path: Path) -> Catalogue:
    """The catalogue in the file `path`. Raises `InputError` with its first problem and their number."""
    catalogue, problems = parse_catalogue(load_yaml(path), printable(str(path)))
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise InputError(f"{problems[0]}{more}", hint="rules/README.md describes the format")
    return catalogue


def is_catalogue(document: object) -> bool:
    """Whether a document of a rule pack is a catalogue rather than rules."""
    return isinstance(document, YamlMapping) and "surface" in document


def parse_catalogue(document: object, name: str) -> tuple[Catalogue, tuple[str, ...]]:
    """The catalogue that `document` states, and every problem as `FILE:LINE: KEY PATH: what is wrong`."""
    reader = _Reader(name)
    categories, places = reader.document(document)
    return Catalogue(categories, places), tuple(reader.problems)


class _Reader:
    def __init__(self, name: str) -> None:
        self.name = name
        self.problems: list[str] = []

    def document(self, document: object) -> tuple[list[Category], list[str]]:
        if not isinstance(document, YamlMapping):
            self._problem(1, "", "expected the keys 'format' and 'surface'")
            return [], []
        self._keys(document, "", ("format", "surface", "not-executed"))
        if document.get("format") != SURFACE_FORMAT:
            self._problem(document.line, "format", f"expected {SURFACE_FORMAT}")
        categories = [found for entry, at in self._items(document, "surface") if (found := self._category(entry, at))]
        first: dict[str, int] = {}
        for number, category in enumerate(categories):
            if first.setdefault(category.id, number) != number:
                self._problem(document.line, f"surface[{number}].id", f"'{category.id}' is there twice")
        known = {category.id for category in categories}
        for number, category in enumerate(categories):
            for other in category.counts_as:
                if other not in known:
                    near = "".join(f", did you mean '{word}'?" for word in difflib.get_close_matches(other, known, 1))
                    self._problem(document.line, f"surface[{number}].as", f"no category '{printable(other)}'{near}")
        places = [path for entry, at in self._items(document, "not-executed") for path in self._place(entry, at)]
        return categories, places

    def _category(self, entry: YamlMapping, at: str) -> Category | None:
        before = len(self.problems)
        self._keys(entry, at, _ENTRY_KEYS)
        identifier = self._text(entry, "id", at)
        if identifier and not _IDENTIFIER.fullmatch(identifier):
            self._problem(entry.line, f"{at}.id", "expected lower case, digits and '-'")
        names = self._texts(entry, "names", at)
        for name in names:
            if "/" in name:
                self._problem(entry.lines["names"], f"{at}.names", f"'{printable(name)}' is a path, not a base name")
        found = Category(
            id=identifier,
            names=names,
            counts_as=tuple(sorted(self._texts(entry, "as", at))) if "as" in entry else (identifier,),
            why=self._text(entry, "why", at),
            reference=self._texts(entry, "reference", at),
        )
        return found if len(self.problems) == before else None

    def _place(self, entry: YamlMapping, at: str) -> Iterator[str]:
        self._keys(entry, at, _PLACE_KEYS)
        self._text(entry, "why", at)
        self._texts(entry, "reference", at)
        for path in self._texts(entry, "paths", at):
            if not path.startswith("/") or not path.endswith("/"):
                self._problem(entry.lines["paths"], f"{at}.paths", f"'{printable(path)}' is no directory (/…/)")
            else:
                yield path

    def _items(self, document: YamlMapping, key: str) -> Iterator[tuple[YamlMapping, str]]:
        value = document.get(key)
        if value is None and key != "surface":
            return
        if not isinstance(value, list) or not value:
            self._problem(document.lines.get(key, document.line), key, "expected a list")
            return
        for number, entry in enumerate(value):
            if isinstance(entry, YamlMapping):
                yield entry, f"{key}[{number}]"
            else:
                self._problem(document.lines[key], f"{key}[{number}]", "expected a mapping")

    def _keys(self, entry: YamlMapping, at: str, known: tuple[str, ...]) -> None:
        for key in entry:
            if key not in known:
                near = difflib.get_close_matches(key, known, 1)
                hint = f", did you mean '{near[0]}'?" if near else f"; known are {', '.join(known)}"
                where = f"{at}.{key}" if at else key
                self._problem(entry.lines[key], printable(where), f"unknown key{hint}")

    def _text(self, entry: Mapping[str, Any], key: str, at: str) -> str:
        value = entry.get(key)
        if isinstance(value, str) and value:
            return value
        self._problem(getattr(entry, "line", 1), f"{at}.{key}", "expected text")
        return ""

    def _texts(self, entry: Mapping[str, Any], key: str, at: str) -> tuple[str, ...]:
        value = entry.get(key)
        if isinstance(value, list) and value and all(isinstance(item, str) and item for item in value):
            return tuple(value)
        self._problem(getattr(entry, "line", 1), f"{at}.{key}", "expected a list of texts")
        return ()

    def _problem(self, line: int, where: str, what: str) -> None:
        self.problems.append(f"{self.name}:{line}: {where + ': ' if where else ''}{what}")
