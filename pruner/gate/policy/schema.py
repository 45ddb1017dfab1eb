"""The JSON Schema of a policy, for editors: it takes what the reader takes.

But for what the reader alone looks at: the spelling of licenses, whether a `[…]` of a glob stands for anything, whether
the calendar has a day (a `format`, which a validator need not assert), and whether the same is forbidden and required.
"""

from __future__ import annotations

from typing import Any

from pruner.gate.categories import category_names
from pruner.gate.policy import KEYS, LEVELS, LIMIT, POLICY_VERSION, PURL, RATED, limit_names, rule_names
from pruner.gate.policy.waivers import NEVER_CATEGORIES
from pruner.rules.patterns import MAX_LENGTH, MAX_WILDCARDS

_END = r"$(?!\n)"
"""Python's validators let `$` stand before a last line end; ECMA's, which JSON Schema follows, don't."""
_TEXT: dict[str, Any] = {"type": "string", "pattern": r"^[^\u0000]*[^\s\u0000][^\u0000]*$"}
_LIMIT = {
    "anyOf": [
        {"type": "number"},
        {"type": "string", "pattern": f"^({LIMIT}){_END}"},
    ],
    "description": "The most that there may be: 40, or relative to before: +0, -5, -10%.",
}
_WILDCARDS = r"(([*](?![*])|[?]|\[)([^*?\[]|[*](?=[*]))*)"
"""A run of asterisks is one wildcard; what follows up to the next belongs to it, so that nothing is tried twice."""
_GLOB = {
    "type": "string",
    "maxLength": MAX_LENGTH,
    "not": {"anyOf": [{"pattern": r"[\u0000\n]"}, {"pattern": f"{_WILDCARDS}{{{MAX_WILDCARDS + 1}}}"}]},
}
_WHERE = r"^(?!/)[^\u0000]*[^*?\u0000][^\u0000]*$"
_PATH = {"allOf": [_GLOB, {"pattern": "^/", "not": {"pattern": "/[.][.]?(/|$(?!\\n))"}}]}


def policy_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a policy."""
    categories = list(category_names())
    selector = {"anyOf": [{"enum": categories}, _PATH, {**_GLOB, "allOf": [{"pattern": f"^{PURL}{_END}"}]}]}
    entry = {"anyOf": [selector, _mapping({"match": selector, "reason": _TEXT}, ["match"])]}
    properties = {
        "version": {"const": POLICY_VERSION, "description": "Version of this file's format."},
        "limits": {
            **_optional(_mapping(dict.fromkeys(limit_names(), _LIMIT), [])),
            "description": "The most that there may be after; what is left out has no limit.",
        },
        "forbid": _listed(
            entry, "Globs of purls (pkg:…) and paths (/…), and categories, that must not be there; none by default."
        ),
        "require": _listed(entry, "The same for what must be there; nothing by default."),
        "vulnerabilities": {
            **_optional(_mapping(_vulnerabilities(), [])),
            "description": "Needs reports on both sides: without them a key that is stated fails, or warns where it is "
            "warn. Where reports are given the defaults hold for what is left out.",
        },
        "licenses": {
            **_optional(_mapping(_licenses(), [])),
            "description": "Not looked at where it is left out.",
        },
        "visibility": {
            "anyOf": [{"enum": [*LEVELS, None]}, _mapping(_visibility(), [])],
            "description": "Packages without an entry whose files remain; fail alone warns where that can't be told.",
            "default": "fail",
        },
        "conformity": _level(
            "What differs from the plan that --plan gives. Where it is left out, a plan that is given is held against, "
            "and none is asked for; stated as fail or warn, it is.",
            "fail",
        ),
        "waivers": _listed(_waiver(), "Findings that are borne until a day."),
    }
    root = _mapping({key: properties[key] for key in KEYS}, ["version"])
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Policy of pruner's gate", **root}


def _vulnerabilities() -> dict[str, Any]:
    return {
        "new": {
            "enum": [*reversed(RATED), "allow", None],
            "description": "None of this severity or worse. Where it is left out, new ones are one warning.",
        },
        "unrated": _level("New ones without a severity, where this or new is stated.", "warn"),
        "unseen": _level("Gone from the report and not from the image.", "fail"),
        "database": _level(
            "Gone from the report while the same version is there, and the databases differ or are not named (Trivy "
            "and CycloneDX name none, so that fail is what makes them count).",
            "warn",
        ),
    }


def _licenses() -> dict[str, Any]:
    names = {"anyOf": [_TEXT, {"type": "array", "items": _TEXT, "minItems": 1}]}
    return {
        "allow": {**names, "description": "SPDX identifiers and globs of them; where it is left out all are allowed."},
        "deny": {**names, "description": "SPDX identifiers and globs of them."},
        "unknown": _level(
            "Packages that state no license, or with deny alone a word that SPDX does not know.",
            "warn",
        ),
    }


def _visibility() -> dict[str, Any]:
    return {
        "invisible": _level("Packages without an entry whose files remain.", "fail"),
        "unknown": _level("Packages of which that can't be told.", "warn"),
    }


def _waiver() -> dict[str, Any]:
    where = "What it names, or a glob of it: a path, a purl, a vulnerability's id. Only limits.NAME does without."
    properties = {
        "rule": {"enum": list(rule_names()), "description": "The rule of the finding."},
        "where": {"anyOf": [{"type": "string", "pattern": _WHERE}, _PATH], "description": where},
        "reason": _TEXT,
        "owner": _TEXT,
        "expires": {
            "type": "string",
            "format": "date",
            "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}" + _END,
            "description": "The last day on which it holds.",
        },
    }
    named = [{"required": ["where"]}, {"properties": {"rule": {"pattern": "^limits\\."}}}]
    category = {"required": ["rule", "where"], "properties": _names_a_category()}
    return {**_mapping(properties, ["rule", "reason", "owner", "expires"]), "anyOf": named, "not": category}


def _names_a_category() -> dict[str, Any]:
    return {
        "rule": {"pattern": f"^({'|'.join(sorted(NEVER_CATEGORIES))})([.]|{_END})"},
        "where": {"enum": list(category_names())},
    }


def _mapping(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _optional(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


def _listed(item: dict[str, Any], description: str) -> dict[str, Any]:
    return {"anyOf": [item, {"type": "array", "items": item}, {"type": "null"}], "description": description}


def _level(description: str, default: str) -> dict[str, Any]:
    return {"enum": [*LEVELS, None], "description": description, "default": default}
