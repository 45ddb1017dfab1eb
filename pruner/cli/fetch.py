"""`pruner fetch`: the packages of a lock, downloaded and verified."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pruner.cli.output import megabytes


def fetch_command(
    lock: Annotated[Path, typer.Option(help="A packages.lock.json of `pruner select` or of a plan.")],
    dest: Annotated[Path, typer.Option(help="Directory to make.")],
) -> None:
    """Download exactly the packages of a lock through apt or apk; the directory is there complete, or not at all.

    Example:

      pruner fetch --lock packages.lock.json --dest debs
    """
    from pruner.fetch import fetch
    from pruner.read.packagelock import read_lock

    done = fetch(read_lock(lock), dest)
    if done.unverified:
        typer.echo(f"note: the lock states no checksum for {len(done.unverified)} packages", err=True)
    typer.echo(f"{done.packages} packages, {megabytes(done.bytes)} MB written to {dest}")
