"""`pruner policy`: a policy to start from, and whether one is sound."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pruner.gate.policy.types import Policy

policy_app = typer.Typer(help="Start and check the gate's policy.", no_args_is_help=True, rich_markup_mode=None)


@policy_app.command("init")
def init_command(
    sbom: Annotated[str, typer.Argument(help="The baseline: an SBOM, a plan or a root filesystem; - is stdin.")],
) -> None:
    """Print a commented policy that the baseline passes as it is.

    Example:

      pruner policy init app.syft.json > policy.yaml
    """
    from pruner.cli.gate import side_at
    from pruner.gate.compare.surface import surface_of
    from pruner.gate.policy.starter import starter_policy

    side = side_at(sbom, "a baseline")
    typer.echo(starter_policy(side, surface_of(side, entries=side.entries)), nl=False)


@policy_app.command("check")
def check_command(policies: Annotated[list[Path], typer.Argument(metavar="FILE…", help="The policies.")]) -> None:
    """Validate policies; what is wrong is told with file, line and key.

    Example:

      pruner policy check policy.yaml
    """
    from pruner.cli.gate import policy_at
    from pruner.errors import InputError, printable

    wrong: list[InputError] = []
    for path in policies:
        try:
            policy = policy_at(path)
        except InputError as error:
            wrong.append(error)
            continue
        typer.echo(f"{printable(str(path))}: sound; {_stated(policy)}")
    if wrong:
        facts = tuple(fact for error in wrong for fact in error.facts)
        raise InputError("; ".join(facts), hint=wrong[-1].hint, facts=facts)


def _stated(policy: Policy) -> str:
    """The keys that the policy states, with the number of those that are lists, and what holds for those left out."""
    from pruner.gate.policy import KEYS
    from pruner.gate.policy.types import DEFAULTS

    found = []
    for key in KEYS:
        value = getattr(policy, key, None)
        if policy.states(key):
            found.append(f"{key} {len(value)}" if isinstance(value, tuple) else key)
    stated = ", ".join(key for key in found if key != "version")
    defaults = ", ".join(f"{key} ({text})" for key, text in DEFAULTS.items() if not policy.states(key))
    return f"it states {stated or 'nothing'}{defaults and f'; left to the default: {defaults}'}"
