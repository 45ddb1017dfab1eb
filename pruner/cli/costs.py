"""`pruner costs`: what could be left out, and what leaving it out would save."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from pruner.cli.output import megabytes, table
from pruner.errors import printable


def costs_command(
    directory: Annotated[Path, typer.Argument(help="A plan directory.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the options as JSON.")] = False,
) -> None:
    """List optional edges: what refusing an accepted one saves, what accepting a refused one adds at the least.

    Example:

      pruner costs plan
    """
    from pruner.emit.planfile import load_plan

    plan = load_plan(directory)
    if as_json:
        document = [
            {
                "name": option.name,
                "accepted": option.accepted,
                "bytes": option.bytes,
                "files": option.files,
                "why": option.why,
            }
            for option in plan.optional
        ]
        typer.echo(json.dumps(document, indent=2))
        return
    options = [option for option in plan.optional if option.files]
    if not options:
        typer.echo("nothing is optional: every kept file is a hard need")
        return
    rows = [("option", "now", "MB", "files", "why")]
    rows += [
        (
            printable(option.name),
            "kept" if option.accepted else "left out",
            ("-" if option.accepted else "+") + megabytes(option.bytes),
            str(option.files),
            printable(option.why),
        )
        for option in options
    ]
    typer.echo(table(rows, right=(2, 3)))
    typer.echo(
        "\n--refuse OPTION leaves a kept one out (- saves), --accept OPTION brings one back (+ adds, at the least)"
    )
