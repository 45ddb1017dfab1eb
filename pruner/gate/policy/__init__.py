"""The gate's policy: a YAML file that says what an image may hold, and what may change.

A policy that says nothing of a thing allows it, but for what makes a scanner blind: a package whose entry is gone while
its files remain, and a root that is not what its plan says, fail unless the policy allows them.
"""

from __future__ import annotations

import math
import os
import re
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pruner.errors import InputError, printable
from pruner.gate.categories import category_names
from pruner.gate.policy.licenses import LicensePolicy, checked_license, slip
from pruner.gate.policy.types import Level, Limit, Policy, Selector
from pruner.gate.policy.waivers import one_line, waivers_of
from pruner.read.checks import Problems, described, items, joined
from pruner.read.reported import SEVERITIES
from pruner.rules.patterns import problem_of_pattern
from pruner.yamlfile import YamlMapping, load_yaml, parse_yaml

if TYPE_CHECKING:
    from collections.abc import Sequence

POLICY_VERSION = 1
COUNTS = ("packages", "files", "megabytes", "setuid", "executables")
"""What `limits` counts besides the categories of the catalogue."""

LEVELS = ("fail", "warn", "allow")
KEYS = (
    "version", "limits", "forbid", "require", "vulnerabilities", "licenses", "visibility", "conformity", "waivers",
)  # fmt: skip
RULES = (
    "limits", "forbid", "require", "vulnerabilities.new", "vulnerabilities.unseen", "vulnerabilities.unrated",
    "vulnerabilities.database", "licenses", "visibility", "conformity",
)  # fmt: skip
"""What a waiver may name; `limits` stands for every limit, `limits.files` for one."""

RATED = SEVERITIES[1:]
LIMIT = "[0-9]{1,12}([.][0-9]{1,6})?|[-+][0-9]{1,12}([.][0-9]{1,6})?%?"
"""How a limit is written, as a regular expression of JSON Schema; any other spelling of a number will do as well."""
PURL = r"pkg:[^/\s]+/\S+"
_LIMIT = re.compile(LIMIT)
_PURL = re.compile(PURL)
_NAME = re.compile(r"[\w.+*-]{1,40}")


def limit_names() -> tuple[str, ...]:
    """What `limits` may name."""
    return tuple(dict.fromkeys((*COUNTS, *category_names())))


def rule_names() -> tuple[str, ...]:
    """What a waiver's `rule` may be."""
    return (*RULES, *(f"limits.{name}" for name in limit_names()))


def read_policy(path: Path) -> Policy:
    """The policy in the file at `path`.

    Raises `InputError` that names the file, and line and key path of everything that is wrong with it; for a key that
    is not known the nearest one that is.
    """
    return _policy(load_yaml(path), printable(str(path)), printable(_place(path)))


def _place(path: Path) -> str:
    """`path` relative to the working directory, with slashes; the base name alone where it is not below that."""
    below = Path(os.path.relpath(path))
    return path.name if below.parts[0] == ".." else below.as_posix()


def policy_of(text: str, name: str = "policy.yaml") -> Policy:
    """The policy that `text` states; raises as `read_policy` does."""
    return _policy(parse_yaml(text, name=name), name, name)


def _policy(document: object, file: str, name: str) -> Policy:
    problems = Problems(file)
    if not isinstance(document, YamlMapping):
        known = f"keys: {', '.join(KEYS)}"
        raise InputError(f"{file}:1: expected a mapping, got {described(document)}", hint=known)
    problems.keys(document, "", KEYS)
    _check_version(document, problems)
    policy = Policy(
        name=name,
        limits=_limits(document, problems),
        forbid=_selectors("forbid", document, problems),
        require=_selectors("require", document, problems),
        **_vulnerabilities(document, problems),
        licenses=_licenses(document, problems),
        **_visibility(document, problems),
        conformity=_level(document, "conformity", "", Level.FAIL, problems),
        waivers=waivers_of(document, rule_names(), category_names(), problems),
        lines=_lines(document),
    )
    _check_contradictions(policy, problems)
    problems.raise_any()
    return policy


def _check_contradictions(policy: Policy, problems: Problems) -> None:
    """What can't ever pass: the same thing forbidden and required."""
    forbidden = {selector.pattern: selector for selector in policy.forbid}
    for selector in policy.require:
        other = forbidden.get(selector.pattern)
        if other is not None:
            problems.add(
                selector.line,
                f"{selector.place}: '{printable(selector.pattern)}' is forbidden as well (line {other.line}), so that "
                "nothing passes",
            )


def _check_version(document: YamlMapping, problems: Problems) -> None:
    version = document.get("version")
    if isinstance(version, bool) or version != POLICY_VERSION:
        line = document.lines.get("version", document.line)
        problems.add(line, f"version: expected {POLICY_VERSION}, got {described(version)}")


def _lines(document: YamlMapping) -> dict[str, int]:
    found = dict(document.lines)
    for key, value in document.items():
        if isinstance(value, YamlMapping):
            found.update({f"{key}.{name}": line for name, line in value.lines.items()})
    return found


def _section(document: YamlMapping, key: str, problems: Problems) -> YamlMapping | None:
    value = document.get(key)
    if value is None or isinstance(value, YamlMapping):
        return value
    problems.add(document.lines[key], f"{key}: expected a mapping, got {described(value)}")
    return None


def _limits(document: YamlMapping, problems: Problems) -> tuple[Limit, ...]:
    section = _section(document, "limits", problems)
    if section is None:
        return ()
    problems.keys(section, "limits", limit_names())
    limits = (_limit(key, section, problems) for key in section)
    return tuple(limit for limit in limits if limit is not None)


