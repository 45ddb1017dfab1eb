"""The JSON Schema of a policy and its reader agree on what a policy is."""

from __future__ import annotations

import json
from copy import deepcopy
from functools import cache
from typing import Any

import jsonschema
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pruner.errors import InputError
from pruner.gate.policy import KEYS, policy_of
from pruner.gate.policy.schema import policy_schema

WAIVER = {"rule": "forbid", "where": "/a", "reason": "known", "owner": "team", "expires": "2030-01-31"}
WHOLE: dict[str, Any] = {
    "version": 1,
    "limits": {"packages": 40, "files": "+0", "megabytes": 12.5, "setuid": "-10%", "shell": 0},
    "forbid": ["pkg:deb/debian/curl*", "/root/**", {"match": "shell", "reason": "nothing is scripted"}, "compiler"],
    "require": "/etc/passwd",
    "vulnerabilities": {"new": "high", "unrated": "allow", "unseen": "warn", "database": "fail"},
    "licenses": {"allow": ["MIT"], "deny": "GPL-3.0-*", "unknown": "fail"},
    "visibility": {"invisible": "fail", "unknown": "warn"},
    "conformity": "fail",
    "waivers": [WAIVER, {**WAIVER, "rule": "limits.setuid", "where": "limits.setuid"}],
}
TEXTS = st.sampled_from(
    ["", " ", "x", "0", "40", "+0", "-5", "+5%", "10%", "40 ", "1e3", "--1", "1.", "0.5", "1" * 13, "shell", "setuid", "Shell",
     "/", "/*", "/a/../b", "/./a", "/a/..", "/..a", "/**", "/*/*/*/*/*/*/*/*", "/*/*/*/*/*/*/*/*/*", "/********", "/*?*?*?*?*",
     "/" + "a" * 400, "/a\nb", "pkg:", "pkg:curl", "pkg:deb/curl", "pkg:*/*", "pkg:a/b c", "pkg:a/b\n", "pkg:deb/a?b=c",
     "fail", "warn", "allow", "Fail", "high", "none", "unknown", "negligible", "*", "**", "?*", "*a", "CVE-2024-1", "MIT",
     "forbid", "limits", "limits.files", "limits.setuid", "limits.x", "vulnerabilities", "licenses", "waiver", "2030-01-31",
     "2030-02-30", "2030-1-1", "20300131", "2030-W01-1", "2030-01-31 ", "a\0b", "\u2028", "null", "~", "true"]
)  # fmt: skip
JUNK = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**20), 10**20),
        st.integers(-2, 2),
        st.floats(allow_nan=False, allow_infinity=False),
        TEXTS,
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from([*KEYS, "match", "reason", "rule", "where", "new", "x"]), inner, max_size=3),
    ),
    max_leaves=4,
)


@cache
def validator() -> jsonschema.Draft202012Validator:
    schema = policy_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())


def reader_takes(document: object) -> bool:
    """Whether it is a policy; that a thing is both forbidden and required is for the reader alone to see."""
    try:
        policy_of(json.dumps(document))
    except InputError as error:
        return bool(error.facts) and all("is forbidden as well" in fact for fact in error.facts)
    return True


def places(value: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, item in inner for place in places(item, (*path, key)))]


@st.composite
def mutants(draw: st.DrawFn) -> Any:
    """The whole policy with up to three of its values replaced, left out or under another key."""
    document = deepcopy(WHOLE)
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.sampled_from([place for place in places(document) if place]))
        parent: Any = document
        for key in place[:-1]:
            parent = parent[key]
        change = draw(st.sampled_from(["value", "value", "value", "gone", "key"]))
        if change == "value" or isinstance(parent, list):
            parent[place[-1]] = draw(JUNK)
        elif change == "gone":
            del parent[place[-1]]
        else:
            parent[draw(st.sampled_from([*KEYS, "x", "match", "where"]))] = parent.pop(place[-1])
    if isinstance(document.get("licenses"), dict):
        document["licenses"] = {key: _spelled(value) for key, value in document["licenses"].items()}
    return document


def _spelled(value: Any) -> Any:
    """`value` with a license that there is for any that there may not be: spelling is the reader's alone."""
    if isinstance(value, list):
        return [_spelled(item) for item in value]
    return "MIT" if isinstance(value, str) and value.strip(" \0") and value not in {"fail", "warn", "allow"} else value


@settings(max_examples=400)
@given(st.one_of(mutants(), mutants(), JUNK))
@example(WHOLE)
@example({"version": 1, "forbid": ["/a\n"]})
@example({"version": 1.0})
@example({"version": True})
@example({"version": 1, "limits": {"files": 1e-9}})
@example({"version": 1, "limits": {"files": True}})
@example({"version": 1, "waivers": [{**WAIVER, "expires": "2030-02-30"}]})
@example({"version": 1, "waivers": [{**WAIVER, "reason": " \n"}]})
@example({"version": 1, "waivers": [{**WAIVER, "where": "shell"}]})
@example({"version": 1, "waivers": [{**WAIVER, "rule": "limits.shell", "where": "shell"}]})
@example({"version": 1, "waivers": [{**WAIVER, "rule": "licenses", "where": "shell"}]})
@example({"version": 1, "forbid": "shell", "require": "shell"})
def test_the_schema_takes_what_the_reader_takes(document: Any) -> None:
    """A document is a policy for both or for neither, whatever is wrong with it."""
    assert validator().is_valid(document) is reader_takes(document)
