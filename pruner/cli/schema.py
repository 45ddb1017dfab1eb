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


def schema_command(name: Annotated[SchemaName, typer.Argument(help="plan or config.")]) -> None:
    """Print the JSON Schema of plan.json or pruner.yaml.

    Example:

      pruner schema config > pruner.schema.json
    """
    from pruner.emit.planschema import plan_schema
    from pruner.read.config import config_schema

    schema = plan_schema() if name is SchemaName.PLAN else config_schema()
    typer.echo(json.dumps(schema, indent=2))
