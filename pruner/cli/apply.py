"""`pruner apply`: from a plan to a pruned root filesystem."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pruner.cli.output import megabytes
from pruner.errors import InputError, UsageError, printable

if TYPE_CHECKING:
    from pruner.plan import Plan
    from pruner.rootfs import Root


def apply_command(
    directory: Annotated[Path, typer.Argument(help="A plan directory.")],
    root: Annotated[str, typer.Option(help="The fat root that the plan was made for, or its directory of packages.")],
    dest: Annotated[Path | None, typer.Option(help="Directory to make.")] = None,
    tar: Annotated[Path | None, typer.Option(help="Reproducible tar to write.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a destination that is not empty.")] = False,
) -> None:
    """Write the pruned root with owners, modes, links and extended attributes; every file is hashed on the way.

    Examples:

      pruner apply plan --root rootfs --dest pruned

      pruner apply plan --root image.tar --tar pruned.tar
    """
    from pruner.apply import apply, apply_tar
    from pruner.emit.planfile import load_plan
    from pruner.maintainer import ComposedRoot, open_installed

    if (dest is None) == (tar is None):
        raise UsageError("give either --dest or --tar")
    plan = load_plan(directory)
    source = open_installed(root)
    try:
        _check_archives(plan, source)
        if dest is not None:
            done = apply(plan, source, dest, force=force)
        else:
            assert tar is not None  # noqa: S101 -- one of the two is given
            done = apply_tar(plan, source, tar)
    finally:
        source.close()
    if done.unverified and not isinstance(source, ComposedRoot):
        typer.echo(f"note: {len(done.unverified)} files have no digest in the SBOM and were not checked", err=True)
    for loss in done.losses:
        typer.echo(f"note: not as planned: {printable(loss)}", err=True)
    typer.echo(f"{done.files} files, {megabytes(done.bytes)} MB written to {dest or tar}")


def _check_archives(plan: Plan, source: Root) -> None:
    """Raise `InputError` when package archives are not those that the plan was made from."""
    from pruner.maintainer import ComposedRoot

    if not isinstance(source, ComposedRoot):
        return
    digests = {archive.file: archive.digest for archive in source.archives}
    for record in plan.inputs:
        if record.role == "packages" and digests.get(record.name) != record.digest:
            what = "is missing" if record.name not in digests else "is not the archive that the plan was made from"
            raise InputError(f"{printable(source.name)}: {printable(record.name)} {what}", hint="plan again")
