"""What every emitter returns: a file of the plan directory, as a value."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """One file of the plan directory. Only the command line writes it."""

    path: str
    """Relative to the plan directory, with forward slashes; never a name taken from an input."""
    data: bytes
    mode: int = 0o644
    """POSIX permission bits."""
