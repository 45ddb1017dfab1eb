"""`pruner schema`: JSON Schemas of what pruner reads and writes."""

from __future__ import annotations

import json
from enum import StrEnum
from importlib import import_module
from typing import Annotated

import typer

from pruner.errors import UsageError, printable


class SchemaName(StrEnum):
    """The documents that have a schema."""

    PLAN = "plan"
    CONFIG = "config"
    LOCK = "lock"
    POLICY = "policy"
    GATE = "gate"
    DIFF = "diff"


def schema_command(
    name: Annotated[str, typer.Argument(help="plan, config, lock, policy, gate or diff.")],
) -> None:
    """Print the JSON Schema of plan.json, pruner.yaml, packages.lock.json, a policy, or of what gate and diff report.

    Example:

      pruner schema config > pruner.schema.json
    """
    if name not in set(SchemaName):
        raise UsageError(f"'{printable(name)}' has no schema", hint=f"those that have are {', '.join(SchemaName)}")
    module, function = _SCHEMAS[SchemaName(name)]
    typer.echo(json.dumps(getattr(import_module(module), function)(), indent=2))


_SCHEMAS = {
    SchemaName.PLAN: ("pruner.emit.planschema", "plan_schema"),
    SchemaName.CONFIG: ("pruner.read.config", "config_schema"),
    SchemaName.LOCK: ("pruner.emit.packagelock", "lock_schema"),
    SchemaName.POLICY: ("pruner.gate.policy.schema", "policy_schema"),
    SchemaName.GATE: ("pruner.gate.reports.schema", "gate_schema"),
    SchemaName.DIFF: ("pruner.gate.reports.schema", "diff_schema"),
}
"""Module and function of each, imported when asked for."""
