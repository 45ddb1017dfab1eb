"""The JSON Schema of `plan.json`, for editors and other programs. `planread` checks the same and more, faster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from pruner.model import EdgeKind, FileType, Strength
from pruner.plan.types import PLAN_SCHEMA_VERSION, Decision

if TYPE_CHECKING:
    from enum import StrEnum

SCHEMA_NAME = "pruner-plan"

Schema: TypeAlias = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_TEXT_OR_NULL: Schema = {"type": ["string", "null"]}
_FLAG: Schema = {"type": "boolean"}
_NUMBER: Schema = {"type": "integer", "minimum": 0}
_TEXTS: Schema = {"type": "array", "items": _TEXT}
_PATH: Schema = {"type": "string", "pattern": "^/[^/]"}
_DIGEST: Schema = {"type": "string", "pattern": "^[a-z0-9-]+:.+$"}
_DECISIONS_OF_PACKAGES = [Decision.KEEP, Decision.SLICE, Decision.DROP]
_DECISIONS_OF_FILES = [Decision.KEEP, Decision.DROP, Decision.MAKE]


def plan_schema() -> Schema:
    """The JSON Schema (draft 2020-12) of `plan.json`. Sizes are bytes, durations nanoseconds."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Plan of pruner",
        **_record(
            schema=_record(name={"const": SCHEMA_NAME}, version={"const": PLAN_SCHEMA_VERSION}),
            tool=_record(name=_TEXT, version=_TEXT),
            inputs=_array(_record(role=_TEXT, name=_TEXT, digest=_TEXT_OR_NULL)),
            profile=_TEXT,
            mode={"enum": ["root", "sbom"]},
            entries=_TEXTS,
            image={"anyOf": [{"type": "null"}, _image()]},
            distro=_record(id=_TEXT, version_id=_TEXT, name=_TEXT, id_like=_TEXTS),
            totals=_record(before=_totals(), after=_totals()),
            capabilities=_TEXTS,
            lacks=_TEXTS,
            verify=_TEXTS,
            settings=_record(
                keep=_TEXTS, drop=_TEXTS, features=_TEXTS, accept=_TEXTS, refuse=_TEXTS, image=_TEXT_OR_NULL
            ),
            unknowns=_array(_record(kind=_TEXT, subject=_TEXT, detail=_TEXT)),
            packages=_array(_package()),
            optional=_array(
                _record(
                    name=_TEXT,
                    accepted=_FLAG,
                    bytes=_NUMBER,
                    files=_NUMBER,
                    why=_TEXT,
                    edges=_array({"$ref": "#/$defs/edge"}),
                )
            ),
            edges=_array({"$ref": "#/$defs/edge"}),
            files=_array(_file()),
        ),
        "$defs": {"edge": _edge()},
    }


def _record(extra: Schema | None = None, /, **required: Schema) -> Schema:
    return {
        "type": "object",
        "properties": required | (extra or {}),
        "required": list(required),
        "additionalProperties": False,
    }


def _array(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _one_of(words: type[StrEnum] | list[Decision]) -> Schema:
    return {"enum": [word.value for word in words]}


def _totals() -> Schema:
    keys = ("packages", "files", "bytes", "setuid_files", "shells", "interpreters", "package_managers")
    return _record(**dict.fromkeys(keys, _NUMBER))


def _image() -> Schema:
    healthcheck = _record(
        test=_TEXTS,
        **dict.fromkeys(("interval", "timeout", "start_period", "start_interval", "retries"), _NUMBER),
    )
    return _record(
        entrypoint=_TEXTS,
        cmd=_TEXTS,
        env=_TEXTS,
        user=_TEXT,
        working_dir=_TEXT,
        volumes=_TEXTS,
        exposed_ports=_TEXTS,
        labels={"type": "object", "additionalProperties": _TEXT},
        stop_signal=_TEXT,
        healthcheck={"anyOf": [{"type": "null"}, healthcheck]},
        shell=_TEXTS,
        architecture=_TEXT,
        os=_TEXT,
    )


def _package() -> Schema:
    return _record(
        purl=_TEXT,
        decision=_one_of(_DECISIONS_OF_PACKAGES),
        bytes=_NUMBER,
        kept_bytes=_NUMBER,
        reason=_TEXT,
        files=_NUMBER,
        kept_files=_NUMBER,
        type=_TEXT,
        name=_TEXT,
        version=_TEXT,
        architecture=_TEXT_OR_NULL,
        id=_TEXT,
    )


def _edge() -> Schema:
    return _record(
        {"rule": _TEXT, "group": _TEXT, "default": _FLAG},
        **{"from": _TEXT, "to": _TEXT},
        kind=_one_of(EdgeKind),
        strength=_one_of(Strength),
        evidence=_TEXT,
    )


def _file() -> Schema:
    return _record(
        {
            "package": _TEXT,
            "hardlink": _PATH,
            "digest": _DIGEST,
            "device": {"type": "array", "items": _NUMBER, "minItems": 2, "maxItems": 2},
            "content": {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"},
        },
        path=_PATH,
        type=_one_of(FileType),
        mode={"type": "string", "pattern": "^[0-7]{4}$"},
        uid=_NUMBER,
        gid=_NUMBER,
        bytes=_NUMBER,
        target=_TEXT_OR_NULL,
        owner=_TEXT_OR_NULL,
        decision=_one_of(_DECISIONS_OF_FILES),
        reason=_TEXT,
        **{"from": _TEXT_OR_NULL},
    )
