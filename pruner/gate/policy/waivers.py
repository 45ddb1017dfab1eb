"""Waivers of a policy: findings that are known and borne until a day, and which finding a waiver covers."""

from __future__ import annotations

import fnmatch
import re
from datetime import date
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING

from pruner.errors import printable
from pruner.gate.policy.selectors import path_matcher, purl_matcher
from pruner.gate.policy.types import Waiver
from pruner.read.checks import Problems, described, items
from pruner.rules.patterns import problem_of_pattern
from pruner.yamlfile import YamlMapping

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pruner.gate.policy.types import Finding

_NEEDED = {
    "rule": "which rule's finding is waived",
    "reason": "why it is borne",
    "owner": "who settles it",
    "expires": "the last day on which the waiver holds, as YEAR-MONTH-DAY",
}
NEVER_CATEGORIES = frozenset({"forbid", "require", "limits"})
"""Rules no finding of which is in a place that could have a category's name, as a side's file may."""
_PROSE = frozenset({"reason", "owner"})
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def covers(waiver: Waiver, finding: Finding) -> bool:
    """Whether `waiver` is about `finding`: of its rule, and naming where it is as `forbid` would, or its subject
    by any of its ids.

    What nobody could look at is covered by its exact name alone: a glob would waive more than anybody has seen.
    """
    if finding.rule != waiver.rule and not finding.rule.startswith(f"{waiver.rule}."):
        return False
    names = (finding.where, *((finding.subject,) if finding.subject else ()), *finding.aliases)
    if waiver.where in names:
        return True
    if finding.unknown or not waiver.where:
        return not finding.unknown and finding.rule == waiver.rule
    return any(_is_named(name, waiver.where) for name in names)


def _is_named(name: str, pattern: str) -> bool:
    """Whether a glob of paths, purls or other names fits; none of one kind fits a name of another."""
    for start in ("/", "pkg:"):
        if pattern.startswith(start) or name.startswith(start):
            return name.startswith(start) and pattern.startswith(start) and _matcher(pattern)(name)
    return fnmatch.fnmatchcase(name, pattern)


@cache
def _matcher(pattern: str) -> Callable[[str], bool]:
    """A plan that an image departs from gives a finding for each file: a pattern is compiled once."""
    return path_matcher(pattern) if pattern.startswith("/") else purl_matcher(pattern)


def waivers_of(
    document: YamlMapping, rules: Sequence[str], categories: Sequence[str], problems: Problems
) -> tuple[Waiver, ...]:
    """The waivers that `document` states; `rules` and `categories` are names. What is wrong goes to `problems`."""
    found = []
    for item, line, where in items(document.get("waivers"), document.lines.get("waivers", 1), "waivers"):
        if not isinstance(item, YamlMapping):
            problems.add(line, f"{where}: expected a mapping, got {described(item)}")
            continue
        problems.keys(item, where, ("rule", "where", "reason", "owner", "expires"))
        texts = {key: _stated(item, key, line, where, problems) for key in _NEEDED}
        _check_rule(texts["rule"], rules, item.lines.get("rule", line), where, problems)
        place = _place(item, texts["rule"], line, where, problems)
        if place in categories and texts["rule"].partition(".")[0] in NEVER_CATEGORIES:
            problems.add(
                item.lines["where"],
                f"{where}.where: '{place}' is a category, and findings are of what it holds; name the path, the purl "
                "or a glob of them, or for a limit its rule alone",
            )
        expires = _day(texts["expires"], item.lines.get("expires", line), where, problems)
        if expires is not None:
            del texts["expires"]
            found.append(Waiver(**texts, where=place, expires=expires, line=line, place=where))
    return tuple(found)


def _stated(item: YamlMapping, key: str, line: int, where: str, problems: Problems) -> str:
    path = f"{where}.{key}"
    if key not in item:
        problems.add(line, f"{path}: is missing, write {_NEEDED[key]}")
        return ""
    if key in _PROSE:
        return one_line(item[key], item.lines[key], path, problems)
    return problems.text(item[key], item.lines[key], path)


def one_line(value: object, line: int, path: str, problems: Problems) -> str:
    """A text with its blanks and line ends as single spaces (YAML's folded and block texts), or "" where it is none."""
    text = " ".join(problems.text(value, line, path).split())
    if not text and isinstance(value, str) and value:
        problems.add(line, f"{path}: expected text, got blanks")
    return text


def _place(item: YamlMapping, rule: str, line: int, where: str, problems: Problems) -> str:
    if "where" not in item:
        if rule and not rule.startswith("limits."):
            problems.add(
                line,
                f"{where}.where: is missing, so everything that {printable(rule)} finds would be waived; name the "
                "path, the purl or the vulnerability",
            )
        return ""
    at = item.lines["where"]
    place = problems.text(item["where"], at, f"{where}.where")
    fault = problem_of_pattern(place) if place.startswith("/") else ""
    if place and not place.strip("*?"):
        fault = f"'{printable(place)}' names everything; name the path, the purl or the vulnerability"
    if fault:
        problems.add(at, f"{where}.where: {fault}")
        return ""
    return place


def _check_rule(rule: str, known: Sequence[str], line: int, where: str, problems: Problems) -> None:
    if rule and rule not in known:
        near = get_close_matches(rule, known, n=1)
        listed = ", ".join(name for name in known if not name.startswith("limits."))
        advice = f"did you mean {near[0]}?" if near else f"rules are {listed}"
        problems.add(line, f"{where}.rule: '{printable(rule)}' is no rule, {advice}")


def _day(text: str, line: int, where: str, problems: Problems) -> date | None:
    if not text:
        return None  # noted as missing: a waiver without an end is a hole for good
    try:
        if _DATE.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    problems.add(line, f"{where}.expires: '{printable(text[:40])}' is no date, write YEAR-MONTH-DAY")
    return None
