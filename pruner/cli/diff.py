"""`pruner diff`: what changed between two images."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from pruner.cli.gate import After, Before, PlanDirectory, VulnsAfter, VulnsBefore, compared, plan_at
from pruner.cli.output import table
from pruner.errors import printable

if TYPE_CHECKING:
    from pruner.gate.types import Comparison


def diff_command(
    before: Before,
    after: After,
    plan: PlanDirectory = None,
    vulns_before: VulnsBefore = None,
    vulns_after: VulnsAfter = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON (`pruner schema diff`).")] = False,
) -> None:
    """Say what changed: packages, files, modes, the attack surface, vulnerabilities, and what scanners can't see now.

    Examples:

      pruner diff before.syft.json after.syft.json

      pruner diff image.tar plan --json

      pruner diff before.syft.json after.syft.json --vulns-before before.grype.json --vulns-after after.grype.json
    """
    comparison = compared(before, after, plan_at(plan), vulns_before, vulns_after)
    if as_json:
        from pruner.gate.reports.document import diff_document

        typer.echo(json.dumps(diff_document(comparison), indent=2))
        return
    _print(comparison)


def _print(comparison: Comparison) -> None:
    from pruner.gate.reports.listing import change_lines, table_rows

    typer.echo(table(table_rows(comparison), right=(1, 2, 3)))
    for line in change_lines(comparison):
        typer.echo(line)
    if not any((comparison.packages, comparison.files, comparison.conformity, comparison.vulnerabilities)):
        whole = comparison.files is not None and comparison.before.complete and comparison.after.complete
        typer.echo("\nno difference" if whole else "\nno difference in what both sides list")
    for note in comparison.notes:
        typer.echo(f"note: {printable(note)}", err=True)
