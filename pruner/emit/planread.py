"""Reads a plan directory back. A plan may have been edited or come from elsewhere: it is checked as any other input,
and no path in it can lead outside the root that it is applied to.
"""

from __future__ import annotations

import gc
import json
from typing import TYPE_CHECKING, Any

from pruner.emit.planfiles import file_plans
from pruner.emit.planschema import SCHEMA_NAME
from pruner.emit.table import NONE, Table, require
from pruner.errors import InputError
from pruner.model import (
    Distro,
    Edge,
    EdgeKind,
    Healthcheck,
    ImageConfig,
    Node,
    PackageId,
    Strength,
    Unknown,
)
from pruner.plan.types import (
    PLAN_SCHEMA_VERSION,
    Decision,
    InputRecord,
    OptionalPlan,
    PackagePlan,
    Plan,
    Settings,
    Totals,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PLAN_FILE = "plan.json"


def load_plan(directory: Path) -> Plan:
    """The plan whose `plan.json` and `context/made.tar` lie in `directory`.

    Raises `InputError` when the directory holds no plan, when a value is of the wrong kind (with its JSON path), when
    a path is not absolute and normal or lies below something that is not a directory, or when the content of a made
    file is missing or has another digest than the plan says.
    """
    enabled = gc.isenabled()
    gc.disable()  # reading makes many objects and no garbage: looking for some would double the time
    try:
        return _plan(_document(directory), directory)
    finally:
        if enabled:
            gc.enable()


def _plan(document: Mapping[str, Any], directory: Path) -> Plan:
    sources: dict[str, Any] = {key: require(PLAN_FILE, document, key) for key in _SECTIONS}
    top = Table.of_object(PLAN_FILE, "", document)
    totals = Table.of_object(PLAN_FILE, "totals", sources["totals"])
    return Plan(
        profile=top.column("profile", str)[0],
        mode=top.column("mode", str)[0],
        entries=top.strings("entries")[0],
        capabilities=top.strings("capabilities")[0],
        lacks=top.strings("lacks")[0],
        verify=top.strings("verify")[0],
        settings=_settings(Table.of_object(PLAN_FILE, "settings", sources["settings"])),
        inputs=_inputs(_array("inputs", sources)),
        image=None if sources["image"] is None else _image(Table.of_object(PLAN_FILE, "image", sources["image"])),
        distro=_distro(Table.of_object(PLAN_FILE, "distro", sources["distro"])),
        before=_totals(Table.of_object(PLAN_FILE, "totals.before", totals.column("before", dict)[0])),
        after=_totals(Table.of_object(PLAN_FILE, "totals.after", totals.column("after", dict)[0])),
        unknowns=_unknowns(_array("unknowns", sources)),
        packages=_packages(_array("packages", sources)),
        optional=_optional(_array("optional", sources)),
        edges=_edges(_array("edges", sources)),
        files=file_plans(_array("files", sources), directory),
    )


_SECTIONS = (
    "inputs", "profile", "mode", "entries", "image", "distro", "totals", "capabilities", "lacks", "verify", "settings",
    "unknowns", "packages", "optional", "edges", "files",
)  # fmt: skip


def _document(directory: Path) -> Mapping[str, Any]:
    path = directory / PLAN_FILE
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        why = f"it holds no {PLAN_FILE}" if isinstance(error, FileNotFoundError) and directory.is_dir() else ""
        why = why or (error.strerror or str(error)).lower()
        raise InputError(
            f"{directory}: no plan can be read: {why}", hint="give the directory that `pruner plan` wrote"
        ) from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not JSON: {error}", hint="plan again") from None
    schema = document.get("schema") if isinstance(document, dict) else None
    if not isinstance(schema, dict) or schema.get("name") != SCHEMA_NAME:
        raise InputError(f"{path}: not a plan of pruner", hint="give the directory that `pruner plan` wrote")
    if schema.get("version") != PLAN_SCHEMA_VERSION:
        found = schema.get("version")
        raise InputError(
            f"{path}: schema version {found!r} can't be read, only {PLAN_SCHEMA_VERSION!r}", hint="plan again"
        )
    return dict(document)


def _array(key: str, sources: Mapping[str, Any]) -> Table:
    return Table.of_array(PLAN_FILE, key, sources[key])


def _inputs(table: Table) -> tuple[InputRecord, ...]:
    columns = (table.column("role", str), table.column("name", str), table.column("digest", str, NONE))
    return tuple(InputRecord(role=role, name=name, digest=digest) for role, name, digest in zip(*columns, strict=True))


def _image(table: Table) -> ImageConfig:
    labels = table.column("labels", dict)[0]
    for name in labels:
        Table.of_object(PLAN_FILE, "image.labels", labels).column(name, str)
    healthcheck = table.column("healthcheck", dict, NONE)[0]
    return ImageConfig(
        entrypoint=table.strings("entrypoint")[0],
        cmd=table.strings("cmd")[0],
        env=table.strings("env")[0],
        user=table.column("user", str)[0],
        working_dir=table.column("working_dir", str)[0],
        volumes=table.strings("volumes")[0],
        exposed_ports=table.strings("exposed_ports")[0],
        stop_signal=table.column("stop_signal", str)[0],
        shell=table.strings("shell")[0],
        architecture=table.column("architecture", str)[0],
        os=table.column("os", str)[0],
        labels=tuple(labels.items()),
        healthcheck=None if healthcheck is None else _healthcheck(healthcheck),
    )


def _healthcheck(value: Mapping[str, Any]) -> Healthcheck:
    table = Table.of_object(PLAN_FILE, "image.healthcheck", value)
    numbers = ("interval", "timeout", "start_period", "start_interval", "retries")
    return Healthcheck(test=table.strings("test")[0], **{key: table.natural(key)[0] for key in numbers})


def _distro(table: Table) -> Distro:
    return Distro(
        **{key: table.column(key, str)[0] for key in ("id", "version_id", "name")}, id_like=table.strings("id_like")[0]
    )


def _totals(table: Table) -> Totals:
    return Totals(**{key: table.natural(key)[0] for key in Totals.__slots__})


def _settings(table: Table) -> Settings:
    lists = {key: table.strings(key)[0] for key in ("keep", "drop", "features", "accept", "refuse")}
    return Settings(**lists, image=table.column("image", str, NONE)[0])


def _unknowns(table: Table) -> tuple[Unknown, ...]:
    columns = (table.column("kind", str), table.column("subject", str), table.column("detail", str))
    return tuple(
        Unknown(kind=kind, subject=subject, detail=detail) for kind, subject, detail in zip(*columns, strict=True)
    )


def _packages(table: Table) -> tuple[PackagePlan, ...]:
    keys = {key: table.column(key, str) for key in ("purl", "type", "name", "version", "reason")}
    keys |= {key: table.natural(key) for key in ("bytes", "kept_bytes", "files", "kept_files")}
    keys["architecture"] = table.column("architecture", str, NONE)
    keys["decision"] = table.converted("decision", Decision, "a decision")
    keys["id"] = [PackageId(value) for value in table.column("id", str)]
    return tuple(PackagePlan(**dict(zip(keys, row, strict=True))) for row in zip(*keys.values(), strict=True))


def _edges(table: Table) -> tuple[Edge, ...]:
    rows = zip(
        table.column("from", str),
        table.column("to", str),
        table.converted("kind", EdgeKind, "a kind of edge"),
        table.converted("strength", Strength, "a strength"),
        table.column("evidence", str),
        table.optional("rule", str),
        table.optional("group", str),
        table.optional("default", bool, default=True),
        strict=True,
    )
    return tuple(
        Edge(
            source=Node(source),
            target=Node(target),
            kind=kind,
            strength=strength,
            evidence=evidence,
            rule=rule,
            group=group,
            default=default,
        )
        for source, target, kind, strength, evidence, rule, group, default in rows
    )


def _optional(table: Table) -> tuple[OptionalPlan, ...]:
    rows = zip(
        table.column("name", str),
        table.column("accepted", bool),
        table.natural("bytes"),
        table.natural("files"),
        table.column("why", str),
        table.column("edges", list),
        strict=True,
    )
    return tuple(
        OptionalPlan(
            name=name,
            accepted=accepted,
            edges=_edges(Table.of_array(PLAN_FILE, f"{table.place(index)}.edges", edges)),
            bytes=size,
            files=files,
            why=why,
        )
        for index, (name, accepted, size, files, why, edges) in enumerate(rows)
    )