def _limit(key: str, section: YamlMapping, problems: Problems) -> Limit | None:
    text, value = section.texts.get(key), section[key]
    place, line = f"limits.{printable(key)}", section.lines[key]
    if text is None:
        problems.add(line, f"{place}: expected a number, got {described(value)}")
        return None
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not is_number and not _LIMIT.fullmatch(text):
        problems.add(
            line,
            f"{place}: '{printable(text[:40])}' is no limit, write a number (40), or a signed one that is relative to "
            "before (+0, -5, -10%)",
        )
        return None
    return Limit(
        name=key,
        text=text,
        number=float(text.removesuffix("%")),
        relative=text[0] in "+-",
        percent=text.endswith("%"),
        line=line,
    )


def _selectors(key: str, document: YamlMapping, problems: Problems) -> tuple[Selector, ...]:
    found = []
    for item, line, where in items(document.get(key), document.lines.get(key, 1), key):
        reason, value = "", item
        if isinstance(item, YamlMapping):
            problems.keys(item, where, ("match", "reason"))
            if "reason" in item:
                reason = one_line(item["reason"], item.lines["reason"], f"{where}.reason", problems)
            value = item.get("match")
        pattern = problems.text(value, line, where)
        kind = _kind(pattern, line, where, problems) if pattern else None
        if kind is not None:
            found.append(Selector(kind=kind, pattern=pattern, reason=reason, line=line, place=where))
    return tuple(found)


def _kind(pattern: str, line: int, where: str, problems: Problems) -> str | None:
    fault = problem_of_pattern(pattern)
    if fault:
        problems.add(line, f"{where}: {fault}")
        return None
    if pattern.startswith("/"):
        return "path"
    if pattern in category_names():
        return "category"
    shown = printable(pattern)
    if not pattern.startswith("pkg:"):
        near = get_close_matches(pattern, category_names(), n=1)
        advice = f"did you mean {near[0]}?" if near else f"categories are {', '.join(category_names())}"
        name = shown if _NAME.fullmatch(pattern) else "NAME"
        kinds = f"a purl (pkg:*/{name}), a path (/**/{name})"
        problems.add(line, f"{where}: '{shown}' is neither {kinds} nor a category, {advice}")
    elif _PURL.fullmatch(pattern):
        return "package"
    else:
        problems.add(line, f"{where}: '{shown}' is no glob of purls, as in pkg:deb/debian/curl or pkg:*/curl*")
    return None


def _vulnerabilities(document: YamlMapping, problems: Problems) -> dict[str, Any]:
    section = _section(document, "vulnerabilities", problems)
    if section is None:
        return {}
    problems.keys(section, "vulnerabilities", ("new", "unrated", "unseen", "database"))
    new = section.get("new")
    if new == "allow":
        new = None
    elif new is not None and new not in RATED:
        fault = _no_choice(section, "new", "severity", (*reversed(RATED), "allow"))
        problems.add(section.lines["new"], f"vulnerabilities.new: {fault}")
    return {
        "new": new,
        "new_allowed": section.get("new") == "allow",
        "unrated": _level(section, "unrated", "vulnerabilities", Level.WARN, problems),
        "unseen": _level(section, "unseen", "vulnerabilities", Level.FAIL, problems),
        "database": _level(section, "database", "vulnerabilities", Level.WARN, problems),
    }


def _visibility(document: YamlMapping, problems: Problems) -> dict[str, Any]:
    """One level for all, or one for each kind; what can't be told never fails unless the policy says so."""
    value = document.get("visibility")
    if isinstance(value, YamlMapping):
        problems.keys(value, "visibility", ("invisible", "unknown"))
        return {
            "visibility": _level(value, "invisible", "visibility", Level.FAIL, problems),
            "untold": _level(value, "unknown", "visibility", Level.WARN, problems),
        }
    level = _level(document, "visibility", "", Level.FAIL, problems)
    return {"visibility": level, "untold": level and Level.WARN}


def _licenses(document: YamlMapping, problems: Problems) -> LicensePolicy | None:
    section = _section(document, "licenses", problems)
    if section is None:
        return None
    problems.keys(section, "licenses", ("allow", "deny", "unknown"))
    lists: dict[str, tuple[str, ...]] = {}
    for key in ("allow", "deny"):
        place = joined("licenses", key)
        texts = []
        for item, line, where in items(section.get(key), section.lines.get(key, 1), place):
            text = problems.text(item, line, where)
            license_, fault = checked_license(text) if text else ("", "")
            fault = fault or (slip(license_) if license_ and key == "deny" else "")
            if fault:
                problems.add(line, f"{where}: {fault}")
            texts.append(license_)
        lists[key] = tuple(texts)
        if key in section and not texts:
            problems.add(section.lines[key], f"{place}: names no license; leave it out, or say which")
    return LicensePolicy(**lists, unknown=_level(section, "unknown", "licenses", Level.WARN, problems))


def _level(section: YamlMapping, key: str, path: str, default: Level | None, problems: Problems) -> Level | None:
    value = section.get(key)
    if value is None:
        return default
    if isinstance(value, str) and value in LEVELS:
        return None if value == "allow" else Level(value)
    problems.add(section.lines[key], f"{joined(path, key)}: {_no_choice(section, key, 'level', LEVELS)}")
    return default


def _no_choice(section: YamlMapping, key: str, what: str, known: Sequence[str]) -> str:
    """What is wrong with the value of `key`, which is none of `known`."""
    text = section.texts.get(key)
    if text is None:
        return f"expected one of {', '.join(known)}, got {described(section[key])}"
    near = get_close_matches(text, known, n=1)
    advice = f"did you mean {near[0]}?" if near else f"expected one of {', '.join(known)}"
    return f"'{printable(text[:40])}' is no {what}, {advice}"
