"""The gate's policy: a YAML file that says what an image may hold, and what may change.

A policy that says nothing of a thing allows it, but for what makes a scanner blind: a package whose entry is gone while
its files remain, and a root that is not what its plan says, fail unless the policy allows them.
"""

from __future__ import annotations

import os
import re
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pruner.errors import InputError, printable
from pruner.gate.categories import category_names
from pruner.gate.policy.licenses import LicensePolicy, checked_license
from pruner.gate.policy.types import Limit, Policy, Selector
from pruner.gate.policy.waivers import waivers_of
from pruner.gate.types import Level
from pruner.read.checks import Problems, described, items, joined
from pruner.read.reported import SEVERITIES
from pruner.rules.patterns import problem_of_pattern
from pruner.yamlfile import YamlMapping, load_yaml, parse_yaml

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
_NUMBER = re.compile(r"(?P<sign>[-+])?(?P<number>[0-9]{1,12}(?:\.[0-9]{1,6})?)(?P<percent>%)?\Z")
_PURL = re.compile(r"pkg:[^/\s]+/\S+\Z")


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
        waivers=waivers_of(document, (*RULES, *(f"limits.{name}" for name in (*COUNTS, *category_names()))), problems),
        lines=_lines(document),
    )
    problems.raise_any()
    return policy


def _check_version(document: YamlMapping, problems: Problems) -> None:
    version = document.get("version")
    if type(version) is not int or version != POLICY_VERSION:
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
    problems.keys(section, "limits", (*COUNTS, *category_names()))
    found = []
    for key, text in section.texts.items():
        number = _NUMBER.match(text)
        if number is None or (number["percent"] and not number["sign"]):
            problems.add(
                section.lines[key],
                f"limits.{key}: '{printable(text[:40])}' is no limit, write a number (40), or a signed one that is "
                "relative to before (+0, -5, -10%)",
            )
            continue
        sign = -1 if number["sign"] == "-" else 1
        found.append(
            Limit(
                name=key,
                text=text,
                number=sign * float(number["number"]),
                relative=number["sign"] is not None,
                percent=number["percent"] is not None,
                line=section.lines[key],
            )
        )
    for key in section.keys() - section.texts.keys():
        problems.add(section.lines[key], f"limits.{key}: expected a number, got {described(section[key])}")
    return tuple(found)


def _selectors(key: str, document: YamlMapping, problems: Problems) -> tuple[Selector, ...]:
    found = []
    for item, line, where in items(document.get(key), document.lines.get(key, 1), key):
        reason, value = "", item
        if isinstance(item, YamlMapping):
            problems.keys(item, where, ("match", "reason"))
            reason = problems.text(item["reason"], item.lines["reason"], f"{where}.reason") if "reason" in item else ""
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
    if pattern.startswith("pkg:"):
        if _PURL.match(pattern):
            return "package"
        problems.add(
            line, f"{where}: '{printable(pattern)}' is no glob of purls, as in pkg:deb/debian/curl or pkg:*/curl*"
        )
        return None
    if pattern in category_names():
        return "category"
    near = get_close_matches(pattern, category_names(), n=1)
    advice = f"did you mean {near[0]}?" if near else f"categories are {', '.join(category_names())}"
    problems.add(
        line, f"{where}: '{printable(pattern)}' is neither a purl (pkg:…), a path (/…) nor a category, {advice}"
    )
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
        line, shown = section.lines["new"], printable(str(new)[:40])
        known = (*reversed(RATED), "allow")
        near = get_close_matches(str(new), known, n=1)
        advice = f"did you mean {near[0]}?" if near else f"expected one of {', '.join(known)}"
        problems.add(line, f"vulnerabilities.new: '{shown}' is no severity, {advice}")
    return {
        "new": new,
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
    if value in LEVELS:
        return None if value == "allow" else Level(str(value))
    near = get_close_matches(str(value), LEVELS, n=1)
    advice = f"did you mean {near[0]}?" if near else f"expected one of {', '.join(LEVELS)}"
    problems.add(section.lines[key], f"{joined(path, key)}: '{printable(str(value)[:40])}' is no level, {advice}")
    return default
