"""Turns the values of a rule file into rules, and says everything that is wrong with them at once."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Any

from pruner.model import EdgeKind
from pruner.rules.patterns import Pattern, name_pattern, path_pattern, problem_of_pattern
from pruner.rules.types import NEVER, Condition, DropClass, Optional, Rule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

FORMAT = 1

_IDENTIFIER = re.compile(r"[a-z0-9]+(?:[-.][a-z0-9]+)*")
_CAPABILITY = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*(?:=.+)?", re.DOTALL)
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_PLACEHOLDERS = frozenset({"bin", "lib", "value", "dir", "prefix", "name", "stem", "package", "source"})
_WORDS = ("owner", "names", "alternatives")
_KINDS = {
    kind.value: kind
    for kind in (
        EdgeKind.EXEC, EdgeKind.LOAD, EdgeKind.DATA, EdgeKind.STATE, EdgeKind.CONFIG, EdgeKind.IMPORT,
        EdgeKind.COMPANION,
    )
}  # fmt: skip
_RULE_KEYS = (
    "id", "when", "unless", "keep", "as", "directory", "link", "ask", "except", "drop-class", "optional", "why",
    "reference",
)  # fmt: skip
_FILE_KEYS = ("symbol", "literal", "path", "package", "source", "type", "distro")
_WHEN_KEYS = (*_FILE_KEYS, "capability", "active", "content")


class RuleReader:
    """Reads the rules of one file; `issues` collects `FILE:LINE: KEY PATH: what is wrong`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.issues: list[str] = []
        self._lines: dict[str, int] = {}

    def rules(self, document: Any) -> tuple[Rule, ...]:
        """The rules of `document` that are right; the others are in `issues`."""
        if not isinstance(document, dict):
            self._issue("", "expected the keys 'format' and 'rules'")
            return ()
        self._keys(document, "", ("format", "rules"))
        if document.get("format") != FORMAT:
            self._issue("format", f"expected {FORMAT}, found {document.get('format')!r}")
            return ()
        entries = document.get("rules")
        if not isinstance(entries, list) or not entries:
            self._issue("rules", "expected a list of rules")
            return ()
        self._lines.update({f"rules[{number}]": line for number, line in enumerate(getattr(entries, "lines", ()))})
        read = (self._rule(entry, f"rules[{number}]") for number, entry in enumerate(entries))
        return tuple(rule for rule in read if rule is not None)

    def _rule(self, entry: Any, at: str) -> Rule | None:
        before = len(self.issues)
        if not isinstance(entry, dict):
            self._issue(at, "expected a rule (a mapping)")
            return None
        self._keys(entry, at, _RULE_KEYS)
        rule = Rule(
            id=self._text(entry, "id", at, _IDENTIFIER),
            when=self._condition(entry.get("when"), f"{at}.when", _WHEN_KEYS),
            unless=self._condition(entry.get("unless"), f"{at}.unless", _FILE_KEYS),
            keep=self._targets(entry.get("keep"), f"{at}.keep"),
            kind=self._kind(entry.get("as"), f"{at}.as"),
            directories=self._paths(entry.get("directory"), f"{at}.directory"),
            links=self._paths(entry.get("link"), f"{at}.link"),
            ask=self._capabilities(entry.get("ask"), f"{at}.ask"),
            exceptions=self._patterns(entry.get("except"), f"{at}.except", path_pattern),
            drop=self._drop_class(entry.get("drop-class"), f"{at}.drop-class"),
            optional=self._optional(entry.get("optional"), f"{at}.optional"),
            why=self._text(entry, "why", at),
            reference=self._references(entry.get("reference"), f"{at}.reference"),
            origin=self.name,
        )
        if len(self.issues) == before:
            self._check_sense(rule, entry, at)
        return rule if len(self.issues) == before else None

    def _check_sense(self, rule: Rule, entry: Mapping[str, Any], at: str) -> None:
        when = rule.when
        about = (
            when.about_files,
            bool(when.capabilities),
            bool(when.packages or when.sources) and not when.about_files,
        )
        if rule.drop is not None:
            if set(entry) & {"keep", "ask", "link", "directory", "optional", "as"}:
                self._issue(at, "'drop-class' stands alone, with 'except'")
            if sum(about):
                self._issue(f"{at}.when", "'drop-class' takes only the condition 'distro'")
        elif sum(about) != 1:
            self._issue(
                f"{at}.when", "expected conditions on a file, on a package or on a capability, and on one of them"
            )
        elif not rule.has_edges and not (rule.optional and about[2]):
            self._issue(at, "does nothing: give 'keep', 'directory', 'link', 'ask' or 'drop-class'")
        if rule.optional and rule.optional.files and (when.about_files or when.capabilities):
            self._issue(f"{at}.optional.files", "only a rule about a package names its files")
        self._check_placeholders(rule, at)

    def _check_placeholders(self, rule: Rule, at: str) -> None:
        when = rule.when
        allowed = {"bin", "lib", *(str(number) for number in range(1, 10))}
        allowed |= {"dir", "prefix", "name", "stem"} if when.about_files else set()
        allowed |= {"value"} if when.capabilities else set()
        allowed |= set() if when.capabilities else {"package", "source"}
        for text in (*rule.keep, *rule.directories, *rule.links, *rule.ask):
            for placeholder in _PLACEHOLDER.findall(text):
                if placeholder not in allowed:
                    known = "has no value in this rule" if placeholder in _PLACEHOLDERS else "is unknown"
                    self._issue(at, f"placeholder {{{placeholder}}} of {text!r} {known}")
        for word in _WORDS if not when.about_files else ():
            if word in rule.keep:
                self._issue(f"{at}.keep", f"only a rule about files has {word!r}")

    def _condition(self, value: Any, at: str, keys: Iterable[str]) -> Condition:
        if value is None:
            return NEVER
        if not isinstance(value, dict):
            self._issue(at, "expected a mapping of conditions")
            return NEVER
        self._keys(value, at, keys)
        names = {
            field: self._patterns(value.get(key), f"{at}.{key}", name_pattern)
            for field, key in (
                ("symbols", "symbol"), ("literals", "literal"), ("packages", "package"), ("sources", "source"),
                ("distros", "distro"), ("capabilities", "capability"),
            )
        }  # fmt: skip
        return Condition(
            **names,
            paths=self._patterns(value.get("path"), f"{at}.path", path_pattern),
            types=self._strings(value.get("type"), f"{at}.type"),
            active=self._flag(value, "active", at) is not False,
            content=self._flag(value, "content", at),
        )

    def _optional(self, value: Any, at: str) -> Optional | None:
        if value is None:
            return None
        if not isinstance(value, dict):
            self._issue(at, "expected the keys 'group' and 'default'")
            return None
        self._keys(value, at, ("group", "default", "files"))
        if value.get("default") not in {"accept", "refuse"}:
            self._issue(f"{at}.default", f"expected 'accept' or 'refuse', found {value.get('default')!r}")
        return Optional(
            group=self._text(value, "group", at, _IDENTIFIER),
            default=value.get("default") == "accept",
            files=self._patterns(value.get("files"), f"{at}.files", path_pattern),
        )

    def _drop_class(self, value: Any, at: str) -> DropClass | None:
        if value is None:
            return None
        if not isinstance(value, dict):
            self._issue(at, "expected the keys 'name' and 'files'")
            return None
        self._keys(value, at, ("name", "files"))
        files = self._patterns(value.get("files"), f"{at}.files", path_pattern)
        if not files:
            self._issue(f"{at}.files", "expected at least one path")
        return DropClass(name=self._text(value, "name", at, _IDENTIFIER), files=files)

    def _targets(self, value: Any, at: str) -> tuple[str, ...]:
        targets = self._strings(value, at)
        for number, target in enumerate(targets):
            named = target in _WORDS or target.startswith(("package:", "command:"))
            if not named and not target.startswith(("/", "{lib}", "{bin}", "{dir}", "{prefix}", "{value}")):
                known = ", ".join(_WORDS)
                self._issue(f"{at}[{number}]", f"{target!r} is no path, {known}, package:GLOB or command:NAME")
            self._check_pattern(target, f"{at}[{number}]")
        return targets

    def _paths(self, value: Any, at: str) -> tuple[str, ...]:
        paths = self._strings(value, at)
        for number, path in enumerate(paths):
            if not path.startswith(("/", "{lib}", "{bin}", "{dir}", "{prefix}", "{value}")):
                self._issue(f"{at}[{number}]", f"{path!r} is no absolute path")
            self._check_pattern(path, f"{at}[{number}]")
        return paths

    def _capabilities(self, value: Any, at: str) -> tuple[str, ...]:
        names = self._strings(value, at)
        for number, name in enumerate(names):
            if not _CAPABILITY.fullmatch(name):
                self._issue(f"{at}[{number}]", f"{name!r} is no capability; expected NAME or NAME=VALUE")
        return names

    def _references(self, value: Any, at: str) -> tuple[str, ...]:
        references = self._strings(value, at)
        if not references:
            self._issue(at, "expected a manual page, specification or source file")
        return references

    def _patterns(self, value: Any, at: str, make: Callable[[str], Pattern]) -> tuple[Pattern, ...]:
        texts = self._strings(value, at)
        before = len(self.issues)
        for number, text in enumerate(texts):
            self._check_pattern(text, f"{at}[{number}]")
            if make is path_pattern and not text.startswith(("/", "{lib}", "{bin}")):
                self._issue(f"{at}[{number}]", f"{text!r} is no absolute path")
        return tuple(make(text) for text in texts) if len(self.issues) == before else ()

    def _check_pattern(self, text: str, at: str) -> None:
        problem = problem_of_pattern(text)
        if problem:
            self._issue(at, f"{text[:60]!r} {problem}")

    def _kind(self, value: Any, at: str) -> EdgeKind | None:
        if value is None or value in _KINDS:
            return None if value is None else _KINDS[value]
        self._issue(at, f"expected one of {', '.join(_KINDS)}; found {value!r}")
        return None

    def _text(self, entry: Mapping[str, Any], key: str, at: str, form: re.Pattern[str] | None = None) -> str:
        value = entry.get(key)
        if not isinstance(value, str) or not value.strip():
            self._issue(f"{at}.{key}", "expected a text" if key in entry else "is missing")
            return ""
        if form is not None and not form.fullmatch(value):
            self._issue(f"{at}.{key}", f"{value!r}: only lower case letters, digits and '-' between them")
        return " ".join(value.split())

    def _strings(self, value: Any, at: str) -> tuple[str, ...]:
        values = [] if value is None else value if isinstance(value, list) else [value]
        for number, item in enumerate(values):
            if not isinstance(item, str) or not item:
                place = f"{at}[{number}]" if isinstance(value, list) else at
                self._issue(place, f"expected a string, found {type(item).__name__} (quote it)")
        return tuple(item for item in values if isinstance(item, str) and item)

    def _flag(self, entry: Mapping[str, Any], key: str, at: str) -> bool | None:
        value = entry.get(key)
        if value is None or isinstance(value, bool):
            return value
        self._issue(f"{at}.{key}", f"expected true or false, found {value!r}")
        return None

    def _keys(self, entry: Mapping[str, Any], at: str, known: Iterable[str]) -> None:
        known = tuple(known)
        lines = getattr(entry, "lines", {})
        for key in entry:
            self._lines[f"{at}.{key}".lstrip(".")] = lines.get(key, 0)
            if key not in known:
                near = difflib.get_close_matches(key, known, n=1)
                hint = f"; did you mean {near[0]!r}?" if near else f"; expected one of {', '.join(known)}"
                self._issue(f"{at}.{key}".lstrip("."), f"unknown key{hint}")

    def _issue(self, at: str, text: str) -> None:
        place = at
        while place and not self._lines.get(place):
            place = place[: max(place.rfind("."), place.rfind("["), 0)]
        name = f"{self.name}:{self._lines[place]}" if place else self.name
        self.issues.append(": ".join(part for part in (name, at, text) if part))
