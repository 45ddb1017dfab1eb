"""Results of a check as SARIF 2.1.0, the format that code-scanning services take.

OASIS, Static Analysis Results Interchange Format 2.1.0 (27 March 2020); sections are named where they decide.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
ROOT: Final = "%SRCROOT%"
"""The base that results' files are relative to (section 3.4.4); what it is, the reader decides."""
_FINGERPRINT: Final = "pruner/v1"
"""Key of our fingerprints: scheme and its version (section 3.27.17)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SarifResult:
    """One finding."""

    rule: str
    """Id of a rule."""
    level: Literal["error", "warning", "note"]
    message: str
    file: str
    """Relative path with slashes; empty where no file is meant."""
    line: int = 1
    """From 1."""
    fingerprint: str = ""
    """What stays the same when lines move; empty for rule, file and message."""


def sarif_text(*, tool: str, version: str, rules: Mapping[str, str], results: Iterable[SarifResult]) -> str:
    """A SARIF log of one run: `rules` maps ids to one-line descriptions; results are sorted and each is given once.

    The same values give the same bytes. Raises `KeyError` for a result whose rule is not in `rules`.
    """
    ids = {name: position for position, name in enumerate(sorted(rules))}
    seen: dict[str, int] = {}
    found = sorted(set(results), key=lambda result: (result.file, result.line, result.rule, result.message))
    driver = {
        "name": tool,
        "version": version,
        "rules": [{"id": name, "shortDescription": {"text": rules[name]}} for name in ids],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(result, ids[result.rule], seen) for result in found],
    }
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2, ensure_ascii=False).encode(errors="backslashreplace").decode() + "\n"


def _result(result: SarifResult, position: int, seen: dict[str, int]) -> dict[str, Any]:
    told: dict[str, Any] = {
        "ruleId": result.rule,
        "ruleIndex": position,
        "level": result.level,
        "message": {"text": result.message},
    }
    if result.file:
        place = {"uri": quote(result.file, safe="/", errors="surrogateescape"), "uriBaseId": ROOT}
        told["locations"] = [
            {"physicalLocation": {"artifactLocation": place, "region": {"startLine": max(result.line, 1)}}}
        ]
    told["partialFingerprints"] = {_FINGERPRINT: _fingerprint(result, seen)}
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
