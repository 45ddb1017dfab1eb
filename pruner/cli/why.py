"""`pruner why`: the chain from an entry point to a path, package or capability."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from pruner.errors import printable


def why_command(
    directory: Annotated[Path, typer.Argument(help="A plan directory.")],
    subject: Annotated[str, typer.Argument(help="A path, a package (purl, deb:NAME, NAME) or a capability.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the chain as JSON.")] = False,
) -> None:
    """Say why something is kept, as a chain to an entry point, or why it was dropped.

    Example:

      pruner why plan /usr/lib/x86_64-linux-gnu/libssl.so.3
    """
    from pruner.emit.planfile import load_plan
    from pruner.plan import explain

    found = explain(load_plan(directory), subject)
    if as_json:
        chain = [asdict(edge) for edge in found.chain]
        document = {"subject": found.subject, "kept": found.kept, "reason": found.reason, "chain": chain}
        typer.echo(json.dumps(document, indent=2))
        return
    names = dict(found.names)

    def readable(node: str) -> str:
        kind, colon, name = node.partition(":")
        if colon and kind in ("package", "requires") and name in names:
            return f"{kind} {printable(names[name])}"
        return printable(f"{kind} {name}" if colon and not node.startswith("/") else node)

    typer.echo(f"{printable(found.subject)} is {'kept' if found.kept else 'dropped'}: {printable(found.reason)}")
    for depth, edge in enumerate(found.chain):
        if depth == 0:
            typer.echo(readable(edge.source))
        rule = f" [rule {edge.rule}]" if edge.rule else ""
        arrow = "  " * depth + "└─ "
        typer.echo(f"{arrow}{edge.kind}: {printable(edge.evidence)}{rule}")
        typer.echo(f"{'  ' * depth}   {readable(edge.target)}")
