"""The application object and its commands, in the order of a first use."""

from __future__ import annotations

import typer

from pruner import __version__
from pruner.cli.apply import apply_command
from pruner.cli.costs import costs_command
from pruner.cli.diff import diff_command
from pruner.cli.fetch import fetch_command
from pruner.cli.gate import gate_command
from pruner.cli.plan import plan_command
from pruner.cli.policy import policy_app
from pruner.cli.rules import rules_app
from pruner.cli.schema import schema_command
from pruner.cli.select import select_command
from pruner.cli.slices import slices_app
from pruner.cli.verify import verify_command
from pruner.cli.vex import vex_command
from pruner.cli.why import why_command

app = typer.Typer(
    name="pruner",
    help="Keep of an image exactly what its entry points need, with a reason for every file.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"pruner {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(False, "--version", help="Print the version.", callback=_print_version, is_eager=True),
) -> None:
    del version  # its callback has answered


app.command("plan", short_help="Decide on every file of an image and write a plan.")(plan_command)
app.command("why", short_help="Say why something is kept or dropped.")(why_command)
app.command("costs", short_help="List what is optional, and what it costs.")(costs_command)
app.command("apply", short_help="Write the pruned root, as a directory or a tar.")(apply_command)
app.command("verify", short_help="Run commands in both roots and compare.")(verify_command)
app.command("diff", short_help="Say what changed between two images.")(diff_command)
app.command("gate", short_help="Hold what changed against a policy.")(gate_command)
app.add_typer(policy_app, name="policy")
app.command("vex", short_help="State which vulnerabilities pruning removed.")(vex_command)
app.command("select", short_help="Find the smallest set of packages for what is needed.")(select_command)
app.command("fetch", short_help="Download exactly the packages of a lock.")(fetch_command)
app.add_typer(slices_app, name="slices", short_help="Write, merge, check and compare slices for chisel.")
app.add_typer(rules_app, name="rules")
app.command("schema", short_help="Print the JSON Schema of what pruner reads and writes.")(schema_command)
