"""Results of a check as SARIF 2.1.0, the format that code-scanning services take.

OASIS, Static Analysis Results Interchange Format 2.1.0 (27 March 2020); sections are named where they decide.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, get_args
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
ROOT: Final = "%SRCROOT%"
"""The base that results' files are relative to (section 3.4.4); what it is, the reader decides."""
_FINGERPRINT: Final = "pruner/v1"
"""Key of our fingerprints: scheme and its version (section 3.27.17)."""
_GITHUB: Final = "primaryLocationLineHash"
"""Key of the only fingerprint that GitHub's code scanning looks at: where it is missing, the upload makes it of the
line's text, and all results of one line become one alert (github/codeql-action, src/fingerprints.ts)."""
MOST_RESULTS: Final = 25_000
"""Of one run: GitHub refuses a log with more ("SARIF results exceed limits", the hard limit)."""


SarifLevel = Literal["error", "warning", "note"]
_LEVELS: Final[tuple[SarifLevel, ...]] = get_args(SarifLevel)


@dataclass(frozen=True, slots=True, kw_only=True)
class SarifResult:
    """One finding."""

    rule: str
    """Id of a rule."""
    level: SarifLevel
    message: str
    file: str
    """Relative path with slashes; empty where no file is meant."""
    line: int = 1
    """From 1."""
    fingerprint: str = ""
    """What stays the same when lines move; empty for rule, file and message."""
    subject: str = ""
    """The thing itself where it is none of `file`: a path in an image, a purl (a logical location, section 3.33)."""
    accepted: str = ""
    """Why the result is accepted; empty where it is not (a suppression, section 3.35)."""


def sarif_text(*, tool: str, version: str, rules: Mapping[str, str], results: Iterable[SarifResult]) -> str:
    """A SARIF log of one run: `rules` maps ids to one-line descriptions; results are sorted and each is given once.

    Of more than `MOST_RESULTS` the gravest are given, and a notification says how many are not. The same values give
    the same bytes. Raises `KeyError` for a result whose rule is not in `rules`.
    """
    ids = {name: position for position, name in enumerate(sorted(rules))}
    seen: dict[str, int] = {}
    every = sorted(set(results), key=lambda result: (_LEVELS.index(result.level), *_order(result)))
    found = sorted(every[:MOST_RESULTS], key=_order)
    driver = {
        "name": tool,
        "version": version,
        "rules": [{"id": name, "shortDescription": {"text": rules[name]}} for name in ids],
    }
    run: dict[str, Any] = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(result, ids[result.rule], seen) for result in found],
    }
    if len(every) > len(found):
        text = f"{len(every) - len(found)} further results are left out: services refuse a run with more"
        note = {"level": "warning", "message": {"text": text}}
        run["invocations"] = [{"executionSuccessful": True, "toolExecutionNotifications": [note]}]
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2, ensure_ascii=False).encode(errors="backslashreplace").decode() + "\n"


def _order(result: SarifResult) -> tuple[str, int, str, str]:
    return result.file, result.line, result.rule, result.message


def _result(result: SarifResult, position: int, seen: dict[str, int]) -> dict[str, Any]:
    told: dict[str, Any] = {
        "ruleId": result.rule,
        "ruleIndex": position,
        "level": result.level,
        "message": {"text": result.message},
    }
    if result.file:
        place = {"uri": quote(result.file, safe="/", errors="surrogateescape"), "uriBaseId": ROOT}
        location: dict[str, Any] = {
            "physicalLocation": {"artifactLocation": place, "region": {"startLine": max(result.line, 1)}}
        }
        if result.subject:
            location["logicalLocations"] = [{"fullyQualifiedName": result.subject}]
        told["locations"] = [location]
    told["partialFingerprints"] = dict.fromkeys((_FINGERPRINT, _GITHUB), _fingerprint(result, seen))
    if result.accepted:
        told["suppressions"] = [{"kind": "external", "status": "accepted", "justification": result.accepted}]
    return told


def _fingerprint(result: SarifResult, seen: dict[str, int]) -> str:
    """A digest without the line, so that a finding stays the same one when lines are put before it.

    Results that differ by their line only are told apart by their order in the file.
    """
    stable = result.fingerprint or result.message
    text = f"{result.rule}\0{result.file}\0{stable}".encode(errors="surrogateescape")
    digest = hashlib.sha256(text).hexdigest()[:32]
    seen[digest] = seen.get(digest, 0) + 1
    return f"{digest}:{seen[digest]}"
