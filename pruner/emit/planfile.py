r"""`plan.json`: everything that was decided and why, written so that nothing of a `Plan` is lost.

One record a line, so that two plans can be compared with `diff`. Names that are not UTF-8 carry lone surrogates
(`\udc80`…), as `os.fsdecode` makes them. The contents of made files are not in it: they are the members of
`context/made.tar` (`emit.context`), and `content` is their digest.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

import pruner
from pruner.emit.artifact import Artifact
from pruner.emit.planread import PLAN_FILE, load_plan
from pruner.emit.planschema import SCHEMA_NAME
from pruner.plan.types import PLAN_SCHEMA_VERSION, FilePlan, InputRecord, OptionalPlan, PackagePlan, Plan, Totals

if TYPE_CHECKING:
    from pruner.model import Distro, Edge, ImageConfig, Unknown

__all__ = ["load_plan", "plan_artifact"]

Json: TypeAlias = Mapping[str, Any]

_escape = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


def _encode(value: Any) -> str:
    """ASCII JSON. msgspec, which is five times as fast, neither escapes nor takes lone surrogates."""
    try:
        data = msgspec.json.encode(value)
    except UnicodeEncodeError:
        return _escape(value)
    return data.decode("ascii") if data.isascii() else _escape(value)


def plan_artifact(plan: Plan) -> Artifact:
    """`plan.json` of `plan`; `load_plan` reads it back without loss."""
    sections: list[tuple[str, Any]] = [
        ("schema", {"name": SCHEMA_NAME, "version": PLAN_SCHEMA_VERSION}),
        ("tool", {"name": "pruner", "version": pruner.__version__}),
        ("inputs", [_input(record) for record in plan.inputs]),
        ("profile", plan.profile),
        ("mode", plan.mode),
        ("entries", plan.entries),
        ("image", None if plan.image is None else _image(plan.image)),
        ("distro", _distro(plan.distro)),
        ("totals", {"before": _totals(plan.before), "after": _totals(plan.after)}),
        ("capabilities", plan.capabilities),
        ("lacks", plan.lacks),
        ("verify", plan.verify),
        ("settings", _plain(plan.settings)),
        ("unknowns", [_unknown(unknown) for unknown in plan.unknowns]),
        ("packages", [_package(package) for package in plan.packages]),
        ("optional", [_optional(optional) for optional in plan.optional]),
        ("edges", [_edge(edge) for edge in plan.edges]),
        ("files", [_file(file) for file in plan.files]),
    ]
    lines = ",\n".join(f"{_encode(key)}: {_section(value)}" for key, value in sections)
    return Artifact(path=PLAN_FILE, data=f"{{\n{lines}\n}}\n".encode("ascii"))


def _section(value: Any) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str) and value:
        return "[\n" + ",\n".join(map(_encode, value)) + "\n]"
    return _encode(value)


def _plain(value: Any, names: Iterable[str] | None = None) -> Json:
    return {name: getattr(value, name) for name in names or [field.name for field in fields(value)]}


def _input(record: InputRecord) -> Json:
    return _plain(record)


def _distro(distro: Distro) -> Json:
    return _plain(distro)


def _totals(totals: Totals) -> Json:
    return _plain(totals)


def _unknown(unknown: Unknown) -> Json:
    return _plain(unknown)


def _image(image: ImageConfig) -> Json:
    return {
        **_plain(image),
        "labels": dict(image.labels),
        "healthcheck": None if image.healthcheck is None else _plain(image.healthcheck),
    }


def _package(package: PackagePlan) -> Json:
    return {
        "purl": package.purl,
        "decision": package.decision,
        "bytes": package.bytes,
        "kept_bytes": package.kept_bytes,
        "reason": package.reason,
        "files": package.files,
        "kept_files": package.kept_files,
        "type": package.type,
        "name": package.name,
        "version": package.version,
        "architecture": package.architecture,
        "id": package.id,
    }


def _edge(edge: Edge) -> Json:
    record: dict[str, Any] = {
        "from": edge.source,
        "to": edge.target,
        "kind": edge.kind,
        "strength": edge.strength,
        "evidence": edge.evidence,
    }
    if edge.rule is not None:
        record["rule"] = edge.rule
    if edge.group is not None:
        record["group"] = edge.group
    if not edge.default:
        record["default"] = False
    return record


def _optional(optional: OptionalPlan) -> Json:
    return {
        "name": optional.name,
        "accepted": optional.accepted,
        "bytes": optional.bytes,
        "files": optional.files,
        "why": optional.why,
        "edges": [_edge(edge) for edge in optional.edges],
    }


def _file(file: FilePlan) -> Json:
    record: dict[str, Any] = {
        "path": file.path,
        "type": file.type,
        "mode": f"{file.mode:04o}",
        "uid": file.uid,
        "gid": file.gid,
        "bytes": file.bytes,
        "target": file.target,
        "owner": file.owner,
        "decision": file.decision,
        "reason": file.reason,
        "from": file.origin,
    }
    if file.package is not None:
        record["package"] = file.package
    if file.hardlink is not None:
        record["hardlink"] = file.hardlink
    if file.digest is not None:
        record["digest"] = file.digest
    if file.device is not None:
        record["device"] = file.device
    if file.content is not None:
        record["content"] = f"sha256:{hashlib.sha256(file.content).hexdigest()}"
    return record
