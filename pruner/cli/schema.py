"""`pruner schema`: JSON Schemas of what pruner reads and writes."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated

import typer


class SchemaName(StrEnum):
    """The documents that have a schema."""

    PLAN = "plan"
    CONFIG = "config"
    LOCK = "lock"


def schema_command(name: Annotated[SchemaName, typer.Argument(help="plan, config or lock.")]) -> None:
    """Print the JSON Schema of plan.json, pruner.yaml or packages.lock.json.

    Example:

      pruner schema config > pruner.schema.json
    """
    from pruner.emit.packagelock import lock_schema
    from pruner.emit.planschema import plan_schema
    from pruner.read.config import config_schema

    schemas = {SchemaName.PLAN: plan_schema, SchemaName.CONFIG: config_schema, SchemaName.LOCK: lock_schema}
    typer.echo(json.dumps(schemas[name](), indent=2))
