"""`pruner rules`: what the rules know, and whether a pack is sound."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pruner.cli.output import table
from pruner.errors import NegativeAnswer, printable

rules_app = typer.Typer(help="List, show and check rules.", no_args_is_help=True, rich_markup_mode=None)

Packs = Annotated[list[Path] | None, typer.Option("--rules", help="A rule pack of your own, beside the bundled ones.")]


@rules_app.command("list")
def list_command(rules: Packs = None) -> None:
    """Print every rule's id and reason.

    Example:

      pruner rules list --rules my-rules
    """
    from pruner.rules import load_rules

    rows = [("rule", "why")]
    rows += [(rule.id, printable(rule.why.strip().partition("\n")[0])) for rule in load_rules(rules or []).rules]
    typer.echo(table(rows))


@rules_app.command("show")
def show_command(
    identifier: Annotated[str, typer.Argument(metavar="ID", help="A rule's id.")], rules: Packs = None
) -> None:
    """Print one rule as its file states it.

    Example:

      pruner rules show users-files
    """
    from pruner.rules.source import text_of_rule

    for line in text_of_rule(identifier, rules or []).splitlines():
        typer.echo(printable(line))


@rules_app.command("check")
def check_command(directory: Annotated[Path, typer.Argument(help="Directory with *.yaml rules.")]) -> None:
    """Validate a rule pack; exit 1 when it has problems.

    Example:

      pruner rules check my-rules
    """
    from pruner.rules import check_pack

    problems = check_pack(directory)
    for problem in problems:
        typer.echo(printable(problem))
    if problems:
        raise NegativeAnswer(f"{directory}: {len(problems)} problems")
    typer.echo(f"{directory}: sound")
