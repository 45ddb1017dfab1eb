"""Running a package manager and saying what went wrong."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pruner.errors import EnvironmentFault, printable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def complaint(self) -> str:
        """Its last error, safe to print."""
        lines = [line for line in (self.err or self.out).splitlines() if line.strip() and not line.startswith("W:")]
        return printable(lines[-1].strip()) if lines else f"exit code {self.code}"


def program(name: str, package: str) -> str:
    """Where the program lies. Raises `EnvironmentFault` where it is not installed."""
    found = shutil.which(name)
    if found is None:
        raise EnvironmentFault(f"{name} is not installed", hint=f"packages are fetched through {package}; run it there")
    return found


def run(command: Sequence[str], directory: Path) -> Ran:
    """Run `command` in `directory`, its messages in English. Raises `EnvironmentFault` where it can't be started."""
    try:
        done = subprocess.run(  # noqa: S603 - a fixed program; names and versions of a lock can't be options
            command,
            cwd=directory,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            env={**os.environ, "LC_ALL": "C"},
        )
    except OSError as error:
        raise EnvironmentFault(f"{command[0]}: {(error.strerror or str(error)).lower()}") from None
    return Ran(code=done.returncode, out=done.stdout.decode(errors="replace"), err=done.stderr.decode(errors="replace"))
