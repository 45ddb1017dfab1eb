"""The JSON Schemas of the gate's JSON report and of `pruner diff --json`."""

from __future__ import annotations

from typing import Any

from pruner.gate.policy.types import Level
from pruner.gate.reports.document import (
    DIFF_SCHEMA_NAME,
    DIFF_SCHEMA_VERSION,
    GATE_SCHEMA_NAME,
    GATE_SCHEMA_VERSION,
)
from pruner.gate.types import Change, Fate, SideKind
from pruner.model import FileType
from pruner.read.reported import SEVERITIES

_TEXT = {"type": "string"}
_TEXTS = {"type": "array", "items": _TEXT}
_COUNT = {"type": ["number", "null"]}
_NATURAL = {"type": ["integer", "null"], "minimum": 0}
_VISIBILITY = ("present", "removed", "invisible", "unknown")


def gate_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of the report. Sizes are bytes, `megabytes` 10^6 of them; null is unknown."""
    verdict = {
        "passed": {"type": "boolean"},
        "policy": _TEXT,
        "limits": _array(_limit()),
        "findings": _array(_finding()),
    }
    return _document("Report of pruner's gate", GATE_SCHEMA_NAME, GATE_SCHEMA_VERSION, verdict)


def diff_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of what `pruner diff --json` prints. Sizes are bytes; null is unknown."""
    return _document("Comparison by pruner", DIFF_SCHEMA_NAME, DIFF_SCHEMA_VERSION, {})


def _document(title: str, name: str, version: str, more: dict[str, Any]) -> dict[str, Any]:
    schema = _object({"name": {"const": name}, "version": {"const": version}})
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        **_object({"schema": schema, "tool": _TEXT, **more, **_comparison()}),
    }


def _comparison() -> dict[str, Any]:
    """Properties of a comparison."""
    key = _object(dict.fromkeys(("type", "namespace", "name", "architecture"), _TEXT))
    package = _object(
        {
            "version": _TEXT,
            "purl": _TEXT,
            "bytes": _NATURAL,
            "files": _NATURAL,
            "licenses": _TEXTS,
            "sliced": {"type": ["boolean", "null"]},
        }
    )
    change = {
        **key["properties"],
        "change": {"enum": list(Change)},
        "before": _nullable(package),
        "after": _nullable(package),
        "visibility": {"enum": list(_VISIBILITY)},
        "remaining": _TEXTS,
    }
    items = _array(_object({"category": _TEXT, "path": _TEXT, "owner": _nullable(key), "detail": _TEXT}))
    surface = _object({"counts": {"type": "object", "additionalProperties": {"type": "integer"}}, "unknown": _TEXTS})
    return {
        "before": _side(),
        "after": _side(),
        "packages": _array(_object(change)),
        "files": _nullable(_array(_file_change(key))),
        "surface": _object({"before": surface, "after": surface, "added": items, "removed": items}),
        "vulnerabilities": _nullable(_array(_vulnerability(key))),
        "conformity": _nullable(_array(_file_change(key))),
        "notes": _TEXTS,
    }


def _side() -> dict[str, Any]:
    return _object(
        {
            "kind": {"enum": list(SideKind)},
            "name": _TEXT,
            "distro": _TEXT,
            "origin": {"type": "object", "additionalProperties": _TEXT},
            "packages": _NATURAL,
            "files": _NATURAL,
            "bytes": _NATURAL,
            "complete": {"type": "boolean"},
            "entries": _TEXTS,
        }
    )


def _limit() -> dict[str, Any]:
    return _object(
        {
            "name": _TEXT,
            "stated": _TEXT,
            "before": _COUNT,
            "after": _COUNT,
            "allowed": _COUNT,
            "kept": {"type": "boolean"},
        }
    )


def _finding() -> dict[str, Any]:
    texts = ("rule", "what", "where", "subject", "why", "fix", "waiver", "key")
    return _object({**dict.fromkeys(texts, _TEXT), "level": {"enum": list(Level)}, "chain": _TEXTS})


def _file_change(key: dict[str, Any]) -> dict[str, Any]:
    file = _object(
        {
            "type": {"enum": list(FileType)},
            "mode": {"type": ["string", "null"], "pattern": "^[0-7]{4}$"},
            "uid": _NATURAL,
            "gid": _NATURAL,
            "bytes": _NATURAL,
            "target": {"type": ["string", "null"]},
            "digest": {"type": ["string", "null"]},
            "owner": _nullable(key),
            "capabilities": {"type": ["string", "null"], "pattern": "^([0-9a-f]{2})*$"},
        }
    )
    return _object(
        {
            "path": _TEXT,
            "change": {"enum": list(Change)},
            "what": _TEXTS,
            "before": _nullable(file),
            "after": _nullable(file),
        }
    )


def _vulnerability(key: dict[str, Any]) -> dict[str, Any]:
    return _object(
        {
            "fate": {"enum": list(Fate)},
            "detail": _TEXT,
            "id": _TEXT,
            "aliases": _TEXTS,
            "severity": {"enum": list(SEVERITIES)},
            "package": key,
            "fixed_in": _TEXTS,
            "paths": _TEXTS,
            "before": {"type": ["string", "null"]},
            "after": {"type": ["string", "null"]},
        }
    )


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _array(item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": item}


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}
