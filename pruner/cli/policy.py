"""`pruner policy`: a policy to start from, and whether one is sound."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

policy_app = typer.Typer(help="Start and check the gate's policy.", no_args_is_help=True, rich_markup_mode=None)


@policy_app.command("init")
def init_command(
    sbom: Annotated[str, typer.Argument(help="The baseline: an SBOM, a plan or a root filesystem; - is stdin.")],
) -> None:
    """Print a commented policy that the baseline passes as it is.

    Example:

      pruner policy init app.syft.json > policy.yaml
    """
    from pruner.gate.compare.surface import surface_of
    from pruner.gate.policy.starter import starter_policy
    from pruner.gate.sides import read_side

    side = read_side(sbom)
    typer.echo(starter_policy(side, surface_of(side, entries=side.entries)), nl=False)


@policy_app.command("check")
def check_command(policies: Annotated[list[Path], typer.Argument(metavar="FILE…", help="The policies.")]) -> None:
    """Validate policies; exit 3 with file, line and key at the first that is wrong.

    Example:

      pruner policy check policy.yaml
    """
    from pruner.errors import printable
    from pruner.gate.policy import read_policy

    for policy in policies:
        read = read_policy(policy)
        rules = len(read.limits) + len(read.forbid) + len(read.require)
        typer.echo(f"{printable(str(policy))}: sound, {rules} rules and {len(read.waivers)} waivers")
