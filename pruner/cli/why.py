"""`pruner why`: the chain from an entry point to a path, package or capability."""

from __future__ import annotations

import json
import posixpath
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pruner.cli.output import megabytes
from pruner.errors import printable

if TYPE_CHECKING:
    from pruner.plan import Plan

_MOST_LINKS = 40
"""Links on the way to a file, as Linux allows."""

_MOST_FILES = 5


def why_command(
    directory: Annotated[Path, typer.Argument(help="A plan directory.")],
    subject: Annotated[str, typer.Argument(help="A path, a package (purl, deb:NAME, NAME) or a capability.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the chain as JSON.")] = False,
) -> None:
    """Say why something is kept, as a chain to an entry point, or why it was dropped.

    Example:

      pruner why plan /usr/lib/x86_64-linux-gnu/libssl.so.3
    """
    from pruner.emit.debian.relationships import declared_by
    from pruner.emit.planfile import load_plan
    from pruner.plan import explain

    plan = load_plan(directory)
    found = explain(plan, _through_links(plan, subject) if subject.startswith("/") else subject)
    dropped = next((package for package in plan.packages if package.purl == found.subject and not found.kept), None)
    declared = declared_by(directory, dropped.name) if dropped is not None and dropped.type == "deb" else ()
    if as_json:
        from msgspec import structs

        chain = [structs.asdict(edge) for edge in found.chain]
        document = {"subject": found.subject, "kept": found.kept, "reason": found.reason, "chain": chain}
        if declared:
            document["declared"] = declared
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
    for line in declared:
        typer.echo(f"  declared by {printable(line)}")
    if found.kept:
        _print_kept_files(plan, found.subject)


def _through_links(plan: Plan, path: str) -> str:
    """The name under which the plan has `path`: /bin/sh is /usr/bin/sh where /bin is a link."""
    files = {file.path: file for file in plan.files}
    for _ in range(_MOST_LINKS):
        if path in files:
            return path
        parts = path.split("/")
        prefixes = ("/".join(parts[:length]) for length in range(2, len(parts)))
        link = next((name for name in prefixes if name in files and files[name].target), None)
        if link is None:
            return path
        path = posixpath.normpath(
            posixpath.join(posixpath.dirname(link), files[link].target or "", path[len(link) + 1 :])
        )
    return path


def _print_kept_files(plan: Plan, purl: str) -> None:
    from pruner.model import FileType
    from pruner.plan import Decision

    owners = {package.id for package in plan.packages if package.purl == purl}
    files = [
        file
        for file in plan.files
        if file.package in owners and file.decision is not Decision.DROP and file.type is not FileType.DIRECTORY
    ]
    files.sort(key=lambda file: (-file.bytes, file.path))
    for file in files[:_MOST_FILES]:
        typer.echo(f"  keeps {megabytes(file.bytes)} MB  {printable(file.path)}")
    if len(files) > _MOST_FILES:
        typer.echo(f"  and {len(files) - _MOST_FILES} more")
